"""Verbs on a schedule: activate, pause, resume, archive, restore, clone; and edits of single occurrences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused
from alwrity_scheduler.core.events import Actor, emit, unit
from alwrity_scheduler.workspaces.models import User
from schedules.domain import recurrence
from schedules.domain.recurrence import EditAction, RuleKind
from schedules.domain.states import ScheduleState, schedule_may
from schedules.engine import wakeup
from schedules.models import ContentItem, ContentMedia, ContentVariant, Job, Schedule, ScheduleException, Target
from schedules.services import materialise, reviewing
from schedules.services.content import stale
from schedules.services.facts import schedule_fact
from schedules.services.plans import ContentDraft, SchedulePlan, TargetPlan, check_plan
from schedules.services.schedules import (
    accounts_of,
    plan_of,
    put_to_work,
    set_targets,
    snapshot,
    update_schedule,
)
from schedules.services.words import of_schedule

DAY = timedelta(days=2)  # a moment's neighbourhood, wider than any zone's offset


def _step(schedule: Schedule, new: ScheduleState, *, now: datetime) -> str:
    """Compare-and-set the state; returns the old one. Refused when the schedule cannot go there from where it is."""
    old = schedule.state
    if not schedule_may(old, new):
        raise IllegalTransition(
            Problem(
                field="state",
                message=_("This schedule is %(state)s and cannot become %(wanted)s.")
                % {"state": of_schedule(old), "wanted": of_schedule(new)},
            )
        )
    if not Schedule.objects.filter(pk=schedule.pk, state=old).update(
        state=new, updated_at=now, version=F("version") + 1
    ):
        raise stale("schedule")
    schedule.refresh_from_db()
    return old


@unit()
def activate(*, schedule: Schedule, actor: Actor, now: datetime) -> Schedule:
    """Let a draft, a paused or a finished schedule publish from now on."""
    old = _step(schedule, ScheduleState.ACTIVE, now=now)
    put_to_work(schedule, now=now)
    reviewing.withdraw_waiting(schedule, now=now)
    emit(
        schedule_fact(
            "schedule.activated", schedule, actor, now, before={"state": old}, after={"state": schedule.state}
        )
    )
    return schedule


@unit()
def pause(*, schedule: Schedule, actor: Actor, now: datetime) -> Schedule:
    """Hold the schedule: what is being published finishes, nothing more is started."""
    old = _step(schedule, ScheduleState.PAUSED, now=now)
    emit(schedule_fact("schedule.paused", schedule, actor, now, before={"state": old}, after={"state": schedule.state}))
    return schedule


@unit()
def resume(*, schedule: Schedule, actor: Actor, now: datetime) -> Schedule:
    """Go on. What went by during the pause is treated by the schedule's catch-up rule, as rows with a reason (R33)."""
    if schedule.state != ScheduleState.PAUSED:
        raise IllegalTransition(Problem(field="state", message=_("Only a paused schedule can be resumed.")))
    reviewing.require(schedule)
    old = _step(schedule, ScheduleState.ACTIVE, now=now)
    materialise.plan_schedule(schedule, now=now, until=materialise.horizon(now))
    Job.objects.filter(schedule=schedule, state="blocked", reason="schedule_paused").update(state="pending", reason="")
    emit(
        schedule_fact("schedule.resumed", schedule, actor, now, before={"state": old}, after={"state": schedule.state})
    )
    wakeup.announce()
    return schedule


@unit()
def archive(*, schedule: Schedule, actor: Actor, now: datetime) -> Schedule:
    """Put the schedule away: its open jobs are cancelled, its history stays. `restore` brings it back as it was."""
    old = _step(schedule, ScheduleState.ARCHIVED, now=now)
    reviewing.withdraw_waiting(schedule, now=now)
    cancelled = Job.objects.filter(schedule=schedule, state__in=["pending", "blocked"]).update(
        state="cancelled", reason="archived", finished_at=now
    )
    after = {"state": schedule.state, "jobs_cancelled": cancelled}
    emit(schedule_fact("schedule.archived", schedule, actor, now, before={"state": old}, after=after))
    return schedule


