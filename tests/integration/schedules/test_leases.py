"""Claims, leases and rescue: ENGINE R14, R17, R19, R20, R26 in one process."""

from __future__ import annotations

import re
import socket
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alwrity_scheduler.core import clock, http
from platforms.contracts import Accepted, Published
from schedules.engine import work
from schedules.engine.kinds import kinds
from schedules.models import Attempt, AuditLog, Job
from tests.engine import claim_due, run_due
from tests.people import make_account, make_schedule


def test_a_claimed_row_is_not_given_twice(workspace, account, now):
    make_schedule(workspace, [account], now)

    assert len(claim_due(now, worker="one")) == 1
    assert claim_due(now, worker="two") == []


def test_r17_a_claim_by_priority_takes_the_more_urgent_rows_and_leaves_the_others(workspace, account, platform, now):
    other = make_account(workspace, now, name="Other", platform="scripted")
    make_schedule(workspace, [account], now, priority=3)
    make_schedule(workspace, [other], now, priority=4)

    claimed = work.claim(
        Job, now=now, limit=10, lease=work.Lease("tests", timedelta(seconds=60)), arm=kinds["publish"].arm, priority_to=3
    )  # fmt: skip

    assert (claimed.taken, Job.objects.get(state="running").account) == (1, account)
    assert Job.objects.get(state="pending").account == other


def test_a_lease_that_ran_out_makes_the_post_unconfirmed_and_it_is_looked_up(workspace, account, platform, now):
    make_schedule(workspace, [account], now)
    claim_due(now)
    later = now + timedelta(seconds=61)

    rescued = kinds["publish"].rescue(later)
    assert (rescued, Job.objects.get().state, Job.objects.get().reason) == (1, "unconfirmed", "worker_lost")
    platform.finds = [Published(remote_id="there", url="https://x.test/there")]
    run_due(later + timedelta(seconds=2))

    assert Job.objects.get().remote_id == "there"
    assert platform.calls == []


def test_a_dead_workers_rows_are_rescued_before_their_lease_ends(workspace, account, now):
    make_schedule(workspace, [account], now)
    claim_due(now, worker="killed")

    assert kinds["publish"].rescue(now + timedelta(seconds=1), dead_workers=["somebody else"]) == 0
    assert kinds["publish"].rescue(now + timedelta(seconds=1), dead_workers=["killed"]) == 1


def test_r26_a_worker_that_wakes_after_its_lease_cannot_overwrite_and_its_answer_is_used(
    workspace, account, platform, now
):
    make_schedule(workspace, [account], now)
    [(kind, claim, task)] = claim_due(now)
    later = now + timedelta(seconds=90)
    kinds["publish"].rescue(later)

    kind.finish([(claim, task, Published(remote_id="slow", url="https://x.test/slow"))], later)
    assert Job.objects.get().state == "unconfirmed"
    run_due(later)

    assert (Job.objects.get().state, Job.objects.get().remote_id) == ("completed", "slow")
    assert platform.calls == []
    assert platform.asked == []


def test_r26_a_worker_that_wakes_after_its_lease_leaves_word_of_an_accepted_post_and_it_is_followed(
    workspace, account, platform, now
):
    platform.can_find = False
    make_schedule(workspace, [account], now)
    [(kind, claim, task)] = claim_due(now)
    later = now + timedelta(seconds=90)
    kind.rescue(later)

    kind.finish([(claim, task, Accepted(remote_state={"poll_url": "p"}, poll_after_seconds=5))], later)
    run_due(later)
    assert (Job.objects.get().state, Job.objects.get().remote_state) == ("processing", {"poll_url": "p"})
    platform.finds = [Published(remote_id="done", url="https://x.test/done")]
    run_due(later + timedelta(seconds=5))

    assert (Job.objects.get().state, Job.objects.get().remote_id) == ("completed", "done")
    assert platform.calls == []


def test_r26_a_process_that_was_frozen_between_claim_and_call_does_not_call(workspace, account, platform, now):
    make_schedule(workspace, [account], now)
    lease = work.Lease("frozen", timedelta(seconds=60))
    kind = kinds["publish"]

    claimed = work.claim(Job, now=now, limit=1, lease=lease, arm=kind.arm, read_at=clock.monotonic() - 61)
    [(claim, task)] = claimed.tasks
    kind.finish([(claim, task, kind.perform(task))], now)

    assert platform.calls == []
    assert (Job.objects.get().state, Attempt.objects.get().outcome) == ("pending", "not_called")


