"""A double of LinkedIn's versioned API, written from learn.microsoft.com/linkedin: Posts, Images, Videos, Documents, Comments,
Organization Access Control, Share Statistics, Authorization Code Flow and Versioning, as gathered in
`../shared/platforms/PLATFORMS.md` section 5. Like the real one, it cuts a commentary at the first unescaped
reserved character."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from tests.servers.double import Answer, Double, Request, route

_SPECIAL = re.compile(
    r"(?P<ok>\\.|@\[(?:\\.|[^\]\\])*\]\(urn:li:\w+:[\w-]+\)|{hashtag\|\\#\|(?:\\.|[^|{}\\])+})|(?P<bad>[\\|{}@\[\]()<>#*_~])",
    re.S,
)


def problem(status: int, code: str, message: str, **more: Any) -> Answer:
    return Answer(status, {"status": status, "code": code, "message": message, **more})


class LinkedInDouble(Double):
    TOKEN, SECRET, CLIENT = "li-token-nobody-may-see", "li-secret-nobody-may-see", "77app"
    PERSON, COMPANY = "urn:li:person:abc_D-1", "urn:li:organization:5515"

    def __init__(self) -> None:
        self.fresh()
        super().__init__()

    def fresh(self) -> None:
        """As on the first day."""
        self.posts: dict[str, dict[str, Any]] = {}
        self.assets: dict[str, dict[str, Any]] = {}
        self.comments: dict[str, list[str]] = {}
        self.count = 0
        self.now_ms = 1_795_420_805_000  # Monday 23 November 2026, 08:00:05 UTC
        self.reads = True  # may this token read the member's posts?
        self.duplicates = False
        self.slow = 0  # how many looks a video stays PROCESSING
        self.scope = "openid,profile,w_member_social,w_organization_social,r_organization_social,rw_organization_admin"
        self.refresh_token = ""

    def answer(self, request: Request) -> Answer:
        if request.path.startswith("/oauth/"):
            return super().answer(request)
        if request.headers.get("authorization") != f"Bearer {self.TOKEN}":
            return problem(401, "INVALID_ACCESS_TOKEN", "Invalid access token", serviceErrorCode=65600)
        if request.path.startswith("/rest/"):
            if not re.fullmatch(r"20\d{4}", request.headers.get("linkedin-version", "")):
                return problem(400, "VERSION_MISSING", "A version must be present.")
            if request.headers["linkedin-version"] < "202511":
                return problem(426, "NONEXISTENT_VERSION", "Requested version is not active")
            if request.headers.get("x-restli-protocol-version") != "2.0.0":
                return problem(400, "ILLEGAL_ARGUMENT", "Syntax exception in path variables")
        return super().answer(request)

    def number(self, at_ms: int | None = None) -> str:
        """A share's number: milliseconds before 22 other bits."""
        self.count += 1
        return str(((at_ms or self.now_ms) << 22) + self.count)

    @route("POST", "/rest/posts")
    def post(self, request: Request) -> Answer:
        body = request.json()
        wrong = set(body) - {
            "author", "commentary", "visibility", "distribution", "content", "lifecycleState", "isReshareDisabledByAuthor",
        }  # fmt: skip
        if wrong or body["lifecycleState"] != "PUBLISHED" or body["visibility"] not in ("PUBLIC", "CONNECTIONS"):
            return problem(422, "UNPROCESSABLE_ENTITY", f"ERROR :: {wrong} :: unrecognized field found but not allowed")
        content = body.get("content", {})
        used = [content["media"]["id"]] if "media" in content else [
            image["id"] for image in content.get("multiImage", {}).get("images", [])
        ]  # fmt: skip
        if any(self.assets.get(urn, {}).get("status") not in ("AVAILABLE",) for urn in used):
            return problem(400, "INVALID_MEDIA", f"media {used} is not available")
        if "article" in content and not (content["article"].get("source") and content["article"].get("title")):
            return problem(422, "MISSING_FIELD", "article.title is required")
        seen = cut(body["commentary"])
        if self.duplicates:
            for urn, made in self.posts.items():
                if made["commentary"] == seen and made["author"] == body["author"]:
                    return duplicate(urn)
        urn = f"urn:li:{'ugcPost' if used and 'video' in used[0] else 'share'}:{self.number()}"
        self.posts[urn] = body | {"id": urn, "commentary": seen, "createdAt": self.now_ms, "publishedAt": self.now_ms}
        return Answer(201, None, {"x-restli-id": urn})

    @route("GET", "/rest/posts")
    def author(self, request: Request) -> Any:
        author = request.query["author"]
        if author.startswith("urn:li:person:") and not self.reads:
            return problem(403, "ACCESS_DENIED", "Not enough permissions to access: partnerApiPosts.FINDER-author")
        if request.query["q"] != "author" or request.headers.get("x-restli-method") != "FINDER":
            return problem(400, "ILLEGAL_ARGUMENT", "no such finder")
        return {"elements": [post for post in self.posts.values() if post["author"] == author][::-1]}

    @route("GET", "/rest/posts/{urn}")
    def one(self, request: Request, urn: str) -> Any:
        if not self.reads:
            return problem(403, "ACCESS_DENIED", "Not enough permissions to access: partnerApiPosts.GET")
        return self.posts.get(unquote(urn)) or problem(404, "NOT_FOUND", "Not found")

    @route("POST", "/rest/posts/{urn}")
    def edit(self, request: Request, urn: str) -> Answer:
        if request.headers.get("x-restli-method") != "PARTIAL_UPDATE" or unquote(urn) not in self.posts:
            return problem(404, "NOT_FOUND", "Not found")
        self.posts[unquote(urn)]["commentary"] = cut(request.json()["patch"]["$set"]["commentary"])
        return Answer(204)

    @route("DELETE", "/rest/posts/{urn}")
    def delete(self, request: Request, urn: str) -> Answer:
        self.posts.pop(unquote(urn), None)
        return Answer(204)

    @route("POST", "/rest/images")
    @route("POST", "/rest/documents")
    @route("POST", "/rest/videos")
    def asset(self, request: Request) -> Any:
        kind = request.path.rsplit("/", 1)[1]
        if request.query["action"] == "finalizeUpload":
            order = request.json()["finalizeUploadRequest"]
            made = self.assets[order["video"]]
            if (
                order["uploadedPartIds"] != [f"etag-{first}" for first in sorted(made["parts"])]
                or order["uploadToken"] != "t"
            ):
                return problem(400, "INVALID_PARTS", "the parts do not match")
            made["status"] = "PROCESSING" if self.slow else "AVAILABLE"
            return Answer(200)
        order = request.json()["initializeUploadRequest"]
        urn = f"urn:li:{kind[:-1]}:{self.number()}"
        self.assets[urn] = {"owner": order["owner"], "status": "WAITING_UPLOAD", "parts": {}}
        upload = f"{self.url}/upload/{urn}"
        if kind != "videos":
            return {"value": {"uploadUrlExpiresAt": 0, "uploadUrl": f"{upload}/0", kind[:-1]: urn}}
        size, step = order["fileSizeBytes"], 4
        instructions = [
            {"uploadUrl": f"{upload}/{first}", "firstByte": first, "lastByte": min(first + step, size) - 1}
            for first in range(0, size, step)
        ]
        return {"value": {"video": urn, "uploadInstructions": instructions, "uploadToken": "t"}}

    @route("PUT", "/upload/{urn}/{first}")
    def upload(self, request: Request, urn: str, first: str) -> Answer:
        made = self.assets[unquote(urn)]
        made["parts"][int(first)] = request.body
        if ":video:" not in urn:
            made["status"] = "AVAILABLE"
        return Answer(201, None, {"ETag": f"etag-{first}"})

    @route("GET", "/rest/videos/{urn}")
    def video(self, request: Request, urn: str) -> Any:
        made = self.assets[unquote(urn)]
        if made["status"] == "PROCESSING":
            self.slow -= 1
            made["status"] = "PROCESSING" if self.slow > 0 else "AVAILABLE"
            return {"id": unquote(urn), "status": "PROCESSING"}
        return {"id": unquote(urn), "status": made["status"]}

    @route("GET", "/rest/socialActions/{urn}/comments")
    def listed_comments(self, request: Request, urn: str) -> Any:
        if not self.reads:
            return problem(403, "ACCESS_DENIED", "Not enough permissions")
        return {"elements": [{"message": {"text": text}} for text in self.comments.get(unquote(urn), [])]}

    @route("POST", "/rest/socialActions/{urn}/comments")
    def comment(self, request: Request, urn: str) -> Any:
        if unquote(urn) not in self.posts:
            return problem(404, "NOT_FOUND", "Not found")
        self.comments.setdefault(unquote(urn), []).append(request.json()["message"]["text"])
        return Answer(201, {}, {"x-restli-id": "1"})

    @route("GET", "/rest/organizationalEntityShareStatistics")
    def statistics(self, request: Request) -> Any:
        found = request.query.get("shares") or request.query["ugcPosts"]
        kind = "share" if "shares" in request.query else "ugcPost"
        urns = [urn for urn in found.removeprefix("List(").removesuffix(")").split(",") if urn in self.posts]
        figures = {
            "impressionCount": 90,
            "uniqueImpressionsCount": 60,
            "clickCount": 8,
            "likeCount": 5,
            "commentCount": 2,
        }
        return {"elements": [{kind: urn, "totalShareStatistics": figures} for urn in urns]}

    @route("GET", "/v2/userinfo")
    def userinfo(self, request: Request) -> Any:
        return {"sub": self.PERSON.rpartition(":")[2], "name": "Ana Berg"}

    @route("GET", "/rest/organizationAcls")
    def acls(self, request: Request) -> Any:
        return {"elements": [{"organization": self.COMPANY, "role": "ADMINISTRATOR", "state": "APPROVED"}]}

    @route("GET", "/rest/organizations/5515")
    def organization(self, request: Request) -> Any:
        return {"id": 5515, "localizedName": "Berg & Co", "vanityName": "berg-co"}

    @route("POST", "/oauth/v2/accessToken")
    def token(self, request: Request) -> Any:
        fields = request.form()
        if fields.get("client_secret") != self.SECRET or fields.get("client_id") != self.CLIENT:
            return Answer(401, {"error": "invalid_client"})
        good = fields.get("code") == "good-code" or (
            self.refresh_token and fields.get("refresh_token") == self.refresh_token
        )
        if not good:
            return Answer(400, {"error": "invalid_grant", "error_description": "revoked"})
        more = {"refresh_token": self.refresh_token, "refresh_token_expires_in": 31536000} if self.refresh_token else {}
        return {"access_token": self.TOKEN, "expires_in": 5_184_000, "scope": self.scope, **more}

    @route("POST", "/oauth/v2/introspectToken")
    def introspect(self, request: Request) -> Any:
        return {"active": True, "scope": self.scope, "status": "active"}


def cut(commentary: str) -> str:
    """What LinkedIn keeps of a commentary: all up to the first reserved character that is not escaped."""
    for found in _SPECIAL.finditer(commentary):
        if found["bad"]:
            return commentary[: found.start()]
    return commentary


def duplicate(urn: str) -> Answer:
    words = f"Content is a duplicate of {urn}"
    inputs = [{"code": "DUPLICATE_POST", "description": words, "input": {"inputPath": {"fieldPath": "/"}}}]
    return problem(422, "UNPROCESSABLE_ENTITY", words, errorDetails={"inputErrors": inputs})
