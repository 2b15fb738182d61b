"""A Mastodon server, written from docs.joinmastodon.org (2 Jul 2026: statuses, media, accounts, instance, apps, OAuth, limits).

With `keeps_keys` off it ignores Idempotency-Key and says 400 where Mastodon says 422, as GoToSocial does."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.servers.double import Answer, Double, Request, route

TOKEN = "mastodon-token-nobody-may-see"
ME = {"id": "109", "username": "news", "acct": "news", "display_name": "News"}
_LINK = re.compile(r"https?://\S+")


class Mastodon(Double):
    def __init__(self) -> None:
        super().__init__()
        self.statuses: dict[str, dict[str, Any]] = {}
        self.media: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, str] = {}
        self.keeps_keys = True
        self.has_source = True
        self.processing = 0  # how often a file is not done yet
        self.number = 110_000_000_000_000_000
        self.misbehaves = self.drops = lambda request: (request.method, request.path) == ("POST", "/api/v1/statuses")

    def answer(self, request: Request) -> Answer:
        is_open = request.path in ("/api/v1/apps", "/oauth/token", "/api/v2/instance")
        if not is_open and request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(401, {"error": "The access token is invalid"})
        made = super().answer(request)
        reset = (datetime.now(UTC) + timedelta(seconds=60)).isoformat(timespec="microseconds").replace("+00:00", "Z")
        made.headers |= {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "298", "X-RateLimit-Reset": reset}
        return made

    def misbehave(self, kind: str) -> None:
        if kind == "unknown":
            self.drop += 1
            return
        reset = (datetime.now(UTC) + timedelta(seconds=7)).isoformat(timespec="microseconds").replace("+00:00", "Z")
        limited = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
        self.next.append(
            {
                "rejected": self.wrong("Validation failed: Text character limit of 500 exceeded"),
                "auth": Answer(401, {"error": "The access token is invalid"}),
                "rate_limited": Answer(429, {"error": "Too many requests"}, limited),
            }[kind]
        )

    def wrong(self, words: str) -> Answer:
        return Answer(422 if self.keeps_keys else 400, {"error": words})

    def write(self, text: str, *, made: datetime | None = None, **more: Any) -> dict[str, Any]:
        self.number += 1
        lines = _LINK.sub(
            lambda found: (
                f'<a href="{found[0]}" rel="nofollow"><span class="invisible">{found[0][:8]}</span><span>{found[0][8:]}</span></a>'
            ),
            html.escape(text, quote=False),
        )
        content = "".join(f"<p>{part}</p>" for part in lines.split("\n\n")).replace("\n", "<br />")
        status = {
            "id": str(self.number),
            "created_at": (made or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "url": f"{self.url}/@news/{self.number}",
            "content": re.sub(r"@(\w+)@[\w.]+", r"@\1", content),
            "spoiler_text": "",
            "in_reply_to_id": None,
            "media_attachments": [],
            "favourites_count": 2,
            "reblogs_count": 1,
            "replies_count": 0,
            "sent": text,
            **more,
        }
        self.statuses[status["id"]] = status
        return status

    @route("POST", "/api/v1/statuses")
    def create(self, request: Request) -> Answer:
        body, key = request.json(), request.headers.get("idempotency-key", "")
        if self.keeps_keys and key in self.keys:
            return Answer(200, self.shown(self.statuses[self.keys[key]]))
        text, files = body.get("status", ""), body.get("media_ids", [])
        if len(text) > 500:
            return self.wrong("Validation failed: Text character limit of 500 exceeded")
        if any(self.media[file]["left"] > 0 for file in files):
            return Answer(
                422, {"error": "Cannot attach files that have not finished processing. Try again in a moment!"}
            )
        status = self.write(
            text,
            spoiler_text=body.get("spoiler_text", ""),
            in_reply_to_id=body.get("in_reply_to_id"),
            media_attachments=[{"id": file, "description": self.media[file]["description"]} for file in files],
            body=body,
        )
        if key:
            self.keys[key] = status["id"]
        return Answer(200, self.shown(status))

    def shown(self, status: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in status.items() if name not in ("sent", "body")}

    @route("GET", "/api/v1/statuses/{id}")
    def one(self, request: Request, id: str) -> Answer:
        return (
            Answer(200, self.shown(self.statuses[id]))
            if id in self.statuses
            else Answer(404, {"error": "Record not found"})
        )

    @route("PUT", "/api/v1/statuses/{id}")
    def change(self, request: Request, id: str) -> Answer:
        if id not in self.statuses:
            return Answer(404, {"error": "Record not found"})
        body = request.json()
        made = self.write(body["status"], spoiler_text=body.get("spoiler_text", ""), body=body)
        del self.statuses[made["id"]]
        kept = {name: self.statuses[id][name] for name in ("id", "created_at", "url")}
        self.statuses[id] = {**made, **kept}
        return Answer(200, self.shown(self.statuses[id]))

    @route("DELETE", "/api/v1/statuses/{id}")
    def remove(self, request: Request, id: str) -> Answer:
        if self.statuses.pop(id, None) is None:
            return Answer(404, {"error": "Record not found"})
        return Answer(200, {"id": id})

    @route("GET", "/api/v1/statuses/{id}/source")
    def source(self, request: Request, id: str) -> Answer:
        if not self.has_source or id not in self.statuses:
            return Answer(404, {"error": "Record not found"})
        status = self.statuses[id]
        return Answer(200, {"id": id, "text": status["sent"], "spoiler_text": status["spoiler_text"]})

    @route("GET", "/api/v1/accounts/verify_credentials")
    def me(self, request: Request) -> Answer:
        return Answer(200, ME)

    @route("GET", "/api/v1/accounts/{id}/statuses")
    def own(self, request: Request, id: str) -> Answer:
        if id != ME["id"]:
            return Answer(404, {"error": "Record not found"})
        before = int(request.query.get("max_id", 10**20))
        found = [status for status in reversed(self.statuses.values()) if int(status["id"]) < before]
        return Answer(200, [self.shown(status) for status in found[: int(request.query["limit"])]])

    @route("POST", "/api/v2/media")
    def upload(self, request: Request) -> Answer:
        form = request.multipart()
        self.number += 1
        media = {"size": len(form["file"][1]), "name": form["file"][0], "left": self.processing}
        media["description"] = form["description"][1].decode() if "description" in form else None
        self.media[str(self.number)] = media
        ready = self.processing == 0
        return Answer(200 if ready else 202, {"id": str(self.number), "url": f"{self.url}/m" if ready else None})

    @route("GET", "/api/v1/media/{id}")
    def file(self, request: Request, id: str) -> Answer:
        self.media[id]["left"] -= 1
        ready = self.media[id]["left"] <= 0
        return Answer(200 if ready else 206, {"id": id, "url": f"{self.url}/m" if ready else None})

    @route("GET", "/api/v2/instance")
    def instance(self, request: Request) -> Answer:
        return Answer(
            200,
            {
                "domain": "example.test",
                "version": "4.5.1" if self.keeps_keys else "0.20.3 gotosocial",
                "source_url": "https://github.com/mastodon/mastodon"
                if self.keeps_keys
                else "https://codeberg.org/superseriousbusiness/gotosocial",
                "configuration": {
                    "statuses": {"max_characters": 5000, "max_media_attachments": 6, "characters_reserved_per_url": 25},
                    "media_attachments": {
                        "supported_mime_types": ["image/png", "image/avif"],
                        "image_size_limit": 1000,
                    },
                    "polls": {"max_options": 6},
                },
            },
        )

    @route("POST", "/api/v1/apps")
    def apps(self, request: Request) -> Answer:
        asked = request.json()
        return Answer(200, {**asked, "id": "1", "client_id": "the-client", "client_secret": "the-secret"})

    @route("POST", "/oauth/token")
    def token(self, request: Request) -> Answer:
        form = request.form()
        if form.get("code") != "good" or form.get("client_secret") != "the-secret" or not form.get("code_verifier"):
            return Answer(400, {"error": "invalid_grant"})
        return Answer(200, {"access_token": TOKEN, "token_type": "Bearer", "scope": form["scope"], "created_at": 1})
