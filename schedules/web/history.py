"""The audit log in words: what was done, by whom, and which values changed, word by word where they are texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from schedules.domain import likeness
from schedules.models import AuditLog
from schedules.web import policies
from schedules.web.templatetags.ui import moment, platform_name

LONGEST = 160
_LIKE_A_TIME = re.compile(r"\d{4}-\d\d-\d\dT")
LONGEST_DIFF = 20_000  # characters of a text that are compared word by word
_NAMES: dict[str, str | Promise] = {
    "rule_kind": gettext_lazy("kind of rule"),
    "expression": gettext_lazy("rule"),
    "start_local": gettext_lazy("start"),
    "until_local": gettext_lazy("end"),
    "occurrence_limit": gettext_lazy("number of times"),
    "catch_up": gettext_lazy("after a pause"),
    "grace_seconds": gettext_lazy("grace"),
    "max_attempts": gettext_lazy("attempts"),
    "retry_base_seconds": gettext_lazy("first wait"),
    "retry_cap_seconds": gettext_lazy("longest wait"),
    "deadline_seconds": gettext_lazy("give up after"),
    "run_at": gettext_lazy("time"),
    "targets": gettext_lazy("accounts"),
    "scheduled_for": gettext_lazy("wanted time"),
    "deadline_at": gettext_lazy("given up after"),
    "error_class": gettext_lazy("kind of error"),
    "tries": gettext_lazy("attempts used up"),
    "finished_at": gettext_lazy("ended"),
    "content_version": gettext_lazy("version of the post"),
    "taken_down_at": gettext_lazy("deleted there"),
    "timezone": gettext_lazy("time zone"),
    "priority": gettext_lazy("priority"),
    "tags": gettext_lazy("tags"),
    "state": gettext_lazy("state"),
    "title": gettext_lazy("title"),
    "text": gettext_lazy("text"),
    "link": gettext_lazy("link"),
    "hashtags": gettext_lazy("hashtags"),
    "labels": gettext_lazy("labels"),
    "campaign": gettext_lazy("campaign"),
    "content_type": gettext_lazy("type"),
    "language": gettext_lazy("language"),
    "notes": gettext_lazy("notes"),
    "utm": gettext_lazy("UTM parameters"),
    "media": gettext_lazy("media"),
    "variants": gettext_lazy("words of single platforms"),
    "jobs_replaced": gettext_lazy("posts planned anew"),
    "start_fold": gettext_lazy("which of two equal times"),
    "at": gettext_lazy("time"),
    "reason": gettext_lazy("reason"),
    "message": gettext_lazy("message"),
    "url": gettext_lazy("address"),
    "attempt_count": gettext_lazy("attempts made"),
    "offset_seconds": gettext_lazy("later than the others"),
    "role": gettext_lazy("role"),
    "scopes": gettext_lazy("areas"),
    "expires_at": gettext_lazy("ends"),
}
# what facts carry for those who are told, and the page shows anyway
_NOT_SHOWN = frozenset({"account", "page", "review"})
_TEXTS = frozenset({"title", "text", "notes", "link", "hashtags", "labels", "tags", "expression"})


_WORDS: dict[str, str | Promise] = {
    "schedule.created": gettext_lazy("Made the schedule"),
    "schedule.edited": gettext_lazy("Edited the schedule"),
    "schedule.activated": gettext_lazy("Scheduled it"),
    "schedule.paused": gettext_lazy("Paused it"),
    "schedule.resumed": gettext_lazy("Resumed it"),
    "schedule.archived": gettext_lazy("Archived it"),
    "schedule.restored": gettext_lazy("Took it out of the archive"),
    "schedule.cloned": gettext_lazy("Made it as a copy"),
    "schedule.finished": gettext_lazy("All its runs are over"),
    "schedule.split": gettext_lazy("Split it: this and following"),
    "schedule.occurrence_skipped": gettext_lazy("Left out one run"),
    "schedule.occurrence_moved": gettext_lazy("Moved one run"),
    "schedule.occurrence_restored": gettext_lazy("Put one run back"),
    "schedule.published_now": gettext_lazy("Published it now"),
    "schedule.backfilled": gettext_lazy("Made up for times that never went out"),
    "schedule.depends": gettext_lazy("Made it wait for another post"),
    "schedule.depends_no_more": gettext_lazy("It no longer waits for another post"),
    "schedule.retimed": gettext_lazy("The zone's clocks changed: moved its runs"),
    "review.requested": gettext_lazy("Sent it for approval"),
    "review.approved": gettext_lazy("Approved it"),
    "review.changes_requested": gettext_lazy("Asked for changes"),
    "review.withdrawn": gettext_lazy("Took the request for approval back"),
    "review.reminded": gettext_lazy("Reminded the reviewers"),
    "review.link_made": gettext_lazy("Made a link for an outside reviewer"),
    "review.link_revoked": gettext_lazy("Took a link back"),
    "content.created": gettext_lazy("Wrote the post"),
    "content.edited": gettext_lazy("Edited the post"),
    "milestone.created": gettext_lazy("Added a milestone"),
    "milestone.edited": gettext_lazy("Edited the milestone"),
    "milestone.reached": gettext_lazy("Reached the milestone"),
    "milestone.reopened": gettext_lazy("The milestone is not reached yet"),
    "milestone.removed": gettext_lazy("Removed the milestone"),
    "milestone.restored": gettext_lazy("Brought the milestone back"),
    "campaign.created": gettext_lazy("Made the campaign"),
    "campaign.renamed": gettext_lazy("Renamed the campaign"),
    "template.created": gettext_lazy("Saved a template"),
    "template.changed": gettext_lazy("Renamed a template"),
    "template.deleted": gettext_lazy("Deleted a template"),
    "hashtags.created": gettext_lazy("Made a hashtag group"),
    "hashtags.changed": gettext_lazy("Changed a hashtag group"),
    "hashtags.deleted": gettext_lazy("Deleted a hashtag group"),
    "account.posting_times_changed": gettext_lazy("Changed the posting times"),
    "job.completed": gettext_lazy("Published"),
    "job.failed": gettext_lazy("Failed"),
    "job.missed": gettext_lazy("Missed its time"),
    "job.cancelled": gettext_lazy("Cancelled"),
    "job.retried": gettext_lazy("Asked for another try"),
    "job.run_now": gettext_lazy("Asked to publish now"),
    "job.rescheduled": gettext_lazy("Gave it a new time"),
    "job.look_up_asked": gettext_lazy("Asked to look it up again"),
    "job.restored": gettext_lazy("Took the last step back"),
    "job.held": gettext_lazy("Put on hold"),
    "job.unconfirmed": gettext_lazy("No clear answer"),
    "job.taken_down": gettext_lazy("Deleted it at the platform"),
    "job.amended": gettext_lazy("Updated it at the platform"),
    "job.started": gettext_lazy("Began"),
    "media.stored": gettext_lazy("Added the file"),
    "media.described": gettext_lazy("Described the file"),
    "media.edited": gettext_lazy("Edited the file"),
    "media.moved": gettext_lazy("Moved the file"),
    "media.deleted": gettext_lazy("Deleted the file"),
    "media.restored": gettext_lazy("Brought the file back"),
    "folder.created": gettext_lazy("Made the folder"),
    "folder.changed": gettext_lazy("Changed the folder"),
    "folder.removed": gettext_lazy("Removed the folder"),
    "circuit.opened": gettext_lazy("The platform does not answer: its posts wait"),
    "circuit.closed": gettext_lazy("The platform answers again"),
    "account.connected": gettext_lazy("Connected the account"),
    "account.signed_in": gettext_lazy("Signed in again"),
    "account.reconnected": gettext_lazy("Back to work"),
    "account.disconnected": gettext_lazy("Disconnected it"),
    "account.auth_lost": gettext_lazy("The platform no longer takes the sign-in"),
    "account.settings_changed": gettext_lazy("Changed its settings"),
    "account.credentials_changed": gettext_lazy("Gave new secrets"),
    "account.refreshed": gettext_lazy("Renewed the sign-in"),
    "account.refresh_failing": gettext_lazy("The sign-in could not be renewed; trying again"),
    "account.tried_now": gettext_lazy("Asked to try the platform now"),
    "app.registered": gettext_lazy("Registered the app"),
    "app.changed": gettext_lazy("Changed the app"),
    "app.secret_rotated": gettext_lazy("Gave the app a new secret"),
    "app.disabled": gettext_lazy("Switched the app off"),
    "app.enabled": gettext_lazy("Switched the app on again"),
    "app.deleted": gettext_lazy("Deleted the app"),
    "app.allowed": gettext_lazy("Let the app act for them"),
    "app.revoked": gettext_lazy("Took it back from the app"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One value before and after. pieces: the text with what was added and taken away; empty where it is no text."""

    name: str
    old: str
    new: str
    pieces: tuple[likeness.Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    who: str
    kind: str
    words: str
    about: str
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Kind:
    """One part of a history that can be looked at by itself."""

    name: str
    title: str | Promise
    which: Q


_RUNS = [
    "schedule.occurrence_skipped", "schedule.occurrence_moved", "schedule.occurrence_restored", "schedule.published_now",
    "schedule.backfilled", "schedule.retimed",
]  # fmt: skip
KINDS = (
    Kind("post", gettext_lazy("The post"), Q(action__startswith="content.")),
    Kind("plan", gettext_lazy("The plan"), Q(action__startswith="schedule.") & ~Q(action__in=_RUNS)),
    Kind("runs", gettext_lazy("Single runs"), Q(action__in=_RUNS)),
    Kind("review", gettext_lazy("Approval"), Q(action__startswith="review.")),
)


def kind_of(name: str) -> Kind | None:
    return next((kind for kind in KINDS if kind.name == name), None)


def _text(value: Any) -> str:
    if value in (None, "", [], {}):
        return "–"
    if value is True or value is False:
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)[:LONGEST]
    if isinstance(value, dict):
        return str(value.get("account") or ", ".join(f"{key} {_text(item)}" for key, item in value.items()))[:LONGEST]
    text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def told(details: Mapping[str, Any]) -> str:
    """What a fact tells besides, in one line; what it is about comes first, and nothing is said twice."""
    found = dict.fromkeys(str(value) for name, value in details.items() if name == "object" and value)
    for name, value in details.items():
        if value not in (None, "", [], {}) and str(value) not in found:
            found[f"{_name(name)}: {_moment(value) or _text(value)}"] = None
    return " · ".join(found)


