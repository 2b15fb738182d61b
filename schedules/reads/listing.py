"""The list of schedules: which have a time in a span, in which order they stand, and what a page or an export shows of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, CharField, Count, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Lower, Replace

from schedules.domain import recurrence
from schedules.models import Job, Schedule
from schedules.reads import runs
from schedules.services.materialise import rule_of

LIVING = ("draft", "in_review", "active", "paused")
ENDED = ("processing", "completed", "failed", "unconfirmed", "missed", "blocked")
MOST_RULES = 2000  # rules that are read one by one for a span
DAY = timedelta(days=1)
TOGETHER = 500  # schedules read at once by an export


# ---- which


def in_span(rows: QuerySet[Schedule], *, since: datetime | None, until: datetime | None) -> QuerySet[Schedule]:
    """Those with a time in [since, until), aware: single times by their wall clock, rules by their next time in the span.

    Of rules the newest MOST_RULES are read.
    """
    once = rows.filter(rule_kind="once")
    found = Q(pk__in=[])
    for zone in once.order_by().values_list("timezone", flat=True).distinct():
        found |= Q(rule_kind="once", timezone=zone) & _walls(since, until, ZoneInfo(zone))
    ruled = rows.exclude(rule_kind="once").filter(state__in=LIVING).prefetch_related("exceptions").order_by("-id")
    fitting = [row.pk for row in ruled[:MOST_RULES] if _fires(row, since, until)]
    return rows.filter(found | Q(pk__in=fitting))


def _walls(since: datetime | None, until: datetime | None, zone: ZoneInfo) -> Q:
    found = Q()
    if since is not None:
        found &= Q(start_local__gte=since.astimezone(zone).replace(tzinfo=None))
    if until is not None:
        found &= Q(start_local__lt=until.astimezone(zone).replace(tzinfo=None))
    return found


def _fires(row: Schedule, since: datetime | None, until: datetime | None) -> bool:
    start = since or row.start_local.replace(tzinfo=UTC) - DAY
    try:
        return next(iter(recurrence.occurrences(rule_of(row), start=start, end=until, count=1)), None) is not None
    except recurrence.RuleRefused:
        return False


# ---- in which order


def _planned() -> Subquery:
    coming = Job.objects.filter(schedule=OuterRef("pk"), state__in=["pending", "blocked"]).order_by("run_at", "id")
    return Subquery(coming.values("scheduled_for")[:1])


def by_next_time(rows: QuerySet[Schedule]) -> QuerySet[Schedule]:
    """With `next_key`, text that sorts by the next time: of its job where one stands, else of a single time's wall clock, else
    the instant up to which the rule is planned. The wall clock is not yet an instant, so within a day two zones may be out of
    order; a page puts its own rows right."""
    wall = Replace(Cast("start_local", CharField()), Value("T"), Value(" "))
    later = Case(
        When(rule_kind="once", then=wall),
        When(planned_until=None, then=wall),
        default=Cast("planned_until", CharField()),
        output_field=CharField(),
    )
    key = Coalesce(Cast(_planned(), CharField()), later, output_field=CharField())
    return rows.annotate(next_key=Case(When(state__in=LIVING, then=key), default=None, output_field=CharField()))


ORDERS: dict[str, tuple[Any, ...]] = {
    "created": (F("created_at"),),
    "status": (F("state"),),
    "next": (F("next_key"),),
    "title": (Lower("content__title"),),
    "type": (F("content__content_type"),),
    "campaign": (F("content__campaign__name"),),
    "owner": (F("created_by__username"),),
    "priority": (F("priority"),),
}


def ordered(rows: QuerySet[Schedule], by: str, *, descending: bool) -> QuerySet[Schedule]:
    """By one of ORDERS, newest first among equals; what has no such value comes last."""
    if by == "created":
        return rows.order_by("-created_at", "-id") if descending else rows.order_by("created_at", "id")
    if by == "next":
        rows = by_next_time(rows)
    if by in ("status", "priority", "type"):
        keys = [f"-{item.name}" if descending else item.name for item in ORDERS[by]]
        return rows.order_by(*keys, "-created_at", "-id")
    keys = [item.desc(nulls_last=True) if descending else item.asc(nulls_last=True) for item in ORDERS[by]]
    return rows.order_by(*keys, "-created_at", "-id")


# ---- what is shown


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSchedule:
    """`next_at` is aware UTC; `last` the newest run that has come to something; `needs_you` how many posts wait for a person."""

    schedule: Schedule
    words: str
    next_at: datetime | None
    last: Job | None
    needs_you: int


def listed(ids: Sequence[int], *, now: datetime) -> list[ListedSchedule]:
    """Those schedules in that order, with all that a row shows, in seven queries."""
    needing = (
        Job.objects.filter(schedule=OuterRef("pk"))
        .needing_a_person()
        .order_by()
        .values("schedule")
        .annotate(n=Count("pk"))
        .values("n")
    )
    last = Job.objects.filter(schedule=OuterRef("pk"), state__in=ENDED).order_by("-run_at", "-id").values("pk")[:1]
    found = (
        Schedule.objects.filter(pk__in=ids)
        .annotate(needs_you=Coalesce(Subquery(needing), 0), last_job=Subquery(last))
        .select_related("content__campaign", "created_by")
        .prefetch_related("targets__account", "exceptions")
        .in_bulk()
    )
    rows: list[Any] = [found[pk] for pk in ids if pk in found]
    jobs = Job.objects.in_bulk([row.last_job for row in rows if row.last_job])
    return [
        ListedSchedule(
            schedule=item.schedule,
            words=item.words,
            next_at=item.next_at,
            last=jobs.get(row.last_job),
            needs_you=row.needs_you,
        )
        for row, item in zip(rows, runs.rows(rows, now=now), strict=True)
    ]


def everything(ids: Iterable[int], *, now: datetime) -> Iterator[ListedSchedule]:
    """Row by row, read in parts: for exports of any length."""
    left = iter(ids)
    while part := list(islice(left, TOGETHER)):
        yield from listed(part, now=now)
