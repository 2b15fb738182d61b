"""Single times of a schedule, what was changed of it, and how its post looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from rest_framework import serializers

from alwrity_scheduler.core.errors import Problem
from schedules.api.serializers.accounts import AccountName, account_words
from schedules.api.serializers.preflight import AccountProblem
from schedules.api.serializers.recovery import checked_zone
from schedules.api.serializers.rules import When
from schedules.api.serializers.schedules import ContentOrId, ScheduleChange, TargetInput
from schedules.api.serializers.shapes import Input, Moment, Version, both, local_text, utc_text
from schedules.api.serializers.shown import Instant, LocalTime, Shown, one_of
from schedules.api.serializers.system import AuditAnswer, FactShown
from schedules.domain import likeness, localtime
from schedules.models import AuditLog, ScheduleException
from schedules.reads.cards import Card
from schedules.reads.unscheduled import Unscheduled

LONGEST_DIFF = 20_000  # characters of a text that are compared word by word
_TEXTS = frozenset({"title", "text", "notes", "link", "expression"})


class Span(Input):
    """`count` is looked at by the view, which has said what is wrong with it for long."""

    count = serializers.CharField(required=False, default=None)
    since = Moment(required=False, default=None)
    until = Moment(required=False, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["since"] and attrs["until"] and attrs["until"] <= attrs["since"]:
            raise serializers.ValidationError({"until": "This is not after `since`."})
        return attrs


class NewOccurrenceTime(Input):
    """A wall-clock time of `timezone` (the schedule's own, where none is given), or a time with an offset."""

    at = When()
    timezone = serializers.CharField(required=False, allow_null=True, default=None, max_length=64)

    def validate_timezone(self, value: str | None) -> str | None:
        return checked_zone(value)


class Following(ScheduleChange):
    """What changes from that time on; all else goes on as it was."""


class CloneInput(Input):
    """`accounts`: where the copy goes instead."""

    accounts = TargetInput(many=True, required=False, allow_empty=True)


class JobMove(NewOccurrenceTime):
    """Another time for a post that stands as a job. `scope`: which times of its rule are meant."""

    version = Version(required=False)
    scope = serializers.ChoiceField(required=False, default="one", choices=("one", "following", "all"))


class PreviewOfContent(Input):
    """Content, stored or not, and the accounts it is shown for."""

    content = ContentOrId()
    accounts = TargetInput(many=True, allow_empty=False)
    workspace = serializers.CharField(required=False, max_length=60)

    def validate_accounts(self, accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(accounts) > 200:
            raise serializers.ValidationError("Give at most 200 accounts at once.", code="max_length")
        return accounts


class LinkInput(Input):
    url = serializers.CharField(max_length=2000)
    workspace = serializers.CharField(required=False, allow_null=True, default=None, max_length=100)


class LinkCardShown(Shown):
    """What a page says of itself; `trouble` says why nothing could be read."""

    url: str
    site: str
    title: str
    description: str
    has_image: bool
    trouble: str


class AccountOfDraft(Shown):
    name: str
    platform: str


class UnscheduledPost(Shown):
    """A draft on one account. `at`: when it was to go out. `key` names it for a move on the calendar."""

    key: str
    schedule: UUID
    title: str
    account: AccountOfDraft
    recurring: bool
    version: int
    at: Instant


class UnscheduledShown(Shown):
    """The drafts whose times have gone by."""

    results: list[UnscheduledPost]


class MovedTo(Shown):
    local: Annotated[str, {"format": "date-time"}]
    utc: Annotated[str, {"format": "date-time"}]


class ExceptionShown(Shown):
    """One time of the rule, by its wall clock, and what was done to it. `moved_to` is null where it was left out."""

    occurrence: LocalTime
    action: one_of("skip", "move")  # type: ignore[valid-type]
    moved_to: MovedTo | None


class ExceptionsShown(Shown):
    """The times of the rule that were left out or moved, the earliest first."""

    timezone: str
    results: list[ExceptionShown]


class FileOnCard(Shown):
    id: UUID
    kind: str
    alt_text: str
    name: str


class ExtraOnCard(Shown):
    label: str
    value: str


class LengthOnCard(Shown):
    """How long the text is as the platform counts it; `limit` is null where none is known."""

    used: int
    limit: int | None
    unit: str
    words: str


class CardShown(Shown):
    """The post as these accounts get it. `parts`: the posts of a thread, else one. `folded`: what is seen after a click only."""

    platform: str
    accounts: list[AccountName]
    look: str
    title: str
    parts: list[str]
    folded: str
    link: str
    hashtags: list[str]
    media: list[FileOnCard]
    first_comment: str
    extras: list[ExtraOnCard]
    count: LengthOnCard | None
    problems: list[AccountProblem]
    trouble: str


class CardsShown(Shown):
    """One entry for all accounts of a platform that get the same."""

    results: list[CardShown]


def unscheduled_words(row: Unscheduled, zone: str) -> dict[str, Any]:
    """A draft on one account; `at`: when it was to go out. `key` names it for a move on the calendar."""
    return {
        "key": row.key,
        "schedule": str(row.public_id),
        "title": row.title,
        "account": {"name": row.account, "platform": row.platform},
        "recurring": row.recurring,
        "version": row.version,
        **both("at", row.at, zone),
    }


def occurrence_problem(problem: Problem) -> Problem:
    """For `problems.renamed`: the time is named in the address, the new one in the body."""
    names = {"nominal_local": "occurrence", "to_local": "at"}
    return Problem(field=names.get(problem.field, problem.field), message=problem.message, code=problem.code)


def exception_words(row: ScheduleException, zone: str) -> dict[str, Any]:
    """One time of the rule that was left out or moved."""
    return {
        "occurrence": row.nominal_local.isoformat(),
        "action": row.action,
        "moved_to": None if row.moved_to_local is None else _at(row.moved_to_local, zone),
    }


def _at(local: datetime, zone: str) -> dict[str, str]:
    at = localtime.local_time(local, zone).at
    return {"local": local_text(at, zone), "utc": utc_text(at)}


class HistoryFact(FactShown):
    """A fact of the history, and what it changed."""

    changes: Any


class HistoryAnswer(AuditAnswer):
    """A fact with what it changed, value by value; texts word by word."""

    shown = HistoryFact

    def body(self, row: AuditLog) -> dict[str, Any]:
        made = row.action.endswith((".created", ".cloned"))
        return {**super().body(row), "changes": [] if made else changes(row.before, row.after)}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        found.append({"field": name, "before": old, "after": new, "pieces": _pieces(name, old, new)})
    return found


def _pieces(name: str, old: Any, new: Any) -> list[dict[str, str]]:
    if name not in _TEXTS or not isinstance(old or "", str) or not isinstance(new or "", str):
        return []
    told = likeness.changes((old or "")[:LONGEST_DIFF], (new or "")[:LONGEST_DIFF])
    return [{"kind": piece.kind, "text": piece.text} for piece in told]


def card_words(cards: Sequence[Card]) -> list[dict[str, Any]]:
    """The post as its accounts get it: one entry for all accounts of a platform that get the same."""
    return [_card(card) for card in cards]


def _card(card: Card) -> dict[str, Any]:
    return {
        "platform": card.platform,
        "accounts": [account_words(row) for row in card.accounts],
        "look": card.look,
        "title": card.title,
        "parts": list(card.parts),
        "folded": card.folded,
        "link": card.link,
        "hashtags": list(card.hashtags),
        "media": [
            {"id": str(asset.public_id), "kind": asset.kind, "alt_text": asset.alt_text, "name": asset.original_name}
            for asset in (*card.images, *card.files)
        ],
        "first_comment": card.first_comment,
        "extras": [{"label": str(label), "value": str(value)} for label, value in card.extras],
        "count": None
        if card.count is None
        else {"used": card.count.used, "limit": card.count.limit, "unit": card.count.unit, "words": card.count.words},
        "problems": [
            {
                "code": item.problem.code,
                "severity": item.problem.severity,
                "field": item.problem.field,
                "message": item.problem.message,
                "remedy": item.problem.remedy,
            }
            for item in card.findings
        ],
        "trouble": card.trouble,
    }
