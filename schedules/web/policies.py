"""A schedule's policies in words: how often it tries, what becomes of missed runs, which goes first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from schedules.domain.misfire import DEFAULT_DEADLINE, DEFAULT_GRACE_ONCE, DEFAULT_GRACE_RECURRING, CatchUp
from schedules.models import Schedule
from schedules.models.schedules import Priority

WAITS_LISTED = 6
# seconds, from how many seconds on it is used (a day is 24 hours to people), words
_UNITS = (
    (86_400, 2 * 86_400, gettext_lazy("%(n)d days")),
    (3600, 3600, gettext_lazy("%(n)d h")),
    (60, 60, gettext_lazy("%(n)d min")),
    (1, 0, gettext_lazy("%(n)d s")),
)
CATCH_UP: Mapping[str, str | Promise] = {
    CatchUp.LATEST: gettext_lazy("Only the latest missed run is published late"),
    CatchUp.ALL: gettext_lazy("Every missed run is published late"),
    CatchUp.SKIP: gettext_lazy("Missed runs are left out"),
}
PRIORITIES: Mapping[int, str | Promise] = {
    Priority.URGENT: gettext_lazy("Urgent"),
    Priority.HIGH: gettext_lazy("High"),
    Priority.NORMAL: gettext_lazy("Normal"),
    Priority.LOW: gettext_lazy("Low"),
}


def span(value: timedelta) -> str:
    """A setting as people give it: in the largest unit in which it is a whole number."""
    seconds = round(value.total_seconds())
    fitting = (item for item in _UNITS if seconds and seconds % item[0] == 0 and seconds >= item[1])
    size, _least, words = next(fitting, _UNITS[-1])
    return str(words) % {"n": seconds // size}


def priority_words(value: int) -> str:
    """The step's name; a number between two steps says so."""
    if value in PRIORITIES:
        return str(PRIORITIES[value])
    return _("%(n)d of 10, where 1 goes first") % {"n": value}


def catch_up_words(schedule: Schedule) -> str:
    words = str(CATCH_UP[schedule.catch_up])
    if schedule.catch_up == CatchUp.SKIP:
        return words + "."
    default = DEFAULT_GRACE_ONCE if schedule.rule_kind == "once" else DEFAULT_GRACE_RECURRING
    grace = default if schedule.grace_seconds is None else timedelta(seconds=schedule.grace_seconds)
    return _("%(what)s, within %(grace)s.") % {"what": words, "grace": span(grace)}


def waits(schedule: Schedule) -> list[timedelta]:
    """The longest wait before each further try, in order."""
    base, cap = timedelta(seconds=schedule.retry_base_seconds), timedelta(seconds=schedule.retry_cap_seconds)
    return [
        max(min(cap, base * (1 << min(number, 40))), timedelta(seconds=1))
        for number in range(schedule.max_attempts - 1)
    ]


def retry_words(schedule: Schedule) -> str:
    """`Up to 5 tries, with waits of at most 1 min, 2 min, 4 min, 8 min.`"""
    found = waits(schedule)
    if not found:
        return _("One try, and no further one.")
    shown = ", ".join(span(wait) for wait in found[:WAITS_LISTED])
    number = schedule.max_attempts
    words = ngettext(
        "Up to %(n)d try, with waits of at most %(waits)s.",
        "Up to %(n)d tries, with waits of at most %(waits)s.",
        number,
    )
    return words % {"n": number, "waits": f"{shown} …" if len(found) > WAITS_LISTED else shown}


def deadline_words(schedule: Schedule) -> str:
    limit = DEFAULT_DEADLINE if schedule.deadline_seconds is None else timedelta(seconds=schedule.deadline_seconds)
    return _("Given up %(limit)s after its time.") % {"limit": span(limit)}