def test_r26_a_process_that_was_frozen_within_the_call_sends_nothing_after_its_time(workspace, account, platform, now):
    make_schedule(workspace, [account], now)
    [(kind, _, task)] = claim_due(now)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

        def frozen(_):
            time.sleep(0.03)
            http.request("POST", url, content=b"{}", timeout=5, allow=["127.0.0.1"])

        platform.on_call = frozen
        kind.perform(replace(task, start_by=clock.monotonic() + 0.01, timeout=0.01))

        listener.settimeout(0.03)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_r23_a_success_that_comes_after_the_look_ups_is_believed_and_the_post_is_not_sent_again(
    workspace, account, platform, now
):
    make_schedule(workspace, [account], now)
    [(kind, claim, task)] = claim_due(now)
    later = now + timedelta(seconds=61)
    kind.rescue(later)
    for seconds in (2, 10):  # looked up twice, seen to be absent: planned anew
        run_due(later + timedelta(seconds=seconds))
    assert (Job.objects.get().state, len(platform.asked)) == ("pending", 2)

    kind.finish([(claim, task, Published(remote_id="late", url="https://x.test/late"))], later + timedelta(seconds=11))
    run_due(later + timedelta(hours=2))

    job = Job.objects.get()
    assert (job.state, job.remote_id, job.remote_url) == ("completed", "late", "https://x.test/late")
    assert platform.calls == []
    assert AuditLog.objects.of("job", job.public_id).filter(action="job.completed").count() == 1


def test_a_renewed_lease_is_longer_and_a_lost_one_is_not_renewed(workspace, account, now):
    make_schedule(workspace, [account], now)
    [(_, claim, _)] = claim_due(now)
    later = now + timedelta(seconds=20)

    held = {claim.id: claim.token}
    assert work.renew(Job, held=held, now=later, length=timedelta(seconds=60)) == {claim.id}
    assert Job.objects.get().lease_until == later + timedelta(seconds=60)
    assert work.renew(Job, held={claim.id: claim.token + 1}, now=later, length=timedelta(seconds=60)) == set()


def test_r37_a_released_claim_is_due_again_and_cost_nothing(workspace, account, platform, now):
    make_schedule(workspace, [account], now)
    [(kind, claim, task)] = claim_due(now)

    kind.release([(claim, task)], now)
    assert (Job.objects.get().state, Job.objects.get().tries) == ("pending", 0)
    assert Attempt.objects.get().outcome == "not_called"
    run_due(now)

    assert Job.objects.get().state == "completed"


def test_r32_a_call_that_was_not_made_costs_nothing_of_the_accounts_cap(workspace, platform, now):
    account = make_account(workspace, now, platform="scripted", hourly_cap=1)
    make_schedule(workspace, [account], now)
    [(kind, claim, task)] = claim_due(now)

    kind.release([(claim, task)], now)
    run_due(now)

    assert Job.objects.get().state == "completed"


def test_r14_the_due_query_reads_the_partial_index_alone(workspace, account, now):
    make_schedule(workspace, [account], now, rule_kind="cron", expression="* * * * *")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET enable_seqscan = off")  # a table of 500 rows is read whole otherwise

    wanted = work.Wanted(now, 16)
    plans = [work.due(Job.objects, now).explain(), _plan(*work.choosing(Job, wanted))]
    plans.append(_plan(*work.choosing(Job, replace(wanted, priority_to=3))))

    assert all("job_due" in plan for plan in plans)
    assert re.search("job_serial|job_lease", plans[1])  # what is running is read from an index of the running
    assert not re.search(r"SCAN schedules_job$|Seq Scan on schedules_job ", "\n".join(plans), re.MULTILINE)


def _plan(sql, values):
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        cursor.execute(explain + sql, values)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def test_an_idle_look_costs_one_query_a_kind_and_no_transaction(workspace, account, now, django_assert_num_queries):
    with django_assert_num_queries(len(list(kinds.values()))):
        claim_due(now)


@pytest.mark.vendor("sqlite")  # reads SQLite's plans; the benchmark watches PostgreSQL's
def test_r14_no_step_of_an_idle_pass_reads_the_whole_job_table(workspace, account, now):
    from alwrity_scheduler.core.events import ENGINE
    from schedules.engine import loop, work
    from schedules.models import JobCheck
    from schedules.services import lifecycle

    make_schedule(workspace, [account], now + timedelta(hours=1))
    later = now + timedelta(minutes=1)
    with CaptureQueriesContext(connection) as queries:
        for chore in loop.housekeeping:
            chore(later)
        for kind in kinds.values():
            kind.rescue(later, dead_workers=["somebody"])
        work.look([Job, JobCheck])
        lifecycle.finish_ended(now=later, actor=ENGINE)

    scans = []
    for query in queries:
        if not query["sql"].startswith(("SELECT", "UPDATE")):
            continue
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
            plan = "\n".join(str(row[3]) for row in cursor.fetchall())
        if re.search(r'SCAN "?schedules_job(check)?\b"?(?! USING (COVERING )?INDEX)', plan):
            scans.append((query["sql"], plan))
    assert scans == []
