"""R6 to R9 and R11 on the rows that the engine works from: wall clock, zone and rule become instants, also where clocks change.

Berlin's clocks change on 28 March 2027 (2:00 to 3:00) and on 31 October 2027 (3:00 back to 2:00).
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from schedules.models import Job, Occurrence, Schedule
from schedules.services import lifecycle, materialise
from tests.people import ACTOR, make_schedule

SPRING = datetime(2027, 3, 26, 12, tzinfo=UTC)
AUTUMN = datetime(2027, 10, 29, 12, tzinfo=UTC)


def instants(workspace, account, since, timezone="Europe/Berlin", hours=72, **rule):
    start = since.replace(tzinfo=None)
    schedule = make_schedule(workspace, [account], since, timezone=timezone, **{"start_local": start, **rule})
    materialise.extend_horizon(now=since + timedelta(hours=hours - 48))
    rows = Job.objects.filter(schedule=schedule, scheduled_for__lt=since + timedelta(hours=hours))
    return list(rows.order_by("scheduled_for").values_list("scheduled_for", flat=True))


def planned(*values, **rule):
    """Day and time in UTC of each job."""
    return [f"{at:%d %H:%M}" for at in instants(*values, **rule)]


def test_r6_the_stored_truth_is_wall_clock_zone_and_rule_and_instants_follow_from_them(workspace, account):
    planned(workspace, account, SPRING, rule_kind="cron", expression="30 9 * * *")

    row = Schedule.objects.get()
    assert (row.start_local, row.timezone, row.expression) == (datetime(2027, 3, 26, 12), "Europe/Berlin", "30 9 * * *")
    walls = Occurrence.objects.order_by("nominal_at").values_list("nominal_local", "nominal_at")
    assert [(wall.hour, at.hour) for wall, at in walls[:3]] == [(9, 8), (9, 7), (9, 7)]


@pytest.mark.parametrize(
    ("rule", "since", "expected"),
    [
        # the gap: cron takes the first moment after it, RFC 5545 adds the hour
        ({"rule_kind": "cron", "expression": "30 2 * * *"}, SPRING, ["27 01:30", "28 01:00", "29 00:30"]),
        ({"rule_kind": "rrule", "expression": "FREQ=DAILY;BYHOUR=2;BYMINUTE=30"}, SPRING, ["27 01:30", "28 01:30", "29 00:30"]),
        # the fold: the first of two
        ({"rule_kind": "cron", "expression": "30 2 * * *"}, AUTUMN, ["30 00:30", "31 00:30", "01 01:30"]),
        ({"rule_kind": "rrule", "expression": "FREQ=DAILY;BYHOUR=2;BYMINUTE=30"}, AUTUMN, ["30 00:30", "31 00:30", "01 01:30"]),
    ],
)  # fmt: skip
def test_r7_a_fixed_time_makes_one_job_a_local_day_also_in_gap_and_fold(workspace, account, rule, since, expected):
    assert planned(workspace, account, since, **rule) == expected


def test_r7_midnight_that_does_not_exist_is_not_a_day_left_out(workspace, account):
    """Santiago, 5 September 2027: 0:00 does not exist."""
    since = datetime(2027, 9, 4, 12, tzinfo=UTC)

    assert planned(
        workspace, account, since, timezone="America/Santiago", rule_kind="cron", expression="0 0 * * *"
    ) == ["05 04:00", "06 03:00", "07 03:00"]


@pytest.mark.parametrize("since", [SPRING, AUTUMN])
@pytest.mark.parametrize(("expression", "minutes", "count"), [("0 * * * *", 60, 72), ("*/30 * * * *", 30, 144)])
def test_r8_hourly_and_shorter_rules_keep_their_distance_over_both_changes(
    workspace, account, since, expression, minutes, count
):
    times = instants(workspace, account, since, rule_kind="cron", expression=expression)

    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {timedelta(minutes=minutes)}
    assert len(times) == count


def test_r9_a_single_time_in_the_gap_is_accepted_and_moved_by_the_hour(workspace, account):
    assert planned(workspace, account, SPRING, start_local=datetime(2027, 3, 28, 2, 30)) == ["28 01:30"]


@pytest.mark.parametrize(("fold", "expected"), [(0, "31 00:30"), (1, "31 01:30")])
def test_r9_a_single_time_in_the_fold_is_the_first_unless_the_second_is_wanted(workspace, account, fold, expected):
    times = planned(workspace, account, AUTUMN, start_local=datetime(2027, 10, 31, 2, 30), start_fold=fold)

    assert times == [expected]


def test_r11_a_run_moved_onto_another_makes_one_job(workspace, account):
    planned(workspace, account, SPRING, rule_kind="cron", expression="0 9,10 * * *", hours=48)
    lifecycle.move_occurrence(
        schedule=Schedule.objects.get(), nominal_local=datetime(2027, 3, 27, 9), to_local=datetime(2027, 3, 27, 10),
        actor=ACTOR, now=SPRING,
    )  # fmt: skip

    day = Job.objects.filter(scheduled_for__date=datetime(2027, 3, 27).date())
    assert [f"{at:%H:%M}" for at in day.values_list("scheduled_for", flat=True)] == ["09:00"]


def test_r11_two_rules_of_one_schedule_at_one_instant_make_one_job(workspace, account):
    times = planned(workspace, account, SPRING, rule_kind="cron", expression="0 9,9 * * *", hours=48)

    assert times == ["27 08:00", "28 07:00"]
