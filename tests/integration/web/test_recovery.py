"""The recovery desk's page: who sees it, what its buttons do, what is said, and how it is taken back."""

from __future__ import annotations

import json

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from schedules.models import AuditLog, Job
from tests.conftest import NOW
from tests.integration.web.conftest import HTMX
from tests.people import make_schedule

DESK = "/app/recovery/"


def said(response):
    return [str(item) for item in get_messages(response.wsgi_request)]


def undo_of(response):
    (item,) = get_messages(response.wsgi_request)
    return item.extra_tags.removeprefix("undo=")


def act(person, job, verb, **values):
    return person.post(reverse("web:recovery_act", args=[job.public_id, verb]), {"next": DESK, **values})


@pytest.fixture
def many(team):
    """`many("failed", 3)`: so many posts of their own in that state."""

    def put(state, number, **values):
        made = [make_schedule(team.workspace, [team.account], NOW, text=f"Post {place}") for place in range(number)]
        Job.objects.filter(schedule__in=made).update(state=state, **values)
        return list(Job.objects.filter(schedule__in=made).order_by("id"))

    return put


def test_the_desk_says_what_happened_and_what_each_button_does(owner, in_state):
    job = in_state("failed")

    body = owner.get(DESK).content.decode()

    assert "<title>Recovery desk (1) · ALwrity Scheduler</title>" in body
    assert f'id="case-{job.public_id}"' in body
    assert "It was not published, and is not tried again by itself." in body
    assert "1 attempt was made; the schedule allows 5 in a row." in body
    assert "The last answer: “The platform refused the post.” (HTTP 422)" in body
    assert "Sends the post at once, with all its attempts anew." in body
    assert "Ends it: it is not published. You can undo this." in body
    assert body.count("<h1") == 1
    assert " style=" not in body
    assert "hx-on" not in body


def test_an_empty_desk_says_so(owner, team):
    body = owner.get(DESK).content.decode()

    assert "Nothing needs you" in body
    assert 'id="bulk"' not in body


def test_the_rail_counts_what_needs_a_person(owner, in_state):
    in_state("unconfirmed")

    body = owner.get(reverse("web:schedules")).content.decode()

    rail = body[body.index('data-place="recovery"') :]
    assert rail[: rail.index("</a>")].count('<em class="count bad">1<') == 1
    assert 'href="/app/recovery/"' in owner.get(reverse("web:today")).content.decode()
    assert 'href="/app/recovery/"' in owner.get(reverse("web:jobs") + "?tab=attention").content.decode()


def test_the_desk_asks_a_known_number_of_queries(owner, many, django_assert_max_num_queries):
    many("failed", 1)
    with django_assert_max_num_queries(13):
        owner.get(DESK)
    many("unconfirmed", 12)
    many("missed", 12)

    with django_assert_max_num_queries(13):
        response = owner.get(DESK)
    assert response.content.count(b'class="case"') == 25


def test_causes_accounts_and_words_narrow_the_desk(owner, team, many):
    many("failed", 2)
    many("missed", 1, reason="too_late")

    def shown(query):
        body = owner.get(DESK + query).content.decode()
        return body.count('class="case"')

    assert shown("") == 3
    assert shown("?cause=missed") == 1
    assert shown("?cause=failed") == 2
    assert shown("?cause=on_hold") == 0
    assert shown("?cause=nonsense") == 3
    assert shown(f"?account={team.account.public_id}") == 3
    assert shown("?q=Post+1") == 1
    assert b"No post on the desk matches these filters" in owner.get(DESK + "?q=none").content
    assert b"No post is here for this reason" in owner.get(DESK + "?cause=on_hold").content


def test_pages_of_a_long_desk(owner, many):
    many("failed", 27)

    assert owner.get(DESK + "?page=2").content.count(b'class="case"') == 2


