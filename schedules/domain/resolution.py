"""From the outcome of one attempt to the job's next state. Pure: the table of ENGINE R22, R23, R30 and R35."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from schedules.domain.backoff import retry_delay
from schedules.domain.states import JobState


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    max_attempts: int
    base: timedelta
    cap: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A failed call: its class (one of the five of platforms.errors), and the platform's wish for a pause.

    tests_platform: the post had waited for a platform that is down, and only tested it: that costs no attempt.
    """

    error_class: str
    retry_after: timedelta | None = None
    tests_platform: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """Where the job goes. `run_at` only for pending; `counts` says whether the call used up one of the attempts."""

    state: JobState
    reason: str = ""
    run_at: datetime | None = None
    counts: bool = True


def after_trouble(
    trouble: Trouble,
    *,
    tries: int,
    policy: RetryPolicy,
    deadline_at: datetime | None,
    now: datetime,
    dice: float,
) -> NextStep:
    """`tries` counts earlier calls that used up an attempt, without this one."""
    match trouble.error_class:
        case "auth":
            return NextStep(state=JobState.BLOCKED, reason="auth", counts=False)
        case "rejected":
            return NextStep(state=JobState.FAILED, reason="rejected")
        case "unknown":
            return NextStep(state=JobState.UNCONFIRMED, reason="unknown")
        case "rate_limited":
            return _later(
                trouble, tries=tries, policy=policy, deadline_at=deadline_at, now=now, dice=dice, counts=False
            )
        case "unavailable" if trouble.tests_platform:
            step = _later(
                trouble, tries=tries, policy=policy, deadline_at=deadline_at, now=now, dice=dice, counts=False
            )
            return replace(step, reason="platform_down") if step.state is JobState.PENDING else step
        case "unavailable":
            if tries + 1 >= policy.max_attempts:
                return NextStep(state=JobState.FAILED, reason="exhausted")
            return _later(trouble, tries=tries, policy=policy, deadline_at=deadline_at, now=now, dice=dice, counts=True)
    raise ValueError(f"unknown error class {trouble.error_class!r}")


def after_absence(
    *, tries: int, policy: RetryPolicy, deadline_at: datetime | None, now: datetime, dice: float
) -> NextStep:
    """The platform provably does not have the post: publish it again. `tries` counts the uncertain call already."""
    if tries >= policy.max_attempts:
        return NextStep(state=JobState.FAILED, reason="exhausted")
    return _later(
        Trouble(error_class="unknown"),
        tries=tries - 1,
        policy=policy,
        deadline_at=deadline_at,
        now=now,
        dice=dice,
        counts=False,
    )


def _later(
    trouble: Trouble,
    *,
    tries: int,
    policy: RetryPolicy,
    deadline_at: datetime | None,
    now: datetime,
    dice: float,
    counts: bool,
) -> NextStep:
    delay = retry_delay(tries=tries + 1, base=policy.base, cap=policy.cap, dice=dice, retry_after=trouble.retry_after)
    run_at = now + delay
    if deadline_at is not None and run_at > deadline_at:
        return NextStep(state=JobState.FAILED, reason="deadline", counts=counts)
    return NextStep(state=JobState.PENDING, reason="retry", run_at=run_at, counts=counts)
