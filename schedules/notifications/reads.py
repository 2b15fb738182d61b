"""Notices as they are shown: a sentence in the reader's language, and what stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from alwrity_scheduler.security.kinds import ALERTS
from schedules.notifications.models import Notice, NoticeRules
from schedules.notifications.rules import NATURES, Kind, wanted

NAMES: dict[Kind, Promise | str] = {
    Kind.FAILED: gettext_lazy("Failed posts"),
    Kind.UNCONFIRMED: gettext_lazy("Posts that may be out or not"),
    Kind.MISSED: gettext_lazy("Missed posts"),
    Kind.ON_HOLD: gettext_lazy("Posts on hold"),
    Kind.SIGN_IN: gettext_lazy("Lost sign-ins"),
    Kind.TOKEN: gettext_lazy("Sign-ins that end"),
    Kind.DOWN: gettext_lazy("Platforms that do not answer"),
    Kind.LIMIT: gettext_lazy("Limits that are used up"),
    Kind.REVIEW: gettext_lazy("Posts to review"),
    Kind.CHANGES: gettext_lazy("Changes asked for"),
    Kind.APPROVED: gettext_lazy("Approved posts"),
    Kind.PUBLISHED: gettext_lazy("Published posts"),
    Kind.WEBHOOK: gettext_lazy("Webhooks that were switched off"),
    Kind.SECURITY: gettext_lazy("Odd sign-ins and refusals"),
}
HELP: dict[Kind, Promise | str] = {
    Kind.ON_HOLD: gettext_lazy("Somebody paused their schedule, account or workspace."),
    Kind.TOKEN: gettext_lazy("A week before, and when renewing fails."),
    Kind.REVIEW: gettext_lazy("When you are the one to decide."),
    Kind.CHANGES: gettext_lazy("About your own posts."),
    Kind.APPROVED: gettext_lazy("About your own posts."),
    Kind.PUBLISHED: gettext_lazy("One line for each account and day."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One notice. `words` is a sentence without a time; times are aware UTC; `left`: how many are still to be put right."""

    public_id: UUID
    kind: Kind
    words: str
    detail: str
    object_type: str
    object_id: str
    job_id: str
    count: int
    left: int
    first_at: datetime
    last_at: datetime
    read_at: datetime | None
    settled_at: datetime | None
    is_open: bool

    @property
    def is_unread(self) -> bool:
        return self.read_at is None

    @property
    def is_span(self) -> bool:
        return self.count > 1 and self.last_at.replace(second=0, microsecond=0) > self.first_at


@dataclass(frozen=True, slots=True)
class Day:
    """The notices of one day of the reader's zone, newest first."""

    date: date
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class KindRule:
    kind: Kind
    name: str
    help: str
    is_on: bool


def line_of(row: Notice) -> Line:
    kind = Kind(row.kind)
    return Line(
        public_id=row.public_id, kind=kind, words=sentence(kind, row.count, row.words), detail=str(row.words.get("error", "")),
        object_type=row.object_type, object_id=row.object_id, job_id=str(row.words.get("job", "")), count=row.count,
        left=row.left, first_at=row.first_at, last_at=row.last_at, read_at=row.read_at, settled_at=row.settled_at,
        is_open=row.needs_act and row.settled_at is None,
    )  # fmt: skip


def days_of(rows: Iterable[Notice]) -> list[Day]:
    """Rows that are ordered by time, by the day in the active zone."""
    found: dict[date, list[Line]] = {}
    for row in rows:
        found.setdefault(timezone.localtime(row.last_at).date(), []).append(line_of(row))
    return [Day(day, tuple(lines)) for day, lines in found.items()]


def rules_of(person: Any) -> list[KindRule]:
    """Every kind, and whether this person hears of it. One query."""
    own = NoticeRules.objects.filter(user=person).values_list("kinds", flat=True).first() or {}
    return [KindRule(kind, str(NAMES[kind]), str(HELP.get(kind, "")), wanted(kind, own)) for kind in NATURES]


def sentence(kind: Kind, count: int, words: dict[str, Any]) -> str:
    """What happened, in the active language. `count` times, to what `words` name."""
    values = {"n": count, "capacity": 0, **words}
    return _SENTENCES[kind](count, words) % values


def _failed(count: int, words: dict[str, Any]) -> str:
    if count == 1:
        return _("“%(post)s” failed on %(name)s")
    return ngettext("%(n)d post failed on %(name)s", "%(n)d posts failed on %(name)s", count)


def _unconfirmed(count: int, words: dict[str, Any]) -> str:
    if count == 1:
        return _("“%(post)s” on %(name)s may be out or not")
    return ngettext("%(n)d post on %(name)s may be out or not", "%(n)d posts on %(name)s may be out or not", count)


def _missed(count: int, words: dict[str, Any]) -> str:
    if count == 1:
        return _("“%(post)s” was missed on %(name)s")
    return ngettext("%(n)d post was missed on %(name)s", "%(n)d posts were missed on %(name)s", count)


def _on_hold(count: int, words: dict[str, Any]) -> str:
    if count == 1:
        return _("“%(post)s” is held back on %(name)s")
    return ngettext("%(n)d post is held back on %(name)s", "%(n)d posts are held back on %(name)s", count)


def _published(count: int, words: dict[str, Any]) -> str:
    if count == 1:
        return _("“%(post)s” is out on %(name)s")
    return ngettext("%(n)d post is out on %(name)s", "%(n)d posts are out on %(name)s", count)


def _of_token(count: int, words: dict[str, Any]) -> str:
    return (
        _("The sign-in of %(name)s ends soon") if words.get("ends") else _("The sign-in of %(name)s cannot be renewed")
    )


def _of_limit(count: int, words: dict[str, Any]) -> str:
    return ngettext(
        "%(name)s has used up its %(capacity)d call; more posts wait",
        "%(name)s has used up its %(capacity)d calls; more posts wait",
        words["capacity"],
    )


def _of_alert(count: int, words: dict[str, Any]) -> str:
    return _("%(alert)s: %(name)s") % {"alert": ALERTS.get(words["alert"], ""), "name": "%(name)s"}


_SENTENCES: dict[Kind, Callable[[int, dict[str, Any]], str]] = {
    Kind.FAILED: _failed,
    Kind.UNCONFIRMED: _unconfirmed,
    Kind.MISSED: _missed,
    Kind.ON_HOLD: _on_hold,
    Kind.PUBLISHED: _published,
    Kind.SIGN_IN: lambda count, words: _("%(name)s must be signed in again"),
    Kind.TOKEN: _of_token,
    Kind.DOWN: lambda count, words: _("%(name)s does not answer; its posts wait"),
    Kind.LIMIT: _of_limit,
    Kind.REVIEW: lambda count, words: _("%(who)s asks you to review “%(post)s”"),
    Kind.CHANGES: lambda count, words: _("%(who)s asks for changes to “%(post)s”"),
    Kind.APPROVED: lambda count, words: _("%(who)s approved “%(post)s”"),
    Kind.WEBHOOK: lambda count, words: _(
        "The webhook %(name)s was switched off: its receiver does not take what is sent"
    ),
    Kind.SECURITY: _of_alert,
}
