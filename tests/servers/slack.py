"""Slack's Web API and incoming webhooks, written from https://docs.slack.dev/reference/methods and …/messaging. Names and types of
what is sent are checked against the stored description of each method where it is here; that is from 2022, so the fields and
methods that came later stand in `NEWER`."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any
from urllib.parse import parse_qsl

from tests.servers import specs
from tests.servers.double import Answer, Double, Request, route

SPEC = "slack-swagger2.json"
TOKEN = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcbrzqqgy"
WEBHOOK = "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
CHANNEL = "C0123456789"
SCOPES = "chat:write,channels:read,channels:history,groups:read,groups:history,files:write,reactions:read"
NEWER = {
    "chat.postMessage": {"metadata"},
    "conversations.history": {"include_all_metadata"},
    "conversations.replies": {"include_all_metadata"},
    "oauth.v2.access": {"grant_type", "refresh_token"},
    "files.getUploadURLExternal": {"filename", "length", "alt_txt"},
    "files.completeUploadExternal": {"files"},
}


class Slack(Double):
    """`messages` by ts, in order. `scopes`: what the token has. `busy`: how often an image is not ready to be shown."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, dict[str, Any]] = {}
        self.webhook_texts: list[str] = []
        self.scopes: str | None = SCOPES
        self.channel = {"id": CHANNEL, "name": "news", "is_member": True, "is_archived": False}
        self.files: dict[str, dict[str, Any]] = {}
        self.busy = 0
        self.wrong: list[str] = []
        self._serial = itertools.count(1)
        self.now = int(time.time())  # the seconds of a ts

    def texts(self) -> list[str]:
        return [item["text"] for item in self.messages.values()] + self.webhook_texts

    @route("POST", "/services/{a}/{b}/{c}")
    def hook(self, request: Request, **_: str) -> Answer:
        if f"https://hooks.slack.com{request.path}" != WEBHOOK:
            return Answer(404, b"no_service")
        self.webhook_texts.append(request.json()["text"])
        return Answer(200, b"ok", {"Content-Type": "text/html"})

    @route("POST", "/upload/{file}")
    def upload(self, request: Request, file: str) -> Answer:
        self.files[file]["body"] = request.multipart()["file"][1]
        return Answer(200, b"OK")

    @route("GET", "/{method}")
    @route("POST", "/{method}")
    def method(self, request: Request, method: str) -> Answer:
        fields = _fields(request)
        self._check(method, request.method, fields)
        if method == "oauth.v2.access":
            return self.on_oauth(request, fields)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return error("invalid_auth")
        found = getattr(self, "on_" + method.replace(".", "_"), None)
        return error("unknown_method") if found is None else found(fields)

    def on_auth_test(self, fields: dict[str, Any]) -> Answer:
        headers = {} if self.scopes is None else {"x-oauth-scopes": self.scopes}
        return Answer(200, {"ok": True, "user": "newsbot", "team": "Acme", "user_id": "U1", "bot_id": "B1"}, headers)

    def on_conversations_info(self, fields: dict[str, Any]) -> Answer:
        if "channels:read" not in (self.scopes or SCOPES):
            return error("missing_scope", needed="channels:read")
        return ok(channel=self.channel) if fields["channel"] == self.channel["id"] else error("channel_not_found")

    def on_conversations_list(self, fields: dict[str, Any]) -> Answer:
        second = {"id": "G0987654321", "name": "secret", "is_private": True, "is_member": False}
        if fields.get("cursor"):
            return ok(channels=[self.channel], response_metadata={"next_cursor": ""})
        return ok(channels=[second], response_metadata={"next_cursor": "more"})

    def on_chat_postMessage(self, fields: dict[str, Any]) -> Answer:
        if fields["channel"] != CHANNEL:
            return error("channel_not_found")
        if not fields.get("text") and not fields.get("blocks"):
            return error("no_text")
        if len(fields.get("text", "")) > 40_000:
            return error("msg_too_long")
        for block in fields.get("blocks", ()):
            if len(block.get("text", {}).get("text", "")) > 3_000:
                return error("invalid_blocks")
            if block["type"] == "image":
                if self.busy:
                    self.busy -= 1
                    return error("invalid_blocks")
                if not block["alt_text"] or not self.files[block["slack_file"]["id"]].get("done"):
                    return error("invalid_blocks")
        ts = f"{self.now}.{next(self._serial):06d}"
        self.messages[ts] = {**fields, "ts": ts}
        return ok(channel=CHANNEL, ts=ts, message=self.messages[ts])

    def on_chat_update(self, fields: dict[str, Any]) -> Answer:
        if fields["ts"] not in self.messages:
            return error("message_not_found")
        self.messages[fields["ts"]] |= {name: fields[name] for name in ("text", "blocks") if name in fields}
        return ok(channel=CHANNEL, ts=fields["ts"])

    def on_chat_delete(self, fields: dict[str, Any]) -> Answer:
        return ok() if self.messages.pop(fields["ts"], None) else error("message_not_found")

    def on_chat_getPermalink(self, fields: dict[str, Any]) -> Answer:
        return ok(permalink=f"https://acme.slack.com/archives/{CHANNEL}/p{fields['message_ts'].replace('.', '')}")

    def on_conversations_history(self, fields: dict[str, Any]) -> Answer:
        found = [item for item in self.messages.values() if "thread_ts" not in item and self._within(item, fields)]
        return self._page(found[::-1], fields)

    def on_conversations_replies(self, fields: dict[str, Any]) -> Answer:
        root = fields["ts"]
        return self._page(
            [item for ts, item in self.messages.items() if ts == root or item.get("thread_ts") == root], fields
        )

    def _within(self, item: dict[str, Any], fields: dict[str, Any]) -> bool:
        return float(fields.get("oldest", 0)) <= float(item["ts"]) <= float(fields.get("latest", 1e12))

    def _page(self, found: list[dict[str, Any]], fields: dict[str, Any]) -> Answer:
        start, size = int(fields.get("cursor") or 0), int(fields.get("limit", 100))
        shown = [dict(item) for item in found[start : start + size]]
        if fields.get("include_all_metadata") != "true":
            for item in shown:
                item.pop("metadata", None)
        more = str(start + size) if start + size < len(found) else ""
        return ok(messages=shown, response_metadata={"next_cursor": more})

    def on_reactions_get(self, fields: dict[str, Any]) -> Answer:
        found = self.messages.get(fields["timestamp"])
        return ok(type="message", message=found) if found else error("message_not_found")

    def on_files_getUploadURLExternal(self, fields: dict[str, Any]) -> Answer:
        file_id = f"F{next(self._serial):09d}"
        self.files[file_id] = dict(fields)
        return ok(upload_url=f"{self.url}/upload/{file_id}", file_id=file_id)

    def on_files_completeUploadExternal(self, fields: dict[str, Any]) -> Answer:
        found = fields["files"] if isinstance(fields["files"], list) else json.loads(fields["files"])
        for item in found:
            stored = self.files[item["id"]]
            if len(stored.get("body", b"")) != int(stored["length"]):
                return error("file_update_failed")
            stored["done"] = True
        return ok(
            files=[{"id": item["id"], "permalink": f"https://acme.slack.com/files/U1/{item['id']}"} for item in found]
        )

    def on_oauth(self, request: Request, fields: dict[str, Any]) -> Answer:
        if not request.headers.get("authorization", "").startswith("Basic "):
            return error("bad_client_secret")
        if fields.get("grant_type") == "refresh_token" and fields.get("refresh_token") != "xoxe-1-good":
            return error("invalid_refresh_token")
        if "code" in fields and fields["code"] != "good":
            return error("invalid_code")
        return ok(access_token=TOKEN, token_type="bot", scope=SCOPES, refresh_token="xoxe-1-good", expires_in=43_200)

    def _check(self, method: str, verb: str, fields: dict[str, Any]) -> None:
        if specs.missing(SPEC):
            return
        known = specs.load(SPEC)["paths"].get(f"/{method}", {})
        if not known and method not in NEWER:
            self.wrong.append(f"there is no {method}")
        parameters = {item["name"]: item for each in known.values() for item in each.get("parameters", ())}
        names = parameters.keys() | NEWER.get(method, set())
        self.wrong += [f"{method} knows no {name}" for name in fields if name not in names]
        self.wrong += [
            f"{method} wants {name}" for name, item in parameters.items()
            if item.get("required") and name not in fields and name not in ("token", "code")
        ]  # fmt: skip
        for name in fields.keys() & parameters.keys():
            kind, value = parameters[name].get("type"), fields[name]
            if kind == "string" and isinstance(value, list | dict) and name != "blocks":
                self.wrong.append(f"{method}: {name} is {value!r}")
            if kind == "boolean" and not (isinstance(value, bool) or value in ("true", "false")):
                self.wrong.append(f"{method}: {name} is {value!r}")
            if kind in ("number", "integer") and not str(value).replace(".", "", 1).isdecimal():
                self.wrong.append(f"{method}: {name} is {value!r}")


def _fields(request: Request) -> dict[str, Any]:
    if request.method == "GET":
        return dict(request.query)
    if request.headers.get("content-type", "").startswith("application/json"):
        return request.json() or {}
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True))


def ok(**values: Any) -> Answer:
    return Answer(200, {"ok": True, **values})


def error(name: str, **values: Any) -> Answer:
    return Answer(200, {"ok": False, "error": name, **values})
