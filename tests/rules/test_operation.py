"""R37 to R44: stopping, several engines, what cannot be loaded, figures, pruning, vacuum, unwritten results, one clock."""

from __future__ import annotations

import json
import logging
import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from alwrity_scheduler.core import clock
from platforms.contracts import Published
from platforms.errors import Rejected, UnknownOutcome
from schedules.engine import duties, work, workers
from schedules.engine.kinds import kinds
from schedules.engine.loop import Loop
from schedules.engine.tables import Duty, Worker
from schedules.models import Attempt, AuditChain, AuditLog, Job, JobCheck, Occurrence
from schedules.reads.engine import engine_status
from schedules.services import audit, jobs, pruning
from tests.engine import claim_due, install, run_due, uninstall
from tests.people import ACTOR, make_account, make_schedule
from tests.rules.conftest import until


def test_r38_two_engines_on_one_database_publish_each_post_once(today, platform, beside):
    for account in today.accounts:
        for _ in range(4):
            make_schedule(today.workspace, [account], today.now)
    engines = [Loop(threads=2, lease=timedelta(seconds=60)) for _ in range(2)]
    runners = [beside(engine.run, stop_seconds=10) for engine in engines]

    until(lambda: Job.objects.filter(state="completed").count() == 12, "all posts")
    for engine in engines:
        engine.stop()
    for runner in runners:
        runner.join(20)

    assert len(platform.calls) == len({call.key for call in platform.calls}) == 12


def test_r39_an_adapter_that_is_gone_fails_its_posts_and_they_can_be_retried_when_it_is_back(
    workspace, account, platform, now
):
    make_schedule(workspace, [account], now)
    uninstall(platform)
    run_due(now)
    gone = Job.objects.values_list("state", "reason").get()
    install(platform)

    jobs.retry(job=Job.objects.get(), actor=ACTOR, now=now)
    run_due(now)

    assert gone == ("failed", "unloadable")
    assert Job.objects.get().state == "completed"


@pytest.mark.parametrize("what", ["content", "adapter"])
def test_r39_one_post_that_cannot_be_put_together_fails_alone(
    workspace, account, platform, now, what, monkeypatch, caplog
):
    broken = make_schedule(workspace, [account], now, text="broken")
    make_schedule(workspace, [make_account(workspace, now, name="Other", platform="scripted")], now, text="whole")
    if what == "content":
        type(broken.content).objects.filter(pk=broken.content_id).update(hashtags=7)
    else:
        real = platform.capabilities
        monkeypatch.setattr(platform, "capabilities", lambda ref: real(ref) if ref.name == "Other" else 1 / 0)

    run_due(now)

    assert [call.text for call in platform.calls] == ["whole"]
    assert Job.objects.values_list("state", "reason").get(schedule=broken) == ("failed", "unloadable")


def test_r39_a_look_up_whose_stored_post_cannot_be_read_is_left_to_a_person_and_holds_up_no_other(
    workspace, account, platform, now
):
    platform.script = [UnknownOutcome("a"), UnknownOutcome("b")]
    platform.finds = [Published(remote_id="b", url="https://x.test/b")]
    first = make_schedule(workspace, [account], now)
    second = make_schedule(workspace, [make_account(workspace, now, name="Other", platform="scripted")], now)
    run_due(now)
    attempt = Attempt.objects.get(job__schedule=first)
    Attempt.objects.filter(pk=attempt.pk).update(request={**attempt.request, "schema": 99})

    run_due(now + timedelta(seconds=1))

    assert Job.objects.values_list("state", "reason").get(schedule=first) == ("unconfirmed", "unloadable")
    assert Job.objects.get(schedule=second).state == "completed"
    assert set(JobCheck.objects.values_list("state", flat=True)) == {"done"}


def test_r39_what_is_sent_is_stored_as_json_that_names_its_form(workspace, account, platform, now):
    make_schedule(workspace, [account], now)

    run_due(now)

    stored = Attempt.objects.get().request
    assert stored["schema"] == 1
    assert json.loads(json.dumps(stored)) == stored


def test_r40_heartbeat_depth_oldest_due_age_lateness_and_last_planning_can_be_asked_for(today, engine, platform):
    for account in today.accounts:
        make_schedule(today.workspace, [account], today.now)
    later = make_schedule(
        today.workspace,
        today.accounts[:1],
        today.now,
        start_local=(today.now + timedelta(hours=1)).replace(tzinfo=None),
    )
    engine.drain()
    engine.heart.beat(clock.database_now(), 0, force=True)
    Duty.objects.update(next_at=today.now - timedelta(minutes=1))
    duties.run_overdue(clock.database_now())
    Job.objects.filter(schedule=later).update(run_at=today.now - timedelta(seconds=90))

    status = engine_status(Job.objects.all(), workspaces=[today.workspace.pk], now=today.now)

    assert (status.jobs.pending, status.jobs.due, status.oldest_due_age_seconds) == (1, 1, 90.0)
    row = Worker.objects.get()
    assert (status.workers[0].name, row.completed_count) == (row.name, 3)
    assert sum(row.lateness["counts"]) == 3
    assert Duty.objects.get(name="plan").last_run_at is not None


