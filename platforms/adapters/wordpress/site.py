"""One WordPress site as its REST API has it: requests for one call of the adapter, within that call's time."""

from __future__ import annotations

import base64
import html
import time
from collections.abc import Mapping
from typing import Any

from alwrity_scheduler.core import clock
from platforms.adapters.wordpress import answers
from platforms.contracts import AccountRef, MediaRef
from platforms.errors import Rejected, Unavailable, UnknownOutcome
from platforms.outbound import Response, call
from platforms.text import slugs

EVERY_STATUS = "publish,future,draft,pending,private,trash"
MOST_BYTES = 4 * 1024 * 1024
_ENDINGS = {
    "image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp", "video/mp4": "mp4",
    "video/quicktime": "mov", "audio/mp4": "m4a", "application/pdf": "pdf",
}  # fmt: skip


class Site:
    """Short-lived: one for a call. It begins with /wp-json/ and goes over to ?rest_route= where the site knows no such address."""

    def __init__(self, account: AccountRef, timeout: float) -> None:
        self._base = str(account.options.get("site_url") or "").rstrip("/")
        pair = f"{account.options.get('username') or ''}:{account.credentials.get('application_password') or ''}"
        self._headers = {
            "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
            "Accept": "application/json",
        }
        self._until = time.monotonic() + timeout
        self._is_plain = False

    def request(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, **body: Any) -> Response:
        """One request, once; a second one only where the first met no REST API at all. Raises what `outbound.call` raises."""
        query = dict(params or {})
        if not self._is_plain:
            answer = self._call(method, f"{self._base}/wp-json/wp/v2/{path}", query, body)
            if not answers.is_elsewhere(answer):
                return answer
        plain = self._call(method, f"{self._base}/", {"rest_route": f"/wp/v2/{path}", **query}, body)
        self._is_plain = self._is_plain or not answers.is_elsewhere(plain)
        return plain

    def ask(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, **body: Any) -> Response:
        """A request that makes no post: whatever goes wrong with it, nothing was posted by it. Raises one of the five errors, but
        never UnknownOutcome. An error answer is raised too."""
        try:
            answer = self.request(method, path, params=params, **body)
        except UnknownOutcome as error:
            raise Unavailable(f"The site gave no answer before the post was sent. {error}") from error
        if answer.status >= 300:
            raise answers.error_of(answer, clock.now(), sending=False)
        return answer

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        found = answers.rows_of(self.ask("GET", path, params=params))
        if found is None:
            raise Unavailable(
                "The site answered with something that is no list: a page of a plug-in or a firewall, perhaps."
            )
        return found

    def post_with(self, slug: str, marker: str = "") -> dict[str, Any] | None:
        """The post of this slug, in whatever state, trash included; `marker` is what the body of a post without a slug holds."""
        asked = {
            "status": EVERY_STATUS,
            "context": "edit",
            "_fields": "id,link,slug,status,modified_gmt",
            "per_page": 20,
        }
        wanted = (slug, f"{slug}__trashed")
        for row in self.rows("posts", slug=",".join(wanted), **asked):
            if row.get("slug") in wanted:
                return row
        if marker:
            found = self.rows("posts", search=marker, **asked)
            return found[0] if found else None
        return None

    def uploaded(self, media: MediaRef) -> dict[str, Any]:
        """The file in the site's media library: the one that is there already (same content, same alternative text), or a new
        one. Returns its `id` and `source_url`."""
        slug = media_slug(media)
        fields = "id,source_url,slug"
        for row in self.rows("media", slug=slug, _fields=fields, per_page=5):
            if row.get("slug") == slug and row.get("source_url"):
                return row
        name = file_name(media)
        form = {"slug": slug, "title": media.alt or media.name or name, "alt_text": media.alt}
        try:
            with open(media.path, "rb") as file:
                answer = self.ask("POST", "media", form=form, files={"file": (name, file, media.mime)})
        except OSError as error:
            raise Rejected(f"The file {media.name or name} cannot be read here any more.") from error
        made = answers.post_of(answer)
        if made is None or not made.get("source_url"):
            raise Unavailable("The site took a file and did not say where it is; it is looked for the next time.")
        return dict(made)

    def terms(self, kind: str, names: list[str]) -> tuple[list[int], list[str]]:
        """(ids of these categories or tags, sentences about those that could not be made). Missing ones are made."""
        ids: list[int] = []
        notes: list[str] = []
        for name in names:
            found = self.rows(kind, search=name, per_page=100, _fields="id,name")
            known = next((row["id"] for row in found if _same(str(row.get("name")), name)), None)
            if known is None:
                known = self._new_term(kind, name, notes)
            if known is not None and known not in ids:
                ids.append(known)
        return ids, notes

    def _new_term(self, kind: str, name: str, notes: list[str]) -> int | None:
        try:
            answer = self.request("POST", kind, json={"name": name})
        except UnknownOutcome as error:
            raise Unavailable(f"The site gave no answer before the post was sent. {error}") from error
        row, data = answers.post_of(answer), answers.data_of(answer)
        if answer.status in (200, 201) and row is not None:
            return int(row["id"])
        code = answers.code_of(answer)
        details = data.get("data") if isinstance(data, dict) else None
        if code == "term_exists" and isinstance(details, dict) and isinstance(details.get("term_id"), int):
            return int(details["term_id"])
        refusal = answers.error_of(answer, clock.now(), sending=False)
        if answer.status in (400, 403) and code:
            label = "category" if kind == "categories" else "tag"
            notes.append(
                f"The {label} “{name}” is not there and this user may not make it: {answers.words(answer)}"[:300]
            )
            return None
        raise refusal

    def _call(self, method: str, url: str, params: dict[str, Any], body: dict[str, Any]) -> Response:
        left = self._until - time.monotonic()
        if left <= 0:
            raise Unavailable("The site took so long that the next step was not begun.")
        _rewind(body)
        return call(
            method, url, params=params or None, headers=self._headers, timeout=left, max_bytes=MOST_BYTES, **body
        )


def media_slug(media: MediaRef) -> str:
    """The name under which a file is found again: its content and its words."""
    return "alw-" + slugs.short(f"{media.checksum}\n{media.alt}", 20)


def file_name(media: MediaRef) -> str:
    stem = slugs.words(media.name.rpartition(".")[0] or media.name) or "file"
    return f"{stem}.{_ENDINGS.get(media.mime, 'bin')}"


def _same(one: str, other: str) -> bool:
    return html.unescape(one).casefold() == other.casefold()


def _rewind(body: dict[str, Any]) -> None:
    for file in (body.get("files") or {}).values():
        file[1].seek(0)
