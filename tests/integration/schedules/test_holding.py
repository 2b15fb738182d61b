"""Pause, cancel, retry, publish now, confirm: ENGINE R14b, R33-R36."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alwrity_scheduler.core.errors import IllegalTransition, Refused
from alwrity_scheduler.workspaces import services as workspaces
from platforms.errors import Rejected, UnknownOutcome
from platforms.services import accounts
from schedules.models import AuditLog, Job, JobCheck
from schedules.services import control, holds, jobs, lifecycle
from tests.engine import claim_due, run_due
from tests.people import ACTOR, make_schedule


def job() -> Job:
    return Job.objects.get()


def hold_schedule(schedule, now, *, paused):
    verb = lifecycle.pause if paused else lifecycle.resume
    schedule.refresh_from_db()
    verb(schedule=schedule, actor=ACTOR, now=now)


def hold_account(schedule, now, *, paused):
    account = schedule.targets.get().account
    verb = accounts.pause if paused else accounts.resume
    verb(account=account, actor=ACTOR, now=now)


def hold_workspace(schedule, now, *, paused):
    workspaces.set_workspace_paused(workspace=schedule.workspace, paused=paused, actor=ACTOR, now=now)


@pytest.mark.parametrize(
    ("hold", "reason"),
    [(hold_schedule, "schedule_paused"), (hold_account, "account_paused"), (hold_workspace, "workspace_paused")],
)
def test_r33_a_pause_holds_what_is_due_and_its_end_lets_it_go(workspace, account, platform, now, hold, reason):
    schedule = make_schedule(workspace, [account], now)
    hold(schedule, now, paused=True)

    run_due(now)
    assert (job().state, job().reason, platform.calls) == ("blocked", reason, [])
    hold(schedule, now, paused=False)
    holds.release_held(now=now)
    run_due(now)

    assert job().state == "completed"


def test_r14b_one_look_takes_all_due_posts_of_a_paused_account_out_of_the_due_index(workspace, account, platform, now):
    for _ in range(5):
        make_schedule(workspace, [account], now)
    accounts.pause(account=account, actor=ACTOR, now=now)

    assert claim_due(now) == []

    assert set(Job.objects.values_list("state", flat=True)) == {"blocked"}
    assert set(Job.objects.values_list("lease_token", flat=True)) == {0}  # none was held


def test_pausing_everything_is_one_switch_and_leaves_its_trace(workspace, account, now):
    control.pause_everything(actor=ACTOR, now=now)
    control.pause_everything(actor=ACTOR, now=now)
    assert control.is_paused()

    control.resume_everything(actor=ACTOR, now=now)

    assert not control.is_paused()
    facts = AuditLog.objects.filter(object_type="engine").order_by("id").values_list("action", flat=True)
    assert list(facts) == ["engine.paused", "engine.resumed"]


def test_r34_a_pending_post_can_be_cancelled_and_a_running_one_cannot(workspace, account, platform, now):
    for _ in range(2):
        make_schedule(workspace, [account], now)
    [(kind, claim, task)] = claim_due(now)
    waiting = Job.objects.get(state="pending")

    jobs.cancel(job=waiting, actor=ACTOR, now=now)
    with pytest.raises(IllegalTransition, match="It is publishing now"):
        jobs.cancel(job=Job.objects.get(pk=claim.id), actor=ACTOR, now=now)
    kind.finish([(claim, task, kind.perform(task))], now)

    assert sorted(Job.objects.values_list("state", flat=True)) == ["cancelled", "completed"]


def test_r35_a_failed_post_can_be_retried_with_its_history_kept(workspace, account, platform, now):
    platform.script = [Rejected("No.")]
    make_schedule(workspace, [account], now)
    run_due(now)

    jobs.retry(job=job(), actor=ACTOR, now=now + timedelta(days=3))
    run_due(now + timedelta(days=3))

    assert job().state == "completed"
    assert list(job().attempts.order_by("no").values_list("no", "outcome")) == [(1, "rejected"), (2, "published")]


def test_a_completed_post_cannot_be_retried(workspace, account, platform, now):
    make_schedule(workspace, [account], now)
    run_due(now)

    with pytest.raises(IllegalTransition):
        jobs.retry(job=job(), actor=ACTOR, now=now)


def test_r36_publish_now_is_an_extra_run_with_an_identity_of_its_own(workspace, account, platform, now):
    schedule = make_schedule(workspace, [account], now, rule_kind="cron", expression="0 12 * * *")

    jobs.publish_now(schedule=schedule, actor=ACTOR, now=now + timedelta(seconds=1))
    run_due(now + timedelta(seconds=1))

    assert len(platform.calls) == 1
    assert Job.objects.filter(state="pending", scheduled_for=now + timedelta(hours=4)).count() == 1
    assert Job.objects.get(state="completed").occurrence.cause == "manual"


def test_run_now_does_not_wait_for_the_time(workspace, account, platform, now):
    make_schedule(workspace, [account], now, start_local=(now + timedelta(days=1)).replace(tzinfo=None))

    jobs.run_now(job=job(), actor=ACTOR, now=now)
    run_due(now)

    assert job().state == "completed"


@pytest.fixture
def unconfirmed(workspace, account, platform, now):
    platform.script = [UnknownOutcome("No answer.")]
    make_schedule(workspace, [account], now)
    run_due(now)
    return job()


def test_a_person_confirms_an_unconfirmed_post_with_its_address(unconfirmed, now):
    jobs.confirm(job=unconfirmed, remote_url="https://x.test/there", actor=ACTOR, now=now)

    assert (job().state, job().remote_url) == ("completed", "https://x.test/there")
    assert JobCheck.objects.get().state == "done"


def test_confirming_without_a_real_address_is_refused(unconfirmed, now):
    with pytest.raises(Refused) as refused:
        jobs.confirm(job=unconfirmed, remote_url="yes, I saw it", actor=ACTOR, now=now)

    assert refused.value.problems[0].field == "remote_url"
    assert job().state == "unconfirmed"


def test_a_person_sends_an_unconfirmed_post_again(unconfirmed, platform, now):
    jobs.publish_again(job=unconfirmed, actor=ACTOR, now=now)
    run_due(now)

    assert job().state == "completed"
    assert len(platform.calls) == 2


def test_a_person_gives_an_unconfirmed_post_up(unconfirmed, platform, now):
    jobs.dismiss(job=unconfirmed, actor=ACTOR, now=now)
    run_due(now + timedelta(hours=1))

    assert (job().state, len(platform.calls)) == ("failed", 1)


def test_archiving_cancels_what_is_open_and_restoring_brings_the_future_back(workspace, account, platform, now):
    schedule = make_schedule(workspace, [account], now, rule_kind="cron", expression="0 12 * * *")

    lifecycle.archive(schedule=schedule, actor=ACTOR, now=now)
    assert set(Job.objects.values_list("state", flat=True)) == {"cancelled"}
    lifecycle.restore(schedule=schedule, actor=ACTOR, now=now)
    lifecycle.resume(schedule=schedule, actor=ACTOR, now=now)
    run_due(now + timedelta(hours=4))

    assert len(platform.calls) == 1


def test_a_clone_is_a_draft_with_its_own_copy_of_the_words(workspace, account, now):
    schedule = make_schedule(workspace, [account], now)

    twin = lifecycle.clone(schedule=schedule, actor=ACTOR, now=now)

    assert (twin.state, twin.content.text, twin.targets.count()) == ("draft", "Hello", 1)
    assert twin.content_id != schedule.content_id


def test_publishing_a_single_post_now_replaces_its_time(workspace, account, platform, now):
    schedule = make_schedule(workspace, [account], now, start_local=(now + timedelta(days=1)).replace(tzinfo=None))

    jobs.publish_now(schedule=schedule, actor=ACTOR, now=now)
    run_due(now)
    run_due(now + timedelta(days=1))

    assert len(platform.calls) == 1


def test_publishing_a_recurring_draft_now_puts_it_to_work(workspace, account, platform, now):
    schedule = make_schedule(workspace, [account], now, state="draft", rule_kind="cron", expression="0 12 * * *")

    jobs.publish_now(schedule=schedule, actor=ACTOR, now=now)
    run_due(now)
    run_due(now + timedelta(hours=4))

    schedule.refresh_from_db()
    assert (schedule.state, len(platform.calls)) == ("active", 2)


def test_a_paused_schedule_says_that_it_must_be_resumed_first(workspace, account, now):
    schedule = make_schedule(workspace, [account], now, rule_kind="cron", expression="0 12 * * *")
    lifecycle.pause(schedule=schedule, actor=ACTOR, now=now)

    with pytest.raises(IllegalTransition, match="resume it first"):
        jobs.publish_now(schedule=schedule, actor=ACTOR, now=now)


def test_only_an_archived_schedule_can_be_restored(workspace, account, now):
    schedule = make_schedule(workspace, [account], now)

    with pytest.raises(IllegalTransition):
        lifecycle.restore(schedule=schedule, actor=ACTOR, now=now)
