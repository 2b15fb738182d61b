"""Telegram's Bot API, written from https://core.telegram.org/bots/api (Bot API 10.1). Each request is checked against the stored
description of its method where that is here."""

from __future__ import annotations

import json
from typing import Any

from tests.servers import specs
from tests.servers.double import Answer, Double, Request, route

SPEC = "telegram-api.json"
TOKEN = "123456789:AAF-a_token_that_nobody_may_ever_see"
CHANNEL = {"id": -1001234567890, "type": "channel", "title": "News", "username": "newsroom"}
_PLAIN = {"Integer": int, "String": str, "Boolean": bool, "Float": (int, float)}


class Telegram(Double):
    """`messages`: message id -> fields as they were sent, with `method`. `chat`, `member`: what getChat and getChatMember say."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[int, dict[str, Any]] = {}
        self.chat: dict[str, Any] = dict(CHANNEL)
        self.member: dict[str, Any] = {"status": "administrator", "can_post_messages": True}
        self.wrong: list[str] = []
        self._last = 0

    def texts(self) -> list[str]:
        return [str(item.get("text") or item.get("caption") or "") for item in self.messages.values()]

    @route("POST", "/bot{token}/{method}")
    def method(self, request: Request, token: str, method: str) -> Answer:
        if token != TOKEN:
            return refusal(401, "Unauthorized")
        fields, files = _fields(request)
        self._check(method, fields, files)
        found = getattr(self, f"on_{method.lower()}", self._send if method.startswith("send") else None)
        return refusal(404, "Not Found") if found is None else found(method, fields)

    def on_getme(self, method: str, fields: dict[str, Any]) -> Answer:
        return ok({"id": 42, "is_bot": True, "first_name": "News", "username": "news_bot"})

    def on_getchat(self, method: str, fields: dict[str, Any]) -> Answer:
        known = str(fields.get("chat_id")) in (str(self.chat["id"]), f"@{self.chat.get('username')}")
        return ok(self.chat) if known else refusal(400, "Bad Request: chat not found")

    def on_getchatmember(self, method: str, fields: dict[str, Any]) -> Answer:
        return ok({"user": {"id": 42}, **self.member})

    def on_sendmediagroup(self, method: str, fields: dict[str, Any]) -> Answer:
        return ok([self._made("sendMediaGroup", {"chat_id": fields["chat_id"], **item}) for item in fields["media"]])

    def _send(self, method: str, fields: dict[str, Any]) -> Answer:
        if len(fields.get("text", "")) > 4096 or len(fields.get("caption", "")) > 1024:
            return refusal(400, "Bad Request: message is too long")
        return ok(self._made(method, fields))

    def on_editmessagetext(self, method: str, fields: dict[str, Any]) -> Answer:
        name = "caption" if method == "editMessageCaption" else "text"
        message = self.messages.get(fields["message_id"])
        if message is None:
            return refusal(400, "Bad Request: message to edit not found")
        if message.get(name) == fields.get(name):
            return refusal(400, "Bad Request: message is not modified: specified new message content is the same")
        message[name] = fields.get(name)
        return ok({"message_id": fields["message_id"], "date": 0, "chat": self.chat})

    on_editmessagecaption = on_editmessagetext

    def on_deletemessage(self, method: str, fields: dict[str, Any]) -> Answer:
        if self.messages.pop(fields["message_id"], None) is None:
            return refusal(400, "Bad Request: message to delete not found")
        return ok(True)

    def _made(self, method: str, fields: dict[str, Any]) -> dict[str, Any]:
        self._last += 1
        self.messages[self._last] = {**fields, "method": method}
        return {"message_id": self._last, "date": 0, "chat": self.chat}

    def _check(self, method: str, fields: dict[str, Any], files: set[str]) -> None:
        if specs.missing(SPEC):
            return
        known = specs.load(SPEC)["methods"].get(method)
        if known is None:
            self.wrong.append(f"there is no method {method}")
            return
        by_name = {item["name"]: item for item in known.get("fields", ())}
        self.wrong += [f"{method} knows no {name}" for name in fields if name not in by_name]
        self.wrong += [
            f"{method} wants {n}"
            for n, item in by_name.items()
            if item["required"] and n not in fields and n not in files
        ]
        for name in fields.keys() & by_name.keys():
            plain = [_PLAIN[kind] for kind in by_name[name]["types"] if kind in _PLAIN]
            if plain and not any(isinstance(fields[name], kind) for kind in plain):
                self.wrong.append(f"{method}: {name} is {fields[name]!r}")


def _fields(request: Request) -> tuple[dict[str, Any], set[str]]:
    """The fields and the names of the files; a form's values are JSON where they are no plain text."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return request.json() or {}, set()
    found, files = {}, set()
    for name, (filename, raw) in request.multipart().items():
        if filename:
            files.add(name)
            continue
        text = raw.decode()
        found[name] = text if name in ("caption", "chat_id") else _read(text)
    return found, files


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def ok(result: Any) -> Answer:
    return Answer(200, {"ok": True, "result": result})


def refusal(code: int, words: str, **parameters: Any) -> Answer:
    body = {"ok": False, "error_code": code, "description": words}
    return Answer(code, body | ({"parameters": parameters} if parameters else {}))
