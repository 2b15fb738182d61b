"""One verb on many pieces of content, or on many files: each by the service that does it for one, in a transaction of its own.

What is refused stops none of the others. Called by the API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import Actor
from platforms.models import MediaAsset, MediaFolder
from platforms.services import media
from schedules.models import ContentItem
from schedules.services import schedules as schedule_service
from schedules.services.content import draft_of

MOST = 200


class ContentVerb(StrEnum):
    LABEL = "label"
    UNLABEL = "unlabel"
    CAMPAIGN = "campaign"


class MediaVerb(StrEnum):
    DELETE = "delete"
    RESTORE = "restore"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one: done where there are no problems."""

    id: UUID
    problems: tuple[Problem, ...] = ()


def content(*, rows: Iterable[ContentItem], verb: ContentVerb, word: str, actor: Actor, now: datetime) -> list[Outcome]:
    """Give them a label, take it away, or put them into a campaign (empty: into none). What has it already is left as it is."""

    def act(row: ContentItem) -> None:
        old = draft_of(row)
        if verb is ContentVerb.CAMPAIGN:
            new = replace(old, campaign=word)
        else:
            others = tuple(label for label in old.labels if label != word)
            labels = (*others, word) if verb is ContentVerb.LABEL and word not in old.labels else old.labels
            new = replace(old, labels=others if verb is ContentVerb.UNLABEL else labels)
        if new != old:
            schedule_service.edit_content(content=row, draft=new, version=row.version, actor=actor, now=now)

    return _each(rows, act)


def files(
    *,
    rows: Iterable[MediaAsset],
    verb: MediaVerb,
    folder: MediaFolder | None = None,
    actor: Actor,
    now: datetime,
) -> list[Outcome]:
    """Put files into the bin, bring them back, or move them into a folder (None: into none)."""
    verbs: dict[MediaVerb, Callable[[MediaAsset], Any]] = {
        MediaVerb.DELETE: lambda row: media.delete(assets=[row], actor=actor, now=now),
        MediaVerb.RESTORE: lambda row: media.restore(assets=[row], actor=actor, now=now),
        MediaVerb.MOVE: lambda row: media.move(assets=[row], folder=folder, actor=actor, now=now),
    }
    return _each(rows, verbs[verb])


def _each(rows: Iterable[Any], act: Callable[[Any], Any]) -> list[Outcome]:
    found = []
    for row in rows:
        try:
            act(row)
        except Refused as error:
            found.append(Outcome(row.public_id, tuple(error.problems)))
        else:
            found.append(Outcome(row.public_id))
    return found
