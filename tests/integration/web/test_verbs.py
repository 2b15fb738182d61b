"""Verbs on schedules, jobs and accounts: what happens, what is said, how it is undone, with htmx and without."""

from __future__ import annotations

import json

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from schedules.models import AuditLog, Job, Schedule
from tests.integration.web.conftest import HTMX


def said(response):
    return [str(item) for item in get_messages(response.wsgi_request)]


def test_pausing_goes_back_to_where_one_was_and_offers_undo(author, team):
    response = author.post(
        reverse("web:schedule_act", args=[team.daily.public_id, "pause"]), {"next": "/app/schedules/?q=good"}
    )

    team.daily.refresh_from_db()
    assert response.status_code == 303
    assert response.headers["Location"] == "/app/schedules/?q=good"
    assert team.daily.state == "paused"
    assert AuditLog.objects.filter(action="schedule.paused", actor_label="ben").exists()


def test_with_htmx_the_answer_is_the_fragment_with_a_toast_that_undoes(author, team):
    where = reverse("web:schedules")
    author.post(reverse("web:schedule_act", args=[team.daily.public_id, "pause"]), {"next": where}, headers=HTMX)
    response = author.get(where, headers=HTMX)

    toast = json.loads(response.headers["HX-Trigger"])["toast"][0]
    assert b"<html" not in response.content
    assert "Paused" in toast["text"]
    assert toast["undo"] == reverse("web:schedule_act", args=[team.daily.public_id, "resume"])


def test_undo_of_an_archive_brings_it_back(author, team):
    author.post(reverse("web:schedule_act", args=[team.draft.public_id, "archive"]))
    author.post(reverse("web:schedule_act", args=[team.draft.public_id, "restore"]))

    team.draft.refresh_from_db()
    assert team.draft.state == "draft"


def test_a_verb_out_of_turn_says_why_and_changes_nothing(author, team):
    response = author.post(reverse("web:schedule_act", args=[team.draft.public_id, "pause"]))

    assert response.status_code == 303
    assert said(response) == ["This schedule is draft and cannot become paused."]


def test_a_foreign_next_address_is_not_followed(author, team):
    response = author.post(
        reverse("web:schedule_act", args=[team.daily.public_id, "pause"]), {"next": "https://evil.example/"}
    )

    assert response.headers["Location"] == reverse("web:schedules")


def test_cloning_opens_the_copy(author, team):
    response = author.post(reverse("web:schedule_act", args=[team.daily.public_id, "clone"]))

    copy = Schedule.objects.order_by("-id").first()
    assert response.headers["Location"] == reverse("web:schedule_edit", args=[copy.public_id])
    assert copy.state == "draft"


def test_a_failed_job_is_retried(author, in_state):
    job = in_state("failed")

    response = author.post(reverse("web:job_act", args=[job.public_id, "retry"]))

    job.refresh_from_db()
    assert response.headers["Location"] == reverse("web:job", args=[job.public_id])
    assert job.state == "pending"


@pytest.mark.parametrize("verb", ["retry", "cancel", "run-now", "publish-again", "dismiss"])
def test_only_those_who_may_operate_act_on_jobs(viewer, stranger, in_state, verb):
    job = in_state("failed")
    url = reverse("web:job_act", args=[job.public_id, verb])

    assert viewer.post(url).status_code == 403
    assert stranger.post(url).status_code == 404
    assert Job.objects.get(pk=job.pk).state == "failed"


def test_an_unconfirmed_post_is_settled_with_its_address(author, in_state):
    job = in_state("unconfirmed")

    refused = author.post(
        reverse("web:job_confirm", args=[job.public_id]), {"remote_url": "not an address"}, headers=HTMX
    )
    author.post(reverse("web:job_confirm", args=[job.public_id]), {"remote_url": "https://example.com/p/1"})

    job.refresh_from_db()
    assert refused.status_code == 422
    assert b"not an address" in refused.content
    assert (job.state, job.remote_url) == ("completed", "https://example.com/p/1")


def test_the_platforms_answer_is_shown_as_text(owner, in_state):
    body = owner.get(reverse("web:job", args=[in_state("failed").public_id])).content

    assert b"HTTP 422" in body
    assert b"&lt;b&gt;no&lt;/b&gt;" in body


def test_one_run_is_left_out_and_put_back(author, team):
    url = reverse("web:schedule", args=[team.daily.public_id])
    author.post(reverse("web:occurrence_skip", args=[team.daily.public_id]), {"nominal": "2026-11-23T18:00"})
    skipped = author.get(url).content
    author.post(reverse("web:occurrence_restore", args=[team.daily.public_id]), {"nominal": "2026-11-23T18:00"})

    assert b"Left out:" in skipped
    assert b"Left out:" not in author.get(url).content


def test_one_run_is_moved(author, team):
    author.post(
        reverse("web:occurrence_move", args=[team.daily.public_id]),
        {"nominal": "2026-11-23T18:00", "date": "2026-11-23", "time": "20:15"},
    )

    assert b"Mon 23 Nov, 20:15 CET" in author.get(reverse("web:schedule", args=[team.daily.public_id])).content


def test_a_run_cannot_be_moved_into_the_past(author, team):
    response = author.post(
        reverse("web:occurrence_move", args=[team.daily.public_id]),
        {"nominal": "2026-11-23T18:00", "date": "2026-11-01", "time": "20:15"},
        headers=HTMX,
    )

    assert response.status_code == 422
    assert b"This time is past" in response.content


def test_an_account_is_paused_by_managers_only(owner, author, team):
    url = reverse("web:account_act", args=[team.account.public_id, "pause"])

    assert author.post(url).status_code == 403
    owner.post(url)
    team.account.refresh_from_db()
    assert team.account.state == "paused"


def test_testing_a_connection_says_the_answer_in_words(owner, team):
    response = owner.post(reverse("web:account_act", args=[team.account.public_id, "test"]))

    assert said(response) == ["Harbour: The sandbox knows @harbour."]


def test_everything_is_paused_by_administrators_only(owner, team, browser_of, django_user_model):
    assert owner.post(reverse("web:pause_everything")).status_code == 403
    root = browser_of(django_user_model.objects.create_superuser("root"))

    root.post(reverse("web:pause_everything"))

    assert b"Everything is paused since" in owner.get(reverse("web:today")).content


def test_a_manager_pauses_the_workspace_and_everybody_sees_it(owner, viewer, author, team):
    assert author.post(reverse("web:pause_workspace")).status_code == 403
    owner.post(reverse("web:pause_workspace"))

    assert b"Team is paused since" in viewer.get(reverse("web:jobs")).content
