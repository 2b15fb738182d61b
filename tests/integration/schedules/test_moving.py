"""What stands on the calendar, and what becomes of it when a person moves it: the rows say so, in a zone that is not UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alwrity_scheduler.core.errors import IllegalTransition, Refused, StaleVersion
from schedules.models import AuditLog, Job, ScheduleException
from schedules.reads import calendar
from schedules.reads.calendar import Wanted
from schedules.services import lifecycle, moving, recovery, shifting
from schedules.services.plans import TargetPlan
from tests.people import ACTOR, make_account, make_schedule

BERLIN = "Europe/Berlin"


@pytest.fixture
def account(workspace, now):
    return make_account(workspace, now, name="Harbour")


@pytest.fixture
def second(workspace, now):
    return make_account(workspace, now, name="Newsroom", min_spacing_seconds=900)


@pytest.fixture
def seen(workspace, now):
    def look(days=14, zone=BERLIN, **wanted):
        return calendar.events(
            workspace, start=now - timedelta(days=7), end=now + timedelta(days=days), zone=zone, now=now,
            wanted=Wanted(**wanted),
        )  # fmt: skip

    return look


@pytest.fixture
def move(workspace, now):
    def call(event, to, scope="", version=None, key=None):
        return moving.move(
            workspace=workspace, key=key or event.key, to_local=to, zone=BERLIN, scope=scope, actor=ACTOR, now=now,
            version=event.version if version is None else version,
        )  # fmt: skip

    return call


def daily(workspace, accounts, now, **plan):
    values = {
        "rule_kind": "rrule",
        "expression": "FREQ=DAILY",
        "timezone": BERLIN,
        "start_local": datetime(2026, 11, 23, 12),
    }
    return make_schedule(workspace, accounts, now, **{**values, **plan})


def test_jobs_times_to_come_and_drafts_stand_side_by_side(
    workspace, account, second, now, seen, django_assert_num_queries
):
    single = make_schedule(workspace, [account, second], now, timezone=BERLIN, start_local=datetime(2026, 12, 1, 9))
    rule = daily(workspace, [account], now)
    draft = make_schedule(workspace, [account], now, state="draft", start_local=datetime(2026, 11, 30, 9))
    make_schedule(workspace, [account], now, state="draft", start_local=datetime(2026, 11, 20, 9))
    lifecycle.skip_occurrence(schedule=rule, nominal_local=datetime(2026, 11, 27, 12), actor=ACTOR, now=now)

    with django_assert_num_queries(2):
        found = seen()

    of_rule = [event for event in found if event.schedule_id == rule.pk]
    assert [event.at.day for event in of_rule] == [23, 24, 25, 26, 28, 29, 30, 1, 2, 3, 4, 5, 6]
    assert [event.is_job for event in of_rule][:3] == [True, True, False]  # two days stand as jobs
    assert {event.at.hour for event in of_rule} == {12}
    assert [(event.account, event.look) for event in found if event.schedule_id == single.pk] == [
        ("Harbour", "scheduled"),
        ("Newsroom", "scheduled"),
    ]
    assert [event.look for event in found if event.schedule_id == draft.pk] == ["draft"]
    assert len(found) == 16  # a draft's past time is nobody's plan any more
    assert found == sorted(found, key=lambda event: event.at)
    for event in found:
        assert calendar.one(workspace, event.key, zone=BERLIN, now=now).at == event.at


def test_it_is_narrowed_and_a_neighbour_that_is_hidden_is_still_in_the_way(workspace, account, second, now, seen):
    make_schedule(workspace, [second], now, text="First", timezone=BERLIN, start_local=datetime(2026, 12, 1, 9))
    close = make_schedule(
        workspace, [second], now, text="Close", timezone=BERLIN, start_local=datetime(2026, 12, 1, 9, 10)
    )
    make_schedule(workspace, [account], now, text="Elsewhere", timezone=BERLIN, start_local=datetime(2026, 12, 1, 9))
    close.content.title, close.content.labels = "Söder", ["blåbær"]
    close.content.save()

    assert [event.conflict for event in seen()] == [False, True, True]
    [found] = seen(q="SÖDER".capitalize())
    assert found.near.title == "A title"
    assert [event.schedule_id for event in seen(labels=["blåbær"])] == [close.pk]
    assert [event.account for event in seen(accounts=[account.public_id])] == ["Harbour"]
    assert len(seen(conflicts=True)) == 2
    assert seen(looks=["failed"]) == seen(types=["video"]) == seen(platforms=["x"]) == seen(people=[0]) == []


def test_a_single_post_moves_with_all_its_accounts_and_back(workspace, account, second, now, seen, move):
    schedule = make_schedule(workspace, [account, second], now, timezone="UTC", start_local=datetime(2026, 11, 24, 8))
    event = seen()[0]
    assert event.is_job

    moved = move(event, datetime(2026, 12, 3, 9))

    schedule.refresh_from_db()
    assert schedule.start_local == datetime(2026, 12, 3, 8)  # the schedule's own zone
    assert moved.accounts == 2
    assert [item.at.isoformat() for item in seen()] == ["2026-12-03T09:00:00+01:00"] * 2
    assert not Job.objects.filter(schedule=schedule, state="pending").exists()
    back = moved.back
    move(event, back.to_local, scope=back.scope, version=back.version, key=back.key)
    assert {item.at.isoformat() for item in seen()} == {"2026-11-24T09:00:00+01:00"}
    assert Job.objects.filter(schedule=schedule, state="pending").count() == 2


def test_a_rule_asks_which_times_are_meant(workspace, account, now, seen, move):
    schedule = daily(workspace, [account], now)
    third = seen()[2]

    with pytest.raises(Refused) as refusal:
        move(third, datetime(2026, 11, 25, 15))
    assert [problem.code for problem in refusal.value.problems] == [moving.NEEDS_SCOPE]

    one = move(third, datetime(2026, 11, 25, 15), scope="one")
    assert [item.at.hour for item in seen()][:4] == [12, 12, 15, 12]
    move(third, one.back.to_local, scope="one", version=one.back.version, key=one.back.key)
    assert not ScheduleException.objects.filter(schedule=schedule).exists()

    fourth = seen()[3]
    rest = move(fourth, datetime(2026, 11, 27, 7, 30), scope="following")
    assert [f"{item.at:%d %H:%M}" for item in seen(days=5)] == [
        "23 12:00",
        "24 12:00",
        "25 12:00",
        "27 07:30",
        "28 07:30",
    ]
    assert rest.event.schedule_id != schedule.pk
    assert rest.back is None


def test_all_of_a_rule_moves_and_nothing_goes_out_twice(workspace, account, now, seen, move):
    """Today's has gone out at noon; moved to the evening as a whole, the rule leaves today's evening out."""
    schedule = daily(workspace, [account], now)
    lifecycle.skip_occurrence(schedule=schedule, nominal_local=datetime(2026, 11, 26, 12), actor=ACTOR, now=now)
    Job.objects.filter(scheduled_for__date="2026-11-23").update(state="completed", remote_id="x", attempt_count=1)
    tomorrow = next(event for event in seen() if event.at.day == 24)

    moved = move(tomorrow, datetime(2026, 11, 24, 18), scope="all")

    assert moved.left_out == 1
    assert [f"{item.at:%d %H} {item.look}" for item in seen(days=5)] == [
        "23 12 published", "24 18 scheduled", "25 18 scheduled", "27 18 scheduled",
    ]  # fmt: skip
    back = moved.back
    move(tomorrow, back.to_local, scope=back.scope, version=back.version, key=back.key)
    assert [f"{item.at:%d %H}" for item in seen(days=5)] == ["23 12", "24 12", "25 12", "27 12"]


def test_what_is_out_stays_and_what_failed_moves_alone(workspace, account, second, now, seen, move):
    make_schedule(workspace, [account, second], now, start_local=datetime(2026, 11, 24, 8))
    first, other = Job.objects.order_by("id")
    Job.objects.filter(pk=first.pk).update(state="completed", remote_id="x", attempt_count=1)
    published, waiting = sorted(seen(), key=lambda event: event.look)
    assert published.fixed

    with pytest.raises(IllegalTransition):
        move(published, datetime(2026, 12, 1, 9))
    moved = move(
        waiting, datetime(2026, 12, 1, 9)
    )  # its sibling is out: a new time for the schedule would send that again

    other.refresh_from_db()
    assert moved.accounts == 1
    assert other.scheduled_for == datetime(2026, 12, 1, 8, tzinfo=UTC)
    assert Job.objects.count() == 2
    recovery.undo(job=other, actor=ACTOR, now=now)
    other.refresh_from_db()
    assert other.scheduled_for == datetime(2026, 11, 24, 8, tzinfo=UTC)
    Job.objects.filter(pk=other.pk).update(state="failed", attempt_count=1)
    move(next(item for item in seen() if item.look == "failed"), datetime(2026, 12, 2, 9))
    other.refresh_from_db()
    assert (other.state, other.scheduled_for.day) == ("pending", 2)
    assert AuditLog.objects.filter(action="job.rescheduled").count() == 2


def test_somebody_was_faster_and_the_past_is_refused(workspace, account, now, seen, move):
    schedule = make_schedule(workspace, [account], now, timezone=BERLIN, start_local=datetime(2026, 12, 1, 9))
    event = seen()[0]
    with pytest.raises(Refused) as refusal:
        move(event, datetime(2026, 11, 22, 9))
    assert refusal.value.problems[0].field == "at"

    move(event, datetime(2026, 12, 2, 9))
    with pytest.raises(StaleVersion):
        move(event, datetime(2026, 12, 3, 9), key=f"p{schedule.pk}.20261202T090000.{account.pk}")
    for gone in (event.key, "j999999", "j", "p1.x.2", "p9.20261202T090000.1", "", "x1"):
        with pytest.raises(IllegalTransition):
            move(event, datetime(2026, 12, 3, 9), key=gone)
    schedule.refresh_from_db()
    assert schedule.start_local == datetime(2026, 12, 2, 9)


def test_the_clocks_change_between_two_days(workspace, account, now, seen, move):
    """28 March 2027 has no 02:30 in Berlin, 31 October 2027 has it twice."""
    make_schedule(workspace, [account], now, timezone="America/New_York", start_local=datetime(2027, 3, 20, 9))
    event = seen(days=200)[0]

    moved = move(event, datetime(2027, 3, 28, 2, 30))
    assert moved.at == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert "02:30" in moving.note(datetime(2027, 3, 28, 2, 30), BERLIN)
    assert "03:30" in moving.note(datetime(2027, 3, 28, 2, 30), BERLIN)
    again = move(event, datetime(2027, 3, 29, 9), version=moved.event.version, key=moved.event.key)
    assert again.at == datetime(2027, 3, 29, 7, tzinfo=UTC)
    autumn = move(event, datetime(2027, 10, 31, 2, 30), version=again.event.version, key=again.event.key)
    assert autumn.at == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert moving.note(datetime(2027, 10, 31, 2, 30), BERLIN)
    assert moving.note(datetime(2027, 10, 30, 2, 30), BERLIN) == ""


def test_before_the_drop_it_says_what_is_in_the_way_and_where_there_is_room(workspace, second, now, seen):
    make_schedule(workspace, [second], now, text="There", timezone=BERLIN, start_local=datetime(2026, 12, 1, 9))
    make_schedule(workspace, [second], now, text="Mover", timezone=BERLIN, start_local=datetime(2026, 12, 2, 9))
    mover = seen()[1]
    at = datetime(2026, 12, 1, 8, 10, tzinfo=UTC)
    asked = {"zone": BERLIN, "now": now}

    assert [event.at.hour for event in moving.near(second.workspace, mover.key, at, **asked)] == [9]
    free = moving.free(second.workspace, mover.key, at, **asked)
    assert [f"{item:%H:%M}" for item in free] == ["07:45", "08:15"]
    assert moving.near(second.workspace, mover.key, at + timedelta(hours=2), **asked) == []


def test_an_account_days_after_the_others_stands_on_its_own_day(workspace, account, second, now, move):
    targets = tuple(
        TargetPlan(account_id=str(row.public_id), offset_seconds=offset)
        for row, offset in ((account, 0), (second, 5 * 86_400))
    )
    start = datetime(2026, 12, 1, 9)
    schedule = make_schedule(workspace, [], now, timezone=BERLIN, start_local=start, targets=targets)
    day = datetime(2026, 12, 5, 23, tzinfo=UTC)
    span = {"start": day, "end": day + timedelta(days=1), "zone": BERLIN, "now": now}

    [found] = calendar.events(workspace, **span)
    assert (found.account, found.at.isoformat()) == ("Newsroom", "2026-12-06T09:00:00+01:00")
    move(found, datetime(2026, 12, 6, 15))  # the whole occurrence, each account keeping its distance
    schedule.refresh_from_db()
    assert schedule.start_local == datetime(2026, 12, 1, 15)


def test_a_post_that_is_out_on_one_account_is_not_shifted_as_a_whole(workspace, account, second, now):
    """A new time for the schedule would send it there a second time."""
    schedule = make_schedule(workspace, [account, second], now, start_local=datetime(2026, 11, 24, 8))
    first = Job.objects.order_by("id").first()
    Job.objects.filter(pk=first.pk).update(state="completed", remote_id="x", attempt_count=1)

    with pytest.raises(IllegalTransition):
        shifting.shift(schedule=schedule, by=timedelta(days=1), actor=ACTOR, now=now)
    assert Job.objects.filter(account=first.account_id).count() == 1
