"""The notification centre: the page, the bell, the verbs, the rules. Only ever a person's own notices."""

from __future__ import annotations

import re

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import reverse

from alwrity_scheduler.core.events import ENGINE
from platforms.services import accounts
from schedules.models import Job
from schedules.notifications import services
from schedules.notifications.models import Notice, NoticeRules
from schedules.services.facts import job_fact
from tests.conftest import NOW
from tests.integration.web.conftest import HTMX

PAGE = "/app/notifications/"


@pytest.fixture
def failed(team):
    """Two failed posts, of which everybody who may do something was told."""
    from alwrity_scheduler.core.events import emit, unit

    jobs = team.jobs[:2]
    Job.objects.filter(pk__in=[job.pk for job in jobs]).update(
        state="failed",
        error_message="The platform refused the post.",
        finished_at=NOW,
        attempt_count=1,
        scheduled_for=NOW,
    )
    rows = Job.objects.filter(pk__in=[job.pk for job in jobs])
    with unit():
        emit(*(job_fact("job.failed", job, ENGINE, NOW, before={"state": "running"}) for job in rows))
    services.follow(now=NOW)
    return Notice.objects.get(user=team.people.owner)


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_the_page_says_what_happened_and_what_is_to_be_done(owner, viewer, author, stranger, failed):
    body = owner.get(PAGE).content.decode()
    assert "2 posts failed on Harbour" in body
    assert "2 still need you." in body
    assert "The platform refused the post." in body
    assert '<span class="new">Unread</span>' in body
    assert "Retry all 2" in body
    assert 'class="count bad" id="bell-count">2' not in body  # one row, one thing to do
    assert 'class="count bad" id="bell-count">1' in body
    assert body.count("<h1") == 1
    assert " style=" not in body

    for person in (viewer, stranger):
        response = person.get(PAGE)
        assert "Nothing to tell yet" in text(response)
        assert "Harbour" not in text(response)
        assert person.get(reverse("web:notice", args=[failed.public_id])).status_code == 404
        assert person.post(reverse("web:notice_act", args=[failed.public_id, "retry"])).status_code == 404
    assert "2 posts failed on Harbour" in text(author.get(PAGE))
    assert author.post(reverse("web:notice_act", args=[failed.public_id, "read"])).status_code == 404


def test_read_and_unread_with_undo(owner, failed):
    answer = owner.post(reverse("web:notice_act", args=[failed.public_id, "read"]), {"next": PAGE + "?show=unread"})
    assert (answer.status_code, answer["Location"]) == (303, PAGE + "?show=unread")
    page = owner.get(answer["Location"])
    assert "You have read everything" in text(page)
    [undo] = re.findall(r'action="(/app/notifications/unread/\d+/)"', page.content.decode())

    owner.post(undo)
    failed.refresh_from_db()
    assert failed.read_at is None

    page = owner.get(owner.post(reverse("web:notices_read"))["Location"])
    assert "Marked 1 notification as read." in text(page)
    failed.refresh_from_db()
    assert failed.read_at == NOW
    # still to be done, so the bell still says so
    assert 'id="bell-count">1' in page.content.decode()

    assert owner.post("/app/notifications/unread/99999999999999999999/").status_code == 404


def test_whoever_opens_it_has_read_it(owner, team, failed):
    answer = owner.get(reverse("web:notice", args=[failed.public_id]))
    assert answer["Location"] == f"/app/recovery/?cause=failed&account={team.account.public_id}"
    failed.refresh_from_db()
    assert failed.read_at == NOW


def test_retry_all_settles_the_notice_at_once_and_can_be_undone(owner, failed):
    page = owner.get(owner.post(reverse("web:notice_act", args=[failed.public_id, "retry"]))["Location"])

    assert "2 of 2 posts are tried again." in text(page)
    assert "Put right" in text(page)
    assert Job.objects.filter(state="failed").count() == 0
    [undo] = re.findall(r'action="(/app/recovery/undo/[^"]+)"', page.content.decode())
    owner.post(undo)
    assert Job.objects.filter(state="failed").count() == 2
    services.follow(now=NOW)
    failed.refresh_from_db()
    assert (failed.settled_at, failed.left) == (None, 2)


def test_filters_empty_states_and_a_part(owner, team, failed):
    assert "No notification matches these filters" in text(owner.get(PAGE, {"kind": "missed"}))
    assert "2 posts failed" in text(owner.get(PAGE, {"kind": "failed", "show": "open"}))
    assert "2 posts failed" in text(owner.get(PAGE, {"kind": "made up", "show": "neither"}))

    part = owner.get(PAGE, headers=HTMX)
    assert b"<html" not in part.content
    assert b'id="bell-count" hx-swap-oob="true"' in part.content
    assert owner.get(PAGE, headers={**HTMX, "X-Seen": part["X-Seen"]}).status_code == 204


def test_the_bell_shows_first_what_waits_for_an_act(owner, team, failed):
    accounts.mark_needs_auth(account_id=team.account.pk, message="Gone.", actor=ENGINE, now=NOW)
    services.follow(now=NOW)
    body = owner.get(reverse("web:notices_latest"), headers=HTMX).content.decode()

    assert body.count("<li>") == 2
    assert "Harbour must be signed in again" in body
    assert 'hx-swap-oob="true">2' in body
    link = reverse("web:notice_sign_in", args=[Notice.objects.get(kind="sign_in").public_id])
    assert owner.get(link)["Location"] == reverse("web:account", args=[team.account.public_id])


def test_each_person_chooses_what_to_be_told_of(owner, team, failed):
    request = RequestFactory().get("/")
    request.user, request.session = team.people.owner, {}
    body = render_to_string("people/settings/_notifications.html", request=request)
    assert 'value="failed" checked' in body
    assert 'value="published" checked' not in body

    owner.post(reverse("web:notice_rules"), {"kind": ["published", "made up"]})
    kinds = NoticeRules.objects.get(user=team.people.owner).kinds
    assert [name for name, is_on in kinds.items() if is_on] == ["published"]


@pytest.mark.parametrize("rows", [1, 40])
def test_the_page_costs_the_same_for_one_and_for_many(owner, team, failed, rows, django_assert_max_num_queries):
    twins = [
        Notice(
            workspace=team.workspace, user=team.people.owner, kind="missed", key=f"k{n}", object_type="account",
            object_id=str(team.account.public_id), words=failed.words, first_at=NOW, last_at=NOW, needs_act=True,
        )
        for n in range(rows)
    ]  # fmt: skip
    Notice.objects.bulk_create(twins)
    with django_assert_max_num_queries(13):
        response = owner.get(PAGE)
    assert response.content.count(b'class="notice ') == rows + 1
    assert len(response.content) < 120_000
