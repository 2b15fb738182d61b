"""A double of the Graph API for Instagram, written from developers.facebook.com, Instagram Platform: Content Publishing, IG
Container, IG User media_publish and content_publishing_limit, Business Login, as gathered in `../shared/platforms/PLATFORMS.md`
section 3."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.servers.double import Double, Request, route
from tests.servers.facebook import fields_of, graph_error

VERSION = "/v25.0"


class InstagramDouble(Double):
    """One account. containers: id -> fields and status; media: id -> what was published."""

    USER, TOKEN, SECRET = "17841400", "ig-token-nobody-may-see", "ig-secret-nobody-may-see"

    def __init__(self) -> None:
        self.fresh()
        super().__init__()

    def fresh(self) -> None:
        """As on the first day."""
        self.containers: dict[str, dict[str, Any]] = {}
        self.media: dict[str, dict[str, Any]] = {}
        self.comments: dict[str, list[str]] = {}
        self.count = 0
        self.now = datetime(2026, 11, 23, 8, 0, 5, tzinfo=UTC)
        self.slow = 0  # how many looks a new container stays IN_PROGRESS
        self.status = ""  # what a new container ends as, instead of FINISHED
        self.words = ""
        self.used = 3
        self.hidden = 0  # how many look-ups a new media is not listed for

    def answer(self, request: Request) -> Any:
        token = fields_of(request).get("access_token", "")
        if token not in (self.TOKEN, "short") and request.path != "/oauth/access_token":
            return graph_error(190, "Invalid OAuth access token.", error_subcode=467)
        return super().answer(request)

    def id(self) -> str:
        self.count += 1
        return str(18_000_000 + self.count)

    @route("GET", VERSION + "/17841400/content_publishing_limit")
    def limit(self, request: Request) -> Any:
        return {"data": [{"config": {"quota_total": 50, "quota_duration": 86400}, "quota_usage": self.used}]}

    @route("POST", VERSION + "/17841400/media")
    def container(self, request: Request) -> Any:
        fields = request.form()
        children = [child for child in fields.get("children", "").split(",") if child]
        if fields.get("media_type") == "CAROUSEL":
            if not 2 <= len(children) <= 10 or any(not self._is_ready(child) for child in children):
                return graph_error(9007, "Children are not ready", error_subcode=2207028)
        elif not (fields.get("image_url") or fields.get("video_url")):
            return graph_error(100, "(#100) The parameter image_url is required.")
        if len(fields.get("caption", "")) > 2200:
            return graph_error(36004, "The caption is too long.", error_subcode=2207010)
        made = self.id()
        slow = self.slow if fields.get("video_url") or children else 0
        self.containers[made] = {"fields": fields, "children": children, "slow": slow, "status": "FINISHED"}
        if self.status and fields.get("is_carousel_item") != "true":
            self.containers[made]["status"], self.status = self.status, ""
        return {"id": made}

    def _is_ready(self, child: str) -> bool:
        made = self.containers.get(child)
        return made is not None and made["slow"] == 0 and made["fields"].get("is_carousel_item") == "true"

    @route("POST", VERSION + "/17841400/media_publish")
    def publish(self, request: Request) -> Any:
        creation = request.form()["creation_id"]
        made = self.containers.get(creation)
        if made is None or made["status"] != "FINISHED" or made["fields"].get("is_carousel_item") == "true":
            return graph_error(9004, "The media could not be published.", error_subcode=2207006)
        if made["slow"]:
            return graph_error(9007, "Media ID is not available", error_subcode=2207027)
        made["status"], self.used = "PUBLISHED", self.used + 1
        media = self.id()
        self.media[media] = {
            "id": media, "caption": made["fields"].get("caption", ""), "timestamp": self.now.strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "permalink": f"https://www.instagram.com/p/{media}/", "container": creation, "hidden": self.hidden,
            "edge": "stories" if made["fields"].get("media_type") == "STORIES" else "media",
        }  # fmt: skip
        return {"id": media}

    @route("GET", VERSION + "/17841400/media")
    @route("GET", VERSION + "/17841400/stories")
    def listed(self, request: Request) -> Any:
        edge, rows = request.path.rsplit("/", 1)[1], []
        for made in self.media.values():
            if made["edge"] == edge:
                if made["hidden"]:
                    made["hidden"] -= 1
                    continue
                rows.append({name: made[name] for name in ("id", "caption", "timestamp", "permalink") if made[name]})
        return {"data": rows[::-1]}

    @route("GET", VERSION + "/me")
    def me(self, request: Request) -> Any:
        return {"user_id": self.USER, "username": "our.brand", "name": "Our Brand", "account_type": "BUSINESS"}

    @route("GET", VERSION + "/{media}/comments")
    def listed_comments(self, request: Request, media: str) -> Any:
        return {"data": [{"id": str(n), "text": text} for n, text in enumerate(self.comments.get(media, []))]}

    @route("POST", VERSION + "/{media}/comments")
    def comment(self, request: Request, media: str) -> Any:
        self.comments.setdefault(media, []).append(request.form()["message"])
        return {"id": self.id()}

    @route("GET", VERSION + "/{media}/insights")
    def insights(self, request: Request, media: str) -> Any:
        if media not in self.media:
            return graph_error(100, "Unsupported get request.", error_subcode=33)
        rows = [{"name": name, "values": [{"value": 7}]} for name in request.query["metric"].split(",")]
        return {"data": rows}

    @route("GET", VERSION + "/{node}")
    def read(self, request: Request, node: str) -> Any:
        if node in self.media:
            return {"id": node, "permalink": self.media[node]["permalink"]}
        if node not in self.containers:
            return graph_error(100, "Unsupported get request.", error_subcode=33)
        made = self.containers[node]
        if made["slow"]:
            made["slow"] -= 1
            return {"id": node, "status_code": "IN_PROGRESS", "status": "In Progress: Media is still being processed."}
        status = made["status"]
        words = f"Error: Media upload has failed with error code {self.words}" if status == "ERROR" else status
        return {"id": node, "status_code": status, "status": words}

    @route("DELETE", VERSION + "/{node}")
    def delete(self, request: Request, node: str) -> Any:
        if node not in self.media:
            return graph_error(100, "Unsupported delete request.", error_subcode=33)
        del self.media[node]
        return {"success": True}

    @route("POST", "/oauth/access_token")
    def code(self, request: Request) -> Any:
        fields = request.form()
        if fields.get("code") != "good-code" or fields.get("client_secret") != self.SECRET:
            return graph_error(100, "Invalid authorization code")
        return {"access_token": "short", "user_id": int(self.USER), "permissions": "instagram_business_basic"}

    @route("GET", "/access_token")
    @route("GET", "/refresh_access_token")
    def long(self, request: Request) -> Any:
        wanted = "ig_exchange_token" if request.path == "/access_token" else "ig_refresh_token"
        if request.query.get("grant_type") != wanted:
            return graph_error(100, "Unsupported grant type")
        return {"access_token": self.TOKEN, "token_type": "bearer", "expires_in": 5_184_000}
