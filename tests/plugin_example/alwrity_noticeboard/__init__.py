"""Noticeboard: a folder of text files, as a platform of the ALwrity Content Scheduler. ../README.md says more."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from platforms.base import FieldSpec, SettingsProblem
from platforms.contracts import Accepted, AccountHealth, AccountRef, Capabilities, Publication, Published, TextRule
from platforms.errors import AuthFailed, Rejected, Unavailable, UnknownOutcome
from platforms.text.message import message

LONGEST = 10_000


class NoticeboardAdapter:
    key = "noticeboard"
    label = "Noticeboard"
    description = "A folder on this machine: each post becomes a text file in it."
    credential_fields: tuple[FieldSpec, ...] = ()
    option_fields: tuple[FieldSpec, ...] = (
        FieldSpec(name="folder", label="Folder", help="An absolute path. It must exist.", required=True),
    )

    def capabilities(self, account: AccountRef) -> Capabilities:
        return Capabilities(
            content_types=frozenset({"post"}),
            media_mimes=frozenset(),
            max_media=0,
            max_text=LONGEST,
            text=TextRule(max=LONGEST),
            link_in_text=True,
            hashtags_in_text=True,
            can_find=True,
            replays=True,
            consistency_delay_seconds=0.0,
        )

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        folder = str(options.get("folder") or "")
        return [] if Path(folder).is_absolute() else [("folder", "Write a whole path, like /srv/notices.")]

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        path = _path(publication.account, publication.key)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(self._words(publication))
        except FileExistsError:
            return _published(path, already=True)
        except FileNotFoundError as error:
            raise Unavailable("The folder is not there, so nothing was written.") from error
        except PermissionError as error:
            raise AuthFailed("The folder may not be written to.") from error
        except OSError as error:
            raise UnknownOutcome(f"The disk failed while it had the post: {error.strerror}.") from error
        return _published(path)

    def find(self, publication: Publication, *, timeout: float) -> Published | Accepted | None:
        path = _path(publication.account, publication.key)
        try:
            if not path.parent.is_dir():
                raise UnknownOutcome("The folder is not there, so it cannot be looked up.")
            return _published(path, already=True) if path.is_file() else None
        except OSError as error:
            raise UnknownOutcome(f"The folder cannot be read: {error.strerror}.") from error

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        raise UnknownOutcome("A file is written or not: there is nothing to ask about.")

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        folder = Path(str(account.options.get("folder") or ""))
        if folder.is_dir():
            return AccountHealth(ok=True, message=f"The folder {folder.name} is there.", identity=folder.name)
        return AccountHealth(ok=False, message="There is no such folder.")

    def delete(self, account: AccountRef, remote_id: str, *, timeout: float) -> None:
        try:
            _file(account, remote_id).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(f"The file could not be deleted: {error.strerror}.") from error

    def edit(self, publication: Publication, remote_id: str, *, timeout: float) -> Published:
        path = _file(publication.account, remote_id)
        if not path.is_file():
            raise Rejected("The notice is not there any more.")
        try:
            path.write_text(self._words(publication), encoding="utf-8")
        except OSError as error:
            raise UnknownOutcome(f"The disk failed while it had the post: {error.strerror}.") from error
        return _published(path)

    def _words(self, publication: Publication) -> str:
        title = f"{publication.title}\n\n" if publication.title else ""
        return title + message(publication, self.capabilities(publication.account)) + "\n"


HEARD: list[tuple[str, str]] = []


class Reader:
    """A consumer of events: hears of each post that is out. It is handed one event at a time, in order, and may raise."""

    types = ("job.completed",)

    def handle(self, event: Mapping[str, Any]) -> None:
        HEARD.append((event["type"], event["data"]["after"]["state"]))


def _path(account: AccountRef, key: str) -> Path:
    """Where the post with this key is, or would be."""
    return Path(str(account.options.get("folder") or "")) / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.txt"


def _file(account: AccountRef, remote_id: str) -> Path:
    if Path(remote_id).name != remote_id or not remote_id.endswith(".txt"):
        raise Rejected("That is no notice of this board.")
    return Path(str(account.options.get("folder") or "")) / remote_id


def _published(path: Path, *, already: bool = False) -> Published:
    return Published(remote_id=path.name, url="", response={"file": path.name}, already=already)