def _moment(value: Any) -> str:
    """The time in the active zone, if it is one as facts write it."""
    at = parse_datetime(value) if isinstance(value, str) and _LIKE_A_TIME.match(value) else None
    return "" if at is None or timezone.is_naive(at) else strip_tags(moment(at))


def entries(rows: Iterable[AuditLog]) -> list[Entry]:
    """One entry a row, in the rows' order. A creation lists no values: the thing itself shows them."""
    return [_entry(row) for row in rows]


def _entry(row: AuditLog) -> Entry:
    created = row.action.endswith((".created", ".cloned"))
    words = _WORDS.get(row.action) or row.action.replace(".", " ").replace("_", " ").capitalize()
    about_job = row.object_type == "job"  # its title is what the page is about
    changes = [] if created else _changes(row.before, row.after, {"title"} if about_job else set())
    return Entry(row.at, row.actor_label, row.actor_kind, str(words), row.object_label, changes)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], left_out: set[str]) -> list[Change]:
    found: list[Change] = []
    for name in {**before, **after}:
        if name in _NOT_SHOWN or name in left_out or before.get(name) == after.get(name):
            continue
        if name == "variants":
            found += _variants(before.get(name), after.get(name))
        elif name == "targets":
            found += _targets(before.get(name), after.get(name))
        else:
            found.append(_change(name, _name(name), before.get(name), after.get(name)))
    return found


