"""The recovery desk in the browser: an unknown outcome is settled both ways, many are retried and taken back."""

from __future__ import annotations

import os
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from alwrity_scheduler.core import clock
from platforms.errors import UnknownOutcome
from schedules.models import Job
from tests.browser.test_access_for_all import violations  # noqa: F401 - a fixture
from tests.engine import run_due
from tests.people import make_account, make_schedule

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def dropped(team, platform):
    """Two posts whose platform dropped the answer, and cannot be asked."""
    platform.can_find = False
    platform.script = [
        UnknownOutcome("The connection broke during the call."),
        UnknownOutcome("The answer was cut off."),
    ]
    now = clock.now()
    account = make_account(team.people.workspace, now, name="Mute", platform="scripted")
    made = [make_schedule(team.people.workspace, [account], now, text=f"Dropped {number}") for number in (1, 2)]
    run_due(now + timedelta(seconds=1))
    return [Job.objects.get(schedule=row) for row in made]


@pytest.fixture
def page(open_browser, team):
    return open_browser(team.people.author)


def case(page, job):
    return page.locator(f"#case-{job.public_id}")


def state(job):
    return Job.objects.values_list("state", flat=True).get(pk=job.pk)


def test_an_unknown_outcome_is_settled_by_a_person_both_ways(page, dropped, platform):
    first, second = dropped
    assert (state(first), state(second)) == ("unconfirmed", "unconfirmed")
    page.goto(reverse("web:today"))
    page.locator("#rail a[data-place=recovery]").click()
    page.get_by_role("navigation", name="Posts by what is wrong").get_by_text("Unconfirmed").click()

    expect(case(page, first)).to_contain_text("It may be there or not, so it is never sent again by itself.")
    expect(case(page, first)).to_contain_text("This platform cannot be asked, so somebody has to look at Mute.")
    expect(case(page, first).get_by_role("button", name="Look again")).to_have_count(0)
    case(page, first).get_by_label("It is there: paste its address").fill("https://example.com/p/1")
    case(page, first).get_by_role("button", name="Mark as published").click()
    expect(case(page, first)).to_have_count(0)
    expect(page.locator("#desk-title")).to_be_focused()
    case(page, second).get_by_role("button", name="It is not there: publish again").click()
    expect(case(page, second)).to_have_count(0)
    run_due(clock.now())

    assert (state(first), state(second)) == ("completed", "completed")
    assert Job.objects.get(pk=first.pk).remote_url == "https://example.com/p/1"
    assert [call.text for call in platform.calls] == ["Dropped 1", "Dropped 2", "Dropped 2"]


def test_an_address_that_is_none_is_refused_beside_its_field(page, dropped):
    page.goto(reverse("web:recovery") + "?cause=unconfirmed")
    box = case(page, dropped[0]).get_by_label("It is there: paste its address")
    box.evaluate("box => { box.type = 'text'; }")
    box.fill("over there")
    case(page, dropped[0]).get_by_role("button", name="Mark as published").click()

    expect(case(page, dropped[0]).locator("[data-problems]")).to_be_focused()
    expect(case(page, dropped[0]).locator("[data-problems]")).to_contain_text("Enter a valid URL")
    assert state(dropped[0]) == "unconfirmed"


@pytest.fixture
def failed(team):
    """Four daily posts that failed."""
    ids = [job.pk for job in team.jobs[:4]]
    now = clock.now()
    Job.objects.filter(pk__in=ids).update(
        state="failed", reason="exhausted", error_message="The platform is down.", finished_at=now, remote_url=""
    )
    return list(Job.objects.filter(pk__in=ids))


def test_many_are_retried_and_taken_back(page, failed):
    page.goto(reverse("web:recovery") + "?cause=failed")
    expect(page.locator("#b-retry")).to_be_hidden()
    page.get_by_label("Select this page").check()
    expect(page.locator("[data-picked]")).to_have_text("4 selected")
    page.click("#b-retry")

    expect(page.locator(".toast")).to_contain_text("4 of 4 posts tried again at once.")
    expect(page.locator("#recovery")).to_contain_text("Nothing needs you")
    assert {state(job) for job in failed} == {"pending"}
    expect(page.locator("#rail a[data-place=recovery] .count")).to_be_hidden()
    page.keyboard.press("u")
    expect(page.locator("#recovery .case")).to_have_count(4)
    assert {state(job) for job in failed} == {"failed"}
    expect(page).to_have_title(re.compile(r"^Recovery desk \(4\)"))


def test_shift_selects_a_range_and_new_times_keep_the_order(page, failed):
    page.goto(reverse("web:recovery") + "?cause=failed")
    boxes = page.locator(".case-head input")
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(page.locator("[data-picked]")).to_have_text("3 selected")
    page.click("#bulk summary:has-text('New times')")
    page.fill("#b-at", "2030-05-01T09:00")
    page.fill("#b-gap", "15")
    page.click("#b-reslot")

    expect(page.locator("#recovery .case")).to_have_count(1)
    moved = Job.objects.filter(reason="reslotted").order_by("run_at")
    assert len(moved) == 3
    assert moved[0].run_at.isoformat() == "2030-05-01T07:00:00+00:00"


def test_unconfirmed_posts_are_not_sent_again_unless_somebody_looked(page, dropped):
    page.goto(reverse("web:recovery") + "?cause=unconfirmed")
    page.locator("[name=all]").check()
    page.click("#bulk summary:has-text('Publish unconfirmed posts again')")
    page.click("#b-again")

    expect(page.locator("#bulk")).to_contain_text("First look at the account")
    assert {state(job) for job in dropped} == {"unconfirmed"}
    page.locator("#bulk [name=seen_absent]").check()
    page.click("#b-again")
    expect(page.locator(".toast")).to_contain_text("published again")
    assert {state(job) for job in dropped} == {"pending"}


def test_without_script_the_desk_works(open_browser, team, failed):
    page = open_browser(team.people.author, script=False)
    page.goto(reverse("web:recovery"))
    expect(page.get_by_text("Select this page")).to_be_hidden()
    case(page, failed[0]).locator("input[name=job]").check()
    page.click("#b-discard")
    expect(page.locator(".messagelist")).to_contain_text("1 of 1 post discarded.")
    assert state(failed[0]) == "cancelled"
    page.click(".messagelist >> text=Undo")

    assert state(failed[0]) == "failed"


@pytest.mark.parametrize(("width", "dark"), [(1440, True), (390, False)])
def test_the_desk_has_no_barrier(open_browser, team, dropped, violations, width, dark):  # noqa: F811
    Job.objects.filter(pk=team.jobs[0].pk).update(reason="rejected")
    for place, (kind, reason) in enumerate(
        (("missed", "too_late"), ("blocked", "auth"), ("blocked", "schedule_paused")), start=1
    ):
        Job.objects.filter(pk=team.jobs[place].pk).update(state=kind, reason=reason, remote_url="")
    page = open_browser(team.people.author, width=width, dark=dark)
    page.goto(reverse("web:recovery"))
    found = {"plain": violations(page)}
    picture(page, f"desk-{width}-{dark}-plain")
    page.locator(".case-head input").first.check()
    for fold in page.locator("#recovery details").all():
        fold.evaluate("fold => { fold.open = true; }")
    found["open"] = violations(page)
    picture(page, f"desk-{width}-{dark}-open")
    page.goto(reverse("web:recovery") + "?q=nothing+of+this")
    found["empty"] = violations(page)
    sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")

    assert found == {"plain": [], "open": [], "empty": []}
    assert sideways <= 0


def picture(page, name):
    """A look at the page, for whoever asks for it by SHOTS=folder."""
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
