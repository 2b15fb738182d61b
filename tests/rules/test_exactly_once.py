"""R22 to R24: what an outcome means, that an unknown one is never sent again blindly, and the key that stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from platforms.contracts import Accepted, Published
from platforms.errors import AuthFailed, RateLimited, Rejected, Unavailable, UnknownOutcome
from schedules.models import Attempt, AuditLog, ContentItem, Job, JobCheck
from schedules.services import checks, jobs
from tests.engine import run_due
from tests.people import ACTOR, make_schedule


def job() -> Job:
    return Job.objects.get()


@pytest.mark.parametrize(
    ("answer", "state", "tries"),
    [
        (Published(remote_id="r", url="https://x.test/r"), "completed", 1),
        (Accepted(remote_state={}, poll_after_seconds=5), "processing", 1),
        (Rejected("No."), "failed", 1),  # certainly not posted
        (Unavailable("Nobody answers."), "pending", 1),  # certainly not posted, again later
        (RateLimited("Slow down.", retry_after_seconds=5), "pending", 0),
        (AuthFailed("Who are you?"), "blocked", 0),
        (UnknownOutcome("The answer did not come."), "unconfirmed", 1),  # perhaps posted
    ],
)  # fmt: skip
def test_r22_each_class_of_outcome_leads_to_its_state(workspace, account, platform, now, answer, state, tries):
    platform.script = [answer]
    make_schedule(workspace, [account], now)

    run_due(now)

    assert (job().state, job().tries, len(platform.calls)) == (state, tries, 1)


@pytest.mark.parametrize("crash", [KeyError("id"), TimeoutError(), ConnectionResetError(), RuntimeError("bug")])
def test_r22_whatever_else_an_adapter_throws_may_have_been_posted(workspace, account, platform, now, crash, caplog):
    def fail(publication):
        raise crash

    platform.on_call = fail
    make_schedule(workspace, [account], now)

    run_due(now)

    assert job().state == "unconfirmed"
    assert JobCheck.objects.get().state == "pending"


def test_r23_absent_is_believed_when_seen_twice_and_then_it_is_sent_again(workspace, account, platform, now):
    platform.script = [UnknownOutcome("No answer.")]
    platform.finds = [None, None]
    make_schedule(workspace, [account], now)

    run_due(now)
    run_due(now + timedelta(seconds=1))
    after_one_look = (job().state, len(platform.calls))
    run_due(now + timedelta(seconds=10))
    run_due(now + timedelta(minutes=5))

    assert after_one_look == ("unconfirmed", 1)
    assert (job().state, len(platform.calls), len(platform.asked)) == ("completed", 2, 2)


def test_r23_a_platform_that_never_can_tell_leaves_it_to_a_person_and_nothing_is_sent(
    workspace, account, platform, now
):
    platform.script = [UnknownOutcome("No answer.")]
    platform.finds = [UnknownOutcome("I do not know.")] * checks.MOST_CHECKS
    make_schedule(workspace, [account], now)

    for hour in range(3 * checks.MOST_CHECKS):
        run_due(now + timedelta(hours=hour))

    assert (job().state, job().reason, len(platform.calls)) == ("unconfirmed", "cannot_tell", 1)
    assert len(platform.asked) == checks.MOST_CHECKS
    # both ways out stand open
    jobs.confirm(job=job(), remote_url="https://x.test/there", actor=ACTOR, now=now)
    assert job().state == "completed"


def test_r23_an_unknown_outcome_tells_a_person_once(workspace, account, platform, now):
    platform.script = [UnknownOutcome("No answer.")]
    make_schedule(workspace, [account], now)

    run_due(now)

    assert AuditLog.objects.filter(action="job.unconfirmed").count() == 1


def test_r24_every_retry_of_the_same_words_has_the_same_key(workspace, account, platform, now):
    platform.script = [Unavailable("x"), RateLimited("y", retry_after_seconds=1), Unavailable("z")]
    make_schedule(workspace, [account], now)

    for minute in range(0, 40, 5):
        run_due(now + timedelta(minutes=minute))

    assert job().state == "completed"
    assert Attempt.objects.count() == 4
    assert len(set(Attempt.objects.values_list("idempotency_key", flat=True))) == 1


def test_r24_other_words_or_another_job_have_another_key(workspace, account, platform, now):
    platform.script = [Unavailable("x")]
    make_schedule(workspace, [account], now)
    make_schedule(workspace, [account], now, text="Something else")
    run_due(now)
    ContentItem.objects.update(version=2)
    run_due(now + timedelta(minutes=5))

    assert len({call.key for call in platform.calls}) == len(platform.calls) == 3
