"""Posting times, the queue, free times and conflicts, in and out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from rest_framework import serializers

from alwrity_scheduler.core.errors import Problem, Refused
from platforms.models import PlatformAccount
from schedules.api.serializers.accounts import AccountId, AccountName, account_words
from schedules.api.serializers.calendar import AccountOfEvent, CalendarEvent, FreeTime, event_words
from schedules.api.serializers.recovery import checked_zone
from schedules.api.serializers.rules import EXAMPLE, WallClock, Written
from schedules.api.serializers.schedules import ContentOrId, ScheduleAnswer, ScheduleInput, TargetInput
from schedules.api.serializers.shapes import EARLIEST, LATEST, Ids, Input, Moment, both
from schedules.api.serializers.shown import Instant, Shown
from schedules.domain import localtime
from schedules.domain.gaps import Window
from schedules.domain.refusals import RuleRefused
from schedules.models import PostingSlot
from schedules.reads.conflicts import Pair

LONGEST = timedelta(days=62)
DAY_SECONDS = 86_400
MOST_ACCOUNTS = 50


class SlotInput(Input):
    """One posting time of the week. weekday: 0 is Monday."""

    weekday = serializers.IntegerField(min_value=0, max_value=6)
    time = serializers.TimeField(input_formats=["%H:%M", "%H:%M:%S"])


class PostingTimesInput(Input):
    echoed: ClassVar[frozenset[str]] = frozenset({"account", "timezone", "next_at", "next_at_local"})

    times = SlotInput(many=True)

    def validate_times(self, times: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(times) > 200:
            raise serializers.ValidationError("Give at most 200 times a week.", code="too_many")
        return times


class PostingTimeShown(Shown):
    """One time of the week; weekday 0 is Monday."""

    weekday: int
    time: Annotated[str, {"pattern": "^[0-2][0-9]:[0-5][0-9]$"}]


class PostingTimesShown(Shown):
    """The times of the week at which the queue of the account publishes. `next_at`: the next one that is free."""

    account: AccountName
    timezone: str
    times: list[PostingTimeShown]
    next_at: Instant | None


class NextTimes(Shown):
    """The next posting times at which nothing goes out yet."""

    account: AccountName
    timezone: str
    results: list[FreeTime]


class Queued(Shown):
    """What was made: one schedule, or several where the times of its accounts lie far apart."""

    schedules: list[ScheduleAnswer]


class TimeFound(Shown):
    """`posting_time`: it is one of every account."""

    at: Instant
    posting_time: bool


class TimesFound(Shown):
    """Times at which none of the accounts has a post too close."""

    timezone: str
    results: list[TimeFound]


class ConflictPair(Shown):
    """Two posts of one account, how far they are apart and how far they should be."""

    account: AccountOfEvent
    apart_seconds: float
    wanted_seconds: float
    first: CalendarEvent
    second: CalendarEvent


class ConflictsShown(Shown):
    """`count`: how many pairs there are; `more`: not all of them are shown."""

    timezone: str
    count: int
    more: bool
    results: list[ConflictPair]


class AccountConflicts(AccountName):
    """What would stand too close on this account, and how far apart posts must be there."""

    gap_seconds: int
    conflicts: list[CalendarEvent]


class ConflictsAtTime(Shown):
    """`clear`: nothing stands too close on any account. `free`: else the nearest times at which nothing would."""

    at: Instant
    timezone: str
    note: str
    past: bool
    clear: bool
    accounts: list[AccountConflicts]
    free: list[FreeTime]


def posting_words(account: PlatformAccount, rows: Sequence[PostingSlot], next_at: datetime | None) -> dict[str, Any]:
    return {
        "account": account_words(account),
        "timezone": account.timezone,
        "times": [{"weekday": row.weekday, "time": f"{row.time:%H:%M}"} for row in rows],
        **both("next_at", next_at, account.timezone),
    }


class Count(Input):
    count = serializers.IntegerField(required=False, default=5, min_value=1, max_value=50)


class QueueInput(ScheduleInput):
    """A post for the next free posting time of each of its accounts. It has no rule: the queue says when."""

    rule = None  # type: ignore[assignment]
    content = ContentOrId()
    accounts = TargetInput(many=True, required=False, default=list)
    account_groups = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=100)
    workspace = serializers.CharField(required=False, max_length=60)


def _when(required: str) -> WallClock:
    words = f"{required}, like {EXAMPLE}."
    return WallClock(
        required=True,
        allow_null=False,
        default=serializers.empty,
        error_messages={"required": words, "null": words},
    )


class _Zoned(Input):
    timezone = serializers.CharField(required=False, allow_null=True, default=None, max_length=64)
    workspace = serializers.CharField(required=False, allow_null=True, default=None, max_length=100)
    accounts = serializers.ListField(child=AccountId(), allow_empty=False, max_length=MOST_ACCOUNTS)
    gap_seconds = serializers.IntegerField(required=False, default=0, min_value=0, max_value=DAY_SECONDS)
    # schedules that do not count: what is being moved
    but = serializers.ListField(child=serializers.UUIDField(), required=False, default=list, max_length=50)

    def validate_timezone(self, value: str | None) -> str | None:
        return checked_zone(value)


class FindInput(_Zoned):
    """Times at which none of the accounts has a post too close, between `after` and `before`."""

    after = WallClock()
    before = WallClock()
    opens = serializers.TimeField(required=False, allow_null=True, default=None, input_formats=["%H:%M"])
    closes = serializers.TimeField(required=False, allow_null=True, default=None, input_formats=["%H:%M"])
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), required=False, default=list, max_length=7
    )
    step_minutes = serializers.ChoiceField(required=False, default=15, choices=[5, 10, 15, 20, 30, 60])
    count = serializers.IntegerField(required=False, default=5, min_value=1, max_value=100)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["opens"] and attrs["closes"] and attrs["closes"] <= attrs["opens"]:
            raise serializers.ValidationError({"closes": "This is not after `opens`."})
        return attrs


def instant(written: Written, zone: str, field: str = "at") -> datetime:
    """What was written, as aware UTC: by its own offset, else on the wall clock of `zone`."""
    far = Problem(field=field, message="This is too far away. Choose another time.")
    try:
        at = written.at.astimezone(UTC) if written.at.tzinfo else localtime.local_time(written.at, zone).at
    except (RuleRefused, OverflowError, ValueError) as error:
        raise Refused(far) from error
    if not EARLIEST <= at.year <= LATEST:
        raise Refused(far)
    return at


def window(given: dict[str, Any], zone: str, now: datetime) -> Window:
    """The span that is looked through: from now on, and a week, where nothing else is said."""
    after = instant(given["after"], zone, "after") if given["after"] else now
    after = max(after, now)
    before = instant(given["before"], zone, "before") if given["before"] else after + timedelta(days=7)
    if before <= after:
        raise serializers.ValidationError({"before": "This is not after `after`, or it is past."})
    if before - after > LONGEST:
        raise serializers.ValidationError({"before": "Look through at most 62 days at once."})
    return Window(
        after=after,
        before=before,
        zone=ZoneInfo(zone),
        opens=given["opens"],
        closes=given["closes"],
        weekdays=frozenset(given["weekdays"]),
    )


class ConflictCheck(_Zoned):
    """Would a post at that time be too close to another one, on each of the accounts?"""

    at = _when("Say when")


class ConflictSpan(Input):
    since = Moment(error_messages={"required": "Say from when on, like 2026-12-01T00:00:00Z."})
    until = Moment(error_messages={"required": "Say until when, like 2027-01-01T00:00:00Z."})
    timezone = serializers.CharField(required=False, default=None, max_length=64)
    workspace = serializers.CharField(required=False, default=None, max_length=100)
    account = Ids()

    def validate_timezone(self, value: str | None) -> str | None:
        return checked_zone(value)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["until"] <= attrs["since"]:
            raise serializers.ValidationError({"until": "This is not after `since`."})
        if attrs["until"] - attrs["since"] > LONGEST:
            raise serializers.ValidationError({"until": "Ask for at most 62 days at once."})
        return attrs


def pair_words(found: Sequence[Pair], zone: str) -> list[dict[str, Any]]:
    """Each pair with both posts as on the calendar; two queries whatever their number."""
    shown = {
        row["key"]: row for row in event_words([item for pair in found for item in (pair.first, pair.second)], zone)
    }
    return [
        {
            "account": shown[pair.second.key]["account"],
            "apart_seconds": pair.apart,
            "wanted_seconds": pair.wanted,
            "first": shown[pair.first.key],
            "second": shown[pair.second.key],
        }
        for pair in found
    ]
