"""What happens to a post: ENGINE R13, R16-R24, R30, R31, R35, R39."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from platforms.contracts import Accepted, Published
from platforms.errors import AuthFailed, RateLimited, Rejected, Unavailable, UnknownOutcome
from schedules.models import Attempt, AuditLog, Job, JobCheck
from tests.engine import claim_due, run_due, uninstall
from tests.people import make_account, make_schedule


def job() -> Job:
    return Job.objects.get()


def test_a_due_post_is_published_and_its_history_says_so(workspace, account, platform, now):
    make_schedule(workspace, [account], now, text="Good morning")

    run_due(now)

    assert (job().state, job().remote_id, job().remote_url) == ("completed", "r1", "https://x.test/1")
    assert [call.text for call in platform.calls] == ["Good morning"]
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.request["text"], attempt.no) == ("published", "Good morning", 1)
    assert list(AuditLog.objects.of("job", job().public_id).values_list("action", flat=True)) == ["job.completed"]


def test_r13_nothing_starts_before_its_time(workspace, account, platform, now):
    make_schedule(workspace, [account], now, start_local=(now + timedelta(minutes=5)).replace(tzinfo=None))

    run_due(now + timedelta(minutes=5) - timedelta(microseconds=1))

    assert platform.calls == []


def test_r16_one_account_publishes_in_order_and_one_at_a_time(workspace, account, platform, now):
    for minute in (2, 0, 1):
        start = (now + timedelta(minutes=minute)).replace(tzinfo=None)
        make_schedule(workspace, [account], now, text=f"minute {minute}", start_local=start)
    later = now + timedelta(minutes=3)

    assert len(claim_due(later)) == 1
    assert claim_due(later) == []
    Job.objects.filter(state="running").update(state="pending", lease_until=None)
    run_due(later)

    assert [call.text for call in platform.calls] == ["minute 0", "minute 1", "minute 2"]


def test_r16_accounts_do_not_wait_for_each_other(workspace, platform, now):
    for name in ("One", "Two", "Three"):
        make_schedule(workspace, [make_account(workspace, now, name=name, platform="scripted")], now)

    assert len(claim_due(now)) == 3


def test_among_due_posts_the_more_urgent_goes_first(workspace, account, platform, now):
    make_schedule(workspace, [account], now, text="low", priority="low")
    make_schedule(workspace, [account], now, text="urgent", priority="urgent")
    make_schedule(workspace, [account], now, text="normal")

    run_due(now)

    assert [call.text for call in platform.calls] == ["urgent", "normal", "low"]


@pytest.mark.django_db(transaction=True)
def test_r18_r21_the_attempt_is_committed_and_no_transaction_is_open_during_the_call(
    transactional_db, people, platform, now
):
    make_schedule(people.workspace, [make_account(people.workspace, now, platform="scripted")], now)
    seen = []

    def look(publication):
        seen.append((connection.in_atomic_block, Attempt.objects.filter(outcome="", called_at__isnull=False).count()))

    platform.on_call = look
    run_due(now)

    assert seen == [(False, 1)]


def test_r19_a_result_with_an_old_token_changes_nothing_but_its_attempt(workspace, account, platform, now):
    make_schedule(workspace, [account], now)
    [(kind, claim, task)] = claim_due(now)
    Job.objects.update(state="failed", lease_until=None)

    kind.finish([(claim, task, Published(remote_id="late", url="https://x.test/late"))], now)

    assert (job().state, job().remote_id) == ("failed", "")
    assert Attempt.objects.get().outcome == "published"


def test_r22_a_rejected_post_fails_with_the_platforms_words(workspace, account, platform, now):
    platform.script = [Rejected("Too long for this platform.", status_code=422, platform_message="text_too_long")]
    make_schedule(workspace, [account], now)

    run_due(now)

    assert (job().state, job().reason, job().error_message) == ("failed", "rejected", "Too long for this platform.")
    assert Attempt.objects.get().response["platform_message"] == "text_too_long"


def test_r22_a_call_that_sent_nothing_is_tried_again_later_with_the_same_key(workspace, account, platform, now):
    platform.script = [Unavailable("Nobody answers.")]
    make_schedule(workspace, [account], now)

    run_due(now)
    assert (job().state, job().reason, job().tries) == ("pending", "retry", 1)
    assert now < job().run_at <= now + timedelta(seconds=60)
    run_due(job().run_at)

    assert job().state == "completed"
    assert len({call.key for call in platform.calls}) == 1  # R24


def test_r35_after_the_last_attempt_it_has_failed_with_all_attempts_kept(workspace, account, platform, now):
    platform.script = [Unavailable("Nobody answers.")] * 3
    make_schedule(workspace, [account], now, max_attempts=3)

    for _ in range(3):
        run_due(job().run_at)

    assert (job().state, job().reason) == ("failed", "exhausted")
    assert Attempt.objects.count() == 3


def test_r23_an_unknown_outcome_is_looked_up_and_never_sent_again_when_found(workspace, account, platform, now):
    platform.script = [UnknownOutcome("No answer.")]
    platform.finds = [Published(remote_id="found", url="https://x.test/found")]
    make_schedule(workspace, [account], now)

    run_due(now)
    assert job().state == "unconfirmed"
    run_due(now + timedelta(seconds=1))

    assert (job().state, job().remote_id) == ("completed", "found")
    assert len(platform.calls) == 1
    assert platform.asked == [platform.calls[0].key]


def test_r23_absent_is_believed_when_seen_twice_and_then_it_is_sent_again(workspace, account, platform, now):
    platform.script = [UnknownOutcome("No answer.")]
    platform.finds = [None, None]
    make_schedule(workspace, [account], now, retry_base_seconds=1)

    run_due(now)
    run_due(now + timedelta(seconds=1))
    assert (job().state, len(platform.asked)) == ("unconfirmed", 1)
    run_due(now + timedelta(seconds=4))
    assert job().state == "pending"
    run_due(job().run_at)

    assert job().state == "completed"
    assert [call.key for call in platform.calls] == [platform.calls[0].key] * 2


def test_r23_a_platform_that_cannot_tell_is_asked_again_and_at_last_a_person_decides(workspace, account, platform, now):
    platform.script = [UnknownOutcome("No answer.")]
    platform.finds = [UnknownOutcome("Down.")] * 20
    make_schedule(workspace, [account], now)
    run_due(now)

    while JobCheck.objects.filter(state="pending").exists():
        run_due(JobCheck.objects.get().run_at)

    assert (job().state, job().reason, len(platform.calls)) == ("unconfirmed", "cannot_tell", 1)


def test_r23_without_a_way_to_look_up_nothing_is_sent_again(workspace, account, platform, now):
    platform.can_find = False
    platform.script = [UnknownOutcome("No answer.")]
    make_schedule(workspace, [account], now)

    run_due(now)
    run_due(now + timedelta(days=2))

    assert (job().state, len(platform.calls), JobCheck.objects.count()) == ("unconfirmed", 1, 0)


def test_r23_an_account_that_lost_its_look_up_meanwhile_is_not_sent_the_post_again(workspace, account, platform, now):
    platform.script = [UnknownOutcome("No answer.")]
    make_schedule(workspace, [account], now)
    run_due(now)
    platform.can_find = False

    run_due(now + timedelta(seconds=1))

    assert (job().state, len(platform.calls)) == ("unconfirmed", 1)
    assert JobCheck.objects.get().state == "pending"


def test_r23_where_replays_are_harmless_the_same_key_is_sent_again(workspace, account, platform, now):
    platform.can_find, platform.replays = False, True
    platform.script = [UnknownOutcome("No answer."), Published(remote_id="r", url="https://x.test/r", already=True)]
    make_schedule(workspace, [account], now)

    run_due(now)
    run_due(now + timedelta(seconds=1))

    assert (job().state, job().remote_id) == ("completed", "r")
    assert len({call.key for call in platform.calls}) == 1


def test_a_post_the_platform_still_works_on_is_followed_until_it_is_out(workspace, account, platform, now):
    platform.script = [Accepted(remote_state={"poll_url": "https://x.test/p"}, poll_after_seconds=5)]
    platform.finds = [
        Accepted(remote_state={"poll_url": "https://x.test/p"}, poll_after_seconds=5),
        Published(remote_id="p", url="https://x.test/p"),
    ]
    make_schedule(workspace, [account], now)

    run_due(now)
    assert job().state == "processing"
    run_due(now + timedelta(seconds=5))
    run_due(now + timedelta(seconds=10))

    assert (job().state, job().remote_id) == ("completed", "p")


def test_r30_a_rate_limit_waits_as_long_as_asked_and_costs_no_attempt(workspace, account, platform, now):
    platform.script = [RateLimited("Slow down.", retry_after_seconds=120)]
    make_schedule(workspace, [account], now, max_attempts=1)

    run_due(now)
    assert (job().state, job().tries) == ("pending", 0)
    assert job().run_at >= now + timedelta(seconds=120)
    run_due(job().run_at + timedelta(seconds=1))

    assert job().state == "completed"


def test_r30_no_retry_starts_after_the_deadline(workspace, account, platform, now):
    platform.script = [RateLimited("Come back in three days.", retry_after_seconds=3 * 86_400)]
    make_schedule(workspace, [account], now)

    run_due(now)

    assert (job().state, job().reason) == ("failed", "deadline")


def test_r31_an_account_that_is_not_let_in_holds_its_posts_and_lets_them_go_in_order(workspace, account, platform, now):
    from platforms.services import accounts
    from schedules.services import holds
    from tests.people import ACTOR

    platform.script = [AuthFailed("The token was revoked.")]
    for text in ("first", "second"):
        make_schedule(workspace, [account], now, text=text)

    run_due(now)
    assert set(Job.objects.values_list("state", "reason")) == {("blocked", "auth")}
    assert len(platform.calls) == 1
    account.refresh_from_db()
    accounts.reconnect(account=account, actor=ACTOR, now=now)
    holds.release_held(now=now)
    run_due(now)

    assert [call.text for call in platform.calls[1:]] == ["first", "second"]
    assert AuditLog.objects.filter(action="account.auth_lost").count() == 1


def test_r39_a_job_whose_adapter_is_gone_fails_and_stays(workspace, account, platform, now):
    make_schedule(workspace, [account], now)
    uninstall(platform)

    run_due(now)

    assert (job().state, job().reason) == ("failed", "unloadable")
    assert Attempt.objects.count() == 0


def test_r28_spacing_holds_back_the_others_of_the_account(workspace, platform, now):
    account = make_account(workspace, now, platform="scripted", min_spacing_seconds=60)
    for text in ("first", "second", "third"):
        make_schedule(workspace, [account], now, text=text)

    run_due(now)
    assert [call.text for call in platform.calls] == ["first"]
    assert set(Job.objects.filter(state="pending").values_list("reason", flat=True)) == {"waiting"}
    run_due(now + timedelta(seconds=61))
    run_due(now + timedelta(seconds=122))

    assert [call.text for call in platform.calls] == ["first", "second", "third"]
