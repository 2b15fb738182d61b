"""R1 to R5 and R10: one job for each time and account, whoever plans, whatever the clock does, whoever edits meanwhile."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections

from alwrity_scheduler.core.errors import StaleVersion
from schedules.engine.kinds import kinds
from schedules.engine.work import Lease, claim
from schedules.models import AuditLog, Job, Occurrence, Schedule
from schedules.reads import runs
from schedules.services import lifecycle, materialise
from schedules.services.plans import SchedulePlan, TargetPlan
from schedules.services.schedules import update_schedule
from tests.engine import LEASE, claim_due, run_due
from tests.people import ACTOR, make_account, make_people, make_schedule
from tests.rules.conftest import until
from tests.rules.inside import Nursery

HOURLY = {"rule_kind": "cron", "expression": "0 * * * *"}


@pytest.mark.processes
@pytest.mark.xdist_group("nursery")
def test_r1_r2_ten_planners_make_each_job_once_and_killed_ones_lose_none(nursery: Nursery) -> None:
    """R1: ten planners in five processes go through the same hour. R2: others, killed at any moment, go through the day."""
    nursery.ask("seed", schedules=2, expression="*/5 * * * *", accounts=2)

    planners = [nursery.start("plan", planners=2, hours=1, step_minutes=10) for _ in range(5)]
    made = sum(process.answer() for process in planners)
    after_an_hour = nursery.ask("planned")
    dice = random.Random(3)
    for hour in range(1, 7):
        process = nursery.start("plan", planners=2, hours=24, step_minutes=60, since_minutes=hour * 60)
        threading.Event().wait(dice.uniform(0.0, 0.05))
        process.kill()
    nursery.ask("plan", planners=1, hours=24, step_minutes=12 * 60)
    after_a_day = nursery.ask("planned")

    assert after_an_hour["distances"] == after_a_day["distances"] == [-1, 300]
    assert after_an_hour["jobs"] == after_an_hour["occurrences"] * 2 == made
    assert after_a_day["jobs"] == after_a_day["occurrences"] * 2
    # 26 hours of two schedules
    assert after_a_day["occurrences"] == 2 * 26 * 12


def test_r2_a_planner_that_fails_half_way_leaves_all_or_nothing(workspace, account, now, monkeypatch):
    schedule = make_schedule(workspace, [account], now, **HOURLY)
    before = schedule.planned_until
    monkeypatch.setattr(materialise, "_job_rows", lambda *_: 1 / 0)  # the occurrences stand already

    with pytest.raises(ZeroDivisionError):
        materialise.extend_horizon(now=now + timedelta(days=2))

    assert Schedule.objects.get().planned_until == before
    assert Occurrence.objects.count() == Job.objects.count() == 48


def test_r3_rows_stand_two_days_ahead_and_what_a_calendar_shows_beyond_is_computed(workspace, account, now):
    schedule = make_schedule(workspace, [account], now, **HOURLY)

    far = runs.next_runs(materialise.rule_of(schedule), now=now + timedelta(days=30), count=5)

    assert len(far) == 5
    assert Occurrence.objects.latest("nominal_at").nominal_at == now + timedelta(hours=47)
    assert Occurrence.objects.count() == 48


def test_r4_a_clock_set_back_by_an_hour_repeats_nothing(workspace, account, platform, now):
    make_schedule(workspace, [account], now, **HOURLY)
    run_due(now + timedelta(hours=1))
    before = Job.objects.count()

    for minutes in (30, 0, 45, 60):
        materialise.extend_horizon(now=now + timedelta(minutes=minutes))
        run_due(now + timedelta(minutes=minutes))

    assert Job.objects.count() == before
    assert [call.scheduled_for for call in platform.calls] == [now + timedelta(hours=1)]


def test_r4_a_clock_set_forward_runs_what_became_due_once_by_its_catch_up_rule(workspace, account, platform, now):
    make_schedule(workspace, [account], now, **HOURLY)

    for _ in range(2):
        materialise.extend_horizon(now=now + timedelta(hours=6))
        run_due(now + timedelta(hours=6))

    states = list(Job.objects.order_by("scheduled_for").values_list("state", "reason")[:8])
    assert states == [("missed", "coalesced")] * 6 + [("completed", ""), ("pending", "")]
    assert len(platform.calls) == 1


def edit(schedule, account, now, expression="30 * * * *", since=None):
    plan = SchedulePlan(
        rule_kind="cron", expression=expression, timezone="UTC", start_local=(since or now).replace(tzinfo=None),
        targets=(TargetPlan(account_id=str(account.public_id)),),
    )  # fmt: skip
    return update_schedule(schedule=schedule, plan=plan, version=schedule.version, actor=ACTOR, now=now)


@pytest.mark.django_db(transaction=True)
def test_r5_an_edit_while_a_post_is_being_claimed_leaves_that_one_as_it_was(platform, now, beside):
    """The claim holds its rows; the edit comes at that moment. What was claimed goes out as it was and keeps its rows."""
    room = make_people(now).workspace
    account = make_account(room, now, platform="scripted")
    schedule = make_schedule(room, [account], now + timedelta(minutes=1), **HOURLY)
    due = Job.objects.earliest("run_at")
    claimed, may_commit, tasks = threading.Event(), threading.Event(), []

    def arm(claims, at):
        armed = kinds["publish"].arm(claims, at)
        claimed.set()
        may_commit.wait(20)
        return armed

    def take():
        tasks.extend(claim(Job, now=due.run_at, limit=1, lease=Lease("one", LEASE), arm=arm).tasks)

    beside(take)
    assert claimed.wait(20)
    editor = beside(edit, schedule, account, now)
    _until_waiting(editor)
    may_commit.set()
    editor.join(20)
    until(lambda: tasks, "the claim")
    [(item, task)] = tasks
    kinds["publish"].finish([(item, task, kinds["publish"].perform(task))], now)

    assert Job.objects.get(pk=due.pk).state == "completed"
    assert Job.objects.get(pk=due.pk).attempts.count() == 1
    assert not Job.objects.filter(scheduled_for__minute=0).exclude(pk=due.pk).exists()
    assert AuditLog.objects.filter(action="schedule.edited").count() == 1


def _until_waiting(thread: threading.Thread) -> None:
    """On PostgreSQL until a session waits for another one's lock; SQLite queues writers by itself."""
    if connection.vendor != "postgresql":
        threading.Event().wait(0.05)
        return

    def waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return cursor.fetchone()[0] > 0 or not thread.is_alive()

    until(waits, "the edit to wait for the claim")


