"""The tables behind an outcome: backoff, resolution and misfire (ENGINE R22, R27, R30)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schedules.domain.backoff import retry_delay
from schedules.domain.misfire import CatchUp, Lateness, Verdict, deadline_of, judge
from schedules.domain.resolution import RetryPolicy, Trouble, after_absence, after_trouble
from schedules.domain.states import JOB_LABELS, JOB_STEPS, JobState, ScheduleState, job_may, schedule_may

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
POLICY = RetryPolicy(max_attempts=3, base=MINUTE, cap=HOUR)


@pytest.mark.parametrize(
    ("tries", "dice", "seconds"),
    [
        (1, 0.5, 30),  # half of the first ceiling
        (2, 0.5, 60),
        (4, 0.999, 479.52),
        (10, 0.5, 1800),  # the cap
        (500, 0.5, 1800),  # a long history overflows nothing
        (1, 0.0, 1),  # never at once
    ],
)
def test_a_retry_waits_a_random_share_of_a_growing_ceiling(tries, dice, seconds):
    """R30: full jitter under min(cap, base x 2^n)."""
    delay = retry_delay(tries=tries, base=MINUTE, cap=HOUR, dice=dice)

    assert delay.total_seconds() == pytest.approx(seconds)


def test_a_retry_never_comes_before_retry_after():
    """R30: Retry-After is honoured."""
    assert retry_delay(tries=1, base=MINUTE, cap=HOUR, dice=0.1, retry_after=timedelta(hours=2)) == timedelta(hours=2)


@pytest.mark.parametrize(
    ("error_class", "tries", "state", "reason", "counts"),
    [
        ("rejected", 0, "failed", "rejected", True),
        ("auth", 0, "blocked", "auth", False),
        ("unknown", 0, "unconfirmed", "unknown", True),
        ("unavailable", 0, "pending", "retry", True),
        ("unavailable", 2, "failed", "exhausted", True),
        ("rate_limited", 2, "pending", "retry", False),
    ],
)
def test_each_class_of_error_leads_to_its_state(error_class, tries, state, reason, counts):
    step = after_trouble(
        Trouble(error_class=error_class), tries=tries, policy=POLICY, deadline_at=None, now=NOW, dice=0.5
    )

    assert (step.state, step.reason, step.counts) == (state, reason, counts)
    assert (step.run_at is not None) == (state == "pending")


def test_an_unheard_of_class_of_error_is_a_mistake_and_no_retry():
    with pytest.raises(ValueError, match="unknown error class"):
        after_trouble(Trouble(error_class="odd"), tries=0, policy=POLICY, deadline_at=None, now=NOW, dice=0.5)


def test_no_retry_is_planned_past_the_deadline():
    step = after_trouble(
        Trouble(error_class="unavailable", retry_after=HOUR),
        tries=0,
        policy=POLICY,
        deadline_at=NOW + MINUTE,
        now=NOW,
        dice=0.5,
    )

    assert (step.state, step.reason) == ("failed", "deadline")


@pytest.mark.parametrize(("tries", "state"), [(1, "pending"), (2, "pending"), (3, "failed")])
def test_an_absent_post_is_sent_again_while_attempts_are_left(tries, state):
    assert after_absence(tries=tries, policy=POLICY, deadline_at=None, now=NOW, dice=0.5).state == state


def late(**changes):
    values = {
        "scheduled_for": NOW,
        "deadline_at": NOW + timedelta(hours=24),
        "recurring": False,
        "catch_up": CatchUp.LATEST,
        "grace": None,
        "has_later_due": False,
        "decided": False,
    }
    return Lateness(**{**values, **changes})


@pytest.mark.parametrize(
    ("lateness", "behind", "verdict"),
    [
        (late(), timedelta(seconds=30), Verdict.ON_TIME),
        (late(), timedelta(seconds=31), Verdict.RUN),
        (late(), timedelta(hours=6), Verdict.RUN),
        (late(), timedelta(hours=6, seconds=1), Verdict.TOO_LATE),
        (late(recurring=True), HOUR, Verdict.RUN),
        (late(recurring=True), HOUR + MINUTE, Verdict.TOO_LATE),
        (late(recurring=True, has_later_due=True), 2 * MINUTE, Verdict.COALESCED),
        (late(recurring=True, has_later_due=True), timedelta(days=9), Verdict.COALESCED),
        (late(recurring=True, has_later_due=True, catch_up=CatchUp.ALL), 2 * MINUTE, Verdict.RUN),
        (late(catch_up=CatchUp.SKIP), 2 * MINUTE, Verdict.SKIPPED),
        (late(grace=timedelta(days=2), deadline_at=NOW + timedelta(days=2)), timedelta(days=2), Verdict.RUN),
        (late(grace=timedelta()), 2 * MINUTE, Verdict.TOO_LATE),
        (late(decided=True), timedelta(hours=23), Verdict.ON_TIME),
        (late(decided=True), timedelta(hours=25), Verdict.DEADLINE),
    ],
)
def test_the_verdict_on_a_late_post(lateness, behind, verdict):
    assert judge(lateness, NOW + behind) is verdict


def test_the_deadline_never_comes_before_the_grace_ends():
    grace = timedelta(days=3)

    assert deadline_of(NOW, recurring=False, grace=grace, deadline=HOUR) == NOW + grace


def test_every_state_has_a_word_and_steps():
    assert set(JOB_LABELS) == set(JOB_STEPS) == set(JobState)


@pytest.mark.parametrize(
    ("old", "new", "may"), [("pending", "running", True), ("completed", "pending", False), ("missed", "pending", True)]
)
def test_steps_of_a_job(old, new, may):
    assert job_may(old, new) is may


@pytest.mark.parametrize(
    ("old", "new", "may"), [("draft", "active", True), ("draft", "paused", False), ("archived", "active", False)]
)
def test_steps_of_a_schedule(old, new, may):
    assert schedule_may(ScheduleState(old), ScheduleState(new)) is may
