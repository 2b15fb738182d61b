"""The list of schedules in the browser: ranges, a whole page, all that match; a long run that stops and goes on; undo."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from alwrity_scheduler.core import clock
from schedules.models import BulkRun, Schedule, Target
from tests.browser.test_access_for_all import violations  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def many(team):
    """55 paused schedules more, all of one post."""
    now = clock.now()
    made = Schedule.objects.bulk_create(
        Schedule(
            workspace=team.people.workspace, content=team.draft.content, rule_kind="once", timezone="Europe/Berlin",
            state="paused", created_at=now + timedelta(seconds=number), updated_at=now,
            start_local=(now + timedelta(days=9)).replace(tzinfo=None),
        )
        for number in range(55)
    )  # fmt: skip
    Target.objects.bulk_create(Target(schedule=row, account=team.account) for row in made)
    return now


def state_counts():
    states = list(Schedule.objects.values_list("state", flat=True))
    return {state: states.count(state) for state in set(states)}


def test_a_selection_is_acted_on_and_taken_back(open_browser, team, many, violations):  # noqa: F811
    page = open_browser(team.people.owner)
    page.goto(reverse("web:schedules"))
    boxes, bar = page.locator("input[name=ids]"), page.locator(".bulkbar")
    expect(boxes).to_have_count(50)
    expect(bar).to_be_hidden()

    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(bar.locator("[data-picked]")).to_have_text("4 selected")
    boxes.nth(6).focus()
    page.keyboard.press("x")
    expect(bar.locator("[data-picked]")).to_have_text("5 selected")
    page.keyboard.press("ControlOrMeta+a")
    expect(bar.locator("[data-picked]")).to_have_text("50 selected")
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()

    boxes.nth(0).check()
    boxes.nth(2).check()
    Schedule.objects.filter(public_id=boxes.nth(1).get_attribute("value")).update(state="finished")
    page.evaluate("document.querySelector('#schedules').dataset.old = '1'; htmx.trigger('#schedules', 'refresh')")
    expect(page.locator("#schedules:not([data-old]):not(.htmx-request):not(.htmx-swapping)")).to_be_visible()
    expect(bar.locator("[data-picked]")).to_have_text("2 selected")
    assert violations(page) == []
    bar.get_by_role("button", name="Archive").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Archive 2 schedules?")
    page.get_by_role("button", name="Archive 2 schedules").click()
    expect(page.get_by_text("Archived 2 schedules.")).to_be_visible()
    assert state_counts()["archived"] == 2
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Restored 2 schedules.")).to_be_visible()
    assert "archived" not in state_counts()


def test_all_that_match_run_in_steps_over_a_reload(open_browser, team, many, violations):  # noqa: F811
    page = open_browser(team.people.owner, width=390, height=844, dark=True)
    page.goto(reverse("web:schedules") + "?state=paused&sort=title")
    page.locator("input[name=ids]").first.check()
    page.get_by_label(re.compile(r"Select all 56 that match")).check()
    bar = page.locator(".bulkbar")
    bar.locator("summary", has_text="Shift").click()
    assert violations(page) == []
    bar.get_by_label("By").fill("2")
    bar.get_by_label("Unit").select_option("days")
    bar.get_by_role("button", name="Shift").click()
    expect(page.get_by_text("2 days later")).to_be_visible()

    page.route("**/step/", lambda route: route.fulfill(status=204))
    page.get_by_role("button", name="Shift 56 schedules").click()
    expect(page.locator(".progress span")).to_have_text(re.compile(r"^[1-9]\d? of 56$"))
    assert violations(page) == []
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped. What is done stays done.")).to_be_visible()
    page.unroute("**/step/")
    page.goto(reverse("web:schedules"))
    page.get_by_role("link", name="Open it").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Shifted 56 schedules.")).to_be_visible(timeout=30_000)
    assert (BulkRun.objects.get().done, BulkRun.objects.get().state) == (56, "finished")
    assert violations(page) == []

    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(reverse("web:schedules"))
    for place in (".more-filters", ".arrange"):
        page.locator(f"{place} > summary").click()
        assert violations(page) == []
        page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_columns_filters_and_back_without_a_script_too(open_browser, team):
    page = open_browser(team.people.owner, script=False)
    page.goto(reverse("web:schedules"))
    page.locator(".arrange > summary").click()
    page.get_by_label("Priority").check()
    page.get_by_label("Compact").check()
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("columnheader", name="Priority")).to_be_visible()
    page.get_by_role("link", name="Post", exact=True).click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Post")
    page.go_back()
    expect(page.locator("th[aria-sort]")).to_have_count(0)
    page.locator("tr", has_text="Every weekday").locator("input[name=ids]").check()
    page.locator(".bulkbar").get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Resume 1 schedule").click()
    expect(page.get_by_text("Resumed 1 schedule.")).to_be_visible()
    assert Schedule.objects.get(pk=team.paused.pk).state == "active"
