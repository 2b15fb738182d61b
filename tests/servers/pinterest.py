"""A double of Pinterest's API v5. Each body is held against the platform's own description (pinterest/api-description, in
`../shared/specs/pinterest-openapi.json`), where that is there."""

from __future__ import annotations

import base64
from typing import Any

from tests.servers import specs
from tests.servers.double import Answer, Double, Request, route

SPEC = "pinterest-openapi.json"


class PinterestDouble(Double):
    TOKEN, SECRET, APP, BOARD = "pin-token-nobody-may-see", "pin-secret-nobody-may-see", "1500", "549755885175"

    def __init__(self) -> None:
        self.fresh()
        super().__init__()

    def fresh(self) -> None:
        """As on the first day."""
        self.pins: dict[str, dict[str, Any]] = {}
        self.media: dict[str, dict[str, Any]] = {}
        self.count = 0
        self.now = "2026-11-23T08:00:05"

    def answer(self, request: Request) -> Answer:
        outside = request.path in ("/v5/oauth/token", "/storage")
        if not outside and request.headers.get("authorization") != f"Bearer {self.TOKEN}":
            return Answer(401, {"code": 2, "message": "Authentication failed."})
        return super().answer(request)

    def id(self) -> str:
        self.count += 1
        return str(813_744_226_000 + self.count)

    def refused(self, request: Request, schema: str) -> Answer | None:
        if specs.missing(SPEC):
            return None
        root = specs.load(SPEC)
        wrong = specs.problems(request.json(), {"$ref": f"#/components/schemas/{schema}"}, root)
        return Answer(400, {"code": 1, "message": "; ".join(wrong)}) if wrong else None

    @route("POST", "/v5/pins")
    def make(self, request: Request) -> Any:
        body = request.json()
        if refused := self.refused(request, "PinCreate"):
            return refused
        if body["board_id"] != self.BOARD:
            return Answer(404, {"code": 40, "message": "Board not found."})
        source = body.pop("media_source")
        if source["source_type"] == "video_id" and self.media[source["media_id"]]["status"] != "succeeded":
            return Answer(400, {"code": 235, "message": "The media is not ready."})
        files = source.get("items") or ([source] if "data" in source else [])
        pin = self.id()
        self.pins[pin] = {
            "id": pin, "created_at": self.now, **body, "files": [base64.b64decode(file["data"]) for file in files],
            "media_id": source.get("media_id"), "source": source["source_type"],
        }  # fmt: skip
        return Answer(201, {"id": pin, "board_id": self.BOARD})

    @route("GET", "/v5/boards/{board}/pins")
    def listed(self, request: Request, board: str) -> Any:
        names = ("id", "created_at", "title", "description", "link")
        rows = [{name: pin.get(name) for name in names} for pin in self.pins.values()][::-1]
        at = int(request.query.get("bookmark") or 0)
        more = {"bookmark": str(at + 2)} if at + 2 < len(rows) else {"bookmark": None}
        return {"items": rows[at : at + 2], **more}

    @route("POST", "/v5/media")
    def register(self, request: Request) -> Any:
        if refused := self.refused(request, "MediaUploadCreate"):
            return refused
        media = self.id()
        self.media[media] = {"status": "registered", "looks": 0}
        form = {"key": f"uploads/{media}", "policy": "p", "x-amz-signature": "sig-nobody-may-see"}
        url = f"{self.url}/storage"
        return Answer(201, {"media_id": media, "media_type": "video", "upload_url": url, "upload_parameters": form})

    @route("POST", "/storage")
    def store(self, request: Request) -> Any:
        assert "authorization" not in request.headers, "the token has no business at the storage"
        parts = request.multipart()
        media = self.media[parts["key"][1].decode().partition("/")[2]]
        media |= {"status": "processing", "bytes": parts["file"][1]}
        return Answer(204)

    @route("GET", "/v5/media/{media}")
    def one_media(self, request: Request, media: str) -> Any:
        made = self.media[media]
        made["looks"] += 1
        if made["status"] == "processing" and made["looks"] > 1:
            made["status"] = "succeeded"
        return {"media_id": media, "media_type": "video", "status": made["status"]}

    @route("PATCH", "/v5/pins/{pin}")
    def edit(self, request: Request, pin: str) -> Any:
        if refused := self.refused(request, "PinUpdate"):
            return refused
        self.pins[pin] |= request.json()
        return {"id": pin}

    @route("DELETE", "/v5/pins/{pin}")
    def delete(self, request: Request, pin: str) -> Answer:
        return Answer(204) if self.pins.pop(pin, None) else Answer(404, {"code": 50, "message": "Pin not found."})

    @route("GET", "/v5/pins/analytics")
    def analytics(self, request: Request) -> Any:
        figures = {"summary_metrics": {"IMPRESSION": 240, "SAVE": 20}, "lifetime_metrics": {"TOTAL_COMMENTS": 10}}
        return {one: {"all": figures} for one in request.query["pin_ids"].split(",") if one in self.pins}

    @route("GET", "/v5/user_account")
    def user(self, request: Request) -> Any:
        return {"username": "ourpins", "account_type": "BUSINESS"}

    @route("GET", "/v5/boards")
    def boards(self, request: Request) -> Any:
        return {"items": [{"id": self.BOARD, "name": "Summer"}], "bookmark": None}

    @route("GET", "/v5/boards/549755885175")
    def board(self, request: Request) -> Any:
        return {"id": self.BOARD, "name": "Summer"}

    @route("POST", "/v5/oauth/token")
    def token(self, request: Request) -> Any:
        pair = base64.b64encode(f"{self.APP}:{self.SECRET}".encode()).decode()
        fields = request.form()
        if request.headers.get("authorization") != f"Basic {pair}":
            return Answer(401, {"code": 2, "message": "Authentication failed."})
        if fields.get("code") != "good-code" and fields.get("refresh_token") != "renew-me-please":
            return Answer(400, {"error": "invalid_grant"})
        return {
            "access_token": self.TOKEN, "refresh_token": "renew-me-please", "expires_in": 2_592_000, "scope": "pins:read,pins:write"
        }  # fmt: skip
