"""Every page in both themes and both widths: no axe violation, no sideways scroll, nothing on the console."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import reverse

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def axe_source() -> str:
    package = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    return next(Path(package.__file__).parent.rglob("axe.min.js")).read_text()


def addresses(team):
    web = {
        "schedule": team.daily,
        "schedule_edit": team.daily,
        "schedule_split": team.daily,
        "schedule_preflight": team.daily,
        "account": team.account,
    }
    yield from (
        reverse(f"web:{name}")
        for name in (
            "today",
            "schedules",
            "schedule_new",
            "jobs",
            "recovery",
            "accounts",
            "account_choose",
            "team",
            "settings",
            "engine",
            "drafts",
            "library",
        )
    )
    yield reverse("web:content_versions", args=[team.daily.content.public_id])
    yield reverse("web:account_times", args=[team.account.public_id])
    yield from (reverse(f"web:{name}", args=[row.public_id]) for name, row in web.items())
    yield from (reverse("web:job", args=[job.public_id]) for job in team.jobs[:4])
    yield reverse("web:account_connect", args=["http"])
    yield reverse("web:jobs") + "?tab=attention"
    yield reverse("web:schedules") + "?q=nothing+is+called+this"
    yield reverse("sandbox:index")
    yield "/app/nothing-here/"
    yield from (
        reverse(name)
        for name in (
            "admin:index",
            "admin:schedules_schedule_changelist",
            "admin:schedules_job_changelist",
            "password_change",
        )
    )
    yield reverse("admin:schedules_schedule_change", args=[team.daily.pk])
    yield reverse("admin:schedules_job_change", args=[team.jobs[0].pk])


@pytest.fixture
def violations(console):
    source = axe_source()

    def look(page):
        page.wait_for_timeout(30)  # what the page itself complains of comes before axe
        console.listening = False
        page.evaluate(source)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        page.wait_for_timeout(30)
        console.listening = True
        return [(item["id"], [node["html"][:120] for node in item["nodes"]][:3]) for item in found]

    return look


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_no_page_has_a_barrier(open_browser, team, violations, width, dark):
    owner = team.people.owner
    type(owner).objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    page = open_browser(owner, width=width, dark=dark)

    found = {}
    for address in addresses(team):
        page.goto(address)
        if problems := violations(page):
            found[address] = problems
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if overflow > 0:
            found.setdefault(address, []).append(("sideways", overflow))
    assert found == {}


def test_sign_in_and_the_dialogs_have_no_barrier(open_browser, team, violations):
    page = open_browser()
    page.goto(reverse("login"))
    assert violations(page) == []

    page = open_browser(team.people.owner)
    page.goto(reverse("web:today"))
    page.keyboard.press("Control+k")
    page.wait_for_selector("#cmd-list [role=option]")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert violations(page) == []


def test_refused_forms_have_no_barrier(open_browser, team, violations):
    page = open_browser(team.people.owner)
    page.goto(reverse("web:schedule_new"))
    page.click("button[value=schedule]")
    page.wait_for_selector("[data-problems]")

    assert violations(page) == []


def test_nothing_scrolls_sideways_at_320(open_browser, team):
    page = open_browser(team.people.owner, width=320, height=640)

    wide = {}
    for address in addresses(team):
        if address.startswith("/app/"):
            page.goto(address)
            overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if overflow > 0:
                wide[address] = overflow
    assert wide == {}


@pytest.mark.parametrize("width", [1440, 1280, 1100, 1024, 800])
def test_no_table_runs_out_of_its_card(open_browser, team, width):
    page = open_browser(team.people.owner, width=width)

    outside = {}
    for address in addresses(team):
        if address.startswith("/app/"):
            page.goto(address)
            found = page.evaluate(
                "[...document.querySelectorAll('table.list')].map(table => Math.round(table.getBoundingClientRect().right"
                " - table.parentElement.getBoundingClientRect().right)).filter(over => over > 1)"
            )
            if found:
                outside[address] = found
    assert outside == {}
