"""R12 to R16: punctual, never early, at a cost that knows neither history nor what is on hold, one account in order."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection

from alwrity_scheduler.core import clock
from platforms.services import accounts
from schedules.engine import duties, loop, work
from schedules.engine.wakeup import Listener, announce
from schedules.models import Attempt, Job, Occurrence
from schedules.services import jobs
from tests.engine import claim_due, run_due
from tests.people import ACTOR, make_account, make_schedule
from tests.rules.conftest import until

DENSE = {"rule_kind": "cron", "expression": "* * * * *"}


def crowd(schedule, account, count, since, **values):
    """`count` jobs of one schedule, a second apart from `since`."""
    times = [since + timedelta(seconds=number) for number in range(count)]
    rows = Occurrence.objects.bulk_create(
        Occurrence(schedule=schedule, nominal_at=at, nominal_local=at.replace(tzinfo=None), fires_at=at, tzdata_version="x")
        for at in times
    )  # fmt: skip
    return Job.objects.bulk_create(
        Job(
            workspace_id=schedule.workspace_id, schedule=schedule, occurrence=row, account=account, serial_key=account.pk,
            scheduled_for=row.fires_at, run_at=row.fires_at, created_at=since, deadline_at=row.fires_at + timedelta(days=9),
            **values,
        )
        for row in rows
    )  # fmt: skip


def plan_of(queryset):
    """The database's plan with fresh statistics."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE schedules_job")
    return queryset.explain()


def test_r12_r15_the_loop_sleeps_until_just_ahead_of_the_next_time_and_a_second_at_most(today, engine, monkeypatch):
    monkeypatch.setattr(duties, "duties", type(duties.duties)("duty"))
    schedule = make_schedule(
        today.workspace,
        today.accounts[:1],
        today.now,
        start_local=(today.now + timedelta(hours=1)).replace(tzinfo=None),
    )
    monkeypatch.setattr(clock, "monotonic", lambda: 1000.0)
    monkeypatch.setattr(clock, "database_now", lambda: today.now)
    monkeypatch.setattr(loop, "look", lambda models: replace(work.look(models), now=today.now))

    far = engine._turn()
    Job.objects.filter(schedule=schedule).update(run_at=today.now + timedelta(milliseconds=450))
    near = engine._turn()

    assert far == 1.0
    assert near == pytest.approx(0.4)


def test_r12_publish_now_from_another_session_wakes_the_loop(today, engine, platform, beside):
    """By LISTEN and NOTIFY on PostgreSQL, by `PRAGMA data_version` on SQLite."""
    woken = threading.Event()
    listener = Listener(woken.set)
    schedule = make_schedule(
        today.workspace,
        today.accounts[:1],
        today.now,
        start_local=(today.now + timedelta(hours=1)).replace(tzinfo=None),
    )
    listener.start()
    try:
        for _ in range(100):  # until it listens: what is announced before that is not heard, and need not be
            beside(jobs.run_now, job=Job.objects.get(schedule=schedule), actor=ACTOR, now=clock.database_now()).join()
            if woken.wait(0.05):
                break
    finally:
        listener.stop()
        listener.join(10)

    assert woken.is_set()


def test_r13_no_attempt_is_older_than_its_time_by_the_databases_clock(today, engine, platform):
    for account in today.accounts:
        make_schedule(today.workspace, [account], today.now)
    soon = clock.database_now() + loop.AHEAD
    Job.objects.update(run_at=soon, scheduled_for=soon)
    called = []
    platform.on_call = lambda publication: called.append(clock.database_now())

    def all_are_out():
        engine._sleep(0.01)
        engine.run_pass(clock.database_now())
        return len(called) == 3

    until(all_are_out, "the posts")
    assert min(called) >= soon
    assert {at >= soon for at in Attempt.objects.values_list("started_at", flat=True)} == {True}


def test_r14_with_history_the_plan_still_reads_the_partial_index(workspace, account, now):
    """Statistics are fresh and nothing is forbidden to the planner: it takes job_due of its own accord."""
    schedule = make_schedule(workspace, [account], now, state="draft")
    crowd(schedule, account, 3000, now - timedelta(days=2), state="failed")
    crowd(schedule, account, 3000, now + timedelta(days=2))

    due = plan_of(work.due(Job.objects, now)[:200])
    following = plan_of(Job.objects.filter(state="pending").order_by("run_at", "id").values_list("run_at")[:1])

    for plan in (due, following):
        assert "job_due" in plan
        assert "Seq Scan" not in plan
        assert "SCAN schedules_job\n" not in f"{plan}\n"


