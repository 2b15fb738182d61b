"""From rules to rows: ENGINE R1-R4, R10, R11 and the edits of R5."""

from __future__ import annotations

import itertools
import re
from datetime import datetime, timedelta

import pytest
from django.db import connection

from alwrity_scheduler.core.errors import Refused, StaleVersion
from alwrity_scheduler.core.events import ENGINE
from schedules.models import Job, Occurrence, Schedule
from schedules.services import lifecycle, materialise
from schedules.services.plans import SchedulePlan, TargetPlan
from schedules.services.schedules import update_schedule
from tests.engine import claim_due, run_due
from tests.people import ACTOR, make_account, make_schedule

HOURLY = {"rule_kind": "cron", "expression": "0 * * * *"}


def test_r1_planning_twice_makes_no_second_job(workspace, account, now):
    schedule = make_schedule(workspace, [account], now, **HOURLY)
    Occurrence.objects.filter(nominal_at__lt=now + timedelta(hours=5)).delete()
    Schedule.objects.update(planned_until=now)

    made = materialise.extend_horizon(now=now)

    assert made == 5
    assert Job.objects.filter(schedule=schedule).count() == 48
    assert Occurrence.objects.filter(schedule=schedule).count() == 48


def test_r1_each_account_gets_its_own_job(workspace, platform, now):
    accounts = [make_account(workspace, now, name=name, platform="scripted") for name in ("One", "Two")]

    schedule = make_schedule(workspace, accounts, now)

    assert sorted(Job.objects.values_list("account__name", flat=True)) == ["One", "Two"]
    assert Occurrence.objects.filter(schedule=schedule).count() == 1


def test_r2_planning_goes_on_from_where_it_ended_and_not_from_now(workspace, account, now):
    schedule = make_schedule(workspace, [account], now, **HOURLY)
    much_later = now + timedelta(days=5)

    while materialise.extend_horizon(now=much_later):
        pass

    times = list(
        Job.objects.filter(schedule=schedule).order_by("scheduled_for").values_list("scheduled_for", flat=True)
    )
    assert len(times) == 24 * 7
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {timedelta(hours=1)}


def test_r3_a_dense_rule_is_planned_in_steps_of_500(workspace, account, now):
    schedule = make_schedule(workspace, [account], now, rule_kind="cron", expression="* * * * *")
    assert Job.objects.filter(schedule=schedule).count() == 500

    materialise.extend_horizon(now=now)

    assert Job.objects.filter(schedule=schedule).count() == 1000


def test_r4_a_clock_set_back_makes_no_second_job(workspace, account, now):
    make_schedule(workspace, [account], now, **HOURLY)
    before = Job.objects.count()

    materialise.extend_horizon(now=now - timedelta(hours=1))

    assert Job.objects.count() == before


def test_r5_an_edit_replaces_only_what_has_not_begun(workspace, account, platform, now):
    schedule = make_schedule(workspace, [account], now, **HOURLY)
    run_due(now)
    [in_flight] = claim_due(now + timedelta(hours=1))

    plan = SchedulePlan(
        rule_kind="cron", expression="30 * * * *", timezone="UTC", start_local=datetime(2026, 11, 23, 8),
        targets=(TargetPlan(account_id=str(account.public_id)),),
    )  # fmt: skip
    update_schedule(schedule=schedule, plan=plan, version=schedule.version, actor=ACTOR, now=now + timedelta(hours=1))

    states = dict(Job.objects.order_by("scheduled_for").values_list("scheduled_for", "state")[:3])
    assert states == {
        now: "completed",
        now + timedelta(hours=1): "running",
        now + timedelta(hours=1, minutes=30): "pending",
    }
    assert in_flight[1].id == Job.objects.get(state="running").pk


def test_an_edit_of_an_old_version_is_refused_and_changes_nothing(workspace, account, now):
    schedule = make_schedule(workspace, [account], now, **HOURLY)
    plan = SchedulePlan(
        rule_kind="cron", expression="5 * * * *", timezone="UTC", start_local=datetime(2026, 11, 23, 8),
        targets=(TargetPlan(account_id=str(account.public_id)),),
    )  # fmt: skip
    update_schedule(schedule=schedule, plan=plan, version=schedule.version, actor=ACTOR, now=now)

    with pytest.raises(StaleVersion):
        update_schedule(schedule=schedule, plan=plan, version=1, actor=ACTOR, now=now)

    assert Schedule.objects.get().version == 2


def test_r10_new_zone_rules_move_what_has_not_begun_and_keep_what_was_published(workspace, account, now, monkeypatch):
    schedule = make_schedule(
        workspace, [account], now, timezone="Europe/Berlin", start_local=datetime(2026, 11, 23, 9), **HOURLY
    )
    run_due(now)
    # the rows as older zone rules had derived them: an hour later, all but the published one
    Occurrence.objects.exclude(jobs__state="completed").update(
        nominal_at=materialise.F("nominal_at") + timedelta(minutes=20),
        fires_at=materialise.F("fires_at") + timedelta(minutes=20),
    )
    Job.objects.filter(state="pending").update(
        run_at=materialise.F("run_at") + timedelta(minutes=20),
        scheduled_for=materialise.F("scheduled_for") + timedelta(minutes=20),
    )
    Schedule.objects.update(tzdata_version="2020.1")

    materialise.adopt_tzdata(now=now + timedelta(minutes=1))

    assert {at.minute for at in Job.objects.values_list("run_at", flat=True)} == {0}
    assert Job.objects.filter(state="completed").count() == 1
    assert Schedule.objects.get(pk=schedule.pk).tzdata_version == materialise.TZDATA


