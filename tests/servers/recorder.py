"""A recording platform: a real HTTP server that speaks the `http` adapter's contract and remembers every arrival.

    python tests/servers/recorder.py --port 0 --db FILE [--drop P] [--seed N] [--delay-ms N] [--no-dedupe] [--secret whsec_…]

The first line on stdout is the port. Stops on SIGTERM; kill -9 loses nothing that was answered: every arrival and every
post is one line appended to FILE before the answer goes out, and a server started on the same FILE goes on from it.

    --port N      0 takes a free port (127.0.0.1 only)
    --db FILE     append-only JSON lines: {"e": "arrival", ...} and {"e": "post", "key", "id"}
    --drop P      with probability P make the post and close the connection without an answer
    --seed N      of that probability
    --delay-ms N  answer each publish so much later (the post is made before the delay)
    --no-dedupe   make a second post when a key comes again, so that doubles become visible
    --secret S    check Standard Webhooks signatures with the `standardwebhooks` package; a bad one gets 401
    --hosts N     listen on 127.0.0.1 to 127.0.0.N: each is a service of its own to the product
    --poll-count N  how often a 202's poll_url answers 202 before 201 (default 1)

Faults by chance, each a probability of its own, drawn from --seed (at most one of the first eight strikes a publish):

    --refuse P    close the connection without making the post         --down P    503, nothing made
    --busy P      429 with Retry-After: 1, nothing made                --fail P    500 after making the post
    --drip P      the answer comes in small pieces, over half a second --cut P     half of the answer, then the connection ends
    --twice P     the answer comes twice on the connection             --junk P    garbage follows the answer
    --slow P      wait before making the post, up to --slow-ms         --linger P  wait before the answer, up to --slow-ms
    --mute P      a look-up or poll gets no answer

    POST /publish      201 {"id", "url"}; 409 with the same body on a key it has; or what /control ordered
    POST /publish/replays  as a platform that promises one post a key, whatever --no-dedupe says
    POST /publish/accepts  202 with a poll_url, as a platform that works on the post for a while
    GET  /lookup/<key> 200 {"id", "url"} or 404
    GET  /poll/<key>   202, then 201 {"id", "url"}
    GET  /log          {"arrivals": [{"key", "at", "headers", "body"}], "posts": {key: number of posts EFFECTIVELY made}}
    GET  /log?brief=1  without the arrivals
    GET  /log?ids=1    {"posts": {key: [id, ...]}, "arrivals": {key: [epoch seconds, ...]}, "faults": {fault: times}}
    POST /control      {"next": [order, ...]} orders for the next publishes, one each; {"drop": P} changes the probability;
                       {"lookup": order} for every look-up until {"lookup": null}
                       {"token": [order, ...]} orders for the next renewals; {"rotate": bool}; {"expires_in": seconds}
    POST /token        OAuth 2: takes {"refresh_token": …} that it gave last (the first may be any), answers a new access and
                       refresh token; a used one gets 400 invalid_grant. /log tells how many came and the highest number at once
        order: {"status": 429, "retry_after": 2, "body": {...}, "made": false, "drop": false, "location": "…", "headers": {…}}
        made: the post is made although the answer says otherwise; drop: no answer at all.
        {"status": 202} makes the post and answers with a poll_url.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter, deque
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

REASONS = {200: "OK", 201: "Created", 202: "Accepted", 404: "Not Found", 409: "Conflict"}
FAULTS = ("refuse", "down", "busy", "fail", "drip", "cut", "twice", "junk")
WAITS = ("slow", "linger", "mute")
DRIP_BYTES, DRIP_SECONDS = 24, 0.05
Answer = tuple[int, Any, dict[str, str]] | None  # status, JSON, headers; None: the connection is closed


class Book:
    """What arrived and what was made, in memory and in the file."""

    def __init__(self, path: str) -> None:
        self.arrivals: list[dict[str, Any]] = []
        self.posts: dict[str, list[str]] = {}
        self.number = 0
        if os.path.exists(path):
            with open(path) as file:
                for line in file:
                    self._replay(line)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def _replay(self, line: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError:
            return  # the last line of a server that was killed while writing
        if entry.pop("e") == "arrival":
            self.arrivals.append(entry)
        else:
            self.posts.setdefault(entry["key"], []).append(entry["id"])
            self.number += 1

    def arrived(self, key: str, headers: dict[str, str], body: bytes) -> None:
        entry = {"key": key, "at": time.time(), "headers": headers, "body": body.decode("utf-8", "replace")}
        self.arrivals.append(entry)
        self._write({"e": "arrival", **entry})

    def make(self, key: str) -> str:
        self.number += 1
        post = f"p{self.number}"
        self.posts.setdefault(key, []).append(post)
        self._write({"e": "post", "key": key, "id": post})
        return post

    def _write(self, entry: dict[str, Any]) -> None:
        os.write(self._file, (json.dumps(entry) + "\n").encode())


class Tokens:
    """The token address: refresh tokens that work once."""

    def __init__(self) -> None:
        self.orders: deque[dict[str, Any]] = deque()
        self.current: dict[str, str] = {}
        self.number = self.calls = self.at_once = self.most_at_once = 0
        self.expires_in, self.rotate = 3600.0, True
        self.clients: list[str] = []

    async def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, Any, dict[str, str]] | None:
        self.calls += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0.05)  # long enough for two at once to be seen
            return self.decide(headers, dict(parse_qsl(body.decode())))
        finally:
            self.at_once -= 1

    def decide(self, headers: dict[str, str], form: dict[str, str]) -> tuple[int, Any, dict[str, str]] | None:
        client = headers.get("authorization") or form.get("client_id", "")
        self.clients.append(client)
        order = self.orders.popleft() if self.orders else {}
        if order.get("drop"):
            return None
        if "status" in order:
            extra = {"Retry-After": str(order["retry_after"])} if "retry_after" in order else {}
            return int(order["status"]), order.get("body", {"error": "server_error"}), extra
        given = form.get("refresh_token", "")
        if not given or self.current.setdefault(client, given) != given:
            return 400, {"error": "invalid_grant"}, {}
        self.number += 1
        answer = {"access_token": f"access-{self.number}", "token_type": "Bearer", "expires_in": self.expires_in}
        if self.rotate:
            answer["refresh_token"] = self.current[client] = f"refresh-{self.number}"
        return 200, answer, {}

    def told(self) -> dict[str, Any]:
        return {"calls": self.calls, "most_at_once": self.most_at_once, "clients": self.clients}


class Platform:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.book = Book(options.db)
        self.dice = random.Random(options.seed)
        # of its own, so that --drop draws the same numbers with and without the other faults
        self.fate = random.Random(options.seed + 1)
        self.struck: Counter[str] = Counter()
        self.orders: deque[dict[str, Any]] = deque()
        self.lookup_order: dict[str, Any] | None = None
        self.polls: dict[str, int] = {}
        self.tokens = Tokens()
        self.drop = options.drop
        self.port = options.port

    def post(self, key: str, post: str) -> dict[str, str]:
        return {"id": post, "url": f"http://127.0.0.1:{self.port}/posts/{post}"}

    def strikes(self, wait: str) -> bool:
        chance = getattr(self.options, wait)
        struck = bool(chance) and self.fate.random() < chance
        self.struck[wait] += struck
        return struck

    def fault(self) -> str:
        """The fault that strikes this publish, or nothing."""
        chances = [getattr(self.options, name) for name in FAULTS]
        if not any(chances):
            return ""
        number = self.fate.random()
        for name, chance in zip(FAULTS, chances, strict=True):
            if number < chance:
                self.struck[name] += 1
                return name
            number -= chance
        return ""

    async def wait(self, name: str) -> None:
        if self.strikes(name):
            await asyncio.sleep(self.fate.random() * self.options.slow_ms / 1000)

    async def publish_by_chance(self, kind: str, headers: dict[str, str], body: bytes) -> tuple[Answer, str]:
        """The answer to a publish, and the fault that strikes it (the delivery has its share of them)."""
        fault = self.fault()
        if fault in ("refuse", "down", "busy"):
            self.book.arrived(headers.get("idempotency-key", ""), headers, body)
            if fault == "refuse":
                return None, fault
            status, extra = (503, {}) if fault == "down" else (429, {"Retry-After": "1"})
            return (status, {"detail": fault}, extra), fault
        await self.wait("slow")
        answer = self.publish(headers, body, kind)
        await self.wait("linger")
        if self.options.delay_ms:
            await asyncio.sleep(self.options.delay_ms / 1000)
        return ((500, {"detail": fault}, {}) if fault == "fail" else answer), fault

    def publish(self, headers: dict[str, str], body: bytes, kind: str = "") -> Answer:
        """(status, JSON, headers), or None for a closed connection."""
        key = headers.get("idempotency-key", "")
        self.book.arrived(key, headers, body)
        if self.options.secret and not self.is_signed(headers, body):
            return 401, {"detail": "bad signature"}, {}
        if self.orders:
            return self.obey(self.orders.popleft(), key)
        if kind == "accepts":
            return self.obey({"status": 202}, key)
        made = self.book.posts.get(key)
        if made and (kind == "replays" or not self.options.no_dedupe):
            status, post = 409, made[0]
        else:
            status, post = 201, self.book.make(key)
        if self.drop and self.dice.random() < self.drop:
            return None
        return status, self.post(key, post), {}

    def obey(self, order: dict[str, Any], key: str) -> Answer:
        status = int(order.get("status", 201))
        posts = self.book.posts.get(key, [])
        if (order.get("made") or status in (200, 201, 202)) and (not posts or self.options.no_dedupe):
            posts = [self.book.make(key)]
        if order.get("drop"):
            return None
        headers = {"Retry-After": str(order["retry_after"])} if "retry_after" in order else {}
        headers |= order.get("headers", {})
        if "location" in order:
            headers["Location"] = order["location"]
        if "body" in order:
            return status, order["body"], headers
        if status == 202:
            return status, {"poll_url": f"http://127.0.0.1:{self.port}/poll/{key}"}, headers
        return status, self.post(key, posts[0]) if posts and status < 300 else {"detail": f"ordered {status}"}, headers

    def is_signed(self, headers: dict[str, str], body: bytes) -> bool:
        from standardwebhooks import Webhook, WebhookVerificationError

        try:
            Webhook(self.options.secret).verify(body, headers)
        except WebhookVerificationError:
            return False
        return True

    def get(self, path: str, query: str) -> Answer:
        if path.startswith(("/lookup/", "/poll/")) and self.strikes("mute"):
            return None
        if path.startswith("/lookup/"):
            key = unquote(path.removeprefix("/lookup/"))
            if self.lookup_order is not None:
                order = self.lookup_order
                return None if order.get("drop") else (int(order["status"]), order.get("body", {}), {})
            made = self.book.posts.get(key)
            return (200, self.post(key, made[0]), {}) if made else (404, {"detail": "no such key"}, {})
        if path.startswith("/poll/"):
            key = unquote(path.removeprefix("/poll/"))
            made = self.book.posts.get(key)
            if not made:
                return 404, {"detail": "no such key"}, {}
            self.polls[key] = self.polls.get(key, 0) + 1
            if self.polls[key] <= self.options.poll_count:
                return 202, {}, {"Retry-After": "1"}
            return 201, self.post(key, made[0]), {}
        if path == "/log":
            if "ids" in query:
                return 200, self.whole_log(), {}
            log: dict[str, Any] = {"posts": {key: len(made) for key, made in self.book.posts.items()}}
            if "brief" not in query:
                log["arrivals"] = self.book.arrivals
                log["tokens"] = self.tokens.told()
            return 200, log, {}
        return (200, {"recorder": True}, {}) if path in ("/", "/publish") else (404, {"detail": "no such page"}, {})

    def whole_log(self) -> dict[str, Any]:
        arrivals: dict[str, list[float]] = {}
        for entry in self.book.arrivals:
            arrivals.setdefault(entry["key"], []).append(entry["at"])
        return {"posts": self.book.posts, "arrivals": arrivals, "faults": dict(self.struck)}

    def control(self, orders: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        self.orders.extend(orders.get("next", ()))
        self.drop = orders.get("drop", self.drop)
        self.tokens.orders.extend(orders.get("token", ()))
        self.tokens.rotate = orders.get("rotate", self.tokens.rotate)
        self.tokens.expires_in = orders.get("expires_in", self.tokens.expires_in)
        if "lookup" in orders:
            self.lookup_order = orders["lookup"]
        return 200, {"waiting": len(self.orders)}, {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self.one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError, ConnectionError):
            pass  # the client left, or the server stops
        finally:
            writer.close()

    async def one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request on a connection; False when the connection is over."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        parts = urlsplit(target)
        fault = ""
        if method == "POST" and parts.path.startswith("/publish"):
            kind = parts.path.removeprefix("/publish").strip("/")
            answer, fault = await self.publish_by_chance(kind, headers, body)
        elif method == "POST" and parts.path == "/token":
            answer = await self.tokens.answer(headers, body)
        elif method == "POST" and parts.path == "/control":
            answer = self.control(json.loads(body))
        else:
            answer = self.get(parts.path, parts.query)
        if answer is None:
            writer.transport.abort()
            return False
        status, data, extra = answer
        content = data.encode() if isinstance(data, str) else json.dumps(data).encode()
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}", "Content-Type: application/json"]
        lines += [f"Content-Length: {len(content)}", *(f"{name}: {value}" for name, value in extra.items())]
        whole = "\r\n".join(lines).encode() + b"\r\n\r\n" + content
        return await deliver(writer, whole, fault) and headers.get("connection", "").lower() != "close"


async def deliver(writer: asyncio.StreamWriter, whole: bytes, fault: str) -> bool:
    """Write the answer, as the fault would have it. False when the connection is over."""
    if fault == "cut":
        writer.write(whole[: len(whole) // 2])
        await writer.drain()
        return False
    if fault == "drip":
        for start in range(0, len(whole), DRIP_BYTES):
            writer.write(whole[start : start + DRIP_BYTES])
            await writer.drain()
            await asyncio.sleep(DRIP_SECONDS)
        return True
    writer.write(whole + (whole if fault == "twice" else b"\x00garbage\r\n\r\n" if fault == "junk" else b""))
    await writer.drain()
    return True


async def run(options: argparse.Namespace) -> None:
    platform = Platform(options)
    limits: dict[str, int] = {"backlog": 512, "limit": 4 * 1024 * 1024}
    servers = [await asyncio.start_server(platform.serve, "127.0.0.1", options.port, **limits)]
    platform.port = servers[0].sockets[0].getsockname()[1]
    servers += [
        await asyncio.start_server(platform.serve, f"127.0.0.{number}", platform.port, **limits)
        for number in range(2, options.hosts + 1)
    ]
    print(platform.port, flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    for server in servers:
        server.close()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="A platform that records every arrival.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--db", required=True)
    parser.add_argument("--drop", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--delay-ms", type=int, default=0)
    parser.add_argument("--no-dedupe", action="store_true")
    parser.add_argument("--secret", default="")
    parser.add_argument("--poll-count", type=int, default=1)
    parser.add_argument("--hosts", type=int, default=1)
    parser.add_argument("--slow-ms", type=int, default=1000)
    for name in (*FAULTS, *WAITS):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    asyncio.run(run(parser.parse_args(arguments)))


if __name__ == "__main__":
    main(sys.argv[1:])
