"""The reads of the job monitor: that a million jobs are counted, paged and spanned on indexes, and what a line says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from schedules.models import Job, Occurrence
from schedules.querysets.jobs import JobQuerySet
from schedules.reads import executions
from schedules.reads.executions import Ending, Listing, Source
from tests.people import make_schedule

DONE = ("completed", "cancelled", "superseded")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def crowd(workspace, account, now):
    """1,000 jobs of one minute each, the newest now: most of them done, one in ten pending, one in a hundred failed."""
    schedule = make_schedule(workspace, [account], now)
    Job.objects.all().delete()
    occurrences = Occurrence.objects.bulk_create(
        Occurrence(
            schedule=schedule,
            nominal_at=now - (place + 1) * MINUTE,
            nominal_local=now.replace(tzinfo=None),
            fires_at=now,
        )
        for place in range(1_000)
    )
    Job.objects.bulk_create(
        Job(
            workspace=workspace,
            schedule=schedule,
            occurrence=made,
            account=account,
            scheduled_for=made.nominal_at,
            run_at=made.nominal_at,
            created_at=now,
            state="failed" if place % 100 == 0 else "pending" if place % 10 == 0 else DONE[place % 3],
            remote_id="x",
        )
        for place, made in enumerate(occurrences)
    )
    # SQLite gets no statistics: a database that was never analysed is the harder case
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
            cursor.execute("SET LOCAL enable_seqscan = off")
    return schedule


@pytest.fixture
def plans(monkeypatch):
    """The plan of every query that a listing asks: `plans(listing)`."""

    def of(listing):
        found, iterate = [], JobQuerySet.__iter__

        def explained(rows):
            found.append(rows.explain())
            return iterate(rows)

        monkeypatch.setattr(JobQuerySet, "__iter__", explained)
        list(listing.keys(50))
        monkeypatch.undo()
        return found

    return of


def test_counts_are_one_query_on_the_index_of_the_list_and_stop(
    workspace, crowd, monkeypatch, django_assert_num_queries
):
    source = Source(Job.objects.filter(workspace=workspace))
    groups = {"failed": ("failed",), "done": DONE, "running": ("running",)}
    monkeypatch.setattr(executions, "MOST_COUNTED", 100)

    with django_assert_num_queries(1):
        found = executions.counts(source, groups, workspace=workspace)

    assert {name: (count.number, count.more) for name, count in found.items()} == {
        "failed": (10, False),
        "done": (100, True),
        "running": (0, False),
    }
    for rows in source.parts((*DONE, "failed")):
        assert "job_list" in rows.order_by().values("pk")[:101].explain()


def test_a_page_of_several_states_is_read_in_the_order_of_the_index(workspace, crowd, plans):
    jobs = Job.objects.filter(workspace=workspace)
    listing = Listing(Source(jobs), DONE, 1_000)

    found = plans(listing)

    assert len(found) == len(DONE)
    for plan in found:
        assert "job_list" in plan
        assert "TEMP B-TREE" not in plan
        assert "Sort" not in plan
    assert listing[100:150] == list(jobs.filter(state__in=DONE).order_by("-run_at", "-id")[100:150])


def test_a_span_of_time_is_read_from_the_index_of_due_times(workspace, crowd, plans, now):
    since = now - timedelta(hours=3)
    source = Source(Job.objects.filter(workspace=workspace), since, now)
    wanted = Job.objects.filter(workspace=workspace, scheduled_for__gte=since, scheduled_for__lt=now)
    listing = Listing(source, DONE, 200)

    [plan] = plans(listing)

    assert "job_calendar" in plan
    [counted] = source.parts(DONE)
    assert "job_calendar" in counted.order_by().values("pk")[:101].explain()
    found = listing[0:200]
    assert found == list(wanted.filter(state__in=DONE).order_by("-scheduled_for", "-id"))
    assert len(found) == 162
    bars = source.jobs.filter(attempt_count__gt=0).order_by("-scheduled_for", "-id")[:500].explain()
    assert "job_calendar" in bars


def test_states_in_which_few_jobs_are_keep_to_their_own_index_however_wide_the_span(workspace, crowd, plans, now):
    source = Source(Job.objects.filter(workspace=workspace), now - timedelta(days=300), now - timedelta(hours=2))
    listing = Listing(source, ("failed", "pending"), 100)

    for plan in plans(listing):
        assert "job_list" in plan
        assert "TEMP B-TREE" not in plan
    for rows in source.parts(("failed", "pending")):
        assert "job_list" in rows.order_by().values("pk")[:101].explain()
    inside = Job.objects.filter(scheduled_for__lt=now - timedelta(hours=2), state__in=["failed", "pending"])
    assert listing[0:100] == list(inside.order_by("-run_at", "-id")[:100])


def test_strips_are_two_queries_and_hold_the_last_runs(workspace, account, now, crowd, django_assert_num_queries):
    type(crowd).objects.filter(pk=crowd.pk).update(rule_kind="cron")

    with django_assert_num_queries(2):
        [strip] = executions.strips(workspace)

    last = Job.objects.filter(schedule=crowd).exclude(state="pending").order_by("-run_at", "-id")[:20]
    assert list(strip.runs) == list(last)[::-1]
    assert strip.failed_count == sum(1 for job in last if job.state == "failed")


@pytest.mark.parametrize(
    ("outcome", "ending"),
    [
        ("", Ending.UNDER_WAY),
        ("published", Ending.GOOD),
        ("accepted", Ending.GOOD),
        ("unknown", Ending.UNSURE),
        ("rate_limited", Ending.AGAIN),
        ("rejected", Ending.FAILED),
        ("something new", Ending.FAILED),
    ],
)
def test_every_outcome_has_an_ending(outcome, ending):
    assert executions.ending_of(outcome) == ending
