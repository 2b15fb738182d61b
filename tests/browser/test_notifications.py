"""The bell and the notification centre in the browser: seen, read, retried, taken back; on a phone, in the dark, without script."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.events import ENGINE, emit, unit
from platforms.services import accounts
from schedules.models import Job
from schedules.notifications import services
from schedules.notifications.models import Notice
from schedules.services.facts import job_fact
from tests.browser.test_access_for_all import violations  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def told(team):
    """Two failed posts of Harbour and a lost sign-in of it, told to everybody concerned."""
    now = clock.now()
    # by the time of the day another schedule's post comes first, and one that failed before is left over
    mine = Job.objects.filter(account=team.account, schedule=team.daily).order_by("run_at", "id")
    Job.objects.filter(pk__in=[job.pk for job in mine[:2]]).update(
        state="failed", error_message="The platform refused the post.", finished_at=now, scheduled_for=now
    )
    with unit():
        emit(*(job_fact("job.failed", job, ENGINE, now) for job in mine.filter(state="failed", scheduled_for=now)))
    accounts.mark_needs_auth(account_id=team.account.pk, message="The token was revoked.", actor=ENGINE, now=now)
    services.follow(now=now)
    return Notice.objects.get(user=team.people.owner, kind="failed")


def test_from_the_bell_to_a_retry_and_back(open_browser, team, told, violations):  # noqa: F811
    page = open_browser(team.people.owner)
    page.goto(reverse("web:today"))
    badge = page.locator("#bell-count")
    expect(badge).to_contain_text("2")
    page.locator(".bell > summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#bell-list")).to_contain_text("2 posts failed on Harbour")
    expect(page.locator("#bell-list")).to_contain_text("Harbour must be signed in again")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#bell-list")).to_be_hidden()

    page.goto(reverse("web:notifications"))
    row = page.locator(f"#n-{told.public_id}")
    expect(row).to_contain_text("Unread")
    assert violations(page) == []
    row.get_by_role("button", name="Mark as read").click()
    expect(row).not_to_contain_text("Unread")
    page.locator("#toasts [data-undo]").click()
    expect(row).to_contain_text("Unread")

    row.get_by_role("button", name="Retry all").click()
    expect(row).to_contain_text("Put right")
    expect(badge).to_contain_text("1")
    assert Job.objects.filter(account=team.account, state="failed").count() == 0

    page.get_by_role("button", name="Mark all as read").click()
    expect(page.locator("#notices")).not_to_contain_text("Unread:")
    page.select_option("#id_kind", "missed")
    expect(page.locator("#notices")).to_contain_text("No notification matches these filters")
    page.go_back()
    expect(page.locator("#notices")).to_contain_text("Harbour must be signed in again")


def test_on_a_phone_in_the_dark_at_320_and_without_script(open_browser, team, told, violations):  # noqa: F811
    page = open_browser(team.people.owner, width=390, dark=True)
    for address in (reverse("web:notifications"), reverse("web:accounts")):
        page.goto(address)
        assert violations(page) == [], address
    page.locator(".bell > summary").click()
    expect(page.locator("#bell-list li")).to_have_count(2)
    box = page.locator(".bell .pop").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.set_viewport_size({"width": 320, "height": 640})
    for address in (reverse("web:notifications"), reverse("web:accounts")):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, address

    page = open_browser(team.people.owner, script=False)
    page.goto(reverse("web:notifications"))
    page.locator(f"#n-{told.public_id}").get_by_role("button", name="Mark as read").click()
    expect(page.locator(".messagelist")).to_contain_text("Marked as read.")
    page.locator(".messagelist").get_by_role("button", name="Undo").click()
    expect(page.locator(f"#n-{told.public_id}")).to_contain_text("Unread")
    page.locator(f"#n-{told.public_id}").get_by_role("link", name="Open").click()
    page.wait_for_url("**/recovery/?cause=failed**")
