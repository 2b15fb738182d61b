"""A post on the calendar: its preview, what another time would mean, and the move, by script and by plain form."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from django.urls import reverse

from schedules.models import Job, Schedule, ScheduleException
from tests.conftest import NOW
from tests.integration.web.conftest import HTMX
from tests.people import make_account, make_schedule

SHOWN = {"view": "month", "anchor": "2026-12-01", "q": ""}


@pytest.fixture
def office(team):
    return make_account(team.workspace, NOW, name="Office", min_spacing_seconds=900)


@pytest.fixture
def post(team, office):
    """Once, on Friday 11 December at 09:00 UTC, which is 10:00 for the person."""
    return make_schedule(
        team.workspace,
        [office],
        NOW,
        text="Lights on the pier",
        start_local=datetime(2026, 12, 11, 9),
    )


def key_of(schedule, nominal=None):
    """The event's key on the schedule's first account: a job's where there is one."""
    jobs = Job.objects.filter(schedule=schedule).exclude(state="superseded")
    if nominal is None and (job := jobs.order_by("-id").first()):
        return f"j{job.pk}"
    at = nominal or schedule.start_local
    return f"p{schedule.pk}.{at:%Y%m%dT%H%M%S}.{schedule.targets.get().account_id}"


def ask(client, key, at, version, **more):
    return client.post(
        reverse("web:event_move", args=[key]), {"at": at, "version": version, **SHOWN, **more}, headers=HTMX
    )


def told(response):
    return json.loads(response.headers["HX-Trigger"])["toast"][0]


def followed(response):
    return json.loads(response.headers["HX-Trigger-After-Swap"])


def test_the_preview_says_what_stands_there_and_what_is_in_its_way(
    team, office, post, author, viewer, stranger, django_assert_max_num_queries
):
    make_schedule(
        team.workspace,
        [office],
        NOW,
        text="Too near",
        start_local=datetime(2026, 12, 11, 9, 5),
    )
    address = reverse("web:event", args=[key_of(post)])
    with django_assert_max_num_queries(22):
        shown = author.get(address, headers=HTMX)
    words = shown.content.decode()
    assert "<html" not in words
    for part in ("Lights on the pier", "Fri 11 Dec, 10:00 CET", "Office", "Too close to “A title” at 10:05", "Clone"):
        assert part in words
    assert 'value="2026-12-11T09:50"' in words  # the free time before, with a quarter of an hour between
    assert "no-store" in shown.headers["Cache-Control"]

    page = author.get(address).content.decode()
    assert "<html" in page
    assert 'name="at" value="2026-12-11T10:00"' in page
    seen = viewer.get(address, headers=HTMX).content.decode()
    assert "Open" in seen
    assert "Pause" not in seen
    assert "data-move" not in seen
    assert "<form" not in seen
    assert stranger.get(address).status_code == 404
    assert author.get(reverse("web:event", args=["p1.nonsense"])).status_code == 404


def test_a_move_changes_the_row_and_answers_with_the_cells_and_the_way_back(
    post, author, django_assert_max_num_queries
):
    key = key_of(post)
    with django_assert_max_num_queries(58):
        answer = ask(author, key, "2026-12-14T12:30", post.version, was="2026-12-11T10:00")

    post.refresh_from_db()
    assert post.start_local == datetime(2026, 12, 14, 11, 30)
    assert answer.status_code == 200
    assert len(answer.content) < 10_000
    body = answer.content.decode()
    assert 'id="d-2026-12-11"' in body
    assert 'id="d-2026-12-14"' in body
    assert "hx-swap-oob" in body
    assert answer.headers["HX-Reswap"] == "none"
    moved = followed(answer)["moved"]
    assert moved["at"] == "2026-12-14T12:30"
    assert moved["key"] == key_of(post)
    assert f'data-ev="{moved["key"]}"' in body
    assert told(answer)["text"] == "Moved “A title” to Mon 14 Dec, 12:30 CET."

    back = author.post(told(answer)["undo"], {"next": "/app/calendar/"}, headers=HTMX)
    post.refresh_from_db()
    assert post.start_local == datetime(2026, 12, 11, 9)
    assert "back to Fri 11 Dec, 10:00 CET" in told(back)["text"]
    assert told(back)["undo"] == ""
    assert 'id="d-2026-12-14"' in back.content.decode()


def test_what_cannot_be_moved_is_refused_in_words_and_stays(team, post, author, viewer):
    key = key_of(post)
    past = ask(author, key, "2026-11-20T10:00", post.version)
    assert past.status_code == 422
    assert "past" in told(past)["text"]
    assert followed(past) == {"unmoved": {"key": key}}
    assert ask(author, key, "tomorrow", post.version).status_code == 422
    assert ask(viewer, key, "2026-12-14T10:00", post.version).status_code == 403

    Schedule.objects.filter(pk=post.pk).update(version=post.version + 1)  # somebody else was there in between
    stale = ask(author, key, "2026-12-14T10:00", post.version, was="2026-12-11T10:00")
    assert stale.status_code == 409
    assert told(stale)["undo"] == ""
    fresh = stale.content.decode()
    assert f'data-v="{post.version + 1}"' in fresh
    assert 'id="d-2026-12-11"' in fresh
    assert 'id="d-2026-12-14"' not in fresh

    gone = ask(author, "j999999", "2026-12-14T10:00", 1, was="2026-12-11T10:00")
    assert gone.status_code == 409
    assert 'id="d-2026-12-11"' in gone.content.decode()
    assert (
        author.post(reverse("web:event_move", args=["j999999"]), {"at": "2026-12-14T10:00", "version": 1}).status_code
        == 404
    )

    out = team.jobs[0]
    Job.objects.filter(pk=out.pk).update(state="completed", attempt_count=1, remote_id="1", finished_at=NOW)
    fixed = ask(author, f"j{out.pk}", "2026-12-14T10:00", out.schedule.version)
    assert fixed.status_code == 409
    assert "is published" in told(fixed)["text"]
    post.refresh_from_db()
    assert post.start_local == datetime(2026, 12, 11, 9)


