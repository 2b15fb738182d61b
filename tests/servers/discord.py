"""Discord's API v10, written from https://docs.discord.com/developers/resources/message and …/webhook. Bodies are checked against
the stored OpenAPI description where it is here."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.servers import specs
from tests.servers.double import Answer, Double, Request, route

SPEC = "discord-openapi.json"
WEBHOOK = "https://discord.com/api/webhooks/223704706495545344/3d89bb7572e0fb30d8128367b3b1b44fecd1726de135cbe28a41f8b2f777c372ba29"
HOOK_ID, HOOK_TOKEN = WEBHOOK.split("/")[-2:]
TOKEN = "MTA0.a-bot-token-that.nobody-may-see"
CHANNEL, GUILD, BOT = "290926798626357999", "290926798626357250", "700000000000000001"
EPOCH_MS = 1_420_070_400_000
_serial = itertools.count()


def snowflake(at: datetime) -> str:
    return str(((int(at.timestamp() * 1000) - EPOCH_MS) << 22) | (next(_serial) % 4096))


class Discord(Double):
    """`messages` in the order in which they were made. `tells_nonce`: messages come back with their nonce. `clock`: when they are
    made; `forgets_nonces`: the few minutes are over."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self.messages: list[dict[str, Any]] = []
        self.clock = clock
        self.tells_nonce = True
        self.forgets_nonces = False
        self.wrong: list[str] = []

    def texts(self) -> list[str]:
        return [item["content"] for item in self.messages]

    def say(self, text: str, at: datetime, author: str = BOT, **more: Any) -> dict[str, Any]:
        made = {
            "id": snowflake(at),
            "channel_id": CHANNEL,
            "author": {"id": author},
            "content": text,
            "attachments": [],
            **more,
        }
        self.messages.append(made)
        return made

    @route("GET", "/users/@me")
    def me(self, request: Request) -> Any:
        return self._signed(request) or {"id": BOT, "username": "newsbot", "bot": True}

    @route("GET", "/channels/{channel}")
    def channel(self, request: Request, channel: str) -> Any:
        return (
            self._signed(request)
            or self._known(channel)
            or {"id": channel, "name": "news", "guild_id": GUILD, "type": 0}
        )

    @route("GET", "/channels/{channel}/messages")
    def listed(self, request: Request, channel: str) -> Any:
        before = int(request.query.get("before", 2**63))
        found = [item for item in self.messages if int(item["id"]) < before]
        found.sort(key=lambda item: -int(item["id"]))
        return self._signed(request) or self._known(channel) or found[: int(request.query.get("limit", 50))]

    @route("POST", "/channels/{channel}/messages")
    def create(self, request: Request, channel: str) -> Any:
        if refused := self._signed(request) or self._known(channel):
            return refused
        body, files = _body(request)
        self._check("/channels/{channel_id}/messages", "post", body, files)
        if body.get("enforce_nonce") and not self.forgets_nonces:
            same = [item for item in self.messages if item.get("_nonce") == body["nonce"]]
            if same:
                return _shown(same[0])
        return self._make(body, files, channel)

    @route("POST", "/webhooks/{hook}/{token}")
    def execute(self, request: Request, hook: str, token: str) -> Any:
        if (hook, token) != (HOOK_ID, HOOK_TOKEN):
            return refusal(404, 10015, "Unknown Webhook")
        body, files = _body(request)
        self._check("/webhooks/{webhook_id}/{webhook_token}", "post", body, files)
        channel = snowflake(self.clock()) if body.get("thread_name") else request.query.get("thread_id", CHANNEL)
        made = self._make(body, files, channel)
        return made if request.query.get("wait") == "true" else Answer(204)

    @route("GET", "/webhooks/{hook}/{token}")
    def hook(self, request: Request, hook: str, token: str) -> Any:
        if token != HOOK_TOKEN:
            return refusal(401, 50027, "Invalid Webhook Token")
        return {"id": hook, "name": "Newsroom", "channel_id": CHANNEL, "guild_id": GUILD}

    @route("GET", "/webhooks/{hook}/{token}/messages/{message}")
    @route("GET", "/channels/{channel}/messages/{message}")
    def one(self, request: Request, message: str, **_: str) -> Any:
        found = self._find(message)
        return found or refusal(404, 10008, "Unknown Message")

    @route("PATCH", "/webhooks/{hook}/{token}/messages/{message}")
    @route("PATCH", "/channels/{channel}/messages/{message}")
    def change(self, request: Request, message: str, **path: str) -> Any:
        template = (
            "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}" if "hook" in path
            else "/channels/{channel_id}/messages/{message_id}"
        )  # fmt: skip
        self._check(template, "patch", request.json(), [])
        found = self._find(message)
        if found:
            found["content"] = request.json()["content"]
        return found or refusal(404, 10008, "Unknown Message")

    @route("DELETE", "/webhooks/{hook}/{token}/messages/{message}")
    @route("DELETE", "/channels/{channel}/messages/{message}")
    def remove(self, request: Request, message: str, **_: str) -> Any:
        found = self._find(message)
        if found:
            self.messages.remove(found)
        return Answer(204) if found else refusal(404, 10008, "Unknown Message")

    def _find(self, message: str) -> dict[str, Any] | None:
        return next((item for item in self.messages if item["id"] == message), None)

    def _make(self, body: dict[str, Any], files: list[str], channel: str) -> Any:
        if not body.get("content") and not files:
            return refusal(400, 50006, "Cannot send an empty message")
        if len(body.get("content", "")) > 2000:
            errors = {
                "content": {
                    "_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}]
                }
            }
            return refusal(400, 50035, "Invalid Form Body", errors=errors)
        nonce = body.get("nonce", "")
        made = {
            "id": snowflake(self.clock()), "channel_id": channel, "author": {"id": BOT}, "content": body.get("content", ""),
            "attachments": files, "_nonce": nonce, "_body": body,
        }  # fmt: skip
        if self.tells_nonce and nonce:
            made["nonce"] = nonce
        self.messages.append(made)
        return _shown(made)

    def _signed(self, request: Request) -> Answer | None:
        return None if request.headers.get("authorization") == f"Bot {TOKEN}" else refusal(401, 0, "401: Unauthorized")

    def _known(self, channel: str) -> Answer | None:
        return None if channel == CHANNEL else refusal(404, 10003, "Unknown Channel")

    def _check(self, path: str, method: str, body: Any, files: list[str]) -> None:
        if specs.missing(SPEC):
            return
        root = specs.load(SPEC)
        schema = root["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
        self.wrong += specs.problems(body, schema, root)
        self.wrong += [f"{name} is no field of a file" for name in files if not name.startswith("files[")]
        if len(body.get("attachments", files)) != len(files):
            self.wrong.append("attachments and files do not match")


def _shown(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if not name.startswith("_")}


def _body(request: Request) -> tuple[dict[str, Any], list[str]]:
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return request.json(), []
    found = request.multipart()
    return json.loads(found["payload_json"][1]), [name for name, (filename, _) in found.items() if filename]


def refusal(status: int, code: int, words: str, headers: dict[str, str] | None = None, **more: Any) -> Answer:
    return Answer(status, {"code": code, "message": words, **more}, headers or {})