def _name(name: str) -> str:
    return str(_NAMES.get(name) or name.replace("_", " "))


def _change(name: str, title: str, old: Any, new: Any) -> Change:
    if name in _SAID:
        return Change(title, _SAID[name](old), _SAID[name](new))
    if name not in _TEXTS:
        return Change(title, _text(old), _text(new))
    before, after = _words(name, old), _words(name, new)
    return Change(title, _text(old), _text(new), tuple(likeness.changes(before, after)))


def _words(name: str, value: Any) -> str:
    if isinstance(value, list):
        return " ".join(f"#{item}" if name == "hashtags" else str(item) for item in value)
    return str(value or "")[:LONGEST_DIFF]


def _seconds(value: Any) -> str:
    return policies.span(timedelta(seconds=value)) if isinstance(value, (int, float)) else "–"


def _files(value: Any) -> str:
    number = len(value) if isinstance(value, list) else 0
    return ngettext("%(n)d file", "%(n)d files", number) % {"n": number}


def _priority(value: Any) -> str:
    return policies.priority_words(value) if isinstance(value, int) else "–"


# values that have words of their own
_SAID: dict[str, Callable[[Any], str]] = {
    **dict.fromkeys(("grace_seconds", "retry_base_seconds", "retry_cap_seconds", "deadline_seconds"), _seconds),
    "offset_seconds": _seconds,
    "media": _files,
    "priority": _priority,
    "catch_up": lambda value: str(policies.CATCH_UP.get(value, _text(value))),
}


def _variants(old: Any, new: Any) -> list[Change]:
    """What single platforms get, platform by platform and field by field."""
    before, after = _by(old, "platform"), _by(new, "platform")
    found: list[Change] = []
    for platform in dict.fromkeys([*before, *after]):
        one, other = before.get(platform, {}), after.get(platform, {})
        for name in dict.fromkeys([*one, *other]):
            if name != "platform" and one.get(name) != other.get(name):
                title = _("%(field)s on %(platform)s") % {"field": _name(name), "platform": platform_name(platform)}
                found.append(_change(name, title, one.get(name), other.get(name)))
    return found


def _targets(old: Any, new: Any) -> list[Change]:
    """Accounts that came and went, and what became of those that stayed."""
    before, after = _by(old, "account"), _by(new, "account")
    found: list[Change] = []
    gone, come = [name for name in before if name not in after], [name for name in after if name not in before]
    if gone or come:
        found.append(Change(_name("targets"), _text(gone), _text(come)))
    for account in before:
        one, other = before[account], after.get(account)
        for name in {**one, **other} if other is not None else ():
            if one.get(name) != (other or {}).get(name):
                title = _("%(field)s on %(account)s") % {"field": _name(name), "account": account}
                found.append(_change(name, title, one.get(name), (other or {}).get(name)))
    return found


def _by(rows: Any, key: str) -> dict[str, dict[str, Any]]:
    listed = rows if isinstance(rows, list) else []
    return {str(row.get(key)): row for row in listed if isinstance(row, dict)}
