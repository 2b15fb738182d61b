"""One verb for many schedules: fixed when planned, done in steps that two tabs share, each refusal told, and taken back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from alwrity_scheduler.core import retention
from alwrity_scheduler.core.errors import IllegalTransition, Refused
from schedules.models import AuditLog, BulkItem, BulkRun, Job, Schedule, ScheduleException
from schedules.models.bulk import BulkVerb
from schedules.services import bulk, lifecycle, shifting
from schedules.services.bulk import Order
from tests.people import ACTOR, make_account, make_schedule

HOUR = timedelta(hours=1)


@pytest.fixture
def account(workspace, now):
    return make_account(workspace, now, name="Harbour")


@pytest.fixture
def three(workspace, account, now):
    """Active, each once, tomorrow at 9, 10 and 11 in Berlin."""
    start = datetime(2026, 11, 24, 9)
    return [
        make_schedule(
            workspace, [account], now, text=f"Number {hour}", timezone="Europe/Berlin",
            start_local=start + timedelta(hours=hour),
        )
        for hour in range(3)
    ]  # fmt: skip


@pytest.fixture
def planned(people, workspace, now):
    def make(verb, rows=None, **options):
        chosen = Schedule.objects.filter(workspace=workspace)
        if rows is not None:
            chosen = chosen.filter(pk__in=[row.pk for row in rows])
        order = Order(verb=BulkVerb(verb), **options)
        return bulk.plan(person=people.owner, workspace=workspace, chosen=chosen, order=order, now=now)

    return make


@pytest.fixture
def through(now):
    def go(run, **limits):
        bulk.begin(run=run, actor=ACTOR, now=now)
        return bulk.step(run=run, actor=ACTOR, now=now, **limits)

    return go


def states(rows):
    return list(Schedule.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk").values_list("state", flat=True))


def test_what_was_planned_is_done_whatever_matches_later(three, planned, through, workspace, account, now):
    lifecycle.pause(schedule=three[0], actor=ACTOR, now=now)
    run = planned("pause")
    late = make_schedule(workspace, [account], now, start_local=datetime(2026, 12, 1, 9))

    assert (run.total, run.items.filter(state="left_out").count(), run.state) == (2, 1, "planned")
    assert states(three) == ["paused", "active", "active"]

    run = through(run)

    assert (run.done, run.failed, run.state) == (2, 0, "finished")
    assert states([*three, late]) == ["paused", "paused", "paused", "active"]
    assert list(AuditLog.objects.filter(object_type="bulk_run").order_by("pk").values_list("action", flat=True)) == [
        "bulk.started",
        "bulk.finished",
    ]


def test_steps_stop_and_go_on_and_two_tabs_do_nothing_twice(three, planned, through, now):
    run = planned("clone")
    other_tab = BulkRun.objects.get(pk=run.pk)
    run = through(run, most=1)
    assert (run.done, run.state) == (1, "running")

    bulk.stop(run=run, actor=ACTOR, now=now)
    assert bulk.step(run=run, actor=ACTOR, now=now).done == 1
    bulk.go_on(run=run, actor=ACTOR, now=now)
    waiting = list(run.items.filter(state="waiting").values_list("pk", "schedule_id"))
    other_tab.refresh_from_db()
    bulk.step(run=other_tab, actor=ACTOR, now=now)
    for pk, schedule_id in waiting:  # as a tab would that had read them before
        bulk._do(run, pk, schedule_id, bulk.order_of(run), ACTOR, now)

    run.refresh_from_db()
    assert (run.done, run.state, Schedule.objects.count()) == (3, "finished", 6)
    assert bulk.step(run=run, actor=ACTOR, now=now, seconds=0).done == 3


def test_a_step_ends_with_its_time(three, planned, through):
    assert through(planned("pause"), seconds=0).done == 1


def test_one_that_fails_stops_none_and_is_tried_again(three, planned, through, now, monkeypatch):
    run = planned("pause")
    lifecycle.archive(schedule=three[1], actor=ACTOR, now=now)
    whole, broken = lifecycle.pause, three[2].pk

    def breaks(*, schedule, **rest):
        Schedule.objects.filter(pk=schedule.pk).update(priority=9)
        if schedule.pk == broken:
            raise RuntimeError("disk")
        return whole(schedule=schedule, **rest)

    monkeypatch.setitem(bulk._SIMPLE, BulkVerb.PAUSE, breaks)
    run = through(run)

    assert (run.done, run.failed, run.state) == (1, 2, "finished")
    words = dict(run.items.filter(state="failed").values_list("schedule_id", "message"))
    assert words[three[1].pk] == "It is “Archived”, and this cannot be done to it."
    assert words[broken].startswith("Something unexpected went wrong")
    assert Schedule.objects.get(pk=broken).priority == 5  # never half of it

    monkeypatch.setitem(bulk._SIMPLE, BulkVerb.PAUSE, whole)
    bulk.try_again(run=run, actor=ACTOR, now=now)
    run = bulk.step(run=run, actor=ACTOR, now=now)
    assert (run.done, run.failed) == (2, 1)


def test_undo_takes_back_what_was_done_and_only_that(three, planned, through, now):
    lifecycle.pause(schedule=three[0], actor=ACTOR, now=now)
    run = through(planned("archive"))
    assert states(three) == ["archived"] * 3

    back = bulk.step(run=bulk.undo(run=run, actor=ACTOR, now=now), actor=ACTOR, now=now)

    assert (back.verb, back.done) == ("restore", 3)
    assert states(three) == ["paused", "active", "active"]  # each as it was
    assert Job.objects.filter(state="pending").count() == 3
    with pytest.raises(IllegalTransition, match="already"):
        bulk.undo(run=run, actor=ACTOR, now=now)
    with pytest.raises(Refused, match="cannot be taken back"):
        bulk.undo(run=through(planned("clone", three)), actor=ACTOR, now=now)


def test_a_label_is_put_on_and_taken_off_where_it_was_put_on(three, planned, through, now):
    through(planned("label", three[:1], label="launch"))
    run = through(planned("label", three, label="launch"))

    assert (run.done, run.failed) == (2, 1)
    assert [row.content.labels for row in Schedule.objects.order_by("pk")] == [["launch"]] * 3
    bulk.step(run=bulk.undo(run=run, actor=ACTOR, now=now), actor=ACTOR, now=now)
    assert [row.content.labels for row in Schedule.objects.order_by("pk")] == [["launch"], [], []]
    with pytest.raises(Refused, match="label"):
        planned("label", three, label="")


def test_a_shift_moves_times_and_jobs_and_back(three, planned, through, now):
    run = through(planned("shift", three[:2], by=HOUR))

    assert run.done == 2
    assert list(Schedule.objects.order_by("pk").values_list("start_local", flat=True)) == [
        datetime(2026, 11, 24, 10),
        datetime(2026, 11, 24, 11),
        datetime(2026, 11, 24, 11),
    ]
    times = Job.objects.filter(state="pending", schedule=three[0]).values_list("scheduled_for", flat=True)
    assert [f"{at:%H:%M}" for at in times] == ["09:00"]  # 10:00 in Berlin

    bulk.step(run=bulk.undo(run=run, actor=ACTOR, now=now), actor=ACTOR, now=now)
    assert Schedule.objects.get(pk=three[0].pk).start_local == datetime(2026, 11, 24, 9)


def test_a_shifted_rule_keeps_its_edits_accounts_and_all_else(workspace, account, now):
    row = make_schedule(
        workspace, [account], now, rule_kind="rrule", expression="FREQ=DAILY", timezone="Europe/Berlin",
        start_local=datetime(2026, 11, 24, 9), priority=3, max_attempts=7, tags=("eu",),
    )  # fmt: skip
    lifecycle.skip_occurrence(schedule=row, nominal_local=datetime(2026, 11, 25, 9), actor=ACTOR, now=now)
    row.refresh_from_db()

    with pytest.raises(Refused, match="while you were editing"):
        shifting.shift(schedule=row, by=HOUR, version=row.version - 1, actor=ACTOR, now=now)
    shifting.shift(schedule=Schedule.objects.get(pk=row.pk), by=HOUR, actor=ACTOR, now=now)

    row = Schedule.objects.get(pk=row.pk)
    assert (row.start_local, row.priority, row.max_attempts, row.tags) == (datetime(2026, 11, 24, 10), 3, 7, ["eu"])
    assert [item.nominal_local for item in ScheduleException.objects.all()] == [datetime(2026, 11, 25, 10)]
    assert row.targets.count() == 1
    assert {f"{at:%d %H:%M}" for at in Job.objects.pending().values_list("scheduled_for", flat=True)} == {"24 09:00"}


@pytest.mark.parametrize(
    ("by", "words"),
    [(timedelta(0), "by how much"), (timedelta(seconds=30), "whole minutes"), (timedelta(days=400), "a year")],
)
def test_a_shift_that_is_none_is_refused(three, planned, by, words):
    with pytest.raises(Refused, match=words):
        planned("shift", three, by=by)


def test_a_rule_that_cannot_move_as_a_whole_says_so(workspace, account, now):
    row = make_schedule(
        workspace, [account], now, rule_kind="cron", expression="0,30 8-18 * * 1-5", timezone="Europe/Berlin",
        start_local=datetime(2026, 11, 23, 0),
    )  # fmt: skip
    with pytest.raises(Refused, match="different hours"):
        shifting.shift(schedule=row, by=timedelta(minutes=45), actor=ACTOR, now=now)
    row.refresh_from_db()
    assert row.expression == "0,30 8-18 * * 1-5"


def test_plans_that_nobody_confirmed_and_old_runs_are_forgotten(three, planned, through, people, workspace, now):
    planned("pause")
    through(planned("pause"))
    order, all_of_them = Order(verb=BulkVerb.RESUME), Schedule.objects.filter(workspace=workspace)

    bulk.plan(
        person=people.owner,
        workspace=workspace,
        chosen=all_of_them,
        order=order,
        now=now + retention.kept("bulk runs") + HOUR,
    )

    assert (BulkRun.objects.count(), BulkItem.objects.count()) == (1, 3)
