"""The bug reports that ENGINE.md lists, each as a test of this product. The docstrings name the item and its sources."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from alwrity_scheduler.core import clock
from platforms.contracts import Published
from platforms.errors import UnknownOutcome
from schedules.domain.recurrence import Recurrence, RuleKind, RuleRefused, occurrences
from schedules.engine import duties, work, workers
from schedules.engine.duties import DutyKind
from schedules.engine.kinds import kinds
from schedules.engine.loop import Loop
from schedules.engine.tables import Duty, Worker
from schedules.models import Attempt, AuditLog, Job
from schedules.services import jobs, materialise
from tests.engine import LEASE, claim_due, install, run_due, uninstall
from tests.people import ACTOR, make_account, make_schedule
from tests.rules.conftest import until


def test_1_several_server_processes_do_not_multiply_a_job(today, platform, beside):
    """Item 1: n gunicorn workers, n runs [django-apscheduler 12, 131, 156; apscheduler 160]."""
    make_schedule(today.workspace, today.accounts, today.now)
    engines = [Loop(threads=2, lease=LEASE) for _ in range(3)]
    runners = [beside(engine.run, stop_seconds=10) for engine in engines]

    until(lambda: Job.objects.filter(state="completed").count() == 3, "the posts")
    for engine in engines:
        engine.stop()
    for runner in runners:
        runner.join(20)

    assert sorted(call.account.name for call in platform.calls) == ["One", "Three", "Two"]
    assert Duty.objects.filter(name="plan").count() == 1


def test_2_code_that_cannot_be_loaded_deletes_nobodys_schedules(workspace, account, platform, now):
    """Item 2: "Unable to restore job - removing it" [apscheduler 99, 341; AutoGPT 14218, 268 schedules in 8 s]."""
    schedule = make_schedule(workspace, [account], now, rule_kind="cron", expression="0 * * * *")
    before = Job.objects.count()
    uninstall(platform)
    run_due(now)
    materialise.extend_horizon(now=now + timedelta(hours=12))
    install(platform)

    run_due(now + timedelta(hours=1))

    schedule.refresh_from_db()
    assert (schedule.state, Job.objects.count()) == ("active", before + 12)
    assert list(Job.objects.order_by("run_at").values_list("state", flat=True)[:2]) == ["failed", "completed"]


def test_2_a_duty_whose_function_is_gone_stays_and_stops_no_other(db, now, monkeypatch):
    """Item 2, for the engine's own duties."""
    monkeypatch.setattr(duties, "duties", registry := type(duties.duties)("duty"))
    registry.register("known", DutyKind(lambda at: "done", 60))
    duties.ensure_rows(now - timedelta(minutes=5))
    Duty.objects.create(name="renamed since", every_seconds=60, next_at=now - timedelta(minutes=5))

    assert duties.run_overdue(now) == 1
    assert Duty.objects.filter(name="renamed since").exists()


def test_3_a_restart_that_comes_late_publishes_and_tells_what_it_left_out(workspace, account, platform, now):
    """Item 3: restarted 30 s late, the job is gone without a trace [APScheduler's misfire_grace_time]."""
    make_schedule(workspace, [account], now)
    make_schedule(
        workspace, [make_account(workspace, now, name="Other", platform="scripted")], now, rule_kind="cron",
        expression="* * * * *",
    )  # fmt: skip

    run_due(now + timedelta(minutes=3, seconds=30))

    states = list(Job.objects.filter(scheduled_for__lte=now + timedelta(minutes=3)).values_list("state", "reason"))
    assert sorted(states) == [("completed", "")] * 2 + [("missed", "coalesced")] * 3
    assert AuditLog.objects.filter(action="job.missed").count() == 3


def fires(expression, start, count, timezone="Europe/Berlin"):
    rule = Recurrence(kind=RuleKind.CRON, expression=expression, timezone=timezone, start_local=start)
    found = occurrences(rule, start=start.replace(tzinfo=UTC) - timedelta(days=1), count=count)
    return [f"{item.fires_at:%m-%d %H:%M}" for item in found]


def test_3_no_day_is_left_out_no_change_of_clocks_is_got_stuck_in_and_no_date_is_invented():
    """Item 3: [apscheduler 606, 1036, 1059]."""
    assert fires("30 2 * * *", datetime(2027, 3, 27), 3) == ["03-27 01:30", "03-28 01:00", "03-29 00:30"]
    assert fires("0 9 31 * *", datetime(2027, 1, 1), 4) == ["01-31 08:00", "03-31 07:00", "05-31 07:00", "07-31 07:00"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 9 * * mon#2", ["01-11 08:00", "02-08 08:00", "03-08 08:00"]),
        ("0 9 * * mon-fri/2", ["01-01 08:00", "01-04 08:00", "01-06 08:00"]),
        ("0 9 1 Jan-Aug/2 *", ["01-01 08:00", "03-01 08:00", "05-01 07:00"]),
        ("0 9 * * 1", ["01-04 08:00", "01-11 08:00", "01-18 08:00"]),  # 1 is Monday, as in cron(5)
    ],
)
def test_4_what_stands_behind_a_name_is_read_and_numbers_count_from_sunday(expression, expected):
    """Item 4: `mon#2` fires every Monday [APScheduler], weekdays count from Monday [286]."""
    assert fires(expression, datetime(2027, 1, 1), 3) == expected


