"""Backfill in and out: the window, the gap, and the times that are or would be made up for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty

from schedules.api.serializers.accounts import AccountName, account_words
from schedules.api.serializers.rules import WallClock, Written
from schedules.api.serializers.shapes import Input, both
from schedules.api.serializers.shown import Instant, Shown
from schedules.domain import localtime
from schedules.models import Schedule
from schedules.services.backfill import LONGEST_GAP, Backfill


class BackfillInput(Input):
    """`start` and `end` with an offset, or on the wall clock of the schedule's zone; half-open. Only looks, unless told not to."""

    start = WallClock(required=True, allow_null=False, default=empty)
    end = WallClock(required=True, allow_null=False, default=empty)
    gap_seconds = serializers.IntegerField(required=False, default=60, min_value=0, max_value=LONGEST_GAP)
    preview = serializers.BooleanField(required=False, default=True)


def instant(written: Written, zone: str) -> datetime:
    if written.at.tzinfo is not None:
        return written.at.astimezone(UTC)
    return localtime.local_time(written.at, zone).at


class BackfillTime(Shown):
    """A past time that never went out, and when it is made up for."""

    makes_up_for: Instant
    publish_at: Instant
    accounts: list[AccountName]


class BackfillShown(Shown):
    """`more`: there are more times than one call takes."""

    preview: bool
    time_count: int
    job_count: int
    more: bool
    timezone: str
    results: list[BackfillTime]


def backfill_words(found: Backfill, schedule: Schedule, *, preview: bool) -> dict[str, Any]:
    return {
        "preview": preview,
        "time_count": len(found.times),
        "job_count": found.job_count,
        "more": found.more,
        "timezone": schedule.timezone,
        "results": [
            {
                **both("makes_up_for", item.nominal_at, schedule.timezone),
                **both("publish_at", item.publish_at, schedule.timezone),
                "accounts": [account_words(row) for row in item.accounts],
            }
            for item in found.times
        ],
    }
