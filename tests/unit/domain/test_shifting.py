"""A rule that is shifted fires at its old times plus the shift, or the shift is refused in words."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.domain.firing import nominal_times
from schedules.domain.recurrence import EditAction, OccurrenceEdit, Recurrence, RuleKind, RuleRefused
from schedules.domain.shifting import shifted

START = datetime(2026, 11, 23, 9)  # a Monday


def rule(kind, expression="", start=START, **values):
    return Recurrence(kind=RuleKind(kind), expression=expression, timezone="Europe/Berlin", start_local=start, **values)


@pytest.mark.parametrize(
    ("kind", "expression", "by", "becomes"),
    [
        ("rrule", "FREQ=DAILY", timedelta(hours=2), "FREQ=DAILY"),
        ("rrule", "FREQ=WEEKLY;BYDAY=MO,WE", timedelta(days=1, hours=1), "FREQ=WEEKLY;BYDAY=TU,TH"),
        ("rrule", "FREQ=WEEKLY;BYDAY=SU", timedelta(days=1), "FREQ=WEEKLY;BYDAY=MO"),
        ("rrule", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU", timedelta(days=1), "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"),
        ("rrule", "FREQ=MONTHLY;BYMONTHDAY=5", timedelta(days=3), "FREQ=MONTHLY;BYMONTHDAY=8"),
        ("rrule", "FREQ=MONTHLY;BYDAY=1MO", timedelta(hours=3), "FREQ=MONTHLY;BYDAY=1MO"),
        ("rrule", "FREQ=DAILY;BYHOUR=9,15;BYMINUTE=30", timedelta(minutes=45), "FREQ=DAILY;BYHOUR=10,16;BYMINUTE=15"),
        ("rrule", "FREQ=DAILY;UNTIL=20261231T090000", timedelta(hours=2), "FREQ=DAILY;UNTIL=20261231T110000"),
        ("cron", "0 9 * * 1-5", timedelta(days=1), "0 9 * * 2,3,4,5,6"),
        ("cron", "30 9,18 * * *", timedelta(minutes=45), "15 10,19 * * *"),
        ("cron", "*/15 * * * *", timedelta(minutes=5), "5,20,35,50 * * * *"),
        ("cron", "0 23 * * 1", timedelta(hours=2), "0 1 * * 2"),
        ("cron", "0 9 * * 1-5", timedelta(hours=-10), "0 23 * * 0,1,2,3,4"),
        ("cron", "@daily", timedelta(hours=9), "0 9 * * *"),
    ],
)
def test_the_rule_says_the_new_times(kind, expression, by, becomes):
    assert shifted(rule(kind, expression), by).expression == becomes


@pytest.mark.parametrize(
    ("kind", "expression", "by"),
    [
        ("rrule", "FREQ=MONTHLY;BYDAY=1MO", timedelta(days=1)),
        ("rrule", "FREQ=MONTHLY;BYMONTHDAY=27", timedelta(days=3)),
        ("cron", "0 9 * * 1#2", timedelta(days=1)),
        ("cron", "0,50 9 * * *", timedelta(minutes=20)),
        ("cron", "0 9 * * *", timedelta(seconds=30)),
    ],
)
def test_what_no_rule_can_say_is_refused_in_words(kind, expression, by):
    with pytest.raises(RuleRefused) as refusal:
        shifted(rule(kind, expression), by)
    assert "by" in {problem.field for problem in refusal.value.problems}


def test_a_single_time_its_end_and_its_edits_move_too():
    edit = OccurrenceEdit(nominal_local=datetime(2026, 11, 25, 9), action=EditAction.SKIP)
    made = shifted(rule("rrule", "FREQ=DAILY", until_local=datetime(2026, 12, 1, 9), edits=(edit,)), timedelta(hours=1))

    assert shifted(rule("once"), timedelta(days=2)).start_local == datetime(2026, 11, 25, 9)
    assert made.until_local == datetime(2026, 12, 1, 10)
    assert made.edits[0].nominal_local == datetime(2026, 11, 25, 10)


RULES = st.sampled_from(
    [
        ("rrule", "FREQ=DAILY;INTERVAL=3"),
        ("rrule", "FREQ=WEEKLY;BYDAY=MO,FR;INTERVAL=2"),
        ("rrule", "FREQ=MONTHLY;BYMONTHDAY=1,15"),
        ("rrule", "FREQ=MONTHLY;BYDAY=-1FR"),
        ("rrule", "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=28"),
        ("rrule", "FREQ=DAILY;BYHOUR=0,12,23"),
        ("cron", "15 8-10 * * *"),
        ("cron", "0 0 1 * 1"),
        ("cron", "5 */6 * * 1-5"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(RULES, st.integers(-60 * 24 * 9, 60 * 24 * 9))
def test_it_is_the_old_times_plus_the_shift_or_refused(which, minutes):
    by, old = timedelta(minutes=minutes), rule(*which)
    try:
        new = shifted(old, by)
    except RuleRefused:
        return
    before = [one[0].replace(fold=0) + by for one in islice(nominal_times(old), 100)]
    assert [one[0].replace(fold=0) for one in islice(nominal_times(new), 100)] == before
