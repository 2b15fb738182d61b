"""The job monitor's pages: what is listed and counted, what is done to many at once, what is taken away as CSV; and one job."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from schedules.models import Attempt, ContentItem, Job, Occurrence, Schedule
from tests.conftest import NOW
from tests.integration.web.conftest import HTMX
from tests.people import make_account, make_schedule

JOBS = "/app/jobs/"
DAY = timedelta(days=1)


def said(response):
    return [str(item) for item in get_messages(response.wsgi_request)]


def undo_of(response):
    (item,) = get_messages(response.wsgi_request)
    return item.extra_tags.removeprefix("undo=")


@pytest.fixture
def many(team):
    """`many("failed", 3)`: so many jobs of one schedule of their own, in that state."""

    def put(state, number, *, account=None, **values):
        account = account or team.account
        schedule = make_schedule(team.workspace, [account], NOW, text="Words")
        ContentItem.objects.filter(pk=schedule.content_id).update(title="Lantern")
        first = Job.objects.get(schedule=schedule)
        times = [
            Occurrence(
                schedule=schedule, nominal_at=NOW - place * DAY, nominal_local=NOW.replace(tzinfo=None), fires_at=NOW
            )
            for place in range(1, number)
        ]
        same = {"schedule": schedule, "workspace": team.workspace, "account": account, "created_at": NOW}
        same |= {"scheduled_for": first.scheduled_for, "run_at": first.run_at}
        Job.objects.bulk_create(Job(occurrence=made, **same) for made in Occurrence.objects.bulk_create(times))
        Job.objects.filter(schedule=schedule).update(state=state, **values)
        return list(Job.objects.filter(schedule=schedule).order_by("id"))

    return put


def listed(client, query):
    return client.get(f"{JOBS}?{query}").content.decode()


def test_nothing_failed_is_another_thing_than_nothing_found(owner, team):
    empty = listed(owner, "tab=failed")
    assert "No failed jobs in the last 7 days." in empty
    assert "Clear filters" not in empty
    nothing = listed(owner, "tab=failed&q=nothing+like+it")
    assert "No job matches these filters" in nothing
    assert f'href="{JOBS}?tab=failed">Clear filters' in nothing


def test_each_filter_narrows_the_list_and_its_chip_takes_it_away(owner, team, many):
    other = make_account(
        team.workspace, NOW, name="Elsewhere", platform="http", options={"publish_url": "https://a.test/publish"}
    )
    [here] = many("failed", 1, error_class="rejected", scheduled_for=NOW - 2 * DAY)
    [there] = many("failed", 1, account=other, error_class="auth", scheduled_for=NOW - 20 * DAY)
    ContentItem.objects.filter(pk=there.schedule.content_id).update(title="Lighthouse", content_type="article")

    for query, found, left in (
        ("q=lightho", there, here),
        (f"account={other.public_id}", there, here),
        ("platform=http", there, here),
        ("platform=sandbox", here, there),
        ("content_type=article", there, here),
        ("error_class=rejected", here, there),
        ("range=7d", here, there),
        ("range=own&since=2026-11-03&until=2026-11-03", there, here),
    ):
        body = listed(owner, f"tab=failed&{query}")
        assert f'id="j-{found.public_id}"' in body, query
        assert f'id="j-{left.public_id}"' not in body, query
        assert body.count('aria-label="Remove the filter') == 1, query
    both = listed(owner, "tab=failed&platform=http&range=30d")
    assert f'href="{JOBS}?tab=failed&amp;range=30d"' in both
    assert f'href="{JOBS}?tab=failed&amp;platform=http"' in both
    assert "3 Nov 2026" in body


def test_the_days_are_those_of_the_reader(owner, many):
    """23:30 UTC on the 22nd is half past midnight on the 23rd in Berlin."""
    late = NOW.replace(day=22, hour=23, minute=30)
    [job] = many("failed", 1, scheduled_for=late)
    [before] = many("failed", 1, scheduled_for=late - timedelta(hours=1))

    for query in ("range=today", "range=own&since=2026-11-23&until=2026-11-23"):
        body = listed(owner, f"tab=failed&{query}")
        assert f"j-{job.public_id}" in body
        assert f"j-{before.public_id}" not in body


def test_a_row_says_how_late_how_long_and_which_attempt(owner, many, team):
    done = {"remote_id": "x", "scheduled_for": NOW - DAY, "run_at": NOW - DAY, "attempt_count": 2}
    many(
        "completed",
        1,
        started_at=NOW - DAY + timedelta(seconds=4),
        finished_at=NOW - DAY + timedelta(seconds=16),
        **done,
    )
    body = listed(owner, "tab=done")
    assert "started <bdi>+4 s</bdi>" in body
    assert "attempt 2 of 5" in body
    assert "12 s" in body
    assert 'class="late"' not in body

    Job.objects.filter(state="completed").update(started_at=NOW - DAY + timedelta(minutes=3))
    assert 'class="late"' in listed(owner, "tab=done")

    many("pending", 1, scheduled_for=NOW - timedelta(minutes=9), run_at=NOW + timedelta(minutes=5), attempt_count=1)
    pending = listed(owner, "tab=pending")
    assert pending.count('class="late"') == 1
    assert "next attempt in 5 min" in pending


def test_sub_states_pages_and_the_order_of_two_states_together(owner, many):
    held = many("blocked", 30, reason="schedule_paused")
    missed = many("missed", 30)
    for place, job in enumerate(held + missed):
        Job.objects.filter(pk=job.pk).update(run_at=NOW - timedelta(minutes=(place * 7) % 60))

    first, second = listed(owner, "tab=attention"), listed(owner, "tab=attention&page=2")
    assert (first.count("<tr id="), second.count("<tr id=")) == (50, 10)
    order = [job.public_id for job in Job.objects.filter(state__in=["blocked", "missed"]).order_by("-run_at", "-id")]
    places = [(first + second).index(f"j-{public_id}") for public_id in order]
    assert places == sorted(places)
    assert listed(owner, "tab=attention&state=missed").count("<tr id=") == 30


def test_counting_stops_and_says_so(owner, many, monkeypatch):
    from schedules.reads import executions

    monkeypatch.setattr(executions, "MOST_COUNTED", 3)
    many("failed", 5)

    body = listed(owner, "tab=failed")

    assert '<span class="count bad">3+</span>' in body
    assert "All 3+ that match" in body


def test_many_are_retried_the_rest_is_named_with_why_and_it_is_taken_back(owner, many):
    good, [archived] = many("failed", 2), many("failed", 1)
    archived.schedule.state = "archived"
    archived.schedule.save()

    answer = owner.post(reverse("web:jobs_many"), {"verb": "retry", "all": "1", "next": f"{JOBS}?tab=failed"})

    assert answer.status_code == 303
    assert answer["Location"] == f"{JOBS}?tab=failed"
    assert said(answer) == ["2 of 3 jobs are tried again at once."]
    assert set(Job.objects.filter(pk__in=[job.pk for job in good]).values_list("state", flat=True)) == {"pending"}
    body = listed(owner, "tab=failed")
    result = body[
        body.index('id="result-title"') : body.index('<nav class="tabs"') if False else body.index("card flush")
    ]
    assert f"/app/jobs/{archived.public_id}/" in result
    assert "Its schedule is archived: restore the schedule first." in result
    owner.post(reverse("web:jobs_result_read"), {"next": JOBS})
    assert "result-title" not in listed(owner, "tab=failed")

    owner.post(undo_of(answer), {"next": JOBS})
    assert set(Job.objects.filter(pk__in=[job.pk for job in good]).values_list("state", flat=True)) == {"failed"}


def test_ticked_ones_are_cancelled_whatever_they_wait_for(owner, viewer, stranger, many, team):
    [waiting], [held], [failed] = many("pending", 1), many("blocked", 1), many("failed", 1)
    values = {"verb": "cancel", "job": [job.public_id for job in (waiting, held, failed)], "next": JOBS}

    assert viewer.post(reverse("web:jobs_many"), values).status_code == 403
    assert said(stranger.post(reverse("web:jobs_many"), values)) == ["0 of 0 jobs were cancelled."]
    assert said(owner.post(reverse("web:jobs_many"), {"verb": "cancel", "next": JOBS}))[-1] == "Tick the jobs first."
    assert said(owner.post(reverse("web:jobs_many"), values))[-1] == "3 of 3 jobs were cancelled."
    assert Job.objects.filter(state="cancelled").count() == 3
    assert 'id="jobs-bulk"' not in viewer.get(f"{JOBS}?tab=pending").content.decode()


def test_all_that_match_are_those_of_the_filter_and_the_tab(owner, many, team):
    mine, others = many("failed", 2, error_class="auth"), many("failed", 2, error_class="rejected")

    owner.post(reverse("web:jobs_many"), {"verb": "retry", "all": "1", "next": f"{JOBS}?tab=failed&error_class=auth"})

    assert {job.state for job in Job.objects.filter(pk__in=[job.pk for job in mine])} == {"pending"}
    assert {job.state for job in Job.objects.filter(pk__in=[job.pk for job in others])} == {"failed"}


def test_saved_views_of_the_jobs_stand_there_and_are_taken_away_by_who_made_them(owner, viewer, team):
    from schedules.services import views

    values = {"person": team.people.owner, "workspace": team.workspace, "query": "tab=failed&platform=x", "now": NOW}
    kept = views.save(page="jobs", name="Failed on X", shared=True, **values)
    views.save(page="list", name="Of another page", **values)

    body = listed(owner, "tab=pending&range=7d&page=2")

    assert f'href="{JOBS}?tab=failed&amp;platform=x"' in body
    assert 'name="query" value="tab=pending&amp;range=7d"' in body
    assert "Of another page" not in body
    remove = f'action="{reverse("web:view_remove", args=[kept.public_id])}"'
    assert remove in body
    assert remove not in listed(viewer, "tab=pending")
    assert 'name="shared"' not in listed(viewer, "tab=pending")
    assert "Failed on X" in listed(viewer, "tab=pending")


def test_the_filtered_list_is_taken_away_as_csv(owner, stranger, many):
    [job] = many("failed", 1, error_class="auth", error_message="=HYPERLINK()", started_at=NOW, finished_at=NOW + DAY)
    many("failed", 1, error_class="rejected")

    answer = owner.get(f"{reverse('web:jobs_export')}?tab=failed&error_class=auth")

    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    head, row = csv.reader(io.StringIO(text))
    told = dict(zip(head, row, strict=True))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="jobs-failed-2026-11-23.csv"' in answer["Content-Disposition"]
    assert (told["Post"], told["Status"], told["Took (seconds)"]) == ("Lantern", "Failed", "86400.000")
    assert (told["Started"], told["Message"]) == ("2026-11-23T09:00:00+01:00", "'=HYPERLINK()")
    assert told["Job"] == str(job.public_id)
    nobody = stranger.get(f"{reverse('web:jobs_export')}?tab=failed")
    assert b"".join(nobody.streaming_content).count(b"\r\n") == 1


def test_the_runs_of_each_recurring_schedule_stand_in_a_strip(owner, team, django_assert_max_num_queries):
    for number, job in enumerate(team.jobs):
        Job.objects.filter(pk=job.pk).update(state="failed" if number else "completed", remote_id="x")

    with django_assert_max_num_queries(12):
        body = owner.get(reverse("web:jobs_schedules")).content.decode()

    strip = body[body.index('class="strips"') :]
    assert strip.count('class="dot s-') == len(team.jobs)
    assert f"{len(team.jobs) - 1} of {len(team.jobs)} runs with trouble" in strip
    first, last = (strip.index(str(job.public_id)) for job in (team.jobs[0], team.jobs[-1]))
    assert first < last


def test_the_list_is_small_and_asks_no_query_a_row(owner, many, django_assert_max_num_queries):
    many("failed", 50, error_message="The platform refused the post.", attempt_count=1)

    with django_assert_max_num_queries(14):
        page = owner.get(f"{JOBS}?tab=failed")
    part = owner.get(f"{JOBS}?tab=failed", headers=HTMX)

    assert page.content.count(b"<tr id=") == 50
    assert len(part.content) < 130_000


def test_a_failed_job_is_given_another_time_and_it_is_taken_back(owner, viewer, in_state):
    job = in_state("failed")
    address = reverse("web:job_new_time", args=[job.public_id])

    assert viewer.post(address, {"at": "2026-11-25T09:30"}).status_code == 403
    past = owner.post(address, {"at": "2020-01-01T09:30"})
    assert past.status_code == 422
    assert b"This time is past. Choose a later one." in past.content
    answer = owner.post(address, {"at": "2026-11-25T09:30"})

    job.refresh_from_db()
    # the schedule's own zone is Berlin
    assert (job.state, job.scheduled_for.isoformat()) == ("pending", "2026-11-25T08:30:00+00:00")
    owner.post(undo_of(answer))
    job.refresh_from_db()
    assert job.state == "failed"


@pytest.mark.parametrize("to", ["2026-11-24T12:15", "2026-12-24T12:15"], ids=["soon", "past the days that are planned"])
def test_a_pending_job_is_moved_and_moved_back(owner, team, to):
    start = (NOW + DAY).replace(tzinfo=None)
    schedule = make_schedule(team.workspace, [team.account], NOW, start_local=start)
    job = Job.objects.get(schedule=schedule)
    times = Schedule.objects.filter(pk=schedule.pk).values_list("start_local", flat=True)

    address = reverse("web:job_new_time", args=[job.public_id])
    assert owner.post(address, {"at": to, "version": schedule.version + 1}).status_code == 422
    answer = owner.post(address, {"at": to, "version": schedule.version})

    assert said(answer) == ["“A title” has a new time."]
    assert times.get().isoformat(timespec="minutes") == to
    assert owner.get(answer["Location"]).status_code == 200
    owner.post(undo_of(answer))
    assert times.get() == start


def test_a_job_shows_its_request_id_hides_secrets_and_can_be_copied(owner, in_state):
    job = in_state("failed")
    Attempt.objects.filter(job=job).update(
        request={"text": "Good morning", "headers": {"Authorization": "Bearer abc"}, "access_token": "hush"},
        response={"error": {"code": 190, "fbtrace_id": "AbC-1"}},
    )

    body = owner.get(reverse("web:job", args=[job.public_id])).content.decode()

    assert "<code>AbC-1</code>" in body
    assert "Bearer abc" not in body
    assert "hush" not in body
    summary = body[body.index('id="job-summary"') :]
    assert "Account: Harbour (Sandbox)" in summary
    assert "HTTP 422 · AbC-1 · The platform refused the post." in summary
    assert 'data-copy="job-summary"' in body
