"""All times of a schedule, earlier or later by as much."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused
from alwrity_scheduler.core.events import Actor, unit
from schedules.domain.recurrence import RuleKind
from schedules.domain.refusals import RuleRefused
from schedules.domain.shifting import shifted
from schedules.models import Job, Schedule
from schedules.services import moving
from schedules.services.materialise import rule_of
from schedules.services.schedules import plan_of, update_schedule

FARTHEST = timedelta(days=366)


def check_distance(by: timedelta) -> None:
    """Refused when it is nothing, no whole minutes, or more than a year."""
    words = ""
    if not by:
        words = _("Say by how much: minutes, hours or days.")
    elif by % timedelta(minutes=1):
        words = _("Shift by whole minutes.")
    elif abs(by) > FARTHEST:
        words = _("Shift by a year at the most.")
    if words:
        raise Refused(Problem(field="by", message=words))


@unit()
def shift(*, schedule: Schedule, by: timedelta, actor: Actor, now: datetime, version: int | None = None) -> Schedule:
    """Move the single time, or every time of the rule with its left-out and moved runs, by that much on the wall clock.

    What is out or being published stays, and does not come a second time. `version`: the one that was shown. Refused for a rule
    whose times cannot all move by as much, and where no time would be left to come.
    """
    check_distance(by)
    if schedule.state == "archived":
        words = _("An archived schedule cannot be shifted: restore it first.")
        raise IllegalTransition(Problem(field="state", message=words))
    given = schedule.version if version is None else version
    if schedule.rule_kind == RuleKind.ONCE:
        return _shift_single(schedule, by, given, actor, now)
    try:
        return moving.shift_rule(schedule, by, version=given, actor=actor, now=now)[0]
    except RuleRefused as error:
        raise Refused(Problem(field="by", message=item.message) for item in error.problems) from error


def _shift_single(schedule: Schedule, by: timedelta, version: int, actor: Actor, now: datetime) -> Schedule:
    """A new time for the schedule would send again what is out on any of its accounts, so that is refused."""
    begun = Job.objects.filter(schedule=schedule).exclude(state="superseded")
    if begun.exclude(state__in=["pending", "blocked"], attempt_count=0).exists():
        words = _("This occurrence has begun or is over; it can no longer be changed.")
        raise IllegalTransition(Problem(field="state", message=words))
    try:
        new = shifted(rule_of(schedule), by)
    except RuleRefused as error:
        raise Refused(Problem(field="by", message=item.message) for item in error.problems) from error
    plan = replace(plan_of(schedule), start_local=new.start_local, start_fold=0)
    return update_schedule(schedule=schedule, plan=plan, version=version, actor=actor, now=now)
