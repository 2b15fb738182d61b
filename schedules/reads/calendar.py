"""What stands on the calendar: posts that stand as jobs, and the times that rules will still give.

One event is one post on one account. For the calendar, the timeline, the dashboard's load, the exports and the API.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import (
    Case,
    CharField,
    F,
    IntegerField,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Left

from alwrity_scheduler.workspaces.models import Workspace
from schedules.domain import localtime, recurrence
from schedules.domain.recurrence import EditAction, OccurrenceEdit, Recurrence, RuleKind
from schedules.domain.refusals import RuleRefused
from schedules.domain.states import JobState, ScheduleState
from schedules.models import Job, ScheduleException, Target

MOST_OF_A_RULE = 2_000  # times of one schedule in one answer
LEAST_GAP_SECONDS = 60  # closer than this two posts of an account are in each other's way, whatever its own spacing
LONGEST_TITLE = 80
_PAD = timedelta(hours=1)  # a post just outside may stand too close to one inside
_WEEK = timedelta(days=7)  # the largest offset of a target
_ZONES = timedelta(days=2)  # a wall clock and its instant lie no further apart
LOOKS = (
    "scheduled", "running", "published", "failed", "missed", "unsure", "blocked", "paused", "draft", "review", "cancelled",
)  # fmt: skip
NEEDS_A_PERSON = frozenset({"failed", "missed", "unsure", "blocked"})
LIVE = frozenset({"scheduled", "running", "paused", "blocked", "review"})
_MOVABLE = frozenset({"scheduled", "paused", "blocked", "draft", "review", "failed", "missed"})
_OF_JOB = {
    JobState.PENDING.value: "scheduled",
    JobState.RUNNING.value: "running",
    JobState.PROCESSING.value: "running",
    JobState.COMPLETED.value: "published",
    JobState.FAILED.value: "failed",
    JobState.UNCONFIRMED.value: "unsure",
    JobState.MISSED.value: "missed",
    JobState.BLOCKED.value: "blocked",
    JobState.CANCELLED.value: "cancelled",
}
_OF_SCHEDULE = {
    ScheduleState.ACTIVE.value: "scheduled",
    ScheduleState.PAUSED.value: "paused",
    ScheduleState.DRAFT.value: "draft",
    ScheduleState.IN_REVIEW.value: "review",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is shown. An empty sequence stands for all.

    looks: Event.look values; cancelled posts are shown only when asked for. q: words of title, text or campaign. types:
    ContentType values. people: ids of the posts' writers. accounts, campaigns: their public ids; account_ids: the same by
    the database's own. conflicts: those in conflict only.
    """

    platforms: Sequence[str] = ()
    accounts: Sequence[UUID] = ()
    account_ids: Sequence[int] = ()
    campaigns: Sequence[UUID] = ()
    types: Sequence[str] = ()
    people: Sequence[int] = ()
    looks: Sequence[str] = ()
    labels: Sequence[str] = ()
    q: str = ""
    conflicts: bool = False


@dataclass(slots=True, kw_only=True)
class Event:
    """One post on one account at one time.

    key: `j<job id>` for what stands as a job, `p<schedule id>.<nominal wall clock as YYYYMMDDTHHMMSS>.<account id>` for what a
    rule gives or a draft wants. at: aware, in the zone that was asked for. look: one of LOOKS. version: the schedule's, for the
    optimistic lock. fixed: it can no longer be moved. near: the event of the same account that it stands too close to.
    """

    key: str
    at: datetime
    look: str
    title: str
    content_type: str
    schedule_id: int
    account_id: int
    account: str
    platform: str
    campaign_id: int | None
    campaign: str
    author_id: int | None
    version: int
    recurring: bool
    fixed: bool
    gap_seconds: int
    near: Event | None = None
    uid: str  # of the job where there is one, else of the schedule; as the database writes a UUID
    is_job: bool

    @property
    def public_id(self) -> UUID:
        return UUID(self.uid)

    @property
    def conflict(self) -> bool:
        return self.near is not None