def test_r14b_thousands_on_hold_are_out_of_the_due_index_and_delay_no_other(
    workspace, account, platform, now, django_assert_max_num_queries
):
    """One look puts all due posts of a paused account on hold; then neither plan nor queries of the others meet them."""
    other = make_account(workspace, now, name="Other", platform="scripted")
    schedule = make_schedule(workspace, [account], now, state="draft")
    type(schedule).objects.update(state="active")
    crowd(schedule, account, 5000, now - timedelta(hours=2), reason="by_person")
    accounts.pause(account=account, actor=ACTOR, now=now)
    claim_due(now)
    make_schedule(workspace, [other], now)

    assert Job.objects.filter(state="blocked").count() == 5000
    assert work.due(Job.objects, now).count() == 1
    assert "job_due" in plan_of(work.due_window(Job.objects, now, 200))
    with django_assert_max_num_queries(30):
        assert [task.publication.account.name for _, _, task in claim_due(now)] == ["Other"]


def test_r14b_posts_behind_an_exhausted_quota_wait_outside_of_the_due_rows(workspace, platform, now):
    account = make_account(workspace, now, platform="scripted", hourly_cap=1)
    schedule = make_schedule(workspace, [account], now, state="draft")
    type(schedule).objects.update(state="active")
    crowd(schedule, account, 400, now - timedelta(minutes=20), reason="by_person")

    run_due(now)
    claim_due(now)

    assert len(platform.calls) == 1
    assert not work.due(Job.objects, now).exists()
    assert set(Job.objects.filter(state="pending").values_list("reason", flat=True)) == {"waiting"}


def test_r15_with_every_waker_dead_the_poll_publishes(today, platform, beside):
    """No listener, no APScheduler, nobody who announces: only the loop."""
    engine = loop.Loop(threads=2, lease=timedelta(seconds=60))
    runner = beside(engine.run, stop_seconds=10)
    until(lambda: engine.heart._beat_at, "the loop's first turn")

    make_schedule(today.workspace, today.accounts[:1], clock.database_now())
    until(lambda: Job.objects.filter(state="completed").exists(), "the post")
    engine.stop()
    runner.join(20)

    assert len(platform.calls) == 1


def test_r16_a_long_queue_of_one_account_hides_no_other(workspace, account, platform, now):
    """More rows than one look takes in are due for one account, all before the other account's."""
    other = make_account(workspace, now, name="Other", platform="scripted")
    make_schedule(workspace, [account], now - timedelta(hours=8), **DENSE)
    make_schedule(workspace, [other], now)
    assert work.due(Job.objects, now).count() > work.WINDOW_LEAST * 2

    lease = work.Lease("one", timedelta(minutes=1))
    taken = work.claim(Job, now=now, limit=16, lease=lease, arm=lambda claims, at: [(item, None) for item in claims])

    names = Job.objects.filter(pk__in=[item.id for item, _ in taken.tasks]).values_list("account__name", flat=True)
    assert sorted(names) == ["News", "Other"]


def test_r16_a_hanging_platform_keeps_no_other_account_waiting(today, engine, platform):
    go_on = threading.Event()
    platform.on_call = lambda publication: publication.account.name != "One" or go_on.wait(20)
    for account in today.accounts:
        for _ in range(2):
            make_schedule(today.workspace, [account], today.now)

    def others_are_out():
        engine._sleep(0.05)
        engine.run_pass(clock.database_now())
        return Job.objects.filter(state="completed").count() == 4

    until(others_are_out, "the posts of the other two accounts")
    states = sorted(Job.objects.filter(account=today.accounts[0]).values_list("state", flat=True))
    go_on.set()
    engine.drain()

    assert states == ["pending", "running"]
    assert set(Job.objects.values_list("state", flat=True)) == {"completed"}


def test_r15_an_announcement_that_nobody_hears_is_no_error(today):
    announce()
