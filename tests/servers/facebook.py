"""A double of the Graph API for pages, written from developers.facebook.com: Page Feed, Page Photos, Comments, Video API
(resumable upload), Reels Publishing, Page Stories API, Handle Errors, and the Facebook Login pages, as gathered in
`../shared/platforms/PLATFORMS.md` section 2."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from tests.servers.double import Answer, Double, Request, route

VERSION = "/v25.0"


def graph_error(code: int, message: str = "Refused.", status: int = 400, **more: Any) -> Answer:
    return Answer(
        status, {"error": {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A1", **more}}
    )


class FacebookDouble(Double):
    """One page. posts: id -> message, attached photos…; `now` is the created_time of what is made."""

    PAGE, TOKEN, SECRET, APP = "1001", "page-token-nobody-may-see", "app-secret-nobody-may-see", "4242"

    def __init__(self) -> None:
        self.fresh()
        super().__init__()

    def fresh(self) -> None:
        """As on the first day."""
        self.posts: dict[str, dict[str, Any]] = {}
        self.photos: dict[str, dict[str, Any]] = {}
        self.videos: dict[str, dict[str, Any]] = {}
        self.comments: dict[str, list[dict[str, str]]] = {}
        self.count = 0
        self.now = 1_795_420_800  # Monday 23 November 2026, 08:00 UTC
        self.duplicates = False  # refuse the same message again, as the real one does within minutes
        self.scopes = [
            "pages_show_list", "pages_manage_posts", "pages_read_engagement", "pages_manage_engagement", "read_insights",
        ]  # fmt: skip

    def answer(self, request: Request) -> Answer:
        fields = fields_of(request)
        token = fields.get("access_token", "")
        if "/oauth/access_token" not in request.path and not request.path.startswith("/rupload"):
            if token not in (self.TOKEN, "long-user-token", f"{self.APP}|{self.SECRET}"):
                return graph_error(190, "Invalid OAuth access token.", 400, error_subcode=467)
            proof = fields.get("appsecret_proof")
            made = hmac.new(self.SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()
            if proof is not None and proof != made:
                return graph_error(100, "Invalid appsecret_proof provided in the API argument")
        return super().answer(request)

    def id(self) -> str:
        self.count += 1
        return str(9_000_000 + self.count)

    def make_post(self, **values: Any) -> str:
        post_id = f"{self.PAGE}_{self.id()}"
        self.posts[post_id] = {"id": post_id, "created_time": self.now, **values}
        return post_id

    @route("POST", VERSION + "/1001/feed")
    def feed(self, request: Request) -> Any:
        fields = fields_of(request)
        if not (fields.get("message") or fields.get("link") or fields.get("attached_media[0]")):
            return graph_error(100, "(#100) The post is empty.")
        if self.duplicates and any(post.get("message") == fields.get("message") for post in self.posts.values()):
            return graph_error(506, "Duplicate status message")
        attached = [
            json.loads(value)["media_fbid"] for name, value in fields.items() if name.startswith("attached_media[")
        ]
        if any(photo not in self.photos or self.photos[photo]["published"] for photo in attached):
            return graph_error(100, "(#100) Invalid media_fbid")
        return {"id": self.make_post(message=fields.get("message", ""), link=fields.get("link", ""), photos=attached)}

    @route("POST", VERSION + "/1001/photos")
    def photo(self, request: Request) -> Any:
        parts = request.multipart()
        fields = {name: value.decode() for name, (_, value) in parts.items() if name != "source"}
        published = fields.get("published", "true") == "true"
        photo = self.id()
        self.photos[photo] = {
            "bytes": parts["source"][1], "alt": fields.get("alt_text_custom", ""), "published": published,
        }  # fmt: skip
        if not published:
            return {"id": photo}
        return {"id": photo, "post_id": self.make_post(message=fields.get("message", ""), photos=[photo])}

    @route("POST", VERSION + "/1001/photo_stories")
    def photo_story(self, request: Request) -> Any:
        photo = request.form()["photo_id"]
        if photo not in self.photos or self.photos[photo]["published"]:
            return graph_error(100, "(#100) Invalid photo_id")
        self.photos[photo]["published"] = True  # serves for one story only
        return {"success": True, "post_id": self.make_post(story=photo)}

    @route("GET", VERSION + "/1001/stories")
    def stories(self, request: Request) -> Any:
        rows = [
            {"post_id": post["id"], "media_id": post["story"], "media_type": "photo", "status": "PUBLISHED"}
            for post in self.posts.values()
            if "story" in post
        ]
        return {"data": rows}

    @route("POST", VERSION + "/1001/videos")
    def video(self, request: Request) -> Any:
        fields = fields_of(request)
        if fields["upload_phase"] == "start":
            video = self.id()
            self.videos[video] = {
                "size": int(fields["file_size"]),
                "bytes": b"",
                "phase": "not_started",
                "edge": "videos",
            }
            return self._offsets(video) | {"upload_session_id": f"s{video}", "video_id": video}
        video = fields["upload_session_id"][1:]
        if fields["upload_phase"] == "transfer":
            if int(fields["start_offset"]) != len(self.videos[video]["bytes"]):
                offsets = {name: int(value) for name, value in self._offsets(video).items()}
                return graph_error(
                    6001, "There was a problem uploading your video.", error_subcode=1363037, error_data=offsets
                )
            self.videos[video]["bytes"] += request.multipart()["video_file_chunk"][1]
            return self._offsets(video)
        return self._finish(video, fields)

    def _offsets(self, video: str) -> dict[str, str]:
        has, size = len(self.videos[video]["bytes"]), self.videos[video]["size"]
        return {"start_offset": str(has), "end_offset": str(min(has + 6, size))}

    def _finish(self, video: str, fields: dict[str, str]) -> Any:
        made = self.videos[video]
        if len(made["bytes"]) != made["size"] or made["phase"] != "not_started":
            return graph_error(6000, "There was a problem uploading your video.", error_subcode=1363130)
        made |= {"phase": "in_progress", "description": fields.get("description", ""), "title": fields.get("title", "")}
        made["post_id"] = self.make_post(video=video, message=fields.get("description", ""))
        return {"success": True, **({"post_id": made["post_id"]} if made["edge"] == "video_stories" else {})}

    @route("POST", VERSION + "/1001/video_reels")
    @route("POST", VERSION + "/1001/video_stories")
    def reel(self, request: Request) -> Any:
        fields = request.form()
        if fields["upload_phase"] == "start":
            video = self.id()
            self.videos[video] = {
                "size": -1, "bytes": b"", "phase": "not_started", "edge": request.path.rsplit("/", 1)[1],
            }  # fmt: skip
            return {"video_id": video, "upload_url": f"{self.url}/rupload/{video}"}
        return self._finish(fields["video_id"], fields)

    @route("POST", "/rupload/{video}")
    def rupload(self, request: Request, video: str) -> Any:
        if request.headers.get("authorization") != f"OAuth {self.TOKEN}":
            return Answer(401, {"debug_info": {"type": "NotAuthorizedError"}})
        made = self.videos[video]
        made["size"] = int(request.headers["file_size"])
        if int(request.headers["offset"]) != len(made["bytes"]):
            return Answer(400, {"debug_info": {"type": "OffsetInvalidError"}})
        made["bytes"] += request.body
        return {"success": True}

    @route("GET", VERSION + "/1001/published_posts")
    def published_posts(self, request: Request) -> Any:
        rows = [
            {
                "id": post["id"], "created_time": post["created_time"], "permalink_url": f"https://www.facebook.com/{post['id']}",
                **({"message": post["message"]} if post.get("message") else {}),
                **({"attachments": {"data": [{"unshimmed_url": post["link"]}]}} if post.get("link") else {}),
            }
            for post in self.posts.values()
            if post["created_time"] >= int(request.query["since"]) and "story" not in post
        ]  # fmt: skip
        return {"data": rows[::-1]}

    @route("GET", VERSION + "/1001/videos")
    @route("GET", VERSION + "/1001/video_reels")
    def listed_videos(self, request: Request) -> Any:
        edge = request.path.rsplit("/", 1)[1]
        rows = [
            {"id": video, "description": made["description"], "created_time": self.now}
            for video, made in self.videos.items()
            if made["edge"] == edge and made["phase"] != "not_started"
        ]
        return {"data": rows}

    @route("GET", VERSION + "/{post}/comments")
    def listed_comments(self, request: Request, post: str) -> Any:
        return {"data": self.comments.get(post, [])}

    @route("POST", VERSION + "/{post}/comments")
    def comment(self, request: Request, post: str) -> Any:
        if post not in self.posts:
            return graph_error(100, "Unsupported post request.", error_subcode=33)
        made = {"id": f"{post}_{self.id()}", "message": request.form()["message"]}
        self.comments.setdefault(post, []).append(made)
        return {"id": made["id"]}

    @route("GET", VERSION + "/debug_token")
    def debug_token(self, request: Request) -> Any:
        valid = request.query["input_token"] == self.TOKEN
        return {"data": {"is_valid": valid, "scopes": self.scopes, "type": "PAGE", "app_id": self.APP}}

    @route("POST", VERSION + "/oauth/access_token")
    def access_token(self, request: Request) -> Any:
        fields = request.form()
        if fields.get("client_secret") != self.SECRET:
            return graph_error(1, "Error validating client secret.")
        if fields.get("grant_type") == "fb_exchange_token":
            return {"access_token": "long-user-token", "token_type": "bearer", "expires_in": 5_183_944}
        if fields.get("code") != "good-code":
            return graph_error(100, "This authorization code has been used.", error_subcode=36009)
        return {"access_token": "short-user-token", "token_type": "bearer", "expires_in": 5_000}

    @route("GET", VERSION + "/me/permissions")
    def permissions(self, request: Request) -> Any:
        return {"data": [{"permission": scope, "status": "granted"} for scope in self.scopes]}

    @route("GET", VERSION + "/me/accounts")
    def accounts(self, request: Request) -> Any:
        return {
            "data": [
                {
                    "id": self.PAGE, "name": "Our Page", "username": "ourpage", "access_token": self.TOKEN,
                    "tasks": ["CREATE_CONTENT"],
                },
                {"id": "1002", "name": "Read only", "access_token": "other", "tasks": ["ANALYZE"]},
            ]
        }  # fmt: skip

    @route("GET", VERSION + "/")
    def many(self, request: Request) -> Any:
        ids = request.query["ids"].split(",")
        if any(one not in self.posts for one in ids):
            return graph_error(100, "Some of the aliases you requested do not exist", 404)
        return {one: self._figures() for one in ids}

    @staticmethod
    def _figures() -> dict[str, Any]:
        return {
            "likes": {"summary": {"total_count": 5}}, "comments": {"summary": {"total_count": 2}}, "shares": {"count": 1},
            "insights": {"data": [{"name": "post_total_media_view_unique", "values": [{"value": 77}]}]},
        }  # fmt: skip

    @route("GET", VERSION + "/{node}")
    def read(self, request: Request, node: str) -> Any:
        if node == self.PAGE:
            return {"id": self.PAGE, "name": "Our Page"}
        if node in self.videos:
            made = self.videos[node]
            phase = made["phase"]
            if phase == "in_progress":
                made["phase"] = "complete"
            status = {"video_status": "processing", "publishing_phase": {"status": phase}}
            status["uploading_phase"] = {"status": "complete", "bytes_transfered": len(made["bytes"])}
            known = (
                {"post_id": made["post_id"].partition("_")[2], "permalink_url": f"/reel/{node}/"}
                if phase == "complete"
                else {}
            )
            return {"id": node, "status": status, **known}
        if node in self.posts:
            return {"id": node, **self._figures()}
        return graph_error(100, "Unsupported get request.", 404, error_subcode=33)

    @route("POST", VERSION + "/{post}")
    def edit(self, request: Request, post: str) -> Any:
        if post not in self.posts:
            return graph_error(100, "Unsupported post request.", 404, error_subcode=33)
        self.posts[post]["message"] = request.form()["message"]
        return {"success": True}

    @route("DELETE", VERSION + "/{post}")
    def delete(self, request: Request, post: str) -> Any:
        if post not in self.posts:
            return graph_error(100, "Unsupported delete request.", 404, error_subcode=33)
        del self.posts[post]
        return {"success": True}


def fields_of(request: Request) -> dict[str, str]:
    """Query and form, whatever its encoding; files are left out."""
    found = dict(request.query)
    if request.headers.get("content-type", "").startswith("multipart/"):
        found |= {name: value.decode() for name, (file, value) in request.multipart().items() if not file}
    elif request.method == "POST":
        found |= request.form()
    return found
