"""One status, or a thread, on a Mastodon-compatible server: files up, then status by status.

Mastodon remembers an Idempotency-Key for an hour, GoToSocial ignores it, so nothing is ever sent again without a look at the
account's own statuses; the key goes along for two calls at once.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from alwrity_scheduler.core import clock
from platforms import rates
from platforms.adapters.mastodon.client import MastodonClient, alike, compared, plain_text
from platforms.chains import Deadline, State
from platforms.contracts import AccountRef
from platforms.errors import PlatformError, Rejected, Unavailable, UnknownOutcome
from platforms.uploads import Files, handed_over

MOST_PAGES, PAGE = 10, 40
PROCESSING_SECONDS = 3.0


class MastodonSteps:
    consistency_seconds = 3.0

    def __init__(self, account: AccountRef, deadline: Deadline) -> None:
        self._account = account
        self.client = MastodonClient(account, deadline)
        self._files = Files()

    # files

    def prepare(self, state: State) -> float | None:
        waits = [wait for file in state["files"] if (wait := self._take_up(file)) is not None]
        return max(waits, default=None)

    def _take_up(self, file: State) -> float | None:
        """None: the file may be used. The server answers 202 to one it works on, and 206 while it is not done."""
        if file.get("ready"):
            return None
        if not file.get("id"):
            content = self._files.read(file, self.client.deadline.left())
            name = file["name"] or f"file.{file['mime'].rpartition('/')[2]}"
            answer = self.client.request(
                "POST",
                "/api/v2/media",
                form={"description": file["alt"]} if file["alt"] else {},
                files={"file": (name, content, file["mime"])},
            )
            data = answer.json()
            if not isinstance(data, dict) or not data.get("id"):
                raise Unavailable("The server took a file but did not say under which id.")
            file["id"] = str(data["id"])
            handed_over(file)
            file["ready"] = answer.status != 202
        else:
            file["ready"] = self.client.request("GET", f"/api/v1/media/{quote(file['id'], safe='')}").status != 206
        return None if file["ready"] else PROCESSING_SECONDS

    # statuses

    def send(self, state: State, number: int) -> dict[str, Any]:
        key = state["key"] if number == 0 else f"{state['key']}-{number + 1}"
        answer = self.client.request(
            "POST", "/api/v1/statuses", json=self.body(state, number), headers={"Idempotency-Key": key}
        )
        data = answer.json()
        if not isinstance(data, dict) or not data.get("id"):
            raise UnknownOutcome("The server took the post but did not say under which id.", status_code=answer.status)
        return {**_known(data), "rate": rates.rate_of(answer.headers, clock.now())}

    def body(self, state: State, number: int) -> dict[str, Any]:
        body: dict[str, Any] = {"status": state["parts"][number], **state["every"]}
        if number:
            body["in_reply_to_id"] = state["done"][-1]["id"]
            return body
        body |= state["first"]
        if state["files"]:
            body["media_ids"] = [file["id"] for file in state["files"]]
        return body

    def look(self, state: State, number: int) -> dict[str, Any] | None:
        """The oldest own status since the post was due that says the same in the same place."""
        parent = state["done"][-1]["id"] if number else state["first"].get("in_reply_to_id")
        files = len(state["files"]) if number == 0 else 0
        taken = {part["id"] for part in state["done"]}
        try:
            found = [
                status
                for status in self._own_since(datetime.fromisoformat(state["since"]))
                if str(status.get("id")) not in taken
                and (str(status["in_reply_to_id"]) if status.get("in_reply_to_id") else None) == parent
                and len(status.get("media_attachments") or []) == files
                and self._says(status, state["parts"][number], str(state["every"].get("spoiler_text") or ""))
            ]
        except UnknownOutcome:
            raise
        except PlatformError as error:
            raise UnknownOutcome(
                f"The server does not show the account's posts now. {error}",
                status_code=error.status_code,
                platform_message=error.platform_message,
                rate=error.rate,
            ) from error
        if not found and state["every"].get("visibility") == "direct" and state["software"] != "mastodon":
            raise UnknownOutcome("Not every server lists posts to mentioned people, so only a person can tell.")
        return _known(found[-1]) if found else None

    def _own_since(self, since: datetime) -> list[dict[str, Any]]:
        """The account's own statuses since then, newest first."""
        path = f"/api/v1/accounts/{quote(self.user_id(), safe='')}/statuses"
        params = {"exclude_reblogs": "true", "limit": str(PAGE)}
        found: list[dict[str, Any]] = []
        for _ in range(MOST_PAGES):
            page = self.client.request("GET", path, params=params).json()
            if not isinstance(page, list) or not all(isinstance(item, dict) and item.get("id") for item in page):
                raise UnknownOutcome("The server does not show the account's posts.")
            found += [item for item in page if _made(item) >= since]
            if not page or _made(page[-1]) < since:
                return found
            params["max_id"] = str(page[-1]["id"])
        raise UnknownOutcome("The account has posted so much since then that the post cannot be told from the others.")

    def _says(self, status: Mapping[str, Any], text: str, spoiler: str) -> bool:
        """Does it say this? Its source tells exactly; a server without that is believed by its HTML."""
        warned = str(status.get("spoiler_text") or "")
        if compared(spoiler) not in (compared(warned), compared(html.unescape(warned))):
            return False
        shown = compared(plain_text(str(status.get("content") or "")))
        if shown == compared(text):
            return True
        if not alike(shown, text):
            return False
        try:
            source = self.client.request("GET", f"/api/v1/statuses/{quote(str(status['id']), safe='')}/source").json()
        except Rejected:
            return False
        return isinstance(source, dict) and compared(str(source.get("text") or "")) == compared(text)

    def user_id(self) -> str:
        return str(self._account.options.get("user_id") or self.me()["id"])

    def me(self) -> dict[str, Any]:
        data = self.client.request("GET", "/api/v1/accounts/verify_credentials").json()
        if not isinstance(data, dict) or not data.get("id"):
            raise UnknownOutcome("The server did not say whose sign-in this is.")
        return data

    def instance(self) -> Any:
        """What the server says of itself; v1 where it knows no v2."""
        try:
            return self.client.request("GET", "/api/v2/instance").json()
        except Rejected:
            return self.client.request("GET", "/api/v1/instance").json()

    # single statuses

    def edit(self, state: State, remote_id: str) -> dict[str, Any]:
        body = {
            name: value for name, value in self.body(state, 0).items() if name not in ("visibility", "in_reply_to_id")
        }
        if state["files"]:
            body["media_attributes"] = [
                {"id": file["id"], "description": file["alt"]} for file in state["files"] if file["alt"]
            ]
        data = self.client.request("PUT", f"/api/v1/statuses/{quote(remote_id, safe='')}", json=body).json()
        if not isinstance(data, dict) or not data.get("id"):
            raise UnknownOutcome("The server took the change but did not say under which id.")
        return _known(data)

    def delete(self, remote_id: str) -> None:
        try:
            self.client.request("DELETE", f"/api/v1/statuses/{quote(remote_id, safe='')}")
        except Rejected as error:
            if error.status_code not in (404, 410):
                raise

    def status(self, remote_id: str) -> dict[str, Any] | None:
        try:
            data = self.client.request("GET", f"/api/v1/statuses/{quote(remote_id, safe='')}").json()
        except Rejected as error:
            if error.status_code in (404, 410):
                return None
            raise
        return data if isinstance(data, dict) else None


def _known(status: Mapping[str, Any]) -> dict[str, Any]:
    url = status.get("url") or status.get("uri") or ""
    return {"id": str(status["id"]), "url": str(url) if str(url).startswith("http") else ""}


def _made(status: Mapping[str, Any]) -> datetime:
    try:
        made = datetime.fromisoformat(str(status.get("created_at")).replace("Z", "+00:00"))
    except ValueError:
        raise UnknownOutcome("The server does not say when the account's posts were made.") from None
    if made.tzinfo is None:
        raise UnknownOutcome("The server does not say when the account's posts were made.")
    return made
