"""Which facts an endpoint wants: by their names, and by what they are about. A few queries for a part of the history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from platforms.models import PlatformAccount
from schedules.events.catalogue import is_sent
from schedules.models import AuditLog, ContentItem, Job, Schedule, Target
from schedules.webhooks import rules
from schedules.webhooks.models import WebhookEndpoint

FILTERS = ("accounts", "platforms", "labels", "campaigns")


@dataclass(frozen=True, slots=True)
class Aspects:
    """What a thing has to do with, in the words of the filters."""

    accounts: frozenset[str] = frozenset()
    platforms: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    campaigns: frozenset[str] = frozenset()

    def fit(self, filters: Mapping[str, Sequence[str]]) -> bool:
        """Each filter that names something must name something of this."""
        return all(not wanted or getattr(self, name) & set(wanted) for name, wanted in filters.items())


_NOTHING = Aspects()


class Part:
    """The facts of one part of a chain. What they are about is looked up when the first endpoint asks for it."""

    def __init__(self, facts: Sequence[AuditLog]) -> None:
        self.facts = facts

    def wanted_by(self, endpoint: WebhookEndpoint) -> list[AuditLog]:
        found = [
            fact
            for fact in self.facts
            if fact.at > endpoint.since_at and is_sent(fact.action) and rules.wants(endpoint.event_types, fact.action)
        ]
        if not found or not any(endpoint.filters.values()):
            return found
        return [fact for fact in found if self._of(fact).fit(endpoint.filters)]

    def _of(self, fact: AuditLog) -> Aspects:
        return self._aspects.get((fact.object_type, fact.object_id), _NOTHING)

    @cached_property
    def _aspects(self) -> dict[tuple[str, str], Aspects]:
        found: dict[tuple[str, str], Aspects] = {}
        for kind, look in _LOOKS.items():
            if ids := _ids(fact.object_id for fact in self.facts if fact.object_type == kind):
                found |= {(kind, str(public_id)): aspects for public_id, aspects in look(ids).items()}
        return found


def _ids(names: Iterable[str]) -> set[UUID]:
    found = set()
    for name in names:
        try:
            found.add(UUID(name))
        except ValueError:
            continue  # a fact about something without an id of ours
    return found


def _jobs(ids: set[UUID]) -> dict[UUID, Aspects]:
    rows = Job.objects.filter(public_id__in=ids).values_list(
        "public_id", "account__public_id", "account__platform", "schedule__content__labels", "schedule__content__campaign__name"
    )  # fmt: skip
    return {row[0]: _aspects([str(row[1])], [row[2]], row[3], row[4]) for row in rows}


def _schedules(ids: set[UUID]) -> dict[UUID, Aspects]:
    accounts: dict[UUID, list[tuple[str, str]]] = {}
    targets = Target.objects.filter(schedule__public_id__in=ids)
    for schedule, account, platform in targets.values_list(
        "schedule__public_id", "account__public_id", "account__platform"
    ):
        accounts.setdefault(schedule, []).append((str(account), platform))
    rows = Schedule.objects.filter(public_id__in=ids).values_list(
        "public_id", "content__labels", "content__campaign__name"
    )
    return {
        row[0]: _aspects([one for one, _ in accounts.get(row[0], [])], [one for _, one in accounts.get(row[0], [])], row[1], row[2])
        for row in rows
    }  # fmt: skip


def _accounts(ids: set[UUID]) -> dict[UUID, Aspects]:
    rows: QuerySet[PlatformAccount, Any] = PlatformAccount.objects.filter(public_id__in=ids)
    return {row[0]: _aspects([str(row[0])], [row[1]], [], None) for row in rows.values_list("public_id", "platform")}


def _content(ids: set[UUID]) -> dict[UUID, Aspects]:
    rows = ContentItem.objects.filter(public_id__in=ids).values_list("public_id", "labels", "campaign__name")
    return {row[0]: _aspects([], [], row[1], row[2]) for row in rows}


def _aspects(accounts: Iterable[str], platforms: Iterable[str], labels: Iterable[str], campaign: str | None) -> Aspects:
    return Aspects(
        frozenset(accounts), frozenset(platforms), frozenset(labels or ()), frozenset([campaign] if campaign else [])
    )


_LOOKS = {"job": _jobs, "schedule": _schedules, "account": _accounts, "content": _content}
