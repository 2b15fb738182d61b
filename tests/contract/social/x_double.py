"""X, written from docs.x.com (openapi 2.167, 22 Aug 2026: Posts, Media, Users; "Response codes and errors"; "Rate limits").

Every request is held against the platform's own document where that is here; `violations` says what did not keep to it."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.contract.social.openapi import document
from tests.servers.double import Answer, Double, Request, route

TOKEN = "x-access-token-nobody-may-see"
ME = {"id": "2244994945", "username": "news", "name": "News"}
_LINK = re.compile(r"https?://\S+")
# what the document of Aug 2026 calls post.fields is tweet.fields to the servers before it
_OLD_NAMES = frozenset({"tweet.fields"})


class X(Double):
    """posts: by id, in order. media: by id. processing: how often a status answers in_progress before succeeded (or `failed`)."""

    def __init__(self) -> None:
        super().__init__()
        self.spec = document("x-openapi.json")
        self.violations: list[str] = []
        self.posts: dict[str, dict[str, Any]] = {}
        self.media: dict[str, dict[str, Any]] = {}
        self.processing: list[str] = []
        self.number = 1_900_000_000_000_000_000
        self.tokens = {f"Bearer {TOKEN}"}
        self.names = "tweet"  # or "post", as the newest document has it
        self.page = 100
        self.misbehaves = self.drops = lambda request: (request.method, request.path) == ("POST", "/2/tweets")

    def answer(self, request: Request) -> Answer:
        if request.path != "/2/oauth2/token":
            if self.spec:
                found = self.spec.problems(request, also_query=_OLD_NAMES)
                self.violations += [f"{request.method} {request.path}: {problem}" for problem in found]
            sign = request.headers.get("authorization", "")
            if sign not in self.tokens and not sign.startswith("OAuth oauth_"):
                return problem(401, "Unauthorized")
        return super().answer(request)

    def misbehave(self, kind: str) -> None:
        if kind == "unknown":
            self.drop += 1
            return
        # whole seconds, as X writes them
        reset = {
            "x-rate-limit-limit": "100",
            "x-rate-limit-remaining": "0",
            "x-rate-limit-reset": str(int(time.time()) + 8),
        }
        self.next.append(
            {
                "rejected": problem(400, "One or more parameters to your request was invalid."),
                "auth": problem(401, "Unauthorized"),
                "rate_limited": Answer(429, problem(429, "Too Many Requests").body, reset),
            }[kind]
        )

    def write(self, text: str, *, made: datetime | None = None, **more: Any) -> str:
        """A post that somebody wrote by hand."""
        self.number += 1
        short, urls = text, []
        for link in _LINK.findall(text):
            urls.append({"url": f"https://t.co/{self.number}x{len(urls)}", "expanded_url": link})
            short = short.replace(link, urls[-1]["url"], 1)
        post = {
            "id": str(self.number),
            "text": short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
            "created_at": (made or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "entities": {"urls": urls},
            "public_metrics": {
                "like_count": 3,
                "retweet_count": 1,
                "reply_count": 0,
                "quote_count": 0,
                "impression_count": 99,
            },
            "sent": text,
            **more,
        }
        self.posts[post["id"]] = post
        return str(post["id"])

    @route("POST", "/2/tweets")
    def create(self, request: Request) -> Answer:
        body = request.json()
        text = body.get("text", "")
        recent = datetime.now(UTC) - timedelta(hours=24)
        edits = (body.get("edit_options") or {}).get("previous_post_id")
        reply = (body.get("reply") or {}).get("in_reply_to_tweet_id")
        if reply and reply not in self.posts:
            return problem(403, "You attempted to reply to a Tweet that is deleted or not visible to you.")
        same = [
            post
            for post in self.posts.values()
            if post["sent"] == text and datetime.fromisoformat(post["created_at"]) > recent
        ]
        if text and same and not edits:
            return problem(403, "You are not allowed to create a Tweet with duplicate content.")
        keys = (body.get("media") or {}).get("media_ids", [])
        if any(key not in self.media or not self.media[key].get("ready") for key in keys):
            return problem(400, "Your media IDs are invalid.")
        more: dict[str, Any] = {"body": body}
        if keys:
            more["attachments"] = {"media_keys": [f"3_{key}" for key in keys]}
        references = [{"type": "replied_to", "id": reply}] if reply else []
        if quoted := body.get("quote_tweet_id"):
            references.append({"type": "quoted", "id": quoted})
        if references:
            more["referenced_tweets"] = references
        post = self.write(text, **more)
        if keys:
            link = f"https://x.com/news/status/{post}/photo/1"
            self.posts[post]["entities"]["urls"].append(
                {"url": "https://t.co/pic", "expanded_url": link, "media_key": f"3_{keys[0]}"}
            )
            self.posts[post]["text"] = f"{self.posts[post]['text']} https://t.co/pic".strip()
        history = [*self.posts[edits].get("edit_history_tweet_ids", [edits]), post] if edits in self.posts else [post]
        for version in history:
            self.posts[version]["edit_history_tweet_ids"] = history
        return Answer(201, {"data": {"id": post, "text": self.posts[post]["text"], "edit_history_tweet_ids": history}})

    @route("GET", "/2/tweets/{id}")
    def one(self, request: Request, id: str) -> Answer:
        if id not in self.posts:
            return Answer(
                200,
                {"errors": [{"title": "Not Found Error", "type": "https://api.x.com/2/problems/resource-not-found"}]},
            )
        return Answer(200, {"data": self.shown(self.posts[id], request)})

    @route("DELETE", "/2/tweets/{id}")
    def remove(self, request: Request, id: str) -> Answer:
        if self.posts.pop(id, None) is None:
            return problem(404, "Not Found")
        return Answer(200, {"data": {"deleted": True}})

    @route("GET", "/2/tweets")
    def some(self, request: Request) -> Answer:
        found = [self.posts[item] for item in request.query["ids"].split(",") if item in self.posts]
        return Answer(200, {"data": [self.shown(post, request) for post in found]})

    @route("GET", "/2/users/me")
    def me(self, request: Request) -> Answer:
        return Answer(200, {"data": ME})

    @route("GET", "/2/users/{id}/tweets")
    def timeline(self, request: Request, id: str) -> Answer:
        if id != ME["id"]:
            return Answer(200, {"meta": {"result_count": 0}})
        since = datetime.fromisoformat(request.query["start_time"])
        found = [post for post in reversed(self.posts.values()) if datetime.fromisoformat(post["created_at"]) >= since]
        start = int(request.query.get("pagination_token", "0"))
        meta: dict[str, Any] = {"result_count": len(found)}
        if len(found) > start + self.page:
            meta["next_token"] = str(start + self.page)
        return Answer(
            200, {"data": [self.shown(post, request) for post in found[start : start + self.page]], "meta": meta}
        )

    def shown(self, post: dict[str, Any], request: Request) -> dict[str, Any]:
        asked = request.query.get(f"{self.names}.fields", "").split(",")
        if "referenced_posts" in request.query.get("expansions", ""):
            post = {**post, "referenced_posts": post.get("referenced_tweets", [])}
            asked.append("referenced_posts")
        always = ("id", "text", "edit_history_tweet_ids")
        return {name: value for name, value in post.items() if name in (*always, *asked)}

    @route("POST", "/2/media/upload")
    def upload(self, request: Request) -> Answer:
        form = request.multipart()
        return self.made(len(form["media"][1]), category=form["media_category"][1].decode(), ready=True)

    def made(self, size: int, **more: Any) -> Answer:
        self.number += 1
        self.media[str(self.number)] = {"size": size, **more}
        data = {"id": str(self.number), "media_key": f"3_{self.number}", "expires_after_secs": 1_295_999, "size": size}
        return Answer(200, {"data": data})

    @route("POST", "/2/media/upload/initialize")
    def initialize(self, request: Request) -> Answer:
        asked = request.json()
        return self.made(0, total=asked["total_bytes"], category=asked["media_category"], pieces={})

    @route("POST", "/2/media/upload/{id}/append")
    def append(self, request: Request, id: str) -> Answer:
        form = request.multipart()
        self.media[id]["pieces"][int(form["segment_index"][1])] = form["media"][1]
        return Answer(200, {"data": {"expires_at": 0}})

    @route("POST", "/2/media/upload/{id}/finalize")
    def finalize(self, request: Request, id: str) -> Answer:
        content = b"".join(piece for _, piece in sorted(self.media[id]["pieces"].items()))
        if len(content) != self.media[id]["total"]:
            return problem(400, "Segments do not add up to provided total file size.")
        self.media[id]["content"] = content
        return self.state(id)

    @route("GET", "/2/media/upload")
    def status(self, request: Request) -> Answer:
        return self.state(request.query["media_id"])

    def state(self, id: str) -> Answer:
        now = self.processing.pop(0) if self.processing else "succeeded"
        self.media[id]["ready"] = now == "succeeded"
        info: dict[str, Any] = {"state": now}
        if now in ("pending", "in_progress"):
            info["check_after_secs"] = 2
        return Answer(200, {"data": {"id": id, "processing_info": info}})

    @route("POST", "/2/media/metadata")
    def metadata(self, request: Request) -> Answer:
        asked = request.json()
        self.media[asked["id"]]["alt"] = asked["metadata"]["alt_text"]["text"]
        return Answer(200, {"data": {"id": asked["id"]}})

    @route("POST", "/2/oauth2/token")
    def token(self, request: Request) -> Answer:
        form = request.form()
        if form.get("refresh_token") == "used" or form.get("code") == "used":
            return Answer(
                400, {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
            )
        scope = "tweet.read tweet.write users.read media.write offline.access"
        return Answer(
            200,
            {
                "token_type": "bearer",
                "expires_in": 7200,
                "access_token": TOKEN,
                "refresh_token": "next",
                "scope": scope,
            },
        )


def problem(status: int, detail: str, type: str = "about:blank") -> Answer:
    title = {
        400: "Invalid Request",
        401: "Unauthorized",
        403: "Forbidden",
        404: "Not Found",
        429: "Too Many Requests",
    }.get(status, "")
    return Answer(status, {"title": title, "detail": detail, "type": type, "status": status})
