"""Making up for missed times in a real browser: found in the schedule's menu, looked at, confirmed (ENGINE R36)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from schedules.models import Job

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("script", [True, False])
def test_missed_times_are_looked_at_and_then_published_with_and_without_script(open_browser, team, script):
    """The last day holds one time of the daily schedule, on two accounts."""
    page = open_browser(team.people.author, script=script)
    Job.objects.filter(schedule=team.daily).delete()
    start = team.daily.start_local - timedelta(days=3)
    type(team.daily).objects.filter(pk=team.daily.pk).update(start_local=start)

    page.goto(reverse("web:schedule", args=[team.daily.public_id]))
    page.locator(".verbs details.menu > summary").click()
    page.get_by_role("link", name="Make up for missed times").click()
    page.get_by_role("button", name="Show what would go out").click()
    expect(page.locator("#backfill tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Publish these 2 posts").click()

    expect(page.get_by_text("2 posts go out from now on.").first).to_be_visible()
    assert Job.objects.filter(schedule=team.daily, occurrence__cause="backfill").count() == 2
