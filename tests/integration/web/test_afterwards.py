"""The job page of a post that is out: what is offered, what it does, what is said."""

from __future__ import annotations

import pytest
from django.urls import reverse

from platforms.adapters.sandbox.models import SandboxPost
from schedules.models import Attempt, ContentItem, Job
from tests.conftest import NOW
from tests.engine import run_due
from tests.integration.web.test_verbs import said
from tests.people import make_account, make_schedule


@pytest.fixture
def out(team):
    account = make_account(team.people.workspace, NOW, name="Quay")
    job = Job.objects.get(schedule=make_schedule(team.people.workspace, [account], NOW))
    run_due(NOW)
    job.refresh_from_db()
    return job


def page_of(browser, job):
    return browser.get(reverse("web:job", args=[job.public_id])).content.decode()


def test_what_the_platform_can_do_is_offered_and_told_afterwards(author, out):
    before = page_of(author, out)
    assert "Refresh figures" in before
    assert "No figures yet" in before
    assert "What is there is what is written here." in before

    SandboxPost.objects.update(likes=12)
    author.post(reverse("web:job_figures", args=[out.public_id]))
    assert "<dt>Likes</dt><dd>12</dd>" in page_of(author, out)

    ContentItem.objects.filter(pk=out.schedule.content_id).update(text="Better", version=2)
    assert "was changed here since it went out" in page_of(author, out)
    author.post(reverse("web:job_act", args=[out.public_id, "amend"]))
    assert SandboxPost.objects.get().text == "Better"

    response = author.post(reverse("web:job_act", args=[out.public_id, "take-down"]))
    assert said(response)[-1] == "“A title” was deleted on Quay."
    after = page_of(author, out)
    assert "The post was deleted on Quay." in after
    assert "Delete at the platform" not in after
    assert "Open the post" not in after
    assert "Deleted it at the platform" in after  # the history
    assert "<dt>Likes</dt><dd>12</dd>" in after


def test_a_refusal_is_said_and_shown_among_the_attempts(author, out):
    type(out.account).objects.filter(pk=out.account_id).update(options={"fault_mode": "rejected"})
    response = author.post(reverse("web:job_act", args=[out.public_id, "take-down"]))
    assert "The platform refused, so the post was not deleted." in said(response)[0]
    assert "Deleting 1: refused" in page_of(author, out)


def test_what_did_not_go_along_is_shown_beside_the_attempt(author, out):
    Attempt.objects.filter(job=out).update(message="The first comment was refused <b>.")
    assert "<span>The first comment was refused &lt;b&gt;.</span></p>" in page_of(author, out)


def test_a_post_confirmed_by_a_person_offers_nothing_and_says_why(author, out):
    Job.objects.filter(pk=out.pk).update(reason="by_person")
    shown = page_of(author, out)
    assert "Refresh figures" not in shown
    assert "its id there is not known" in shown


def test_a_viewer_sees_figures_and_no_buttons(viewer, out):
    shown = page_of(viewer, out)
    assert "At the platform" in shown
    assert "Refresh figures" not in shown
    for verb in ("take-down", "amend"):
        assert viewer.post(reverse("web:job_act", args=[out.public_id, verb])).status_code == 403
    assert viewer.post(reverse("web:job_figures", args=[out.public_id])).status_code == 403
