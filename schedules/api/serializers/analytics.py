"""Figures and reports: what is asked, and how it is answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers

from schedules.api.serializers.accounts import AccountName, account_words
from schedules.api.serializers.jobs import JobAnswer
from schedules.api.serializers.recovery import checked_zone
from schedules.api.serializers.shapes import Ids, Input, Moment, both
from schedules.api.serializers.shown import Instant, Shown, one_of
from schedules.models import Job
from schedules.models.content import ContentType
from schedules.reads.account_health import Record
from schedules.reads.analytics import Day, Slice
from schedules.reads.board import DayLoad, Figures

LONGEST = {"hour": timedelta(days=14), "day": timedelta(days=92)}
SHOWN = ("completed", "failed", "missed", "unconfirmed", "cancelled")
WORDS = ("published", "failed", "missed", "unconfirmed", "cancelled")


class OfWorkspace(Input):
    workspace = serializers.CharField(required=False, default=None, max_length=100)
    timezone = serializers.CharField(required=False, default=None, max_length=64)

    def validate_timezone(self, value: str | None) -> str | None:
        return checked_zone(value)


class Span(OfWorkspace):
    """`since` and `until`: half-open, by the times that people wanted. The last seven days where nothing is said."""

    since = Moment(required=False, default=None)
    until = Moment(required=False, default=None)
    account = Ids()
    longest: ClassVar[timedelta] = LONGEST["day"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        now: datetime = self.context["now"]
        until = attrs["until"] or (max(now, attrs["since"] + timedelta(days=7)) if attrs["since"] else now)
        try:
            since = attrs["since"] or until - timedelta(days=7)
            since, until = since.astimezone(UTC), until.astimezone(UTC)
        except (OverflowError, ValueError) as error:
            raise serializers.ValidationError({"since": "This is too far away."}) from error
        if until <= since:
            raise serializers.ValidationError({"until": "This is not after `since`."})
        longest = LONGEST[attrs.get("bucket", "day")]
        if until - since > longest:
            raise serializers.ValidationError({"until": f"Ask for at most {longest.days} days at once."})
        return {**attrs, "since": since, "until": until}


class SeriesSpan(Span):
    bucket = serializers.ChoiceField(required=False, default="day", choices=tuple(LONGEST))


class ReportSpan(Span):
    format = serializers.ChoiceField(required=False, default="json", choices=("json", "csv"))


class EndsShown(Shown):
    """How many posts came to which end. `success_rate`: the share of the ended ones that was published; null where none ended."""

    published_count: int
    failed_count: int
    missed_count: int
    unconfirmed_count: int
    success_rate: float | None


class CountsShown(EndsShown):
    cancelled_count: int


class SliceShown(CountsShown):
    """The posts that were due in one hour or day. `at`: its beginning. Delays are from the wanted time to the end of publishing."""

    at: Instant
    due_count: int
    delay_p50_seconds: float | None
    delay_p95_seconds: float | None
    duration_p50_seconds: float | None
    duration_p95_seconds: float | None


class SpanShown(Shown):
    """The span that is counted; its end is out."""

    timezone: str
    since: Instant
    until: Instant


class ExecutionsShown(SpanShown):
    """What became of the posts, by hour or by day."""

    bucket: one_of(*LONGEST)  # type: ignore[valid-type]
    results: list[SliceShown]


class AccountRecord(EndsShown):
    """What became of the posts of one account. `error_classes`: how many failed of what."""

    account: AccountName
    error_classes: dict[str, int]
    delay_p50_seconds: float | None
    delay_p95_seconds: float | None


class AccountRecords(SpanShown):
    """What became of the posts, account by account."""

    results: list[AccountRecord]


class DayOfLoad(Shown):
    """One day: what is planned, what went out, what went wrong or waits for a decision, and what stands too close."""

    day: date
    planned_count: int
    published_count: int
    troubled_count: int
    undecided_count: int
    conflict_count: int


class SummaryShown(Shown):
    """The dashboard's figures, and the load of the next fourteen days."""

    timezone: str
    active_schedule_count: int
    due_in_24_hours_count: int
    published_today_count: int
    published_in_7_days_count: int
    failed_in_7_days_count: int
    success_rate: float | None
    overdue_count: int
    running_count: int
    oldest_due_at: Instant | None
    load: list[DayOfLoad]