@pytest.mark.parametrize("expression", ["0 9 * * mon#", "0 9 * * mon-", "0 9 1 Jan-Aug/ *", "0 9 * * mon$2"])
def test_4_what_cannot_be_read_in_full_is_refused(expression):
    """Item 4: the part that is not understood must not be dropped."""
    with pytest.raises(RuleRefused):
        fires(expression, datetime(2027, 1, 1), 1)


def test_5_a_post_far_ahead_is_one_row_and_no_message_that_could_come_twice(workspace, account, platform, now):
    """Item 5: an ETA beyond the visibility time-out is delivered n times [kombu 337; celery 2481, 4400, 7009, 9882]."""
    make_schedule(workspace, [account], now, start_local=(now + timedelta(days=1)).replace(tzinfo=None))

    for hour in range(24):
        assert claim_due(now + timedelta(hours=hour)) == []
    for _ in range(3):
        run_due(now + timedelta(days=1))

    assert (Job.objects.count(), len(platform.calls)) == (1, 1)


def test_6_two_that_say_the_same_duty_is_due_run_it_once(transactional_db, monkeypatch, beside):
    """Item 6: two beats, everything twice [celery 2856, 1495; django-celery-beat 337, 229, 576]."""
    done, line = [], threading.Barrier(4)
    monkeypatch.setattr(duties, "duties", registry := type(duties.duties)("duty"))
    registry.register("once", DutyKind(lambda at: str(done.append(at)), 3600))
    duties.ensure_rows(clock.database_now())

    def say():
        line.wait(20)
        duties.run_duty("once")

    for thread in [beside(say) for _ in range(4)]:
        thread.join(20)

    assert len(done) == 1


def test_7_a_change_of_the_plan_in_the_minute_of_a_run_repeats_nothing(workspace, account, platform, now):
    """Item 7: a one-off task changes the schedule, and the cron task fires again [django-celery-beat 222, 35, 313]."""
    make_schedule(workspace, [account], now, rule_kind="cron", expression="0 * * * *")
    run_due(now)

    for second in range(1, 6):
        at = now + timedelta(seconds=second)
        make_schedule(
            workspace, [account], at, start_local=(at + timedelta(seconds=1)).replace(tzinfo=None), text=str(second)
        )
        materialise.extend_horizon(now=at)
        run_due(at)
    run_due(now + timedelta(seconds=7))

    assert [call.text for call in platform.calls] == ["Hello", "1", "2", "3", "4", "5"]


def test_7_two_posts_of_the_same_instant_both_go_out(workspace, account, platform, now):
    """Item 7: two clocked tasks at the same instant, one never runs [django-celery-beat 283]."""
    for text in ("first", "second"):
        make_schedule(workspace, [account], now, text=text)

    run_due(now)

    assert sorted(call.text for call in platform.calls) == ["first", "second"]


def test_7_a_change_past_every_service_is_seen_for_the_rows_are_what_is_looked_at(workspace, account, platform, now):
    """Item 7: QuerySet.update() bypasses the change marker [django-celery 492]."""
    make_schedule(workspace, [account], now, start_local=(now + timedelta(hours=5)).replace(tzinfo=None))

    Job.objects.update(run_at=now)
    run_due(now)

    assert len(platform.calls) == 1


def test_8_there_is_no_leader_that_could_be_stale(workspace, account, platform, now):
    """Item 8: a stale leader, 19 days of duplicates [oban 1488, 32]. Here a silent worker's rows are settled, not repeated."""
    make_schedule(workspace, [account], now)
    [(kind, claim, task)] = claim_due(now, worker="silent")
    answer = kind.perform(task)
    later = now + timedelta(minutes=2)
    platform.finds = [Published(remote_id="r1", url="https://x.test/1")]

    kind.rescue(later)
    run_due(later + timedelta(seconds=2))
    kind.finish([(claim, task, answer)], later + timedelta(days=19))

    assert (Job.objects.get().state, len(platform.calls)) == ("completed", 1)


