"""What is told and kept: notifications of a person, the history, the calendar, the recovery desk, the engine's state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import strawberry
from django.db.models import Model
from strawberry.relay import PageInfo
from strawberry.scalars import JSON

from alwrity_scheduler.core.errors import Problem, Refused
from platforms.models import PlatformAccount
from schedules.graphql.nodes import computed, node, public_id
from schedules.graphql.types.places import WorkspaceNode
from schedules.graphql.types.posts import local_text
from schedules.models import AuditLog, Schedule
from schedules.notifications.models import Notice
from schedules.notifications.reads import line_of
from schedules.reads.calendar import Event
from schedules.reads.engine import EngineStatus, age_of
from schedules.reads.recovery import RecoveryRow


@node(Notice, name="Notification")
class NotificationNode:
    """One thing that you are told. `count`: how often it happened."""

    id: strawberry.ID = public_id()
    workspace: WorkspaceNode | None
    kind: str
    object_type: str
    object_id: str
    count: int
    first_at: datetime
    last_at: datetime
    read_at: datetime | None
    settled_at: datetime | None

    @computed()
    def words(self: Any) -> str:
        return line_of(self).words

    @computed()
    def detail(self: Any) -> str:
        return line_of(self).detail

    @computed()
    def open(self: Any) -> bool:
        """Somebody has something to do about it."""
        return line_of(self).is_open

    @computed()
    def left(self: Any) -> int:
        """How many are still to be put right."""
        line = line_of(self)
        return line.left if line.is_open else 0


@strawberry.type
class Actor:
    kind: str
    id: str
    label: str


@strawberry.type
class Thing:
    type: str
    id: str
    label: str


@node(AuditLog, name="AuditEntry")
class AuditNode:
    """A fact of the history: who did what to which thing."""

    id: strawberry.ID
    action: str
    at: datetime
    before: JSON
    after: JSON
    request_id: str
    seq: int
    hash: str

    @computed()
    def actor(self: Any) -> Actor:
        return Actor(kind=self.actor_kind, id=self.actor_id, label=self.actor_label)

    @computed()
    def object(self: Any) -> Thing:
        return Thing(type=self.object_type, id=self.object_id, label=self.object_label)


@strawberry.type
class CalendarAccount:
    id: strawberry.ID
    name: str
    platform: str


@strawberry.type
class CalendarEvent:
    """One post on one account at one time. `key` names it for a move, and changes with it. `look`: scheduled, running,
    published, failed, missed, unsure, blocked, paused, draft, review or cancelled."""

    key: str
    at: datetime
    local: str
    timezone: str
    look: str
    title: str
    content_type: str
    campaign: str | None
    schedule_id: strawberry.ID
    job_id: strawberry.ID | None
    account: CalendarAccount
    recurring: bool
    movable: bool
    version: int
    conflicts_with: str | None


def calendar_events(found: Sequence[Event], zone: str) -> list[CalendarEvent]:
    """Two queries for the ids by which the API names things, whatever the number of events."""
    accounts = _public(PlatformAccount, {event.account_id for event in found})
    schedules = _public(Schedule, {event.schedule_id for event in found})
    return [
        CalendarEvent(
            key=event.key, at=event.at, local=local_text(event.at, zone), timezone=zone, look=event.look, title=event.title,
            content_type=event.content_type, campaign=event.campaign or None, schedule_id=schedules[event.schedule_id],
            job_id=strawberry.ID(str(event.public_id)) if event.is_job else None,
            account=CalendarAccount(id=accounts[event.account_id], name=event.account, platform=event.platform),
            recurring=event.recurring, movable=not event.fixed, version=event.version,
            conflicts_with=event.near.key if event.near else None,
        )
        for event in found
    ]  # fmt: skip


def _public(model: Any, ids: set[int]) -> dict[int, strawberry.ID]:
    table: type[Model] = model
    rows = table._default_manager.filter(pk__in=ids).values_list("pk", "public_id") if ids else ()
    return {pk: strawberry.ID(str(public)) for pk, public in rows}


@strawberry.type
class CalendarEdge:
    cursor: str
    node: CalendarEvent


@strawberry.type
class CalendarConnection:
    """The posts of a span, in the order of their times."""

    edges: list[CalendarEdge]
    page_info: PageInfo
    total_count: int


@strawberry.type
class Known:
    """One thing that is known of a post on the desk; `at` belongs behind the words."""

    words: str
    at: datetime | None


@strawberry.type
class DeskVerb:
    verb: str
    label: str
    effect: str


@strawberry.type
class RecoveryCase:
    """A post that needs a person: why, what is known, and what each verb does."""

    job_id: strawberry.ID
    schedule_id: strawberry.ID
    account: CalendarAccount
    title: str
    state: str
    scheduled_for: datetime
    cause: str
    cause_label: str
    what_happened: str
    known: list[Known]
    verbs: list[DeskVerb]

    @classmethod
    def of(cls, row: RecoveryRow) -> RecoveryCase:
        job, account = row.job, row.job.account
        return cls(
            job_id=strawberry.ID(str(job.public_id)),
            schedule_id=strawberry.ID(str(job.schedule.public_id)),
            account=CalendarAccount(
                id=strawberry.ID(str(account.public_id)), name=account.name, platform=account.platform
            ),
            title=str(job.schedule.content),
            state=job.state,
            scheduled_for=job.scheduled_for,
            cause=row.cause.value,
            cause_label=str(row.cause.label),
            what_happened=row.what_happened,
            known=[Known(words=item.words, at=item.at) for item in row.known],
            verbs=[DeskVerb(verb=item.verb.value, label=item.label, effect=item.effect) for item in row.options],
        )


@strawberry.type
class RecoveryEdge:
    cursor: str
    node: RecoveryCase


@strawberry.type
class RecoveryConnection:
    """The posts on the desk, the newest first."""

    edges: list[RecoveryEdge]
    page_info: PageInfo


Item = TypeVar("Item")


def cut(
    items: Sequence[Item], key: Callable[[Item], str], *, first: int, after: str | None
) -> tuple[list[Item], PageInfo]:
    """The `first` of the items behind the one whose key is `after`. Refused where there is none of that key (any more)."""
    start = 0
    if after is not None:
        places = [place for place, item in enumerate(items) if key(item) == after]
        if not places:
            words = "What this cursor points at is no longer there. Begin again without `after`."
            raise Refused(Problem(field="after", message=words, code="cursor"))
        start = places[0] + 1
    found = list(items[start : start + first])
    return found, page_of(found, key, more=start + first < len(items), before=start > 0)


def page_of(found: Sequence[Item], key: Callable[[Item], str], *, more: bool, before: bool) -> PageInfo:
    return PageInfo(
        has_next_page=more,
        has_previous_page=before,
        start_cursor=key(found[0]) if found else None,
        end_cursor=key(found[-1]) if found else None,
    )


@strawberry.type
class Alarm:
    name: str
    words: str
    remedy: str
    stops_publishing: bool


@strawberry.type
class Queue:
    pending: int
    due: int
    running: int
    oldest_due_age_seconds: float | None


@strawberry.type
class Status:
    """Does anything publish, and keep up? The queue counts the posts you may see; the rest is the installation's."""

    now: datetime
    running: bool
    paused_at: datetime | None
    queue: Queue
    alarms: list[Alarm]

    @classmethod
    def of(cls, status: EngineStatus) -> Status:
        work = status.jobs
        return cls(
            now=status.now,
            running=status.running,
            paused_at=status.paused_at,
            queue=Queue(
                pending=work.pending, due=work.due, running=work.running,
                oldest_due_age_seconds=age_of(work, status.now),
            ),
            alarms=_alarms(status.alarms),
        )  # fmt: skip


def _alarms(found: Iterable[Any]) -> list[Alarm]:
    return [
        Alarm(name=item.name, words=item.words, remedy=item.remedy, stops_publishing=item.stops_publishing)
        for item in found
    ]