def test_r11_a_moved_occurrence_that_meets_another_makes_one_job(workspace, account, now):
    schedule = make_schedule(workspace, [account], now, **HOURLY)

    lifecycle.move_occurrence(
        schedule=schedule,
        nominal_local=datetime(2026, 11, 23, 10),
        to_local=datetime(2026, 11, 23, 11),
        actor=ACTOR,
        now=now,
    )

    assert Job.objects.filter(scheduled_for=now + timedelta(hours=3)).count() == 1
    assert not Job.objects.filter(scheduled_for=now + timedelta(hours=2)).exists()


def test_a_skipped_occurrence_has_no_job_and_comes_back_when_restored(workspace, account, now):
    schedule = make_schedule(workspace, [account], now, **HOURLY)
    nine = datetime(2026, 11, 23, 9)

    schedule = lifecycle.skip_occurrence(schedule=schedule, nominal_local=nine, actor=ACTOR, now=now)
    assert not Job.objects.filter(occurrence__nominal_local=nine).exists()

    lifecycle.restore_occurrence(schedule=schedule, nominal_local=nine, actor=ACTOR, now=now)
    assert Job.objects.filter(occurrence__nominal_local=nine).count() == 1


def test_this_and_following_ends_the_old_schedule_and_goes_on_in_a_new_one(workspace, account, now):
    schedule = make_schedule(workspace, [account], now, **HOURLY)
    plan = SchedulePlan(
        rule_kind="cron", expression="15 * * * *", timezone="UTC", start_local=datetime(2026, 11, 23, 12),
        targets=(TargetPlan(account_id=str(account.public_id)),),
    )  # fmt: skip

    new = lifecycle.split(
        schedule=schedule,
        nominal_local=datetime(2026, 11, 23, 12),
        plan=plan,
        version=schedule.version,
        actor=ACTOR,
        now=now,
    )

    old_times = [
        at.hour for at in Job.objects.filter(schedule=schedule).order_by("run_at").values_list("run_at", flat=True)
    ]
    assert old_times == [8, 9, 10, 11]
    assert Job.objects.filter(schedule=new).order_by("run_at").first().run_at == datetime(
        2026, 11, 23, 12, 15, tzinfo=now.tzinfo
    )
    assert new.split_from == schedule


def test_a_time_that_is_past_is_refused_with_a_remedy(workspace, account, now):
    with pytest.raises(Refused) as refused:
        make_schedule(workspace, [account], now, start_local=datetime(2026, 11, 20, 9))

    assert [problem.field for problem in refused.value.problems] == ["start"]
    assert not Schedule.objects.exists()


def test_an_account_of_another_workspace_is_refused(people, account, now):
    with pytest.raises(Refused):
        make_schedule(people.other_workspace, [account], now)


def test_a_schedule_whose_jobs_have_all_ended_becomes_finished(workspace, account, now):
    schedule = make_schedule(workspace, [account], now)
    run_due(now)

    assert lifecycle.finish_ended(now=now, actor=ENGINE) == 1
    assert Schedule.objects.get(pk=schedule.pk).state == "finished"


def test_a_draft_may_lack_its_accounts_and_says_so_when_it_is_to_go_out(workspace, account, now):
    draft = make_schedule(workspace, [], now, state="draft")

    with pytest.raises(Refused) as refused:
        lifecycle.activate(schedule=draft, actor=ACTOR, now=now)

    assert [problem.field for problem in refused.value.problems] == ["accounts"]
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_a_rule_that_can_no_longer_be_read_does_not_keep_the_others_from_being_planned(workspace, account, now, caplog):
    broken = make_schedule(workspace, [account], now, **HOURLY)
    sound = make_schedule(workspace, [account], now, **HOURLY)
    Schedule.objects.update(planned_until=now)
    Occurrence.objects.all().delete()
    Schedule.objects.filter(pk=broken.pk).update(timezone="Atlantis/Poseidonis")

    materialise.extend_horizon(now=now)

    assert Job.objects.filter(schedule=sound).count() == 48
    assert not Job.objects.filter(schedule=broken).exists()
    assert [record.action for record in caplog.records] == ["rule_unreadable"]


def test_r1_what_stands_already_is_not_counted_as_made_and_keeps_its_jobs(workspace, account, now):
    schedule = make_schedule(workspace, [account], now, **HOURLY)
    kept = set(Job.objects.values_list("public_id", flat=True))
    Job.objects.filter(schedule=schedule, scheduled_for=now + timedelta(hours=3)).delete()
    Schedule.objects.update(planned_until=now)

    made = materialise.extend_horizon(now=now)

    assert made == 1
    assert len(kept - set(Job.objects.values_list("public_id", flat=True))) == 1


def test_ended_schedules_are_found_by_the_index_of_their_jobs_whatever_the_statistics_say(workspace, account, now):
    """One schedule with hundreds of jobs among single posts once made SQLite read all jobs for each of the others."""
    make_schedule(workspace, [account], now, rule_kind="cron", expression="* * * * *")
    for _ in range(20):
        make_schedule(workspace, [account], now)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # a table of 500 rows is read whole otherwise

    plan = lifecycle._ended(now).explain()

    assert "job_of_schedule" in plan
    assert not re.search(r"SCAN U0|Seq Scan on schedules_job", plan)