def test_8_a_lease_that_holds_is_not_rescued_however_long_the_call_takes(workspace, account, platform, now):
    """Item 8: rescue by age alone repeats what is still running [hexpm 1825]."""
    make_schedule(workspace, [account], now)
    [(kind, claim, _)] = claim_due(now)
    at = now
    for _ in range(10):
        at += timedelta(seconds=40)
        work.renew(Job, held={claim.id: claim.token}, now=at, length=LEASE)
        assert kind.rescue(at) == 0

    assert Job.objects.get().state == "running"


def test_9_a_finished_post_whose_final_write_fails_is_neither_failed_nor_held_for_ever(
    today, engine, platform, monkeypatch
):
    """Item 9: [solid_queue 589, 748]. Also when the error is no failing database: then the look-up settles it."""
    make_schedule(today.workspace, today.accounts[:1], today.now)
    kind = kinds["publish"]
    real = kind.finish
    monkeypatch.setattr(kind, "finish", lambda *_: 1 / 0)
    engine.run_pass(clock.database_now())
    until(lambda: engine.run_pass(clock.database_now()).finished, "the failing write")
    held = engine.dispatcher.in_flight()
    monkeypatch.setattr(kind, "finish", real)
    platform.finds = [Published(remote_id="r1", url="https://x.test/1")]
    Job.objects.update(lease_until=clock.database_now() - timedelta(seconds=1))

    kind.rescue(clock.database_now())
    run_due(clock.database_now() + timedelta(seconds=3))

    assert held == 0  # its lease is no longer renewed
    assert (Job.objects.get().state, len(platform.calls)) == ("completed", 1)


def test_10_a_claim_of_a_worker_that_never_said_a_word_is_rescued(workspace, account, now):
    """Item 10: tasks without a heartbeat are invisible to the rescue [airflow 66773]; a slot is missed [sidekiq 6804]."""
    make_schedule(workspace, [account], now)
    claim_due(now, worker="without a row")
    assert not Worker.objects.exists()

    assert kinds["publish"].rescue(now + LEASE + timedelta(seconds=1)) == 1
    assert workers.dead_workers() == []


def test_11_more_than_a_hundred_missed_runs_do_not_end_a_schedule(workspace, account, platform, now):
    """Item 11: > 100 missed starts, and the schedule is dead [kubernetes 42649, 45825]."""
    make_schedule(workspace, [account], now, rule_kind="cron", expression="*/2 * * * *")
    later = now + timedelta(hours=5)

    while materialise.extend_horizon(now=later):
        pass
    run_due(later)
    run_due(later + timedelta(minutes=2))

    assert Job.objects.filter(state="missed", reason="coalesced").count() == 150
    assert [call.scheduled_for for call in platform.calls] == [later, later + timedelta(minutes=2)]


def test_12_a_post_survives_restarts_and_goes_out_late_rather_than_never(workspace, account, platform, now):
    """Item 12: stays "scheduled" after a restart, more than ten minutes late is lost [Ghost 8485, 8975, 10674; Postiz 1259]."""
    make_schedule(workspace, [account], now)

    # nothing of an engine lives in memory: this one has never seen the post
    run_due(now + timedelta(minutes=45), worker="started afterwards")

    assert Job.objects.get().state == "completed"


def test_12_what_went_out_is_not_sent_again_after_a_restart(workspace, account, platform, now):
    """Item 12: re-posts after each restart until the account is banned [postybirb 716]."""
    make_schedule(workspace, [account], now)
    run_due(now)

    for number in range(3):
        kinds["publish"].rescue(now + timedelta(hours=1), dead_workers=["tests"])
        materialise.extend_horizon(now=now + timedelta(hours=1))
        run_due(now + timedelta(hours=1), worker=f"restart {number}")

    assert len(platform.calls) == 1


def test_12_a_5xx_is_not_shown_as_published(workspace, account, platform, now):
    """Item 12: one 5xx dropped the post although it was shown as published [wordpress-atmosphere 182]."""
    platform.script = [UnknownOutcome("HTTP 503", status_code=503)]
    make_schedule(workspace, [account], now)

    run_due(now)

    row = Job.objects.get()
    assert (row.state, row.remote_id, Attempt.objects.get().outcome) == ("unconfirmed", "", "unknown")
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.update(state="completed")


def test_12_a_publish_now_beside_a_scheduled_post_does_not_make_two(workspace, account, platform, now):
    """Item 12: the scheduled post vanishes while "post now" works [Postiz 1259]; here it is the same post, once."""
    schedule = make_schedule(workspace, [account], now, start_local=(now + timedelta(hours=1)).replace(tzinfo=None))

    jobs.publish_now(schedule=schedule, actor=ACTOR, now=now)
    run_due(now)
    run_due(now + timedelta(hours=1))

    assert len(platform.calls) == 1