@pytest.mark.parametrize(
    ("state", "reason", "verb", "ends"),
    [
        ("failed", "exhausted", "retry", "pending"),
        ("missed", "too_late", "publish-now", "pending"),
        ("blocked", "schedule_paused", "publish-now", "pending"),
        ("unconfirmed", "unknown", "publish-again", "pending"),
        ("failed", "exhausted", "discard", "cancelled"),
        ("unconfirmed", "unknown", "discard", "failed"),
    ],
)
def test_a_button_acts_and_is_taken_back(author, in_state, state, reason, verb, ends):
    job = in_state(state)
    Job.objects.filter(pk=job.pk).update(reason=reason)

    response = act(author, job, verb, next=DESK + "?cause=failed")
    job.refresh_from_db()
    assert (response.status_code, response.headers["Location"], job.state) == (303, DESK + "?cause=failed", ends)

    back = author.post(undo_of(response), {"next": DESK})
    job.refresh_from_db()
    assert (back.status_code, job.state, job.reason) == (303, state, reason)


def test_a_new_time_is_in_the_schedules_zone(author, in_state):
    job = in_state("failed")

    response = act(author, job, "reslot", at="2026-12-01T09:00")

    job.refresh_from_db()
    assert (response.status_code, job.state, job.run_at.isoformat()) == (303, "pending", "2026-12-01T08:00:00+00:00")


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-11-23T09:00", "This time is past. Choose a later one."),
        ("soon", "Write a date and a time."),
        ("", "This field is required."),
        ("0001-01-01T00:00", "This time is past."),
    ],
)
def test_a_refused_new_time_is_said_in_its_row(author, in_state, at, words):
    job = in_state("failed")

    response = act(author, job, "reslot", at=at)

    job.refresh_from_db()
    assert (response.status_code, job.state) == (422, "failed")
    assert words in response.content.decode()


def test_a_post_that_is_there_is_confirmed(author, in_state):
    job = in_state("unconfirmed")

    refused = act(author, job, "confirm", remote_url="over there")
    assert (refused.status_code, b"Enter a valid URL" in refused.content) == (422, True)
    act(author, job, "confirm", remote_url="https://example.com/p/1")

    job.refresh_from_db()
    assert (job.state, job.remote_url) == ("completed", "https://example.com/p/1")


def test_a_button_that_comes_too_late_says_why(author, in_state):
    job = in_state("cancelled")

    response = act(author, job, "discard")

    assert said(response) == ["Only a post on the recovery desk can be discarded. It is cancelled now."]


def test_many_are_retried_with_one_toast_and_one_undo(author, many):
    failed = many("failed", 3, reason="exhausted")
    unsure = many("unconfirmed", 1)

    response = author.post(
        reverse("web:recovery_many"),
        {"verb": "retry", "job": [str(job.public_id) for job in failed + unsure], "next": DESK},
    )
    assert said(response) == [
        (
            "3 of 4 posts tried again at once. 1 ×: Only a failed, missed or cancelled post can be retried. "
            "It is unconfirmed now."
        )
    ]
    author.post(undo_of(response), {"next": DESK})

    assert set(Job.objects.filter(pk__in=[job.pk for job in failed]).values_list("state", "reason")) == {
        ("failed", "exhausted")
    }


def test_an_undo_takes_back_one_go_and_not_the_next(author, many):
    failed, missed = many("failed", 1), many("missed", 1, reason="too_late")
    goes = [
        author.post(reverse("web:recovery_many"), {"verb": "discard", "job": str(job.public_id), "next": DESK})
        for job in failed + missed
    ]

    author.post(undo_of(goes[0]), {"next": DESK})

    assert [Job.objects.get(pk=job.pk).state for job in failed + missed] == ["failed", "cancelled"]


def test_the_undo_of_another_person_finds_nothing(author, owner, many):
    many("failed", 1)
    response = author.post(reverse("web:recovery_many"), {"verb": "discard", "all": "1", "next": DESK})

    refused = owner.post(undo_of(response), {"next": DESK})

    assert said(refused) == ["There is nothing to undo."]
    assert Job.objects.filter(state="cancelled").count() == 1


def test_all_that_match_means_the_filters_of_the_page(author, many):
    many("failed", 2)
    many("missed", 2, reason="too_late")

    author.post(reverse("web:recovery_many"), {"verb": "discard", "all": "1", "next": DESK + "?cause=missed"})

    assert Job.objects.filter(state="cancelled").count() == 2
    assert Job.objects.filter(state="failed").count() == 2


