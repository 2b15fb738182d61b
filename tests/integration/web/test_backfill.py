"""The page of a backfill: choose, look, confirm; with htmx and without (ENGINE R36)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from schedules.models import AuditLog, Job
from tests.conftest import NOW
from tests.integration.web.conftest import HTMX
from tests.people import make_schedule

WINDOW = {
    "start_date": "2026-11-23", "start_time": "05:00", "end_date": "2026-11-23", "end_time": "09:00", "gap_minutes": "1",
}  # fmt: skip


@pytest.fixture
def hourly(team):
    made = make_schedule(
        team.workspace, [team.account], NOW - timedelta(hours=4), rule_kind="cron", expression="0 * * * *",
        timezone="Europe/Berlin", start_local=NOW.replace(hour=5, tzinfo=None),
    )  # fmt: skip
    Job.objects.filter(schedule=made, scheduled_for__lt=NOW).update(state="missed", reason="too_late")
    return made


def url_of(schedule):
    return reverse("web:schedule_backfill", args=[schedule.public_id])


def made_up():
    return Job.objects.filter(occurrence__cause="backfill").count()


def test_the_page_offers_the_last_day_and_makes_nothing(author, hourly):
    body = author.get(url_of(hourly)).content

    assert b'value="2026-11-22"' in body
    assert b"What would go out" not in body


def test_the_window_shows_what_would_go_out_before_anything_does(author, hourly):
    body = author.get(url_of(hourly), WINDOW).content

    assert b"Publish these 4 posts" in body
    assert b"05:00" in body
    assert made_up() == 0


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_confirming_publishes_what_was_shown_and_says_so(author, hourly, headers):
    response = author.post(url_of(hourly), {**WINDOW, "expected": "4"}, headers=headers)

    where = response.headers.get("HX-Redirect") or response.headers["Location"]
    assert where == reverse("web:schedule", args=[hourly.public_id])
    assert made_up() == 4
    page = author.get(where).content
    assert b"4 posts go out from now on." in page
    assert b"Made up for times that never went out" in page
    assert AuditLog.objects.get(action="schedule.backfilled").actor_label == "ben"


def test_a_list_that_has_changed_is_shown_again_instead_of_published(author, hourly):
    response = author.post(url_of(hourly), {**WINDOW, "expected": "3"})

    assert response.status_code == 422
    assert b"These times have changed since you looked" in response.content
    assert made_up() == 0


def test_a_window_in_the_future_is_refused_at_its_field(author, hourly):
    response = author.get(url_of(hourly), {**WINDOW, "end_date": "2026-12-24"})

    assert response.status_code == 422
    assert b"Only past times can be made up for" in response.content


def test_only_those_who_may_publish_come_in(viewer, stranger, hourly):
    assert viewer.get(url_of(hourly)).status_code == 403
    assert viewer.post(url_of(hourly), WINDOW).status_code == 403
    assert stranger.get(url_of(hourly)).status_code == 404


def test_the_schedules_page_leads_there(author, viewer, hourly):
    where = reverse("web:schedule", args=[hourly.public_id])

    assert url_of(hourly).encode() in author.get(where).content
    assert url_of(hourly).encode() not in viewer.get(where).content
