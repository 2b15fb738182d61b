"""R30 to R35: how retries wait, what a lost sign-in and a pause hold back, cancelling to the last moment, failing for good."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.errors import IllegalTransition
from platforms.errors import AuthFailed, RateLimited, Rejected, Unavailable
from platforms.services import accounts
from schedules.engine import loop
from schedules.engine.lastlook import NOTICE
from schedules.models import Attempt, AuditLog, Job
from schedules.services import control, holds, jobs, lifecycle, outcomes
from tests.engine import claim_due, run_due
from tests.people import ACTOR, make_account, make_schedule
from tests.rules.conftest import until


def job() -> Job:
    return Job.objects.get()


@pytest.mark.parametrize(("failures", "ceiling"), [(1, 10), (2, 20), (3, 40), (4, 60), (5, 60)])
def test_r30_the_wait_is_a_random_share_of_a_ceiling_that_doubles_up_to_the_cap(
    workspace, account, platform, now, monkeypatch, failures, ceiling
):
    monkeypatch.setattr(outcomes.dice, "random", lambda: 0.5)
    platform.script = [Unavailable("Nobody answers.")] * failures
    make_schedule(workspace, [account], now, max_attempts=9, retry_base_seconds=10, retry_cap_seconds=60)

    at = now
    for _ in range(failures):
        at = job().run_at
        run_due(at)

    assert job().run_at - at == timedelta(seconds=ceiling / 2)


def test_r30_a_snooze_costs_no_attempt_and_ends_at_the_deadline(workspace, account, platform, now):
    platform.script = [RateLimited("Later.", retry_after_seconds=3600)] * 99
    make_schedule(workspace, [account], now, max_attempts=2, deadline_seconds=6 * 3600)

    for hour in range(10):
        run_due(now + timedelta(hours=hour, minutes=hour))

    assert (job().state, job().reason, job().tries) == ("failed", "deadline", 0)
    assert 1 < len(platform.calls) <= 6


def test_r31_a_lost_sign_in_is_one_call_one_notice_and_its_posts_resume_in_order(workspace, platform, now):
    account = make_account(workspace, now, platform="scripted")
    platform.script = [AuthFailed("The token was revoked.")]
    for minute in (2, 0, 1):
        start = (now + timedelta(minutes=minute)).replace(tzinfo=None)
        make_schedule(workspace, [account], now, text=f"minute {minute}", start_local=start)
    later = now + timedelta(minutes=5)

    for _ in range(3):
        run_due(later)
    held = set(Job.objects.values_list("state", "reason"))
    calls = len(platform.calls)
    account.refresh_from_db()
    accounts.reconnect(account=account, actor=ACTOR, now=later)
    holds.release_held(now=later)
    run_due(later)

    assert (held, calls) == ({("blocked", "auth")}, 1)
    assert AuditLog.objects.filter(action="account.auth_lost").count() == 1
    assert [call.text for call in platform.calls[1:]] == ["minute 0", "minute 1", "minute 2"]


def test_r33_a_pause_of_everything_is_heard_by_the_next_pass_and_calls_under_way_finish(today, engine, platform):
    go_on = threading.Event()
    platform.on_call = lambda publication: go_on.wait(20)
    for account in today.accounts[:2]:
        make_schedule(today.workspace, [account], today.now)
    Job.objects.filter(account=today.accounts[1]).update(run_at=clock.database_now() + timedelta(hours=1))
    engine.run_pass(clock.database_now())
    control.pause_everything(actor=ACTOR, now=clock.database_now())
    Job.objects.filter(account=today.accounts[1]).update(run_at=today.now)

    counts = engine.run_pass(clock.database_now())
    go_on.set()
    until(lambda: engine.run_pass(clock.database_now()).finished, "the call under way")
    stands = sorted(Job.objects.values_list("state", flat=True))
    control.resume_everything(actor=ACTOR, now=clock.database_now())
    engine.drain()

    # passes are a second apart at most (R15), so a pause takes effect within one
    assert counts.claimed == 0
    assert stands == ["completed", "pending"]
    assert set(Job.objects.values_list("state", flat=True)) == {"completed"}


@pytest.mark.parametrize("days", [1, 30])
def test_r33_after_a_long_pause_each_time_in_between_stands_with_its_reason(workspace, account, platform, now, days):
    schedule = make_schedule(workspace, [account], now, rule_kind="cron", expression="0 8 * * *")
    lifecycle.pause(schedule=schedule, actor=ACTOR, now=now)
    later = now + timedelta(days=days, minutes=10)

    run_due(later)
    lifecycle.resume(schedule=schedule, actor=ACTOR, now=later)
    run_due(later)

    states = list(Job.objects.filter(scheduled_for__lte=later).order_by("run_at").values_list("state", "reason"))
    assert states == [("missed", "coalesced")] * days + [("completed", "")]


def test_r34_a_waiting_post_is_cancelled_at_once(workspace, account, platform, now):
    make_schedule(workspace, [account], now)

    jobs.cancel(job=job(), actor=ACTOR, now=now)
    run_due(now)

    assert (job().state, platform.calls) == ("cancelled", [])


def claimed_ahead(today, engine, monkeypatch, account, seconds):
    """One post that is claimed, and whose time comes in `seconds`. Returns the job."""
    monkeypatch.setattr(loop, "AHEAD", timedelta(seconds=30))
    schedule = make_schedule(today.workspace, [account], today.now)
    Job.objects.filter(schedule=schedule).update(run_at=clock.database_now() + timedelta(seconds=seconds))
    engine.run_pass(clock.database_now())
    row = Job.objects.get(schedule=schedule)
    assert row.state == "running"
    return row


def finished(engine):
    engine.run_pass(clock.database_now())
    return engine.dispatcher.in_flight() == 0


def test_r34_a_claimed_post_whose_time_has_not_come_is_taken_back(today, engine, platform, monkeypatch):
    """Honoured at the last look before the call: nothing is sent, the slot of the account is given back."""
    account = make_account(today.workspace, today.now, name="Spaced", platform="scripted", min_spacing_seconds=600)
    row = claimed_ahead(today, engine, monkeypatch, account, seconds=0.6)

    jobs.cancel(job=row, actor=ACTOR, now=clock.database_now())
    until(lambda: finished(engine), "the last look")

    row.refresh_from_db()
    assert (row.state, row.reason, platform.calls) == ("cancelled", "by_person", [])
    assert Attempt.objects.values_list("outcome", "called_at").get() == ("not_called", None)
    account.refresh_from_db()
    assert account.next_slot_at <= clock.database_now()
    assert AuditLog.objects.get(action="job.cancelled").before == {"state": "running"}


@pytest.mark.parametrize("before_ms", [60, 30, 18, 16, 14, 8, 0])
def test_r34_around_the_last_look_either_it_is_cancelled_or_it_is_sent_never_both(
    today, engine, platform, monkeypatch, before_ms
):
    row = claimed_ahead(today, engine, monkeypatch, today.accounts[0], seconds=0.3)
    pause = (row.run_at - clock.database_now()).total_seconds() - before_ms / 1000
    threading.Event().wait(max(pause, 0))

    try:
        jobs.cancel(job=row, actor=ACTOR, now=clock.database_now())
        cancelled = True
    except IllegalTransition:
        cancelled = False
    until(lambda: finished(engine), "the end")

    row.refresh_from_db()
    assert (row.state, len(platform.calls)) == (("cancelled", 0) if cancelled else ("completed", 1))
    if before_ms < NOTICE.total_seconds() * 1000:
        assert not cancelled


def test_r34_without_a_word_from_the_database_nothing_is_sent_and_the_post_is_due_again(
    today, engine, platform, monkeypatch
):
    from django.db import OperationalError

    from schedules.engine import lastlook

    def fail(*_, **__):
        raise OperationalError("gone")

    monkeypatch.setattr(lastlook, "still_held", fail)
    row = claimed_ahead(today, engine, monkeypatch, today.accounts[0], seconds=0.2)
    monkeypatch.setattr(loop, "AHEAD", timedelta())

    until(lambda: engine.dispatcher._ended.qsize(), "the last look")
    engine.results.write()

    row.refresh_from_db()
    assert (row.state, platform.calls) == ("pending", [])
    assert Attempt.objects.get().outcome == "not_called"


def test_r34_during_the_call_it_is_too_late_and_one_is_told_to_delete_it_there(workspace, account, platform, now):
    make_schedule(workspace, [account], now)
    [(kind, claim, task)] = claim_due(now)

    with pytest.raises(IllegalTransition, match=r"too late.*delete it at the platform"):
        jobs.cancel(job=job(), actor=ACTOR, now=now)
    kind.finish([(claim, task, kind.perform(task))], now)
    with pytest.raises(IllegalTransition, match=r"Delete it at the platform: https://x.test/1"):
        jobs.cancel(job=job(), actor=ACTOR, now=now)

    assert job().state == "completed"


def test_r35_a_post_that_failed_for_good_keeps_every_attempt_and_can_be_tried_again(workspace, account, platform, now):
    platform.script = [Unavailable("One."), Unavailable("Two."), Rejected("Three.")]
    make_schedule(workspace, [account], now, max_attempts=2)
    for hour in range(2):
        run_due(now + timedelta(hours=hour))
    failed = (job().state, job().reason)

    jobs.retry(job=job(), actor=ACTOR, now=now + timedelta(days=2))
    run_due(now + timedelta(days=2))
    jobs.retry(job=job(), actor=ACTOR, now=now + timedelta(days=3))
    run_due(now + timedelta(days=3))

    assert failed == ("failed", "exhausted")
    assert job().state == "completed"
    told = list(Attempt.objects.order_by("no").values_list("no", "outcome", "message"))
    assert [number for number, _, _ in told] == [1, 2, 3, 4]
    assert [outcome for _, outcome, _ in told] == ["unavailable", "unavailable", "rejected", "published"]
    assert AuditLog.objects.filter(action="job.retried", actor_label="ana").count() == 2
