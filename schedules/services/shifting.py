"""All times of a schedule, earlier or later by as much."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused
from alwrity_scheduler.core.events import Actor, unit
from schedules.domain import shifting
from schedules.domain.recurrence import Recurrence, RuleRefused
from schedules.models import Schedule, ScheduleException
from schedules.services.materialise import rule_of
from schedules.services.plans import SchedulePlan, TargetPlan
from schedules.services.schedules import update_schedule

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
    """Move the single time, or every time of the rule with its moved and left-out runs, by that much on the wall clock.

    What has been published or is being published stays. `version`: the one that was shown. Refused for a rule whose times cannot
    all move by as much.
    """
    check_distance(by)
    if schedule.state == "archived":
        raise IllegalTransition(Problem(field="state", message=_("An archived schedule cannot be shifted.")))
    try:
        new = shifting.shifted(rule_of(schedule), by)
    except RuleRefused as error:
        raise Refused(Problem(field="by", message=item.message) for item in error.problems) from error
    _shift_edits(schedule, by)
    return update_schedule(
        schedule=schedule,
        plan=_plan(schedule, new),
        version=schedule.version if version is None else version,
        actor=actor,
        now=now,
    )


def _shift_edits(schedule: Schedule, by: timedelta) -> None:
    """Anew, because one may come to stand where another stood."""
    old = list(ScheduleException.objects.filter(schedule=schedule).order_by("nominal_local"))
    if not old:
        return
    ScheduleException.objects.filter(schedule=schedule).delete()
    ScheduleException.objects.bulk_create(
        ScheduleException(
            schedule=schedule,
            nominal_local=item.nominal_local + by,
            action=item.action,
            moved_to_local=item.moved_to_local and item.moved_to_local + by,
        )
        for item in old
    )


def _plan(schedule: Schedule, rule: Recurrence) -> SchedulePlan:
    """The stored schedule with that rule, and everything else as it is."""
    return SchedulePlan(
        rule_kind=rule.kind.value,
        timezone=rule.timezone,
        start_local=rule.start_local,
        expression=rule.expression,
        start_fold=rule.fold,
        until_local=rule.until_local,
        occurrence_limit=rule.limit,
        priority=schedule.priority,
        catch_up=schedule.catch_up,
        grace_seconds=schedule.grace_seconds,
        max_attempts=schedule.max_attempts,
        retry_base_seconds=schedule.retry_base_seconds,
        retry_cap_seconds=schedule.retry_cap_seconds,
        deadline_seconds=schedule.deadline_seconds,
        tags=tuple(schedule.tags),
        targets=tuple(
            TargetPlan(
                account_id=str(item.account.public_id),
                offset_seconds=item.offset_seconds,
                title=item.title,
                text=item.text,
            )
            for item in schedule.targets.select_related("account").order_by("id")
        ),
    )
