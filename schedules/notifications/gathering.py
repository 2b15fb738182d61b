"""Facts as groups: what happened to one thing on one day is one group, however often it happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from alwrity_scheduler.workspaces.models import Workspace
from platforms.models import PlatformAccount
from schedules.domain import localtime
from schedules.models import AuditLog, Job, Schedule
from schedules.notifications.rules import NATURES, OF_JOBS, PERSONAL, Kind, Nature, kind_of

LONGEST = 300


@dataclass(slots=True, kw_only=True)
class Group:
    """`things`: ids of what it happened to. actor_id: the person who did it, who need not be told."""

    kind: Kind
    key: str
    object_type: str
    object_id: str
    first_at: datetime
    last_at: datetime
    words: dict[str, Any] = field(default_factory=dict)
    things: set[str] = field(default_factory=set)
    actor_id: int | None = None

    @property
    def count(self) -> int:
        return max(1, len(self.things))

    @property
    def nature(self) -> Nature:
        return NATURES[self.kind]


@dataclass(frozen=True, slots=True)
class _Place:
    """What one fact is about: the group's key, the thing that is shown, and the words."""

    key: str
    object_type: str
    object_id: str
    words: dict[str, Any]


def groups_of(facts: Sequence[AuditLog], workspace: Workspace) -> list[Group]:
    """The facts that people hear of, gathered. Three queries at most."""
    told = [(fact, kind) for fact in facts if (kind := kind_of(fact.action, fact.after))]
    found: dict[str, Group] = {}
    for fact, kind, place in _placed(told, workspace):
        group = found.get(place.key)
        if group is None:
            group = found[place.key] = Group(
                kind=kind, key=place.key, object_type=place.object_type, object_id=place.object_id,
                first_at=fact.at, last_at=fact.at,
            )  # fmt: skip
        group.first_at, group.last_at = min(group.first_at, fact.at), max(group.last_at, fact.at)
        group.words = place.words
        group.things.add(fact.object_id)
        group.actor_id = int(fact.actor_id) if fact.actor_kind == "user" and fact.actor_id.isdecimal() else None
    return list(found.values())


def _placed(told: Sequence[tuple[AuditLog, Kind]], workspace: Workspace) -> Iterator[tuple[AuditLog, Kind, _Place]]:
    zone = localtime.zone(workspace.timezone)
    jobs = _jobs(fact.object_id for fact, kind in told if kind in OF_JOBS)
    posts = _posts(fact.object_id for fact, kind in told if kind in PERSONAL)
    accounts = _accounts(fact.object_id for fact, _ in told if fact.object_type == "account")
    for fact, kind in told:
        if kind in OF_JOBS:
            job = jobs.get(fact.object_id)
            place = None if job is None else _of_job(kind, fact, job, job.scheduled_for.astimezone(zone))
        elif kind in PERSONAL:
            title = posts.get(fact.object_id)
            words = {"post": title, "who": fact.actor_label}
            place = None if title is None else _Place(f"{kind}:{fact.object_id}", "schedule", fact.object_id, words)
        else:
            place = _of_account(kind, fact, accounts, fact.at.astimezone(zone))
        if place is not None:
            yield fact, kind, place


def _of_job(kind: Kind, fact: AuditLog, job: Job, local: datetime) -> _Place:
    """By account and by the day for which the posts were planned, in the workspace's zone."""
    words = {
        "name": job.account.name,
        "platform": job.account.platform,
        "post": str(job.schedule)[:LONGEST],
        "job": str(job.public_id),
        "day": f"{local:%Y-%m-%d}",
        "error": str(fact.after.get("message", ""))[:LONGEST],
    }
    account = str(job.account.public_id)
    return _Place(f"{kind}:{account}:{words['day']}", "account", account, words)


def _of_account(kind: Kind, fact: AuditLog, accounts: Mapping[str, PlatformAccount], local: datetime) -> _Place | None:
    account = accounts.get(fact.object_id)
    if fact.object_type == "account" and account is None:
        return None
    words = {
        "name": account.name if account else fact.object_label or "?",
        "alert": str(fact.after.get("kind", "")) if kind is Kind.SECURITY else "",
        "platform": account.platform if account else "",
        "error": str(fact.after.get("error") or fact.after.get("reason") or "")[:LONGEST],
    }
    return _Place(f"{kind}:{fact.object_id}:{local:%Y-%m-%d}", fact.object_type, fact.object_id, words)


def _jobs(ids: Iterable[str]) -> dict[str, Job]:
    rows = Job.objects.filter(public_id__in=_valid(ids)).select_related("account", "schedule__content")
    fields = ("public_id", "scheduled_for", "account__public_id", "account__name", "account__platform")
    texts = ("schedule__content__title", "schedule__content__text")
    return {str(row.public_id): row for row in rows.only(*fields, *texts)}


def _posts(ids: Iterable[str]) -> dict[str, str]:
    rows = Schedule.objects.filter(public_id__in=_valid(ids)).select_related("content")
    return {str(row.public_id): str(row)[:LONGEST] for row in rows}


def _accounts(ids: Iterable[str]) -> dict[str, PlatformAccount]:
    rows = PlatformAccount.objects.filter(public_id__in=_valid(ids)).only("public_id", "name", "platform")
    return {str(row.public_id): row for row in rows}


def _valid(ids: Iterable[str]) -> set[UUID]:
    found = set()
    for name in ids:
        try:
            found.add(UUID(name))
        except ValueError:
            continue  # a fact of something else than ours: it has no row here
    return found
