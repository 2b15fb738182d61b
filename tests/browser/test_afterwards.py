"""A post that is out, on its page: figures, an update, and the dialog before it is deleted."""

from __future__ import annotations

import pytest
from django.urls import reverse

from alwrity_scheduler.core import clock
from platforms.adapters.sandbox.models import SandboxPost
from schedules.models import ContentItem, Job
from tests.engine import run_due
from tests.people import make_schedule

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_counted_updated_and_deleted(open_browser, team):
    now = clock.now()
    job = Job.objects.get(schedule=make_schedule(team.people.workspace, [team.account], now))
    run_due(now)
    SandboxPost.objects.update(likes=12)
    ContentItem.objects.filter(pk=job.schedule.content_id).update(text="Better", version=2)
    page = open_browser(team.people.author)
    page.goto(reverse("web:job", args=[job.public_id]))

    page.click("#v-figures")
    expect(page.locator(".counted")).to_contain_text("12")
    page.click("#v-amend")
    expect(page.locator(".card:has(#there-title)")).to_contain_text("What is there is what is written here.")
    page.click("text=Delete at the platform")
    page.click("text=Keep it")
    expect(page.locator("#take-down")).to_be_hidden()
    page.click("[data-open='take-down']")
    page.locator("#take-down .danger").click()

    expect(page.locator(".card:has(#there-title)")).to_contain_text("The post was deleted on Harbour.")
    post = SandboxPost.objects.get()
    assert (post.text, post.removed_at is not None) == ("Better", True)
