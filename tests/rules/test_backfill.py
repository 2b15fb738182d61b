"""R36: making up for past times is explicit, looked at first, told in the history, and makes occurrences of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alwrity_scheduler.core.errors import IllegalTransition, Refused, StaleVersion
from schedules.models import AuditLog, Job, Occurrence
from schedules.services import backfill, lifecycle, materialise
from tests.engine import run_due
from tests.people import ACTOR, make_account, make_schedule

HOURLY = {"rule_kind": "cron", "expression": "0 * * * *"}
EIGHT = datetime(2026, 11, 23, 8, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 12, 20, tzinfo=UTC)


@pytest.fixture
def schedule(workspace, account, now):
    """Hourly from 8; nothing ran until 12:20, so that of 8, 9, 10, 11 and 12 only the last went out."""
    made = make_schedule(workspace, [account], now, **HOURLY)
    run_due(NOON)
    return made


def window(**others):
    return {"start": EIGHT, "end": NOON, "gap_seconds": 60, "now": NOON, **others}


def hours(found):
    return [item.nominal_at.hour for item in found.times]


def test_r36_a_look_shows_the_times_that_did_not_go_out_and_changes_nothing(schedule):
    before = (Job.objects.count(), Occurrence.objects.count(), AuditLog.objects.count())

    found = backfill.look(schedule=schedule, **window())

    assert hours(found) == [8, 9, 10, 11]
    assert [item.publish_at - NOON for item in found.times] == [timedelta(minutes=n) for n in range(4)]
    assert (Job.objects.count(), Occurrence.objects.count(), AuditLog.objects.count()) == before


def test_r36_a_backfill_makes_occurrences_of_its_own_spread_by_the_gap_and_tells_it(schedule, platform):
    backfill.run(schedule=schedule, actor=ACTOR, **window())
    for minute in range(4):
        run_due(NOON + timedelta(minutes=minute))

    made = Occurrence.objects.filter(cause="backfill").order_by("makes_up_for")
    assert [row.makes_up_for.hour for row in made] == [8, 9, 10, 11]
    assert set(Job.objects.filter(occurrence__in=made).values_list("state", flat=True)) == {"completed"}
    assert len(platform.calls) == 5
    fact = AuditLog.objects.get(action="schedule.backfilled")
    assert (fact.actor_label, fact.after["times"], fact.after["jobs"], fact.after["gap_seconds"]) == ("ana", 4, 4, 60)
    # what was missed stays told as missed
    assert Job.objects.filter(state="missed").count() == 4


def test_r36_a_time_is_made_up_for_once(schedule):
    backfill.run(schedule=schedule, actor=ACTOR, **window())

    assert backfill.look(schedule=schedule, **window()).times == ()
    with pytest.raises(Refused, match="went out or is on its way"):
        backfill.run(schedule=schedule, actor=ACTOR, **window())


def test_r36_two_backfills_at_the_same_moment_have_identities_of_their_own(schedule):
    backfill.run(schedule=schedule, actor=ACTOR, **window(end=EIGHT + timedelta(hours=2)))
    backfill.run(schedule=schedule, actor=ACTOR, **window())

    identities = Occurrence.objects.filter(cause="backfill").values_list("nominal_at", flat=True)
    assert len(set(identities)) == 4
    assert all(at.microsecond for at in identities)


def test_r36_only_the_accounts_that_lack_a_time_get_it(workspace, platform, account, now):
    second = make_account(workspace, now, name="Second", platform="scripted")
    schedule = make_schedule(workspace, [account, second], now, **HOURLY)
    Job.objects.filter(account=second, scheduled_for=now).update(state="failed")
    run_due(now)

    found = backfill.look(schedule=schedule, **window(end=now + timedelta(minutes=1), now=now + timedelta(minutes=1)))

    assert [[row.name for row in item.accounts] for item in found.times] == [["Second"]]


def test_r36_a_list_that_is_no_longer_what_was_seen_is_not_published(schedule):
    with pytest.raises(StaleVersion):
        backfill.run(schedule=schedule, actor=ACTOR, expected=3, **window())

    assert not Occurrence.objects.filter(cause="backfill").exists()


def test_r36_at_most_500_times_are_made_at_once_and_it_is_said_that_there_are_more(workspace, account, now):
    schedule = make_schedule(workspace, [account], now, rule_kind="cron", expression="* * * * *")
    Job.objects.all().delete()

    found = backfill.look(
        schedule=schedule, start=now, end=now + timedelta(hours=10), gap_seconds=0, now=now + timedelta(hours=11)
    )

    assert (len(found.times), found.more) == (500, True)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"end": NOON + timedelta(seconds=1)}, "end"),
        ({"start": NOON}, "start"),
        ({"gap_seconds": -1}, "gap_seconds"),
        ({"gap_seconds": 7 * 86_400 + 1}, "gap_seconds"),
    ],
)
def test_r36_a_window_that_is_not_past_or_makes_no_sense_is_refused(schedule, wrong, field):
    with pytest.raises(Refused) as refused:
        backfill.look(schedule=schedule, **window(**wrong))

    assert [problem.field for problem in refused.value.problems] == [field]


def test_r36_a_paused_schedule_says_what_to_do_first(schedule):
    schedule.refresh_from_db()
    lifecycle.pause(schedule=schedule, actor=ACTOR, now=NOON)

    with pytest.raises(IllegalTransition, match="resume it first"):
        backfill.look(schedule=schedule, **window())


def test_r36_an_edit_keeps_what_a_person_asked_for_beside_the_rule(schedule, account):
    backfill.run(schedule=schedule, actor=ACTOR, **window())

    materialise.replan(schedule, now=NOON)

    assert Job.objects.filter(occurrence__cause="backfill", state="pending").count() == 4


def test_r36_a_run_that_waits_for_its_turn_is_neither_late_nor_one_of_several(workspace, platform, now):
    slow = make_account(workspace, now, name="Slow", platform="scripted", min_spacing_seconds=7200)
    schedule = make_schedule(workspace, [slow], now, rule_kind="cron", expression="0 8-11 * * *")
    run_due(NOON)

    backfill.run(schedule=schedule, actor=ACTOR, **window(gap_seconds=0))
    for turn in range(4):
        run_due(NOON + turn * timedelta(hours=2, seconds=1))

    made = Job.objects.filter(occurrence__cause="backfill").values_list("state", flat=True)
    assert set(made) == {"completed"}