class DayOfReport(Shown):
    """One account on one day."""

    day: date
    account: str
    account_id: UUID
    platform: str
    published_count: int
    failed_count: int
    missed_count: int
    unconfirmed_count: int
    cancelled_count: int


class AccountOfReport(CountsShown):
    account: AccountName


class ActivityReport(SpanShown, CountsShown):
    """The sums of all accounts, those of each, and the days."""

    accounts: list[AccountOfReport]
    results: list[DayOfReport]


class PostFiguresShown(Shown):
    """A post that is out, with the figures that its platform told last; a name that is missing was not told, which is not zero."""

    job: UUID
    schedule: UUID
    title: str
    account: AccountName
    content_type: ContentType
    remote_url: str
    scheduled_for: Instant
    figures: dict[str, Any]
    measured_at: Instant | None


def counts(states: Counter[str]) -> dict[str, int]:
    return {f"{word}_count": states[state] for state, word in zip(SHOWN, WORDS, strict=True)}


def rate(states: Counter[str]) -> float | None:
    """The share of what came to a result that was published; None where nothing did."""
    ended = sum(states[state] for state in SHOWN[:4])
    return round(states["completed"] / ended, 4) if ended else None


def slice_words(row: Slice, zone: str) -> dict[str, Any]:
    return {
        **both("at", row.at, zone),
        "due_count": sum(row.states.values()),
        **counts(row.states),
        "success_rate": rate(row.states),
        "delay_p50_seconds": row.delay(0.5),
        "delay_p95_seconds": row.delay(0.95),
        "duration_p50_seconds": row.duration(0.5),
        "duration_p95_seconds": row.duration(0.95),
    }


def record_words(account: Any, record: Record) -> dict[str, Any]:
    return {
        "account": account_words(account),
        **{name: number for name, number in counts(record.states).items() if name != "cancelled_count"},
        "success_rate": None if record.success_rate is None else round(record.success_rate, 4),
        "error_classes": dict(sorted(record.errors.items())),
        "delay_p50_seconds": record.delay(0.5),
        "delay_p95_seconds": record.delay(0.95),
    }


def figure_words(figures: Figures, load: Iterable[DayLoad], zone: str) -> dict[str, Any]:
    """The dashboard's figures, and the load of the next fourteen days."""
    return {
        "active_schedule_count": figures.active,
        "due_in_24_hours_count": figures.due,
        "published_today_count": figures.done_today,
        "published_in_7_days_count": figures.succeeded,
        "failed_in_7_days_count": figures.failed,
        "success_rate": figures.success_rate,
        "overdue_count": figures.due_now,
        "running_count": figures.running,
        **both("oldest_due_at", figures.oldest_due_at, zone),
        "load": [
            {
                "day": row.day.isoformat(),
                "planned_count": row.planned,
                "published_count": row.published,
                "troubled_count": row.troubled,
                "undecided_count": row.undecided,
                "conflict_count": row.conflicts,
            }
            for row in load
        ],
    }


def report_rows(days: Iterable[Day], accounts: Mapping[int, Any]) -> list[dict[str, Any]]:
    """One row an account and day."""
    return [
        {
            "day": row.day.isoformat(),
            "account": accounts[row.account_id].name,
            "account_id": str(accounts[row.account_id].public_id),
            "platform": accounts[row.account_id].platform,
            **counts(row.states),
        }
        for row in days
    ]


REPORT_HEADS = ("day", "account", "account_id", "platform", *(f"{word}_count" for word in WORDS))


class PostFigures(JobAnswer):
    """A post that is out, with the last figures that its platform told. `context["figures"]`: readings by the job's number."""

    shown = PostFiguresShown

    def body(self, row: Job) -> dict[str, Any]:
        reading = self.context["figures"].get(row.pk)
        zone = self.zone(row)
        return {
            "job": str(row.public_id),
            "schedule": str(row.schedule.public_id),
            "title": str(row.schedule.content),
            "account": account_words(row.account),
            "content_type": row.schedule.content.content_type,
            "remote_url": row.remote_url,
            "figures": reading.values if reading else {},
            **both("measured_at", reading.measured_at if reading else None, zone),
        }

    times: ClassVar[tuple[str, ...]] = ("scheduled_for", "finished_at")