def events(
    workspace: Workspace, *, start: datetime, end: datetime, zone: str, now: datetime, wanted: Wanted | None = None
) -> list[Event]:
    """The events in [start, end) (aware), in the order of their times; at most two queries.

    Conflicts are looked for among all posts of the accounts shown, not only among those that the other filters leave.
    """
    wanted = wanted or Wanted()
    found = _found(workspace, start - _PAD, end + _PAD, now, wanted)
    where = localtime.zone(zone)
    placed = [_event(row, key, at.astimezone(where), look) for row, key, at, look in found]
    placed.sort(key=lambda event: (event.at, event.account_id, event.key))
    mark_conflicts(placed)
    hidden = _hidden(found, wanted)
    return [
        event for event in placed if start <= event.at < end and event.key not in hidden and _is_shown(event, wanted)
    ]


def one(workspace: Workspace, key: str, *, zone: str, now: datetime) -> Event | None:
    """The event of that key, without a look at its neighbours; None when there is none (any more)."""
    rows = _of_key(workspace, key)
    found = [
        _event(row, name, at.astimezone(localtime.zone(zone)), look) for row, name, at, look in rows if name == key
    ]
    return found[0] if found else None


def mark_conflicts(placed: Iterable[Event]) -> None:
    """Two live posts of one account closer than its spacing. `placed` in the order of time; one pass."""
    last: dict[int, Event] = {}
    for event in placed:
        if event.look not in LIVE:
            continue
        before = last.get(event.account_id)
        if before is not None and (event.at - before.at).total_seconds() < gap_of(event):
            event.near = before
            before.near = before.near or event
        last[event.account_id] = event


def gap_of(event: Event) -> int:
    return max(event.gap_seconds, LEAST_GAP_SECONDS)


# ---- keys


@dataclass(frozen=True, slots=True)
class JobKey:
    job_id: int


@dataclass(frozen=True, slots=True)
class RunKey:
    schedule_id: int
    nominal_local: datetime
    account_id: int


def read_key(key: str) -> JobKey | RunKey | None:
    """What a key names; None where it is none of ours."""
    try:
        if key[:1] == "j":
            return JobKey(_number(key[1:]))
        schedule, nominal, account = key[1:].split(".") if key[:1] == "p" else ("", "", "")
        return RunKey(_number(schedule), datetime.strptime(nominal, _STAMP), _number(account))  # noqa: DTZ007 - wall clock
    except ValueError:
        return None


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise ValueError(text)
    return int(text)


_STAMP = "%Y%m%dT%H%M%S"


# ---- rows


class _Row(NamedTuple):
    """One job, or one target of a schedule: the same columns for both, so that one query fetches them.

    Times and ids come as text: what Django does to each of thousands would cost a third of the whole.
    """

    id: int
    is_job: int
    uid: str
    at: str | None
    state: str
    schedule_id: int
    schedule_state: str
    version: int
    rule_kind: str
    title: str
    words: str
    content_type: str
    campaign_id: int | None
    campaign: str | None
    campaign_uid: str | None
    author_id: int | None
    account_id: int
    account: str
    platform: str
    gap_seconds: int
    labels: str
    hit: int
    expression: str
    timezone: str
    start: str
    start_fold: int
    until: str | None
    occurrence_limit: int | None
    planned: str | None
    offset_seconds: int

    @property
    def start_local(self) -> datetime:
        return datetime.fromisoformat(self.start)

    @property
    def until_local(self) -> datetime | None:
        return datetime.fromisoformat(self.until) if self.until else None

    @property
    def planned_until(self) -> datetime | None:
        return _utc(self.planned) if self.planned else None