@pytest.mark.django_db(transaction=True)
def test_r5_of_an_edit_and_a_claim_exactly_one_comes_first_each_time(platform, now, beside):
    """Whoever wins, the post goes out once: as it was, or at its new time; never both, never neither."""
    room = make_people(now).workspace
    account = make_account(room, now, platform="scripted")
    for _ in range(4):
        schedule = make_schedule(room, [account], now + timedelta(hours=1), **HOURLY)
        at = now + timedelta(hours=1)
        line, won = threading.Barrier(2), []

        def take(line=line, won=won, at=at):
            line.wait(20)
            won += claim_due(at)

        def change(line=line, schedule=schedule, at=at):
            line.wait(20)
            edit(schedule, account, now, since=at)

        threads = [beside(take), beside(change)]
        for thread in threads:
            thread.join(20)
        as_it_was = Job.objects.filter(schedule=schedule, scheduled_for=at).values_list("state", flat=True)
        assert list(as_it_was) == (["running"] if won else [])
        assert Job.objects.filter(schedule=schedule, scheduled_for=at + timedelta(minutes=30)).count() == 1
        Job.objects.all().delete()
    connections.close_all()


def test_r5_of_two_edits_of_the_same_version_the_second_is_told_so(workspace, account, now):
    schedule = make_schedule(workspace, [account], now, **HOURLY)
    again = Schedule.objects.get(pk=schedule.pk)
    edit(schedule, account, now)

    with pytest.raises(StaleVersion):
        edit(again, account, now, "45 * * * *")

    assert {at.minute for at in Job.objects.filter(scheduled_for__gt=now).values_list("scheduled_for", flat=True)} == {
        30
    }


def test_r5_the_history_tells_both_rules_and_how_many_jobs_were_replaced(workspace, account, now):
    """Why replaced jobs need not stay as rows: a time that has not come is derived from the rule (R6)."""
    schedule = make_schedule(workspace, [account], now, **HOURLY)

    edit(schedule, account, now)

    fact = AuditLog.objects.get(action="schedule.edited")
    assert (fact.before["expression"], fact.after["expression"]) == ("0 * * * *", "30 * * * *")
    assert fact.after["jobs_replaced"] == 47


def test_r10_a_move_by_new_zone_rules_is_told_with_old_and_new_times(workspace, account, now):
    """The version stands on each occurrence; what moved is a fact of the schedule, and its page lists it."""
    nine = datetime(2026, 11, 23, 9)
    schedule = make_schedule(workspace, [account], now, timezone="Europe/Berlin", start_local=nine, **HOURLY)
    row = Occurrence.objects.latest("nominal_at")
    was = row.fires_at + timedelta(minutes=20)
    Occurrence.objects.filter(pk=row.pk).update(nominal_at=was, fires_at=was, tzdata_version="2020.1")
    Job.objects.filter(occurrence=row).update(run_at=was, scheduled_for=was)
    Schedule.objects.update(tzdata_version="2020.1")

    materialise.adopt_tzdata(now=now)

    fact = AuditLog.objects.of("schedule", schedule.public_id).get(action="schedule.retimed")
    assert fact.before["tzdata"] == "2020.1"
    assert (len(fact.before["times"]), len(fact.after["times"])) == (1, 1)
    assert Occurrence.objects.get(pk=row.pk).tzdata_version == materialise.TZDATA
    assert Job.objects.get(occurrence=row).run_at == row.fires_at


def test_r11_two_moved_to_the_same_moment_make_one_job(workspace, account, now):
    schedule = make_schedule(workspace, [account], now, **HOURLY)
    for hour in (10, 11):
        lifecycle.move_occurrence(
            schedule=schedule, nominal_local=datetime(2026, 11, 23, hour), to_local=datetime(2026, 11, 23, 12, 30),
            actor=ACTOR, now=now,
        )  # fmt: skip

    assert Job.objects.filter(account=account, scheduled_for=datetime(2026, 11, 23, 12, 30, tzinfo=UTC)).count() == 1
