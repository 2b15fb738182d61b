"""What the jobs of one claim are published from, in a fixed number of queries and without a model's weight.

Reads only, inside the claiming transaction; `services.publishing` decides with it. A backlog is claimed by the hundred, and
Django's instances would be the greater part of what a post costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q

from platforms.contracts import MediaRef
from platforms.models import PlatformAccount
from platforms.services.media import media_ref
from platforms.services.publishing import for_calls
from schedules.models import ContentMedia, ContentVariant, Job, Target
from schedules.services.posts import Override, Words

_JOB = (
    "pk", "public_id", "workspace_id", "schedule_id", "account_id", "scheduled_for", "run_at", "reason", "deadline_at",
    "attempt_count", "started_at",
)  # fmt: skip
_AROUND = (
    "workspace__paused_at", "schedule__public_id", "schedule__state", "schedule__content_id", "schedule__content__version",
)  # fmt: skip
_WORDS = tuple(f"schedule__content__{'campaign__name' if name == 'campaign' else name}" for name in Words._fields)


class Candidate(NamedTuple):
    """A claimed job, as the last look and the call need it. Times aware UTC."""

    pk: int
    public_id: UUID
    workspace_id: int
    schedule_id: int
    account_id: int
    scheduled_for: datetime
    run_at: datetime
    reason: str
    deadline_at: datetime | None
    attempt_count: int
    started_at: datetime | None
    workspace_paused_at: datetime | None
    schedule_public_id: UUID
    schedule_state: str
    content_id: int
    content_version: int
    words: Words


@dataclass(frozen=True, slots=True)
class Material:
    """The candidates by job id, and what their posts are made of."""

    candidates: Mapping[int, Candidate]
    accounts: Mapping[int, PlatformAccount]
    targets: Mapping[tuple[int, int], Override]
    variants: Mapping[tuple[int, str], Override]
    media: Mapping[int, Sequence[MediaRef]]

    def overrides(self, candidate: Candidate) -> list[Override]:
        """What this account gets instead of the content's words: the target's own words come before the platform's."""
        platform = self.accounts[candidate.account_id].platform
        found = (
            self.targets.get((candidate.schedule_id, candidate.account_id)),
            self.variants.get((candidate.content_id, platform)),
        )
        return [override for override in found if override is not None]


def gather(ids: Iterable[int], now: datetime) -> Material:
    """All that the jobs of these ids are published from, as of `now` (media addresses expire). Seven queries."""
    rows = Job.objects.filter(pk__in=list(ids)).order_by().values_list(*_JOB, *_AROUND, *_WORDS)
    plain = len(_JOB) + len(_AROUND)
    candidates = {row[0]: Candidate._make((*row[:plain], _words(row[plain:]))) for row in rows}
    contents = {item.content_id for item in candidates.values()}
    media: dict[int, list[MediaRef]] = {}
    for link in ContentMedia.objects.filter(content_id__in=contents).select_related("asset").order_by("position", "id"):
        media.setdefault(link.content_id, []).append(media_ref(link.asset, now))
    return Material(
        candidates,
        for_calls({item.account_id for item in candidates.values()}),
        _targets({item.schedule_id for item in candidates.values()}),
        _variants(contents),
        media,
    )


def _words(columns: Sequence[Any]) -> Words:
    words = Words._make(columns)
    return words if words.campaign is not None else words._replace(campaign="")


def _targets(schedules: set[int]) -> dict[tuple[int, int], Override]:
    """The targets that have words of their own; most have none."""
    own = Target.objects.filter(Q(title__isnull=False) | Q(text__isnull=False), schedule_id__in=schedules)
    rows = own.order_by().values_list("schedule_id", "account_id", "title", "text")
    return {(schedule, account): Override(title=title, text=text) for schedule, account, title, text in rows}


_override_of: Any = attrgetter("title", "text", "link", "hashtags", "options")


def _variants(contents: set[int]) -> dict[tuple[int, str], Override]:
    rows = ContentVariant.objects.filter(content_id__in=contents).order_by()
    return {(row.content_id, row.platform): Override(*_override_of(row)) for row in rows}
