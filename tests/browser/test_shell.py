"""The frame in a real browser: the palette by keyboard, shortcuts, theme and language of a person, right to left."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.browser.test_access_for_all import axe_source

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def saved(person):
    person.refresh_from_db()
    return person


@pytest.fixture
def barriers(console):
    def look(page):
        page.wait_for_timeout(30)
        console.listening = False
        page.evaluate(axe_source())
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        page.wait_for_timeout(30)
        console.listening = True
        return [(item["id"], [node["html"][:160] for node in item["nodes"]][:3]) for item in found]

    return look


def wide(page):
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def choose(page, typed, title):
    """Type into the palette and press Enter on what it found first."""
    page.keyboard.press("Control+k")
    page.keyboard.type(typed)
    page.wait_for_selector(f"#cmd-list [role=option][aria-selected=true]:has-text('{title}')")
    page.keyboard.press("Enter")


def test_the_palette_jumps_and_does_by_keyboard_and_remembers(open_browser, team, barriers):
    page = open_browser(team.people.owner)
    page.goto(reverse("web:today"))
    choose(page, "jobs", "Jobs")
    page.wait_for_url("**" + reverse("web:jobs"))

    page.keyboard.press("Control+k")
    first = page.wait_for_selector("#cmd-list [role=option][aria-selected=true]")
    assert (first.inner_text(), page.inner_text("#cmd-list .kind")) == ("Jobs", "Recent")
    assert page.get_attribute("#cmd input", "aria-activedescendant") == first.get_attribute("id")
    assert barriers(page) == []
    page.keyboard.press("Escape")

    choose(page, "pause the work", "Pause the workspace")
    page.wait_for_selector(".banner")
    assert page.url.endswith(reverse("web:jobs"))  # one stays where one was
    page.click(".messagelist button:has-text('Undo')")
    page.wait_for_selector(".banner", state="detached")

    page.keyboard.press("Control+k")
    page.keyboard.type("keyboard sh")
    page.wait_for_selector("#cmd-list [role=option][aria-selected=true]:has-text('Keyboard shortcuts')")
    page.keyboard.press("Enter")
    page.wait_for_selector("#keys[open]")
    assert not page.is_visible("#cmd")


def test_the_keys_lead_are_listed_and_can_be_switched_off(open_browser, team, barriers):
    owner = team.people.owner
    page = open_browser(owner, width=390)
    page.goto(reverse("web:today"))
    for letter, name in (("l", "schedules"), ("j", "jobs"), ("a", "accounts")):
        page.keyboard.press("g")
        page.keyboard.press(letter)
        page.wait_for_url("**" + reverse(f"web:{name}"))
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    assert barriers(page) == []
    with page.expect_response("**/settings/choose/single_keys/off/"):
        page.check("[data-keys-off]")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.goto(reverse("web:jobs"))
    page.keyboard.press("n")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#cmd[open]")
    assert page.url.endswith(reverse("web:jobs"))
    assert saved(owner).single_keys is False


def test_the_theme_is_the_persons_and_is_there_before_the_first_paint(open_browser, team):
    owner = team.people.owner
    page = open_browser(owner)
    page.goto(reverse("web:today"))
    with page.expect_response("**/settings/choose/theme/dark/"):
        page.click(".theme-toggle")  # from the device's light to dark
    assert saved(owner).theme == "dark"

    other = open_browser(owner)  # another browser, which remembers nothing
    other.goto(reverse("login"))
    other.evaluate("localStorage.setItem('theme', 'light')")
    other.goto(reverse("web:jobs"))
    assert other.evaluate("[document.documentElement.dataset.theme, localStorage.getItem('theme')]") == ["dark", "dark"]
    assert other.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"

    plain = open_browser(owner, script=False)
    plain.goto(reverse("web:settings_section", args=["look"]))
    assert plain.get_attribute("html", "data-theme") == "dark"
    plain.check("input[name=theme][value=light]")
    plain.click("button:has-text('Save')")
    assert plain.get_attribute("html", "data-theme") == "light"


def test_in_arabic_the_page_runs_from_right_to_left(open_browser, team, barriers):
    page = open_browser(team.people.owner)
    page.goto(reverse("web:settings_section", args=["language"]))
    page.select_option("select[name=language]", "ar")
    assert page.inner_text(".field.changed .change-mark") == "changed"
    page.click("#settings button[type=submit].primary")
    page.wait_for_selector("html[dir=rtl][lang=ar]")
    rail = page.evaluate("document.getElementById('rail').getBoundingClientRect().left")
    assert rail > 1000
    assert barriers(page) == []

    phone = open_browser(team.people.owner, width=320, height=640)
    overflow = {}
    for name in ("today", "schedules", "jobs", "accounts", "settings", "schedule_new"):
        phone.goto(reverse(f"web:{name}"))
        overflow[name] = wide(phone)
    assert {name: over for name, over in overflow.items() if over > 0} == {}
    phone.click("[data-rail]")
    phone.wait_for_selector("#rail.open")
    assert phone.evaluate("Math.round(document.getElementById('rail').getBoundingClientRect().right)") == 320

    door = open_browser(width=390)
    door.goto(reverse("login"))
    door.select_option("#language-choice", "ar")
    door.wait_for_selector("html[dir=rtl]")
    assert (barriers(door), wide(door)) == ([], 0)
