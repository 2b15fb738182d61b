"""A Ghost, written from docs.ghost.org/admin-api (posts, sending a post, images, errors) and what a real 5.130 answered: a second
post of a slug becomes `<slug>-2`, an old `updated_at` is 409 UpdateCollisionError, none is 422, a bad token is 401 INVALID_JWT."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import jwt

from platforms.contracts import AccountRef
from tests.conftest import NOW
from tests.servers.double import Answer, Double, Request, route

KEY_ID, SECRET = "6748592f4b9b7700010f6564", "b1" * 32
API = "/ghost/api/admin"


class Ghost(Double):
    def __init__(self) -> None:
        self.posts: dict[str, dict[str, Any]] = {}
        self.files: list[tuple[str, str, bytes]] = []  # door, file name, content
        self.mails: list[tuple[str, str, str]] = []  # post id, newsletter, segment
        self.changes = 0
        super().__init__()
        self.drops = lambda request: request.method == "POST" and request.path == f"{API}/posts/"

    def account(self, **options: Any) -> AccountRef:
        return AccountRef(
            id=1,
            public_id="a",
            platform="ghost",
            name="Blog",
            handle="blog",
            timezone="UTC",
            credentials={"admin_api_key": f"{KEY_ID}:{SECRET}"},
            options={"site_url": self.url, **options},
        )

    def answer(self, request: Request) -> Answer:
        if request.path != f"{API}/site/" and (refused := self._stranger(request)):
            return refused
        return super().answer(request)

    def _stranger(self, request: Request) -> Answer | None:
        assert request.headers["accept-version"] == "v5.0"
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            assert scheme == "Ghost"
            assert jwt.get_unverified_header(token)["kid"] == KEY_ID
            options = {"verify_iat": False, "verify_exp": False}
            claims = jwt.decode(token, bytes.fromhex(SECRET), algorithms=["HS256"], audience="/admin/", options=options)
            assert 0 < claims["exp"] - claims["iat"] <= 300
        except (AssertionError, jwt.InvalidTokenError, KeyError):
            return problem(401, "UnauthorizedError", "Invalid token: invalid signature", code="INVALID_JWT")
        return None

    @route("GET", f"{API}/site/")
    def site(self, request: Request) -> Any:
        return {"site": {"title": "Kaffee", "url": self.url}}

    @route("GET", f"{API}/posts/")
    def browse(self, request: Request) -> Any:
        given = request.query.get("filter", "")
        rows = list(self.posts.values())
        if found := re.search(r"tag:hash-([a-z0-9-]+)", given):
            rows = [row for row in rows if f"#{found[1]}" in [tag["name"] for tag in row["tags"]]]
        if found := re.search(r"slug:([a-z0-9-]+)", given):
            rows = [row for row in rows if row["slug"] == found[1]]
        if found := re.search(r"id:\[([^\]]*)\]", given):
            rows = [row for row in rows if row["id"] in found[1].split(",")]
        if found := re.search(r"status:\[([^\]]*)\]", given):
            rows = [row for row in rows if row["status"] in found[1].split(",")]
        return {"posts": rows[: int(request.query.get("limit", 15))]}

    @route("GET", f"{API}/posts/slug/{{slug}}/")
    def by_slug(self, request: Request, slug: str) -> Any:
        rows = [row for row in self.posts.values() if row["slug"] == slug]
        return {"posts": rows} if rows else missing()

    @route("GET", f"{API}/posts/{{post}}/")
    def read(self, request: Request, post: str) -> Any:
        return {"posts": [self.posts[post]]} if post in self.posts else missing()

    @route("POST", f"{API}/posts/")
    def add(self, request: Request) -> Any:
        given = request.json()["posts"][0]
        assert request.query.get("source") == "html" or "html" not in given
        assert "newsletter" not in request.query, "POST takes no newsletter: it is an option of PUT"
        if refused := invalid(given):
            return refused
        number = len(self.posts) + 1
        row = {"id": f"{number:024x}", "status": "draft", "visibility": "public", **given}
        wanted, row["slug"], taken = given.get("slug", "untitled"), given.get("slug", "untitled"), 1
        while any(other["slug"] == row["slug"] for other in self.posts.values()):
            taken += 1
            row["slug"] = f"{wanted}-{taken}"
        return Answer(201, {"posts": [self._kept(row)]})

    @route("PUT", f"{API}/posts/{{post}}/")
    def change(self, request: Request, post: str) -> Any:
        given, row = request.json()["posts"][0], self.posts.get(post)
        if row is None:
            return missing()
        if "updated_at" not in given:
            return problem(422, "ValidationError", "Validation failed for updated_at.", property="updated_at")
        if given["updated_at"] != row["updated_at"]:
            return problem(409, "UpdateCollisionError", "Saving failed! Someone else is editing this post.")
        if refused := invalid({**row, **given}):
            return refused
        name = request.query.get("newsletter")
        if name and name not in ("weekly", "default-newsletter"):
            return problem(400, "BadRequestError", "The newsletter parameter doesn't match any active newsletter.")
        if name and row["status"] == "draft" and given.get("status") == "published":
            self.mails.append((post, name, request.query.get("email_segment", "all")))
            given["email"] = {"status": "submitted", "email_count": 40, "opened_count": 12, "delivered_count": 39}
            given["status"] = "sent" if row.get("email_only") else "published"
        return {"posts": [self._kept({**row, **given})]}

    @route("DELETE", f"{API}/posts/{{post}}/")
    def remove(self, request: Request, post: str) -> Any:
        return Answer(204) if self.posts.pop(post, None) else missing()

    @route("POST", f"{API}/{{door}}/upload/")
    def upload(self, request: Request, door: str) -> Any:
        name, content = request.multipart()["file"]
        self.files.append((door, name, content))
        return Answer(201, {door: [{"url": f"{self.url}/content/{door}/{name}", "ref": None}]})

    def _kept(self, row: dict[str, Any]) -> dict[str, Any]:
        self.changes += 1
        row["updated_at"] = (NOW + timedelta(seconds=self.changes)).isoformat()
        row["url"] = f"{self.url}/{row['slug']}/"
        row["count"] = {"clicks": 5, "positive_feedback": 2}
        self.posts[row["id"]] = row
        return row


def problem(status: int, kind: str, message: str, **more: Any) -> Answer:
    return Answer(status, {"errors": [{"message": message, "type": kind, "context": None, "code": None, **more}]})


def missing() -> Answer:
    return problem(404, "NotFoundError", "Resource not found error, cannot read post.")


def invalid(row: dict[str, Any]) -> Answer | None:
    title = row.get("title") or ""
    if not title or len(title) > 255:
        return problem(422, "ValidationError", "Validation error, cannot save post.", property="title")
    if len(row.get("custom_excerpt") or "") > 300:
        return problem(422, "ValidationError", "Validation error, cannot save post.", property="custom_excerpt")
    return None