def _utc(text: str) -> datetime:
    """SQLite writes no offset, PostgreSQL that of the connection, which is UTC."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


Found = tuple[_Row, str, datetime, str]


def _columns(wanted: Wanted, *, is_job: bool) -> dict[str, Any]:
    def only(of_target: Any, field: Any) -> Any:
        return _Plain(None, field) if is_job else of_target

    def mine(of_job: Any, field: Any) -> Any:
        return of_job if is_job else _Plain(None, field)

    content = "schedule__content__"
    words = wanted.q.strip()
    hit = (
        Case(
            When(
                Q(**{f"{content}title__icontains": words})
                | Q(**{f"{content}text__icontains": words})
                | Q(**{f"{content}campaign__name__icontains": words}),
                then=Value(1),
            ),
            default=Value(0),
            output_field=IntegerField(),
        )
        if words
        else _Plain(1, IntegerField())
    )
    return {
        "c_id": F("pk"),
        # numbers, since a converter would be called for each row
        "c_is_job": _Plain(int(is_job), IntegerField()),
        "c_uid": _text("public_id" if is_job else "schedule__public_id"),
        "c_at": mine(_text("scheduled_for"), TextField()),
        "c_state": mine(F("state"), CharField()),
        "c_schedule": F("schedule_id"),
        "c_schedule_state": F("schedule__state"),
        "c_version": F("schedule__version"),
        "c_rule_kind": F("schedule__rule_kind"),
        "c_title": F(f"{content}title"),
        "c_words": Left(f"{content}text", LONGEST_TITLE),
        "c_type": F(f"{content}content_type"),
        "c_campaign": F(f"{content}campaign_id"),
        "c_campaign_name": F(f"{content}campaign__name"),
        "c_campaign_uid": _text(f"{content}campaign__public_id") if wanted.campaigns else Value(None, TextField()),
        "c_author": F("schedule__created_by_id"),
        "c_account": F("account_id"),
        "c_account_name": F("account__name"),
        "c_platform": F("account__platform"),
        "c_gap": F("account__min_spacing_seconds"),
        "c_labels": F(f"{content}labels") if wanted.labels else Value("", TextField()),
        "c_hit": hit,
        "c_expression": only(F("schedule__expression"), TextField()),
        "c_timezone": only(F("schedule__timezone"), CharField()),
        "c_start": only(_text("schedule__start_local"), TextField()),
        "c_fold": only(F("schedule__start_fold"), IntegerField()),
        "c_until": only(_text("schedule__until_local"), TextField()),
        "c_limit": only(F("schedule__occurrence_limit"), IntegerField()),
        "c_planned": only(_text("schedule__planned_until"), TextField()),
        "c_offset": only(F("offset_seconds"), IntegerField()),
    }


class _Plain(Value):
    """A value as the database gives it back: Django would call `int` on each number of thousands of rows."""

    def get_db_converters(self, connection: Any) -> list[Any]:
        return []


def _text(name: str) -> Cast:
    return Cast(F(name), TextField())


def _rows(querysets: Sequence[tuple[QuerySet[Any], bool]], wanted: Wanted) -> list[_Row]:
    asked = [
        rows.order_by().annotate(**(columns := _columns(wanted, is_job=is_job))).values_list(*columns)
        for rows, is_job in querysets
    ]
    return [_Row(*row) for row in (asked[0].union(*asked[1:], all=True) if len(asked) > 1 else asked[0])]


_SHOWN_JOBS = [state for state in JobState if state != JobState.SUPERSEDED]
_RULED = [ScheduleState.ACTIVE, ScheduleState.PAUSED, ScheduleState.DRAFT, ScheduleState.IN_REVIEW]


def _found(workspace: Workspace, start: datetime, end: datetime, now: datetime, wanted: Wanted) -> list[Found]:
    of_account = Q()
    if wanted.platforms:
        of_account &= Q(account__platform__in=wanted.platforms)
    if wanted.accounts:
        of_account &= Q(account__public_id__in=wanted.accounts)
    if wanted.account_ids:
        of_account &= Q(account__in=wanted.account_ids)
    jobs = Job.objects.within(workspace).filter(of_account, scheduled_for__gte=start, scheduled_for__lt=end)
    jobs = jobs.exclude(state=JobState.SUPERSEDED)
    if "cancelled" not in wanted.looks:
        jobs = jobs.exclude(state=JobState.CANCELLED)
    targets = Target.objects.within(workspace).filter(of_account, schedule__state__in=_RULED)
    # what is planned as rows up to the end of the span has nothing to add
    unplanned = Q(schedule__planned_until=None) | Q(schedule__planned_until__lt=end + _WEEK)
    # only a target with an offset stands far from its schedule's own time
    close = Q(schedule__start_local__gte=_naive(start - _ZONES), schedule__start_local__lt=_naive(end + _ZONES)) | ~Q(
        offset_seconds=0
    )
    single = targets.filter(
        unplanned,
        close,
        schedule__rule_kind=RuleKind.ONCE,
        schedule__start_local__gte=_naive(start - _WEEK - _ZONES),
        schedule__start_local__lt=_naive(end + _WEEK + _ZONES),
    )
    ruled = targets.filter(unplanned, schedule__start_local__lt=_naive(end + _WEEK + _ZONES)).exclude(
        schedule__rule_kind=RuleKind.ONCE
    )
    ruled = ruled.filter(Q(schedule__until_local=None) | Q(schedule__until_local__gte=_naive(start - _WEEK - _ZONES)))
    rows = _rows([(jobs, True), (single, False), (ruled, False)], wanted)
    edits = _edits(rows)
    return [*_of_jobs(rows), *_of_rules(rows, edits, start, end, now)]


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


def _of_jobs(rows: Iterable[_Row]) -> Iterator[Found]:
    for row in rows:
        if row.is_job and row.at is not None:
            look = _OF_JOB[row.state]
            if look == "scheduled" and row.schedule_state == ScheduleState.PAUSED:
                look = "paused"
            yield row, f"j{row.id}", _utc(row.at), look


def _edits(rows: Iterable[_Row]) -> dict[int, tuple[OccurrenceEdit, ...]]:
    ruled = {row.schedule_id for row in rows if not row.is_job and row.rule_kind != RuleKind.ONCE}
    found: dict[int, tuple[OccurrenceEdit, ...]] = {}
    if not ruled:
        return found
    for item in ScheduleException.objects.filter(schedule__in=ruled).order_by():
        edit = OccurrenceEdit(
            nominal_local=item.nominal_local, action=EditAction(item.action), moved_to_local=item.moved_to_local
        )
        found[item.schedule_id] = (*found.get(item.schedule_id, ()), edit)
    return found


def _of_rules(
    rows: Iterable[_Row], edits: dict[int, tuple[OccurrenceEdit, ...]], start: datetime, end: datetime, now: datetime
) -> Iterator[Found]:
    """The times that stand as no rows yet. A draft's past times are nobody's plan any more."""
    runs: dict[tuple[int, int], list[recurrence.Occurrence]] = {}
    for row in rows:
        if row.is_job:
            continue
        offset = timedelta(seconds=row.offset_seconds)
        since = max(start - offset, row.planned_until or start - offset)
        if row.schedule_state == ScheduleState.DRAFT:
            since = max(since, now - offset)
        until = end - offset
        if since >= until:
            continue
        place = (row.schedule_id, row.offset_seconds)
        if row.rule_kind == RuleKind.ONCE:
            start_local = row.start_local
            fires_at = _instant(start_local, row)
            if fires_at is not None and since <= fires_at < until:
                key = f"p{row.schedule_id}.{start_local:{_STAMP}}.{row.account_id}"
                yield row, key, fires_at + offset, _OF_SCHEDULE[row.schedule_state]
            continue
        if place not in runs:
            runs[place] = _runs(row, edits.get(row.schedule_id, ()), since, until)
        for run in runs[place]:
            key = f"p{row.schedule_id}.{run.nominal_local:{_STAMP}}.{row.account_id}"
            yield row, key, run.fires_at + offset, _OF_SCHEDULE[row.schedule_state]


def _instant(local: datetime, row: _Row) -> datetime | None:
    try:
        return localtime.local_time(local, row.timezone, row.start_fold).at
    except RuleRefused:
        return None


def _runs(
    row: _Row, edits: tuple[OccurrenceEdit, ...], since: datetime, until: datetime
) -> list[recurrence.Occurrence]:
    """None for a rule that can no longer be read: it must not keep the others from being shown."""
    try:
        return list(islice(recurrence.occurrences(rule_of(row, edits), start=since, end=until), MOST_OF_A_RULE))
    except RuleRefused:
        return []


def rule_of(row: _Row, edits: tuple[OccurrenceEdit, ...]) -> Recurrence:
    return Recurrence(
        kind=RuleKind(row.rule_kind),
        expression=row.expression,
        timezone=row.timezone,
        start_local=row.start_local,
        fold=row.start_fold,
        until_local=row.until_local,
        limit=row.occurrence_limit,
        edits=edits,
    )


def _of_key(workspace: Workspace, key: str) -> list[Found]:
    named = read_key(key)
    if isinstance(named, JobKey):
        jobs = Job.objects.within(workspace).filter(pk=named.job_id, state__in=_SHOWN_JOBS)
        return list(_of_jobs(_rows([(jobs, True)], Wanted())))
    if named is None:
        return []
    targets = Target.objects.within(workspace).filter(
        schedule=named.schedule_id,
        account=named.account_id,
        schedule__state__in=[*_RULED, ScheduleState.FINISHED],
    )
    rows = _rows([(targets, False)], Wanted())
    edits = _edits(rows)
    found: list[Found] = []
    for row in rows:
        own = edits.get(row.schedule_id, ())
        moved = [
            item.moved_to_local for item in own if item.nominal_local == named.nominal_local and item.moved_to_local
        ]
        for local in [named.nominal_local, *moved]:
            near = localtime.local_time(local, row.timezone).at
            for run in _runs(row, own, near - _ZONES, near + _ZONES):
                if run.nominal_local == named.nominal_local:
                    look = _OF_SCHEDULE.get(row.schedule_state, "scheduled")
                    found.append((row, key, run.fires_at + timedelta(seconds=row.offset_seconds), look))
    return found


def _event(row: _Row, key: str, at: datetime, look: str) -> Event:
    return Event(
        key=key,
        at=at,
        look=look,
        title=row.title or " ".join(row.words.split())[:60],
        content_type=row.content_type,
        schedule_id=row.schedule_id,
        account_id=row.account_id,
        account=row.account,
        platform=row.platform,
        campaign_id=row.campaign_id,
        campaign=row.campaign or "",
        author_id=row.author_id,
        version=row.version,
        recurring=row.rule_kind != RuleKind.ONCE,
        fixed=look not in _MOVABLE,
        gap_seconds=row.gap_seconds,
        uid=row.uid,
        is_job=bool(row.is_job),
    )


def _hidden(found: Iterable[Found], wanted: Wanted) -> frozenset[str]:
    """Keys that the words, the campaigns or the labels asked for leave out."""
    campaigns, labels = {item.hex for item in wanted.campaigns}, set(wanted.labels)
    if not (wanted.q.strip() or campaigns or labels):
        return frozenset()
    return frozenset(
        key
        for row, key, _at, _look in found
        if not row.hit
        or (campaigns and (row.campaign_uid or "").replace("-", "") not in campaigns)
        or (labels and labels.isdisjoint(row.labels))
    )


def _is_shown(event: Event, wanted: Wanted) -> bool:
    return not (
        (wanted.looks and event.look not in wanted.looks)
        or (wanted.types and event.content_type not in wanted.types)
        or (wanted.people and event.author_id not in wanted.people)
        or (wanted.conflicts and event.near is None)
    )
