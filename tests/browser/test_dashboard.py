"""The dashboard in Chromium: cards by pointer, keys and buttons; without script; no barrier while arranging; the first steps."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from schedules.models import Job
from tests.browser.test_access_for_all import violations  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def stored(person, part):
    person.refresh_from_db()
    return person.layout.get("today", {}).get(part, [])


def titles(page, column):
    return page.locator(f".tiles-of.{column} .card-tile b").all_inner_texts()


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def test_cards_are_arranged_by_pointer_keys_and_buttons(open_browser, team, violations):  # noqa: F811
    person = team.people.author
    page = open_browser(person)
    page.goto(reverse("web:today"))
    page.click("#arrange-toggle")
    assert titles(page, "side") == ["Quick actions", "Systems", "Just published"]
    assert violations(page) == []

    # by the pointer, to the end of the column
    grip, last = page.locator("#grip-actions"), page.locator('[data-card="published"]').bounding_box()
    start = grip.bounding_box()
    page.mouse.move(start["x"] + 10, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(start["x"] + 10, last["y"] + last["height"] - 4, steps=6)
    page.mouse.up()
    expect(page.locator("#say")).to_have_text("Quick actions: place 3 of 3")
    assert titles(page, "side") == ["Systems", "Just published", "Quick actions"]
    assert stored(person, "order").index("actions") > stored(person, "order").index("published")

    # Escape puts it back, and nothing is sent
    start = page.locator("#grip-actions").bounding_box()
    page.mouse.move(start["x"] + 10, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(start["x"] + 10, start["y"] - 200, steps=4)
    assert titles(page, "side")[0] == "Quick actions"
    page.keyboard.press("Escape")
    page.mouse.up()
    assert titles(page, "side") == ["Systems", "Just published", "Quick actions"]

    # by the keys: the focus goes along
    page.locator("#grip-actions").focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#say")).to_have_text("Quick actions: place 2 of 3")
    expect(page.locator("#grip-actions")).to_be_focused()

    # by the buttons; and hidden, taken back with U, hidden and shown again
    page.click("#up-load")
    expect(page.locator(".tiles-of.main .card-tile b").first).to_have_text("The next 14 days")
    page.click("#hide-systems")
    expect(page.locator(".toast")).to_contain_text("Hid “Systems”.")
    expect(page.locator("#show-systems")).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator("#show-systems")).to_have_count(0)
    page.click("#hide-systems")
    page.click("#show-systems")
    expect(page.locator("#grip-systems")).to_be_visible()
    page.locator("#today").get_by_role("link", name="Done").click()
    page.wait_for_url(re.compile(r"/app/$"))
    assert page.locator(".board-columns h2").all_inner_texts()[:2] == ["The next 14 days", "Next"]
    page.goto(reverse("web:today") + "?arrange=1")
    page.click("#arrange-reset")
    expect(page.locator("#arrange-reset")).to_have_count(0)
    assert titles(page, "main") == ["Next", "The next 14 days"]


def test_without_script_and_on_a_phone(open_browser, team, violations):  # noqa: F811
    person = team.people.author
    page = open_browser(person, script=False)
    page.goto(reverse("web:today") + "?arrange=1")
    page.click("#down-needs")
    assert titles(page, "full")[:2] == ["First steps", "Needs you"]
    page.click("#hide-load")
    expect(page.locator(".messagelist")).to_contain_text("Hid “The next 14 days”.")
    page.get_by_role("button", name="Undo").click()
    assert stored(person, "hidden") == []

    phone = open_browser(person, width=390, height=780, dark=True)
    phone.goto(reverse("web:today") + "?arrange=1")
    assert violations(phone) == []
    assert overflow(phone) <= 0
    phone.set_viewport_size({"width": 320, "height": 640})
    assert overflow(phone) <= 0
    phone.goto(reverse("web:today"))
    assert overflow(phone) <= 0
    phone.locator(".load-table summary").click()
    assert overflow(phone) <= 0
    assert violations(phone) == []
    order = phone.evaluate(
        "[...document.querySelectorAll('#needs-title, .figures, #next-title')].map(it => it.id || it.className)"
    )
    assert order == ["needs-title", "figures", "next-title"]
    phone.goto(reverse("web:first_steps"))
    assert violations(phone) == []
    assert overflow(phone) <= 0


def test_the_dashboard_refreshes_without_a_flicker_and_keeps_what_is_open(open_browser, team):
    page = open_browser(team.people.author)
    page.goto(reverse("web:today"))
    page.evaluate("document.querySelector('#today').dataset.mark = 'old'")
    page.evaluate("htmx.trigger('#today', 'refresh')")
    expect(page.locator("#today:not([data-mark])")).to_be_visible()  # the first answer tells which state it is
    page.evaluate("document.querySelector('#today').dataset.mark = 'seen'")
    with page.expect_response(lambda answer: answer.url.endswith("/app/")) as same:
        page.evaluate("htmx.trigger('#today', 'refresh')")
    assert same.value.status == 204
    expect(page.locator("#today[data-mark=seen]")).to_be_visible()

    Job.objects.filter(pk=team.jobs[0].pk).update(state="completed", remote_id="r")
    page.locator(".figure").nth(1).focus()
    page.evaluate("htmx.trigger('#today', 'refresh')")
    expect(page.locator("#today:not([data-mark])")).to_be_visible()


def test_the_schedules_page_shows_its_health_and_a_change_word_by_word(open_browser, team, violations):  # noqa: F811
    page = open_browser(team.people.author)
    page.goto(reverse("web:schedule_edit", args=[team.daily.public_id]))
    page.fill("#id_text", "Good evening, harbour")
    page.click("button[value=schedule]")
    page.wait_for_url(re.compile(r"/schedules/[0-9a-f-]{36}/$"))
    expect(page.locator("#health")).to_contain_text("33 % (1 of 3)")
    page.get_by_role("navigation", name="Parts of the history").get_by_text("The post").click()
    page.wait_for_url(re.compile(r"kind=post"))
    page.locator(".history summary").first.click()
    expect(page.locator(".diff ins")).to_contain_text("evening")
    expect(page.locator(".diff del")).to_contain_text("morning")
    assert violations(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(page) <= 0