def test_many_get_new_times_in_the_readers_zone(author, many):
    both = many("failed", 2)

    author.post(
        reverse("web:recovery_many"),
        {"verb": "reslot", "all": "1", "at": "2026-12-01T09:00", "gap": "10", "next": DESK},
    )

    times = [Job.objects.get(pk=job.pk).run_at.isoformat() for job in both]
    assert times == ["2026-12-01T08:00:00+00:00", "2026-12-01T08:10:00+00:00"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"verb": "retry"}, "Tick the posts first."),
        ({"verb": "reslot", "all": "1"}, "Say from when on."),
        ({"verb": "reslot", "all": "1", "at": "2026-11-23T08:00"}, "This time is past."),
        ({"verb": "publish-again", "all": "1"}, "First look at the account; then say that the post is not there."),
        ({"verb": "retry", "job": "no id"}, "Tick the posts first."),
    ],
)
def test_a_refused_order_keeps_the_ticks_and_says_why(author, many, values, words):
    (job,) = many("failed", 1)

    ticked = {} if values == {"verb": "retry"} else {"job": str(job.public_id)}
    response = author.post(reverse("web:recovery_many"), {**ticked, "next": DESK, **values})

    body = response.content.decode()
    assert response.status_code == 422
    assert words in body
    if "all" in values:
        assert body.count("checked") >= 2
    job.refresh_from_db()
    assert job.state == "failed"


def test_the_fragment_is_served_alone_and_says_when_nothing_changed(owner, in_state):
    in_state("failed")

    first = owner.get(DESK, headers=HTMX)
    again = owner.get(DESK, headers={**HTMX, "X-Seen": first.headers["X-Seen"]})

    assert b"<html" not in first.content
    assert again.status_code == 204


def test_an_undone_many_is_a_toast_in_the_fragment(author, many):
    many("failed", 1)
    author.post(reverse("web:recovery_many"), {"verb": "discard", "all": "1", "next": DESK}, headers=HTMX)

    toast = json.loads(author.get(DESK, headers=HTMX).headers["HX-Trigger"])["toast"][0]

    assert toast["text"] == "1 of 1 post discarded."
    assert toast["undo"].startswith("/app/recovery/undo/")


POSTS = ("retry", "discard", "confirm", "reslot", "look-again", "publish-again", "publish-now", "undo")


@pytest.mark.parametrize("verb", POSTS)
def test_a_viewer_may_look_and_not_act(viewer, in_state, verb):
    job = in_state("failed")

    body = viewer.get(DESK).content.decode()
    assert f"case-{job.public_id}" in body
    assert f"/{verb}/" not in body
    assert 'name="job"' not in body
    assert act(viewer, job, verb).status_code == 403
    assert viewer.post(reverse("web:recovery_many"), {"verb": "discard", "all": "1"}).status_code == 403
    assert viewer.post(reverse("web:recovery_undo_many", args=["abcdefgh", 0])).status_code == 403


@pytest.mark.parametrize("verb", POSTS)
def test_a_stranger_finds_nothing(stranger, in_state, verb):
    job = in_state("failed")

    assert b"Good morning" not in stranger.get(DESK).content
    assert act(stranger, job, verb).status_code == 404
    stranger.post(reverse("web:recovery_many"), {"verb": "discard", "job": str(job.public_id), "next": DESK})

    job.refresh_from_db()
    assert job.state == "failed"
    assert not AuditLog.objects.of("job", job.public_id).exists()


def test_a_verb_of_the_desk_is_never_a_get_and_never_unknown(author, in_state):
    job = in_state("failed")

    assert author.get(reverse("web:recovery_act", args=[job.public_id, "retry"])).status_code == 405
    assert act(author, job, "explode").status_code == 404


def test_a_retry_on_the_job_page_can_be_taken_back(author, in_state):
    job = in_state("failed")
    where = reverse("web:job", args=[job.public_id])

    response = author.post(reverse("web:job_act", args=[job.public_id, "retry"]), {"next": where})
    back = author.post(undo_of(response), {"next": where})

    job.refresh_from_db()
    assert (job.state, back.headers["Location"]) == ("failed", where)
