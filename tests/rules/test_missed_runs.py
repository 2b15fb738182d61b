"""R27 to R29: what is done with times that went by, and that the decision stands."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schedules.models import AuditLog, Job
from schedules.services import materialise, misfires
from tests.engine import run_due
from tests.people import make_account, make_schedule

HOURLY = {"rule_kind": "cron", "expression": "0 * * * *"}


def states():
    return list(Job.objects.order_by("scheduled_for").values_list("state", "reason"))


@pytest.mark.parametrize(
    ("rule", "late", "first"),
    [
        ({}, timedelta(hours=6), ("completed", "")),
        ({}, timedelta(hours=6, seconds=1), ("missed", "too_late")),
        ({"rule_kind": "cron", "expression": "0 8 * * *"}, timedelta(hours=1), ("completed", "")),
        ({"rule_kind": "cron", "expression": "0 8 * * *"}, timedelta(hours=1, seconds=1), ("missed", "too_late")),
        (HOURLY, timedelta(hours=2), ("missed", "coalesced")),
    ],
)
def test_r27_by_default_six_hours_for_a_single_post_one_for_a_rule_and_only_its_latest(
    workspace, account, platform, now, rule, late, first
):
    make_schedule(workspace, [account], now, **rule)

    run_due(now + late)

    assert states()[0] == first


def test_r27_nothing_disappears_each_missed_time_is_a_row_with_a_reason_in_words_and_a_fact(
    workspace, account, platform, now
):
    """Also the times that nobody had planned yet when everything stood still."""
    make_schedule(workspace, [account], now, **HOURLY)
    later = now + timedelta(days=4, minutes=10)

    while materialise.extend_horizon(now=later):
        pass
    run_due(later)

    missed = Job.objects.filter(state="missed", scheduled_for__lte=later)
    assert missed.count() == 4 * 24
    assert set(missed.values_list("reason", flat=True)) == {"coalesced"}
    assert not missed.filter(error_message="").exists()
    assert AuditLog.objects.filter(action="job.missed").count() == 4 * 24


def test_r28_a_backlog_drains_by_priority_and_then_by_time(workspace, account, platform, now):
    for minute, priority in ((3, "normal"), (1, "normal"), (4, "urgent"), (2, "low")):
        start = (now + timedelta(minutes=minute)).replace(tzinfo=None)
        make_schedule(workspace, [account], now, text=f"{priority} {minute}", priority=priority, start_local=start)

    run_due(now + timedelta(hours=2))

    assert [call.text for call in platform.calls] == ["urgent 4", "normal 1", "normal 3", "low 2"]


def test_r28_a_backlog_does_not_burst_an_account(workspace, platform, now):
    """A hundred overdue posts, five an hour allowed: five go out, the others wait for the next hour."""
    limited = make_account(workspace, now, platform="scripted", hourly_cap=5)
    make_schedule(
        workspace, [limited], now, rule_kind="cron", expression="* * * * *", catch_up="all", grace_seconds=6 * 3600
    )
    Job.objects.filter(scheduled_for__gte=now + timedelta(minutes=100)).delete()
    start = now + timedelta(hours=2)

    run_due(start)
    at_once = len(platform.calls)
    for minute in range(1, 59, 8):
        run_due(start + timedelta(minutes=minute))
    within_the_hour = len(platform.calls)
    run_due(start + timedelta(minutes=66))

    assert (at_once, within_the_hour) == (5, 5)
    assert 5 < len(platform.calls) <= 10


def test_r29_the_decision_is_recorded_and_a_restart_does_not_take_it_again(workspace, account, platform, now):
    make_schedule(workspace, [account], now)
    misfires.expire(now=now + timedelta(hours=5))
    recorded = states()

    # hours later another process finds it: by itself it would call it too late
    misfires.expire(now=now + timedelta(hours=9))
    run_due(now + timedelta(hours=9))

    assert recorded == [("pending", "catch_up")]
    assert states() == [("completed", "")]


def test_r29_what_was_called_missed_stays_missed(workspace, account, platform, now):
    make_schedule(workspace, [account], now)
    run_due(now + timedelta(hours=7))

    run_due(now)

    assert (states(), platform.calls) == ([("missed", "too_late")], [])
