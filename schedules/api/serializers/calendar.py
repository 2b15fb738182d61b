"""The calendar as the API shows it, what narrows it, and what a move takes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from rest_framework import serializers

from alwrity_scheduler.core.errors import Problem, Refused
from platforms.models import PlatformAccount
from schedules.api.serializers.recovery import checked_zone
from schedules.api.serializers.rules import When, Written
from schedules.api.serializers.shapes import Input, Moment, Version, both
from schedules.api.serializers.shown import Instant, Shown, one_of
from schedules.models import Schedule
from schedules.models.content import ContentType
from schedules.reads.calendar import LOOKS, Event, Wanted
from schedules.services import moving

LONGEST = timedelta(days=62)


class Span(Input):
    since = Moment(error_messages={"required": "Say from when on, like 2026-12-01T00:00:00Z."})
    until = Moment(error_messages={"required": "Say until when, like 2027-01-01T00:00:00Z."})
    timezone = serializers.CharField(required=False, default="", max_length=64)
    workspace = serializers.CharField(required=False, default="", max_length=100)
    platform = serializers.CharField(required=False, default="", max_length=300)
    account = serializers.CharField(required=False, default="", max_length=4000)
    campaign = serializers.CharField(required=False, default="", max_length=4000)
    content_type = serializers.CharField(required=False, default="", max_length=300)
    look = serializers.CharField(required=False, default="", max_length=300)
    label = serializers.CharField(required=False, default="", max_length=1000)  # type: ignore[assignment]
    conflicts = serializers.BooleanField(required=False, default=False)
    q = serializers.CharField(required=False, default="", max_length=100)

    def validate_timezone(self, value: str) -> str | None:
        return checked_zone(value) if value else value

    def validate_look(self, value: str) -> str:
        return _known(value, LOOKS)

    def validate_content_type(self, value: str) -> str:
        return _known(value, ContentType.values)

    def validate_account(self, value: str) -> list[Any]:
        return _ids(value)

    def validate_campaign(self, value: str) -> list[Any]:
        return _ids(value)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["until"] <= attrs["since"]:
            raise serializers.ValidationError({"until": "This is not after `since`."})
        if attrs["until"] - attrs["since"] > LONGEST:
            raise serializers.ValidationError({"until": "Ask for at most 62 days at once."})
        return attrs


NAMES = frozenset(Span().fields)


def _listed(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()]


def _known(value: str, choices: Iterable[str]) -> str:
    known = list(choices)
    if wrong := [item for item in _listed(value) if item not in known]:
        raise serializers.ValidationError(f"There is no {wrong[0]} here. Known are {', '.join(known)}.")
    return value


def _ids(value: str) -> list[Any]:
    return [serializers.UUIDField().run_validation(item) for item in _listed(value)]


def span(query: Any) -> tuple[dict[str, Any], Wanted]:
    """What is asked for, checked: the span's values and what narrows it."""
    shaped = Span(data={name: query[name] for name in query}, context={"from_query": True})
    shaped.is_valid(raise_exception=True)
    values = shaped.validated_data
    return values, Wanted(
        platforms=_listed(values["platform"]),
        accounts=values["account"] or (),
        campaigns=values["campaign"] or (),
        types=_listed(values["content_type"]),
        looks=_listed(values["look"]),
        labels=_listed(values["label"]),
        q=values["q"],
        conflicts=values["conflicts"],
    )


class MoveInput(Input):
    """`at`: a wall-clock time of `timezone`, or a time with an offset. `scope`: which times of a rule are meant."""

    at = When()
    timezone = serializers.CharField(required=False, allow_null=True, default=None, max_length=64)
    version = Version()
    scope = serializers.ChoiceField(required=False, default="", choices=moving.SCOPES)
    workspace = serializers.CharField(required=False, allow_null=True, default=None, max_length=100)

    def validate_timezone(self, value: str | None) -> str | None:
        return checked_zone(value)


class TimeInput(Input):
    at = When()
    timezone = serializers.CharField(required=False, allow_null=True, default=None, max_length=64)
    workspace = serializers.CharField(required=False, allow_null=True, default=None, max_length=100)

    def validate_timezone(self, value: str | None) -> str | None:
        return checked_zone(value)


def wall_clock(written: Written, zone: str) -> datetime:
    """What was written as a wall-clock time of the zone."""
    if written.at.tzinfo is None:
        return written.at
    try:
        return written.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    except (OverflowError, ValueError) as error:
        raise Refused(Problem(field="at", message="This is too far away. Choose another time.")) from error


class AccountOfEvent(Shown):
    id: UUID
    name: str
    platform: str


class CalendarEvent(Shown):
    """A post on the calendar. `key` names it for a move and changes with it; `job` is null while it is only a time of a rule."""

    key: str
    at: Instant
    timezone: str
    look: one_of(*LOOKS)  # type: ignore[valid-type]
    title: str
    content_type: ContentType
    campaign: str | None
    schedule: UUID
    job: UUID | None
    account: AccountOfEvent
    recurring: bool
    movable: bool
    version: int
    conflicts_with: str | None


class CalendarSpan(Shown):
    """The posts of the span in the order of their times."""

    timezone: str
    results: list[CalendarEvent]


class MovedEvent(CalendarEvent):
    """The post at its new time. `left_out`: times of the moved rule that had gone out already."""

    was_at: Instant
    scope: str
    accounts_moved: int
    left_out: int
    note: str


class FreeTime(Shown):
    at: Instant


class TimeChecked(Shown):
    """What stands too close to the time, and the next free times."""

    at: Instant
    note: str
    past: bool
    conflicts: list[CalendarEvent]
    free: list[FreeTime]


def event_words(found: list[Event], zone: str) -> list[dict[str, Any]]:
    """The events as objects; two queries for the ids by which the API names things, whatever their number."""
    accounts = _public(PlatformAccount, {event.account_id for event in found})
    schedules = _public(Schedule, {event.schedule_id for event in found})
    return [
        {
            "key": event.key,
            **both("at", event.at, zone),
            "timezone": zone,
            "look": event.look,
            "title": event.title,
            "content_type": event.content_type,
            "campaign": event.campaign or None,
            "schedule": schedules[event.schedule_id],
            "job": str(event.public_id) if event.is_job else None,
            "account": {"id": accounts[event.account_id], "name": event.account, "platform": event.platform},
            "recurring": event.recurring,
            "movable": not event.fixed,
            "version": event.version,
            "conflicts_with": event.near.key if event.near else None,
        }
        for event in found
    ]


def _public(model: Any, ids: set[int]) -> dict[int, str]:
    rows = model.objects.filter(pk__in=ids).values_list("pk", "public_id") if ids else ()
    return {pk: str(public_id) for pk, public_id in rows}
