"""Many rows in one statement: values arrive as Django would have written them, and a compare-and-set holds for each row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alwrity_scheduler.core.ids import uuid7
from schedules.engine import rows
from schedules.models import Attempt, AuditLog, Job
from tests.people import make_schedule

pytestmark = pytest.mark.django_db
LATER = datetime(2026, 11, 23, 8, 0, 1, 234567, tzinfo=UTC)
WORDS = "Ünï \"quoted\" 'text'\n\t\\ 日本 🎉 {0} %s $[0]"


@pytest.fixture
def jobs(workspace, account, now):
    for number in range(3):
        make_schedule(workspace, [account], now + timedelta(minutes=number))
    return list(Job.objects.order_by("id"))


def test_an_inserted_row_reads_as_it_was_given_and_lacks_nothing(jobs):
    request = {"text": WORDS, "list": [1, 2.5, None, True], "nested": {"a": {"b": []}}}

    answer = rows.insert(
        Attempt,
        ["job_id", "no", "idempotency_key", "worker", "started_at", "request"],
        [(job.pk, 1, f"key {job.pk}", WORDS[:20], LATER, request) for job in jobs],
        answer=["job_id"],
    )

    by_job = {job_id: pk for pk, job_id in answer}
    row = Attempt.objects.get(job=jobs[1])
    assert by_job == {attempt.job_id: attempt.pk for attempt in Attempt.objects.all()}
    assert (row.started_at, row.request, row.worker) == (LATER, request, WORDS[:20])
    assert (row.purpose, row.outcome, row.response, row.called_at, row.status_code) == ("publish", "", {}, None, None)


def test_an_updated_row_reads_as_it_was_given(jobs):
    changed = rows.update(
        Job,
        ["id", "remote_id", "started_at", "deadline_at", "remote_state"],
        [(job.pk, f"{WORDS} {job.pk}", LATER, None, {"at": [job.pk]}) for job in jobs[:2]],
        shared={"finished_at": LATER, "reason": "it's so"},
        adding={"tries": 2},
    )

    first, second, untouched = Job.objects.order_by("id")
    assert changed == {first.pk, second.pk}
    assert (first.remote_id, first.started_at, first.deadline_at) == (f"{WORDS} {first.pk}", LATER, None)
    assert (second.remote_state, second.finished_at, second.reason, second.tries) == (
        {"at": [second.pk]},
        LATER,
        "it's so",
        2,
    )
    assert (untouched.remote_id, untouched.finished_at, untouched.tries) == ("", None, 0)


def test_r19_only_rows_that_are_as_expected_change(jobs):
    Job.objects.filter(pk=jobs[0].pk).update(lease_token=7)

    changed = rows.update(
        Job,
        ["id", "lease_token", "reason"],
        [(jobs[0].pk, 7, "ours"), (jobs[1].pk, 7, "stolen"), (jobs[2].pk, 0, "ours")],
        match=["id", "lease_token"],
        only={"state": "pending"},
    )

    assert changed == {jobs[0].pk, jobs[2].pk}
    assert list(Job.objects.order_by("id").values_list("reason", flat=True)) == ["ours", "", "ours"]
    assert rows.update(Job, ["id", "reason"], [(jobs[0].pk, "x")], only={"state": "running"}) == set()


def test_ids_and_big_numbers_keep_all_their_digits(jobs):
    identity, big = uuid7(), 2**62 + 1

    rows.update(Job, ["id", "public_id", "serial_key"], [(jobs[0].pk, identity, big)])

    row = Job.objects.get(pk=jobs[0].pk)
    assert (row.public_id, row.serial_key) == (identity, big)


def test_many_rows_are_one_statement(jobs, django_assert_num_queries):
    values = [
        (0, number, None, LATER, "a", "user", "", "x", "job", str(number), "", {}, {}, "", "", "h")
        for number in range(500)
    ]
    columns = [field.attname for field in AuditLog._meta.concrete_fields if field.attname != "id"]

    with django_assert_num_queries(1):
        rows.insert(AuditLog, columns, values)

    assert AuditLog.objects.filter(chain=0, action="a").count() == 500


def test_nothing_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert rows.insert(Job, ["state"], []) == []
        assert rows.update(Job, ["id", "state"], []) == set()
