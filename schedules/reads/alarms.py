"""When the engine needs an operator, in words (ENGINE R40, R44). Reads what others wrote, so it speaks when the loop cannot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from schedules.engine.tables import Duty, Worker
from schedules.engine.workers import SKEW_REPORTED_MS
from schedules.models import EngineControl
from schedules.reads.queue import oldest_due_at

SILENT_AFTER = timedelta(seconds=90)  # a scheduler that has not been heard of for this long counts as gone
LATE_AFTER = timedelta(seconds=60)
PLANNER = "plan"
CADENCES_MISSED = 3
NAMES = ("oldest_due", "no_scheduler", "planner_behind", "clock_skew")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What is wrong and what to do. `stops_publishing`: posts do not go out (the dead man's switch)."""

    name: str
    words: str
    remedy: str
    stops_publishing: bool = False


def paused_at() -> datetime | None:
    """Since when everything is paused."""
    return EngineControl.objects.filter(pk=1).values_list("paused_at", flat=True).first()


def dead_mans_switch(now: datetime) -> list[Alarm]:
    """The alarms that mean "nothing goes out". A few queries on indexes; needs no scheduler and asks none."""
    alive = is_anybody_alive(now)
    found = [oldest_due(oldest_due_at(now), paused=paused_at() is not None, now=now), no_scheduler(alive=alive)]
    return [alarm for alarm in found if alarm]


def is_anybody_alive(now: datetime) -> bool:
    """Has a scheduler been heard of lately?"""
    return Worker.objects.filter(stopped_at=None, beat_at__gt=now - SILENT_AFTER).exists()


def oldest_due(due_at: datetime | None, *, paused: bool, now: datetime) -> Alarm | None:
    if paused or due_at is None or now - due_at <= LATE_AFTER:
        return None
    return Alarm(
        name="oldest_due",
        words=_("The oldest due work has been waiting for %(age)s.") % {"age": spoken((now - due_at).total_seconds())},
        remedy=_(
            "See whether a scheduler is running and keeps up: manage.py runscheduler --status. Start another one, or give it "
            "more threads (ENGINE_THREADS)."
        ),
        stops_publishing=True,
    )


def no_scheduler(*, alive: bool) -> Alarm | None:
    if alive:
        return None
    return Alarm(
        name="no_scheduler",
        words=_("No scheduler has been heard of in the last 90 seconds; due posts wait."),
        remedy=_("Start one: manage.py runscheduler. If it ends by itself, its last log lines say why."),
        stops_publishing=True,
    )


def planner_behind(planner: Duty | None, now: datetime) -> Alarm | None:
    """The planner is due once a cadence; three of them without it, and new posts may come too late."""
    if planner is None or not planner.enabled:
        return None
    cadence = timedelta(seconds=planner.every_seconds)
    last = planner.last_run_at or planner.next_at
    if now - last <= CADENCES_MISSED * cadence:
        return None
    return Alarm(
        name="planner_behind",
        words=_("The planner has not run for %(age)s; it is due every %(cadence)s.")
        % {"age": spoken((now - last).total_seconds()), "cadence": spoken(cadence.total_seconds())},
        remedy=_("Start a scheduler, or read in its log why the planner fails (action duty_failed)."),
    )


def clock_skew(skews_ms: Iterable[tuple[str, int]]) -> Alarm | None:
    """`skews_ms`: (worker, milliseconds) of the workers that are alive."""
    wrong = [(name, skew) for name, skew in skews_ms if abs(skew) > SKEW_REPORTED_MS]
    if not wrong:
        return None
    name, skew = max(wrong, key=lambda item: abs(item[1]))
    return Alarm(
        name="clock_skew",
        words=_("The clock of %(name)s and the database's differ by %(seconds).1f s.")
        % {"name": name, "seconds": abs(skew) / 1000},
        remedy=_("Set the clocks of both machines by NTP. Due times follow the database's clock meanwhile."),
    )


def spoken(seconds: float) -> str:
    """`4 s`, `2 min 5 s`, `3 h 20 min`, `2 d 4 h`."""
    whole = max(0, int(seconds))
    days, hours, minutes = _("%(n)s d"), _("%(n)s h"), _("%(n)s min")
    for size, unit, smaller_size, smaller in (
        (86_400, days, 3600, hours), (3600, hours, 60, minutes), (60, minutes, 1, _("%(n)s s")),
    ):  # fmt: skip
        if whole >= size:
            rest = whole % size // smaller_size
            return " ".join([unit % {"n": whole // size}, *([smaller % {"n": rest}] if rest else [])])
    return _("%(n)s s") % {"n": whole}