def test_a_time_of_a_rule_asks_which_of_them(team, office, author):
    weekly = make_schedule(
        team.workspace,
        [office],
        NOW,
        rule_kind="rrule",
        expression="FREQ=WEEKLY;BYDAY=FR",
        timezone="Europe/Berlin",
        start_local=datetime(2026, 12, 4, 10),
    )
    third = datetime(2026, 12, 18, 10)
    key = key_of(weekly, third)
    asked = ask(author, key, "2026-12-19T11:00", weekly.version)
    assert asked.status_code == 422
    assert followed(asked) == {"needsscope": {}}
    assert "HX-Trigger" not in asked.headers

    one = ask(author, key, "2026-12-19T11:00", weekly.version, scope="one")
    assert followed(one)["moved"]["whole"] is True
    edit = ScheduleException.objects.get(schedule=weekly)
    assert (edit.nominal_local, edit.moved_to_local) == (third, datetime(2026, 12, 19, 11))
    assert author.post(told(one)["undo"], headers=HTMX).status_code == 200
    assert not ScheduleException.objects.filter(schedule=weekly).exists()

    weekly.refresh_from_db()
    following = ask(author, key, "2026-12-19T11:00", weekly.version, scope="following")
    assert "all that follow" in told(following)["text"]
    assert told(following)["undo"] == ""
    assert "no undo, since they are a schedule of their own" in told(following)["text"]
    twin = Schedule.objects.get(split_from=weekly)
    assert twin.start_local == datetime(2026, 12, 19, 11)
    assert twin.expression == "FREQ=WEEKLY;BYDAY=SA"

    weekly.refresh_from_db()
    whole = ask(author, key_of(weekly, weekly.start_local), "2026-12-03T09:00", weekly.version, scope="all")
    weekly.refresh_from_db()
    assert weekly.start_local == datetime(2026, 12, 3, 9)
    assert "all its other times" in told(whole)["text"]


def test_what_a_time_would_mean_is_said_before_the_drop(team, office, post, author, stranger):
    address = reverse("web:event_check", args=[key_of(post)])
    make_schedule(
        team.workspace,
        [office],
        NOW,
        text="Other",
        start_local=datetime(2026, 12, 14, 11, 30),
    )

    def said(at):
        return author.get(address, {"at": at}).json()

    assert said("2026-12-15T12:30") == {"at": "Tue 15 Dec, 12:30 CET", "no": "", "note": "", "conflict": "", "free": []}
    near = said("2026-12-14T12:35")
    assert near["conflict"] == "Too close to “A title” at 12:30."
    assert [item["words"] for item in near["free"]] == ["12:15", "12:45"]
    assert near["free"][1]["at"] == "2026-12-14T12:45"
    assert "02:30 does not exist on this day" in said("2027-03-28T02:30")["note"]
    assert "03:30" in said("2027-03-28T02:30")["at"]
    assert "comes twice" in said("2027-10-31T02:30")["note"]
    assert "past" in said("2026-11-01T09:00")["no"]
    assert author.get(address, {"at": "soon"}).status_code == 422
    assert stranger.get(address, {"at": "2026-12-14T12:35"}).status_code == 404


def test_without_script_a_form_moves_and_a_page_says_why_not(post, author):
    key = key_of(post)
    address = reverse("web:event_move", args=[key])
    moved = author.post(address, {"at": "2026-12-14T12:30", "version": post.version})
    post.refresh_from_db()
    assert moved.status_code == 303
    assert moved["Location"] == reverse("web:event", args=[key_of(post)])
    page = author.get(moved["Location"]).content.decode()
    assert "Moved “A title” to Mon 14 Dec, 12:30 CET." in page
    assert "Undo" in page

    address = reverse("web:event_move", args=[key_of(post)])
    refused = author.post(address, {"at": "2026-11-01T12:30", "version": post.version})
    assert refused.status_code == 422
    assert "This time is past" in refused.content.decode()
    assert 'value="2026-11-01T12:30"' in refused.content.decode()
    to_calendar = author.post(
        address, {"at": "2026-12-15T12:30", "version": post.version, "next": "/app/calendar/?view=week"}
    )
    assert to_calendar["Location"] == "/app/calendar/?view=week"


def test_the_answer_fits_the_view_that_asked(post, author):
    week = ask(
        author, key_of(post), "2026-12-11T13:00", post.version, view="week", anchor="2026-12-11", was="2026-12-11T10:00"
    )
    body = week.content.decode()
    assert 'id="h-2026-12-11T10"' in body
    assert 'id="h-2026-12-11T13"' in body
    assert 'id="d-' not in body
    assert 'id="h-2026-12-11T18"' not in body
    post.refresh_from_db()
    elsewhere = ask(author, key_of(post), "2026-12-12T13:00", post.version, view="", anchor="")
    assert elsewhere.status_code == 200
    assert elsewhere.content == b""
    post.refresh_from_db()
    assert post.start_local == datetime(2026, 12, 12, 12)
