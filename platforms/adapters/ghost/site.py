"""One Ghost site as its Admin API has it: requests for one call of the adapter, within that call's time."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from alwrity_scheduler.core import clock
from platforms.adapters.ghost import answers
from platforms.contracts import AccountRef, MediaRef
from platforms.errors import PlatformError, Rejected, Unavailable, UnknownOutcome
from platforms.outbound import Response, call
from platforms.text import slugs

KEY = re.compile(r"([0-9a-f]{24}):((?:[0-9a-f]{2}){32,})", re.IGNORECASE)
TOKEN_SECONDS = 300
FIELDS = "id,uuid,slug,url,status,updated_at"
MOST_BYTES = 8 * 1024 * 1024
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp", "video/mp4": "mp4",
            "audio/mp4": "m4a", "application/pdf": "pdf"}  # fmt: skip
# where files of a kind go, and under which name the answer lists them
_DOORS = {"image": "images", "video": "media", "audio": "media"}


class Site:
    """Short-lived: one for a call."""

    def __init__(self, account: AccountRef, timeout: float) -> None:
        self._base = str(account.options.get("site_url") or "").rstrip("/")
        self._key = str(account.credentials.get("admin_api_key") or "").strip()
        self._until = time.monotonic() + timeout

    def request(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, **body: Any) -> Response:
        """One request, once. Raises what `outbound.call` raises."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise Unavailable("Ghost took so long that the next step was not begun.")
        headers = {
            "Authorization": f"Ghost {token_of(self._key)}",
            "Accept-Version": "v5.0",
            "Accept": "application/json",
        }
        url = f"{self._base}/ghost/api/admin/{path}"
        return call(method, url, params=params, headers=headers, timeout=left, max_bytes=MOST_BYTES, **body)

    def ask(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, **body: Any) -> Response:
        """A request that makes no post and sends none. Raises one of the five errors, but never UnknownOutcome; an error answer
        is raised too."""
        try:
            answer = self.request(method, path, params=params, **body)
        except UnknownOutcome as error:
            raise Unavailable(f"Ghost gave no answer before the post was sent. {error}") from error
        if answer.status >= 300:
            raise answers.error_of(answer, clock.now(), sending=False)
        return answer

    def send(self, method: str, path: str, row: Mapping[str, Any], **params: Any) -> dict[str, Any]:
        """A request that makes, changes or sends a post; the post as Ghost has it then. Raises one of the five errors."""
        answer = self.request(method, path, params=params, json={"posts": [row]})
        if answer.status >= 300:
            raise answers.error_of(answer, clock.now(), sending=True)
        found = answers.posts_of(answer)
        if not found:
            raise UnknownOutcome(
                "Ghost took the post but its answer cannot be read.",
                status_code=answer.status,
                platform_message=answers.words(answer),
            )
        return found[0]

    def post(self, post_id: str) -> dict[str, Any] | None:
        """The post of this id; None when there is none. Raises one of the five errors, but never UnknownOutcome."""
        try:
            found = answers.posts_of(self.ask("GET", f"posts/{post_id}/", params={"fields": FIELDS}))
        except Rejected as error:
            if error.status_code == 404:
                return None
            raise
        if not found:
            raise Unavailable("Ghost's answer to a look-up cannot be read.")
        return found[0]

    def post_with(self, slug: str, tag: str) -> dict[str, Any] | None:
        """The post that holds the internal tag, else the one of this slug, in any state. Raises as `post` does."""
        wanted = {"filter": f"tag:hash-{tag}+status:[draft,published,scheduled,sent]", "fields": FIELDS, "limit": 1}
        found = answers.posts_of(self.ask("GET", "posts/", params=wanted))
        if found is None:
            raise Unavailable("Ghost's answer to a look-up cannot be read.")
        if found:
            return found[0]
        try:
            answer = self.ask("GET", f"posts/slug/{slug}/", params={"fields": FIELDS})
        except Rejected as error:
            if error.status_code == 404:
                return None
            raise
        rows = answers.posts_of(answer)
        if not rows:
            raise Unavailable("Ghost's answer to a look-up cannot be read.")
        return rows[0]

    def uploaded(self, media: MediaRef) -> str:
        """The address of the file on the site. Ghost keeps no list of its files, so each upload makes one."""
        door = _DOORS.get(media.mime.split("/", 1)[0], "files")
        name = file_name(media)
        form = {"ref": media.checksum[:60]} | ({"purpose": "image"} if door == "images" else {})
        try:
            with open(media.path, "rb") as file:
                answer = self.ask("POST", f"{door}/upload/", form=form, files={"file": (name, file, media.mime)})
        except OSError as error:
            raise Rejected(f"The file {media.name or name} cannot be read here any more.") from error
        data = answer.json()
        rows = data.get(door) if isinstance(data, dict) else None
        url = rows[0].get("url") if isinstance(rows, list) and rows and isinstance(rows[0], dict) else None
        if not isinstance(url, str) or not url:
            raise Unavailable("Ghost took a file and did not say where it is.")
        return url


def token_of(key: str) -> str:
    """A token of 5 minutes, signed with the key (HS256; kid: its id; the secret is hex). Raises Rejected when the key is none."""
    found = KEY.fullmatch(key)
    if found is None:
        raise Rejected("The Admin API key is not complete. Copy it whole: an id, a colon and a secret.")
    now = int(clock.now().timestamp())
    claims = {"iat": now, "exp": now + TOKEN_SECONDS, "aud": "/admin/"}
    import jwt  # with all of cryptography's certificates: loaded when Ghost is first called

    return jwt.encode(claims, bytes.fromhex(found.group(2)), algorithm="HS256", headers={"kid": found.group(1)})


def file_name(media: MediaRef) -> str:
    stem = slugs.words(media.name.rpartition(".")[0] or media.name) or "file"
    return f"{stem[:60]}-{media.checksum[:8] or 'x'}.{_ENDINGS.get(media.mime, 'bin')}"


def cannot_tell(error: PlatformError) -> UnknownOutcome:
    """A look-up that failed proves nothing."""
    if isinstance(error, UnknownOutcome):
        return error
    return UnknownOutcome(
        f"The look-up told nothing. {error}", status_code=error.status_code, platform_message=error.platform_message
    )