def test_r41_pruning_takes_old_attempts_in_batches_and_leaves_identities_alone(
    workspace, account, platform, now, monkeypatch
):
    assert pruning.BATCH <= 1000
    monkeypatch.setattr(pruning, "BATCH", 2)
    for number in range(5):
        make_schedule(workspace, [account], now, text=str(number))
    run_due(now)
    later = now + timedelta(days=401)
    before = (Job.objects.count(), Occurrence.objects.count(), AuditLog.objects.count())

    left = []
    for _ in range(3):
        pruning.prune(now=later)
        left.append(Attempt.objects.count())

    assert left == [3, 1, 0]
    assert (Job.objects.count(), Occurrence.objects.count(), AuditLog.objects.count()) == before


def test_r41_nothing_within_a_posts_deadline_is_pruned_however_short_the_retention(
    workspace, account, platform, now, settings
):
    settings.RETENTION_DAYS = {"attempts": 1}
    platform.script = [Rejected("No.")]
    make_schedule(workspace, [account], now, grace_seconds=10 * 86_400)
    run_due(now)

    pruning.prune(now=now + timedelta(days=9))
    within = Attempt.objects.count()
    pruning.prune(now=now + timedelta(days=11))

    assert (within, Attempt.objects.count()) == (1, 0)


def test_r41_an_open_posts_attempts_stay_whatever_their_age(workspace, account, platform, now):
    platform.script, platform.can_find = [UnknownOutcome("No answer.")], False
    make_schedule(workspace, [account], now)
    run_due(now)

    pruning.prune(now=now + timedelta(days=4000))

    assert Attempt.objects.count() == 1


@pytest.mark.parametrize("change", [lambda rows: rows.update(actor_label="somebody else"), lambda rows: rows.delete()])
def test_r41_state_changes_are_only_added_to_and_the_chain_holds(workspace, account, platform, now, change):
    make_schedule(workspace, [account], now)
    run_due(now)

    with pytest.raises(TypeError, match="append-only"):
        change(AuditLog.objects.filter(action="job.completed"))

    assert list(audit.verify()) == []
    assert AuditChain.objects.get(pk=workspace.pk).length == AuditLog.objects.filter(workspace_ref=workspace.pk).count()


@pytest.mark.vendor("postgresql")  # SQLite has no autovacuum
@pytest.mark.parametrize("table", ["schedules_job", "schedules_jobcheck"])
def test_r42_the_migration_tunes_the_busy_tables(db, table):
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = %s", [table])
        options = set(cursor.fetchone()[0])

    assert options >= {"autovacuum_vacuum_scale_factor=0", "autovacuum_vacuum_threshold=2000", "fillfactor=80"}


def test_r42_after_a_flow_of_jobs_the_claim_reads_the_same_index_and_as_many_rows(workspace, account, platform, now):
    make_schedule(workspace, [account], now, rule_kind="cron", expression="* * * * *", catch_up="all")
    plans, queries = [], []
    for minute in range(0, 120, 40):
        for passed in range(40):
            run_due(now + timedelta(minutes=minute + passed))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE schedules_job")
        plans.append(work.due(Job.objects, now + timedelta(minutes=minute + 40))[:200].explain())
        queries.append(work.due(Job.objects, now + timedelta(minutes=minute + 40)).count())

    assert len(platform.calls) == 120
    assert all("job_due" in plan for plan in plans)
    assert queries == [1, 1, 1]


def test_r43_a_result_is_kept_through_a_database_that_is_down_until_it_is_written(today, engine, platform, monkeypatch):
    make_schedule(today.workspace, today.accounts[:1], today.now)
    kind = kinds["publish"]
    real, refused = kind.finish, []

    def finish(results, now):
        if len(refused) < 5:
            refused.append(results)
            raise OperationalError("the server closed the connection unexpectedly")
        real(results, now)

    monkeypatch.setattr(kind, "finish", finish)
    done = threading.Event()

    def one_pass():
        engine._safely(lambda: engine.run_pass(clock.database_now()))
        if Job.objects.filter(state="completed").exists():
            done.set()
        return done.is_set()

    until(one_pass, "the result")

    assert (len(refused), len(platform.calls)) == (5, 1)
    assert Attempt.objects.get().outcome == "published"


def test_r43_a_result_that_comes_after_the_lease_was_lost_settles_the_post_without_another_call(
    workspace, account, platform, now
):
    make_schedule(workspace, [account], now)
    [(kind, claim, task)] = claim_due(now)
    result = kind.perform(task)
    later = now + timedelta(seconds=90)
    kind.rescue(later)
    kind.finish([(claim, task, result)], later)

    run_due(later + timedelta(seconds=3))

    assert (Job.objects.get().state, len(platform.calls), platform.asked) == ("completed", 1, [])


def test_r44_a_clock_that_differs_from_the_databases_by_more_than_two_seconds_is_reported(db, now, monkeypatch, caplog):
    heart = workers.Heart()
    heart.register(now)

    with caplog.at_level(logging.WARNING):
        monkeypatch.setattr(clock, "now", lambda: now - timedelta(seconds=1.9))
        heart.beat(now, 0, force=True)
        quiet = list(caplog.records)
        monkeypatch.setattr(clock, "now", lambda: now - timedelta(seconds=2.1))
        heart.beat(now, 0, force=True)

    assert quiet == []
    assert [record.action for record in caplog.records] == ["clock_skew"]
    assert Worker.objects.get().clock_skew_ms == 2100


def test_r44_the_workers_own_clock_stands_beside_the_databases_on_each_attempt(
    workspace, account, platform, now, monkeypatch
):
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(seconds=7))
    make_schedule(workspace, [account], now)

    run_due(now)

    attempt = Attempt.objects.get()
    assert (attempt.started_at, attempt.worker_clock) == (now, now + timedelta(seconds=7))