@unit()
def restore(*, schedule: Schedule, actor: Actor, now: datetime) -> Schedule:
    """Take a schedule out of the archive: paused if it ever had jobs, as a draft otherwise; its cancelled future comes back."""
    if schedule.state != ScheduleState.ARCHIVED:
        raise IllegalTransition(Problem(field="state", message=_("Only an archived schedule can be restored.")))
    had_jobs = Job.objects.filter(schedule=schedule).exists()
    old = _step(schedule, ScheduleState.PAUSED if had_jobs else ScheduleState.DRAFT, now=now)
    Job.objects.filter(
        schedule=schedule, state="cancelled", reason="archived", scheduled_for__gt=now, attempt_count=0
    ).update(state="pending", reason="", finished_at=None)
    emit(
        schedule_fact("schedule.restored", schedule, actor, now, before={"state": old}, after={"state": schedule.state})
    )
    return schedule


@unit()
def clone(
    *,
    schedule: Schedule,
    actor: Actor,
    now: datetime,
    person: User | None = None,
    targets: Sequence[TargetPlan] | None = None,
) -> Schedule:
    """A draft with the same content (its own copy), rule and targets, or with other targets where they are given.

    Raises Refused for an account that is named twice, or that is none of the workspace's.
    """
    copy = _copy_content(schedule.content, now=now, person=person)
    twin = _copy(schedule, content=copy, state=ScheduleState.DRAFT, now=now, person=person)
    if targets is None:
        _copy_targets(list(schedule.targets.all()), twin)
    else:
        plan = replace(plan_of(twin), targets=tuple(targets))
        check_plan(plan, draft=True)
        set_targets(twin, plan, accounts_of(twin.workspace, plan))
    emit(schedule_fact("schedule.cloned", twin, actor, now, after={**snapshot(twin), "from": str(schedule.public_id)}))
    return twin


def _copy_content(old: ContentItem, *, now: datetime, person: User | None) -> ContentItem:
    copy = ContentItem.objects.create(
        workspace=old.workspace, title=old.title, text=old.text, content_type=old.content_type, link=old.link,
        hashtags=old.hashtags, labels=old.labels, campaign=old.campaign, language=old.language, notes=old.notes, utm=old.utm,
        created_by=person, created_at=now, updated_at=now,
    )  # fmt: skip
    ContentVariant.objects.bulk_create(
        ContentVariant(
            content=copy, platform=item.platform, title=item.title, text=item.text, link=item.link, hashtags=item.hashtags,
            options=item.options,
        )
        for item in old.variants.all()
    )  # fmt: skip
    ContentMedia.objects.bulk_create(
        ContentMedia(content=copy, asset_id=item.asset_id, position=item.position) for item in old.media_links.all()
    )
    return copy


_RULE_FIELDS = (
    "workspace_id",
    "rule_kind",
    "expression",
    "timezone",
    "start_local",
    "start_fold",
    "until_local",
    "occurrence_limit",
    "priority",
    "catch_up",
    "grace_seconds",
    "max_attempts",
    "retry_base_seconds",
    "retry_cap_seconds",
    "deadline_seconds",
    "tags",
)


def _copy(
    schedule: Schedule,
    *,
    content: ContentItem,
    state: ScheduleState,
    now: datetime,
    person: User | None,
    split_from: Schedule | None = None,
) -> Schedule:
    values = {name: getattr(schedule, name) for name in _RULE_FIELDS}
    return Schedule.objects.create(
        **values, content=content, state=state, created_by=person, created_at=now, updated_at=now, split_from=split_from
    )


def _copy_targets(targets: list[Target], schedule: Schedule) -> None:
    Target.objects.bulk_create(
        Target(
            schedule=schedule,
            account_id=item.account_id,
            offset_seconds=item.offset_seconds,
            title=item.title,
            text=item.text,
        )
        for item in targets
    )


@unit()
def skip_occurrence(*, schedule: Schedule, nominal_local: datetime, actor: Actor, now: datetime) -> Schedule:
    """Leave out one occurrence. Refused when it is not one of the rule's, or when it has begun."""
    return _edit(schedule, nominal_local, EditAction.SKIP, None, actor=actor, now=now)


