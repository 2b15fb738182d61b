"""Posts whose time went by: ENGINE R27-R29 and R33's return after a long pause."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schedules.models import AuditLog, Job
from schedules.services import lifecycle, materialise, misfires
from tests.engine import run_due
from tests.people import ACTOR, make_schedule

HOURLY = {"rule_kind": "cron", "expression": "0 * * * *"}


def states() -> list[tuple[str, str]]:
    return list(Job.objects.order_by("scheduled_for").values_list("state", "reason"))


@pytest.mark.parametrize(
    ("late", "state", "reason"),
    [
        (timedelta(seconds=29), "completed", ""),
        (timedelta(hours=5, minutes=59), "completed", ""),
        (timedelta(hours=6, seconds=1), "missed", "too_late"),
    ],
)
def test_a_single_post_goes_out_up_to_six_hours_late(workspace, account, platform, now, late, state, reason):
    make_schedule(workspace, [account], now)

    run_due(now + late)

    assert states() == [(state, reason)]


def test_of_several_missed_runs_the_latest_goes_out_and_the_others_say_why_not(workspace, account, platform, now):
    make_schedule(workspace, [account], now, **HOURLY)
    later = now + timedelta(hours=4, minutes=20)

    run_due(later)

    assert states()[:6] == [("missed", "coalesced")] * 4 + [("completed", ""), ("pending", "")]
    assert len(platform.calls) == 1
    assert AuditLog.objects.filter(action="job.missed").count() == 4


def test_the_latest_missed_run_is_not_sent_when_it_is_more_than_an_hour_late(workspace, account, platform, now):
    make_schedule(workspace, [account], now, rule_kind="cron", expression="0 8 * * *")

    run_due(now + timedelta(hours=1, minutes=1))

    assert states()[0] == ("missed", "too_late")


def test_catch_up_all_sends_each_one_within_its_grace(workspace, account, platform, now):
    make_schedule(workspace, [account], now, catch_up="all", grace_seconds=2 * 3600, **HOURLY)

    run_due(now + timedelta(hours=3, minutes=30))

    assert states()[:4] == [("missed", "too_late"), ("missed", "too_late"), ("completed", ""), ("completed", "")]


def test_catch_up_skip_sends_nothing_late(workspace, account, platform, now):
    make_schedule(workspace, [account], now, catch_up="skip", **HOURLY)

    run_due(now + timedelta(minutes=2))

    assert states()[0] == ("missed", "skipped")
    assert platform.calls == []


def test_housekeeping_and_the_last_look_come_to_the_same_verdicts(workspace, account, platform, now):
    make_schedule(workspace, [account], now, **HOURLY)
    later = now + timedelta(hours=4, minutes=20)

    assert misfires.expire(now=later) == 4
    run_due(later)

    assert states()[:5] == [("missed", "coalesced")] * 4 + [("completed", "")]


def test_r29_a_verdict_to_send_late_stands_while_it_waits_for_its_turn(workspace, account, platform, now):
    make_schedule(workspace, [account], now)
    misfires.expire(now=now + timedelta(hours=5))
    assert states() == [("pending", "catch_up")]

    run_due(now + timedelta(hours=7))

    assert states() == [("completed", "")]


def test_after_thirty_days_of_pause_the_runs_in_between_stand_as_missed(workspace, account, platform, now):
    schedule = make_schedule(workspace, [account], now, rule_kind="cron", expression="0 8 * * *")
    lifecycle.pause(schedule=schedule, actor=ACTOR, now=now)
    later = now + timedelta(days=30, minutes=10)
    run_due(later)
    assert platform.calls == []

    lifecycle.resume(schedule=schedule, actor=ACTOR, now=later)
    materialise.extend_horizon(now=later)
    run_due(later)

    assert states()[:31] == [("missed", "coalesced")] * 30 + [("completed", "")]
