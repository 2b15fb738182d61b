"""R17 to R21: one claimant each, the attempt before the call, and nobody writes who has lost the lease."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction

from alwrity_scheduler.core import clock
from platforms.contracts import Published
from platforms.errors import UnknownOutcome
from schedules.engine import dispatch, work
from schedules.engine.kinds import kinds
from schedules.models import Attempt, Job
from schedules.services import publishing
from tests.engine import LEASE, claim_due
from tests.people import make_account, make_people, make_schedule
from tests.rules.conftest import until
from tests.rules.inside import Nursery


@pytest.mark.processes
@pytest.mark.xdist_group("nursery")
def test_r17_of_several_claiming_processes_each_job_goes_to_exactly_one(nursery: Nursery) -> None:
    nursery.ask("due_rows", count=60)

    processes = [nursery.start("claim_all", worker=f"w{number}", limit=1 + number) for number in range(5)]
    got = [process.answer() for process in processes]

    everything = [pk for mine in got for pk in mine]
    assert len(everything) == len(set(everything)) == 60


def test_r17_a_claim_sets_state_lease_worker_and_a_token_that_only_grows(workspace, account, now):
    make_schedule(workspace, [account], now)

    [(kind, first, task)] = claim_due(now, worker="one")
    row = Job.objects.get()
    assert (row.state, row.worker, row.lease_token, row.lease_until) == ("running", "one", 1, now + LEASE)
    kind.release([(first, task)], now)
    [(_, second, _)] = claim_due(now, worker="two")

    assert (first.token, second.token) == (1, 2)
    assert list(Attempt.objects.order_by("no").values_list("no", "worker")) == [(1, "one"), (2, "two")]


class Injected(OperationalError):
    pass


def failing_at(number):
    """An execute wrapper that lets `number` statements through and fails the next."""
    seen = []

    def wrapper(execute, sql, params, many, context):
        seen.append(sql)
        if len(seen) > number:
            raise Injected(sql)
        return execute(sql, params, many, context)

    return wrapper


def claim_one(now):
    return work.claim(Job, now=now, limit=1, lease=work.Lease("one", LEASE), arm=kinds["publish"].arm).tasks


@pytest.fixture
def one_post(transactional_db, platform, now):
    room = make_people(now).workspace
    limited = make_account(room, now, platform="scripted", min_spacing_seconds=1, hourly_cap=9)
    return make_schedule(room, [limited], now)


def test_r18_whichever_statement_of_the_claim_fails_nothing_is_called_and_nothing_stays(one_post, platform, now):
    """The claim, the last look, the limits, the attempt: one transaction, failed at each of its statements in turn."""
    statements = 0
    while True:
        try:
            with connection.execute_wrapper(failing_at(statements)):
                tasks = claim_one(now)
            break
        except Injected:
            statements += 1
        assert (platform.calls, Attempt.objects.count()) == ([], 0)
        assert Job.objects.values_list("state", "lease_token", "attempt_count").get() == ("pending", 0, 0)

    assert statements > 10
    assert len(tasks) == 1
    assert Attempt.objects.filter(outcome="", called_at__isnull=False).count() == 1


def test_r18_a_claim_whose_commit_fails_hands_out_no_task(one_post, platform, now, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(connection, "_commit", lambda: (_ for _ in ()).throw(Injected("commit")))
        with pytest.raises(Injected):
            claim_one(now)
    connection.close()

    assert (platform.calls, Attempt.objects.count(), Job.objects.get().state) == ([], 0, "pending")


def test_r18b_the_attempts_commit_is_durable_whatever_the_servers_default(one_post, now):
    """SQLite: synchronous=FULL. PostgreSQL: synchronous_commit is on in the claim's transaction even where it is off by default."""
    told = []

    def arm(claims, at):
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous" if connection.vendor == "sqlite" else "SHOW synchronous_commit")
            told.append(cursor.fetchone()[0])
        return []

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")
    with transaction.atomic():
        work.claim(Job, now=now, limit=1, lease=work.Lease("one", LEASE), arm=arm)
        transaction.set_rollback(True)
    connection.close()

    assert told == [2 if connection.vendor == "sqlite" else "on"]