@unit()
def move_occurrence(
    *, schedule: Schedule, nominal_local: datetime, to_local: datetime, actor: Actor, now: datetime
) -> Schedule:
    """Move one occurrence to another wall-clock time; the rule's other times stay."""
    if recurrence.local_time(to_local, schedule.timezone).at <= now:
        raise Refused(Problem(field="to_local", message=_("This time is past. Choose a later one.")))
    return _edit(schedule, nominal_local, EditAction.MOVE, to_local, actor=actor, now=now)


@unit()
def restore_occurrence(*, schedule: Schedule, nominal_local: datetime, actor: Actor, now: datetime) -> Schedule:
    """Undo a skip or a move."""
    if not ScheduleException.objects.filter(schedule=schedule, nominal_local=nominal_local).delete()[0]:
        raise Refused(Problem(field="nominal_local", message=_("This occurrence was not changed.")))
    return _replan(schedule, "schedule.occurrence_restored", nominal_local, None, actor=actor, now=now)


def _edit(
    schedule: Schedule,
    nominal_local: datetime,
    action: EditAction,
    to_local: datetime | None,
    *,
    actor: Actor,
    now: datetime,
) -> Schedule:
    if schedule.rule_kind == RuleKind.ONCE:
        raise Refused(Problem(field="nominal_local", message=_("This schedule has one time only: edit or archive it.")))
    wanted = recurrence.local_time(nominal_local, schedule.timezone).at
    bare = replace(materialise.rule_of(schedule), edits=())
    if not any(
        item.nominal_local == nominal_local
        for item in recurrence.occurrences(
            bare, start=wanted - DAY, end=wanted + DAY, count=materialise.MOST_AT_ONCE * 6
        )
    ):
        raise Refused(
            Problem(
                field="nominal_local",
                message=_("The rule has no time at %(time)s.") % {"time": f"{nominal_local:%Y-%m-%d %H:%M}"},
            )
        )
    begun = Job.objects.filter(schedule=schedule, occurrence__nominal_local=nominal_local).exclude(
        state__in=["pending", "blocked"], attempt_count=0
    )
    if begun.exists():
        raise IllegalTransition(
            Problem(
                field="nominal_local", message=_("This occurrence has begun or is over; it can no longer be changed.")
            )
        )
    ScheduleException.objects.update_or_create(
        schedule=schedule, nominal_local=nominal_local, defaults={"action": action, "moved_to_local": to_local}
    )
    name = "schedule.occurrence_skipped" if action is EditAction.SKIP else "schedule.occurrence_moved"
    return _replan(schedule, name, nominal_local, to_local, actor=actor, now=now)


def _replan(
    schedule: Schedule, name: str, nominal_local: datetime, to_local: datetime | None, *, actor: Actor, now: datetime
) -> Schedule:
    Schedule.objects.filter(pk=schedule.pk).update(version=F("version") + 1, updated_at=now)
    schedule = Schedule.objects.prefetch_related("targets", "exceptions").get(pk=schedule.pk)
    materialise.replan(schedule, now=now)
    if schedule.state in (ScheduleState.ACTIVE, ScheduleState.FINISHED):
        materialise.plan_schedule(schedule, now=now, until=materialise.horizon(now))
        wakeup.announce()
    emit(schedule_fact(name, schedule, actor, now, before={"at": nominal_local}, after={"at": to_local}))
    return schedule


def plan_from(schedule: Schedule, nominal_local: datetime) -> SchedulePlan:
    """How the schedule goes on from that time of its rule: what `split` takes where nothing else is to change. Raises Refused."""
    try:
        _first, rest = recurrence.split_at(materialise.rule_of(schedule), nominal_local)
    except ValueError as error:
        raise Refused(Problem(field="nominal_local", message=str(error))) from error
    return replace(
        plan_of(schedule),
        expression=rest.expression,
        start_local=rest.start_local,
        start_fold=rest.fold,
        until_local=rest.until_local,
        occurrence_limit=rest.limit,
    )


@unit()
def split(
    *, schedule: Schedule, nominal_local: datetime, plan: SchedulePlan, version: int, actor: Actor, now: datetime,
    draft: ContentDraft | None = None, person: User | None = None, shift: timedelta = timedelta(0),
) -> Schedule:  # fmt: skip
    """ "This and following": the schedule ends before `nominal_local`, and a new one goes on from there as `plan` says.

    Returns the new schedule. The old one keeps its history. `shift`: by how much the plan is later than the old rule, so that
    single occurrences which were edited stay edited.
    """
    try:
        first, _rest = recurrence.split_at(materialise.rule_of(schedule), nominal_local)
    except ValueError as error:
        raise Refused(Problem(field="nominal_local", message=str(error))) from error
    changed = Schedule.objects.filter(pk=schedule.pk, version=version).update(
        expression=first.expression,
        until_local=first.until_local,
        occurrence_limit=first.limit,
        version=F("version") + 1,
        updated_at=now,
    )
    if not changed:
        raise stale("schedule")
    before = snapshot(schedule)
    schedule.refresh_from_db()
    kept = {item.nominal_local for item in first.edits}
    later = [item for item in schedule.exceptions.all() if item.nominal_local not in kept]
    content = schedule.content if draft is None else _copy_content(schedule.content, now=now, person=person)
    twin = _copy(schedule, content=content, state=ScheduleState.DRAFT, now=now, person=person, split_from=schedule)
    _copy_targets(list(schedule.targets.all()), twin)
    hand_on(later, twin, shift)
    materialise.replan(schedule, now=now)
    twin = update_schedule(schedule=twin, plan=plan, version=twin.version, actor=actor, now=now, draft=draft)
    if schedule.state == ScheduleState.ACTIVE:
        materialise.plan_schedule(schedule, now=now, until=materialise.horizon(now))
        if reviewing.is_missing(twin):
            reviewing.open_review(twin, then=ScheduleState.ACTIVE.value, actor=actor, now=now)
            _step(twin, ScheduleState.IN_REVIEW, now=now)
        else:
            _step(twin, ScheduleState.ACTIVE, now=now)
            put_to_work(twin, now=now)
    emit(
        schedule_fact(
            "schedule.split",
            schedule,
            actor,
            now,
            before=before,
            after={**snapshot(schedule), "goes_on_as": str(twin.public_id)},
        )
    )
    return twin


def hand_on(edits: Sequence[ScheduleException], schedule: Schedule, shift: timedelta) -> None:
    """Make the edits those of the schedule, whose times are `shift` later than theirs were. In the caller's transaction."""
    ScheduleException.objects.filter(pk__in=[item.pk for item in edits]).delete()
    ScheduleException.objects.bulk_create(
        ScheduleException(
            schedule=schedule,
            nominal_local=item.nominal_local + shift,
            action=item.action,
            moved_to_local=item.moved_to_local,
        )
        for item in edits
    )


def finish_ended(*, now: datetime, actor: Actor, most: int = 200) -> int:
    """Schedules whose rule has no further time and whose jobs have all ended become finished. Returns how many."""
    ended = list(_ended(now)[:most])  # not inside the transaction: on SQLite a writer keeps everybody else waiting
    return _finish(ended, now, actor) if ended else 0


def _ended(now: datetime) -> QuerySet[Schedule]:
    """Found by each schedule's latest open job. In that order there is one index for it, whatever the statistics say: a
    schedule with a hundred thousand jobs makes SQLite's planner read them all for each of the others.
    """
    open_jobs = Job.objects.filter(
        schedule=OuterRef("pk"), state__in=["pending", "running", "processing", "unconfirmed", "blocked"]
    )
    latest = Subquery(open_jobs.order_by("-run_at", "-id").values("pk")[:1])
    begun = Schedule.objects.active().filter(
        planned_until=materialise.FAR, start_local__lt=(now + DAY).replace(tzinfo=None)
    )
    return begun.annotate(open_job=latest).filter(open_job=None).select_related("content").order_by("id")


@unit()
def _finish(ended: list[Schedule], now: datetime, actor: Actor) -> int:
    changed = [
        schedule
        for schedule in ended
        if Schedule.objects.filter(pk=schedule.pk, state="active").update(state="finished", updated_at=now)
    ]
    before, after = {"state": "active"}, {"state": "finished"}
    emit(*(schedule_fact("schedule.finished", row, actor, now, before=before, after=after) for row in changed))
    return len(changed)