@pytest.mark.parametrize(
    "result", [Published(remote_id="late", url="https://x.test/late"), UnknownOutcome("No answer.")]
)
def test_r19_who_has_lost_the_lease_writes_the_attempt_and_nothing_else(workspace, account, platform, now, result):
    make_schedule(workspace, [account], now)
    [(kind, old, task)] = claim_due(now)
    Job.objects.update(state="pending", lease_until=None)
    [(_, newer, _)] = claim_due(now, worker="two")
    before = Job.objects.values().get()

    kind.finish([(old, task, result)], now)

    assert Job.objects.values().get() == before
    assert (before["lease_token"], newer.token) == (2, 2)
    assert Attempt.objects.get(no=1).outcome == ("published" if isinstance(result, Published) else "unknown")


def test_r20_the_lease_is_renewed_while_the_call_hangs_by_a_thread_of_its_own(today, platform, monkeypatch):
    renewers, go_on = set(), threading.Event()
    real = dispatch.renew
    monkeypatch.setattr(
        dispatch,
        "renew",
        lambda *values, **named: renewers.add(threading.current_thread().name) or real(*values, **named),
    )
    callers = []
    platform.on_call = lambda publication: callers.append(threading.current_thread().name) or go_on.wait(20)
    make_schedule(today.workspace, today.accounts[:1], today.now)
    made = dispatch.ThreadDispatcher(threads=1, lease=timedelta(milliseconds=90), wake=lambda: None)
    now = clock.database_now()
    claimed = work.claim(
        Job, now=now, limit=1, lease=work.Lease("one", timedelta(seconds=60)), arm=kinds["publish"].arm
    )
    first = Job.objects.get().lease_until

    made.submit(kinds["publish"], claimed.tasks, lambda claim: 0.0)
    until(lambda: Job.objects.get().lease_until != first, "the renewal")
    go_on.set()
    until(made.ended, "the call's end")
    made.close()
    made._keeper.join(10)

    assert renewers == {"lease-keeper"}
    assert len(callers) == 1
    assert callers[0].startswith("publish")


def test_r20_a_call_ends_before_its_lease_does_even_if_no_renewal_succeeds(workspace, account, now):
    """So nobody need abort a call: its time-out and the latest moment to begin it both lie within the lease it was given."""
    make_schedule(workspace, [account], now)

    before = clock.monotonic()
    [(_, _, task)] = claim_due(now)

    assert task.start_by - before + task.timeout <= LEASE.total_seconds() - publishing.MARGIN_SECONDS + 0.5
    assert task.timeout <= publishing.CALL_SECONDS


def test_r20_a_task_whose_lease_would_not_last_is_not_called(workspace, account, platform, now, monkeypatch):
    make_schedule(workspace, [account], now)
    [(kind, claim, task)] = claim_due(now)
    monkeypatch.setattr(clock, "monotonic", lambda: task.start_by + 0.001)

    kind.finish([(claim, task, kind.perform(task))], now)

    assert (platform.calls, Job.objects.get().state, Attempt.objects.get().outcome) == ([], "pending", "not_called")


def test_r21_during_a_call_no_session_is_inside_a_transaction(today, engine, platform):
    """Asked of the server on PostgreSQL; on SQLite another session can write at once."""
    told = []

    def look(publication):
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
                )
                told.append(cursor.fetchone()[0])
            else:
                cursor.execute("PRAGMA busy_timeout = 0")
                cursor.execute("BEGIN IMMEDIATE")
                cursor.execute("ROLLBACK")
                told.append(0)

    platform.on_call = look
    make_schedule(today.workspace, today.accounts[:1], today.now)

    engine.drain()

    assert told == [0]
    assert Job.objects.get().state == "completed"
