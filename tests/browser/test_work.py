"""A day's work in the browser: writing, previewing, pausing with undo, settling jobs; and the same without script."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from schedules.models import Job, Schedule

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def page(open_browser, team):
    return open_browser(team.people.author)


def test_a_post_is_written_previewed_and_scheduled_by_keyboard(page):
    page.goto(reverse("web:today"))
    page.keyboard.press("n")
    page.wait_for_url("**/schedules/new/")
    page.get_by_label(re.compile("Harbour")).first.check()
    page.fill("#id_text", "Lights on the pier")
    expect(page.locator("#cards .text")).to_have_text("Lights on the pier")
    expect(page.locator("#cards")).to_contain_text("18 of 5,000 characters")
    page.fill("#id_date", "2030-03-31")
    page.fill("#id_time", "02:30")
    expect(page.locator("#runs")).to_contain_text("02:30 does not exist on 31 March in Europe/Berlin")
    page.keyboard.press("Control+Enter")

    page.wait_for_url(re.compile(r"/schedules/[0-9a-f-]{36}/$"))
    expect(page.locator(".messagelist")).to_contain_text("is scheduled")
    made = Schedule.objects.order_by("-id").first()
    assert (made.state, made.start_local.isoformat()) == ("active", "2030-03-31T02:30:00")


def test_the_second_of_two_equal_times_can_be_chosen(page):
    page.goto(reverse("web:schedule_new"))
    page.get_by_label(re.compile("Harbour")).first.check()
    page.fill("#id_text", "Twice")
    page.fill("#id_date", "2030-10-27")
    page.fill("#id_time", "02:30")
    page.locator("#runs input[value='1']").check()
    expect(page.locator("#runs .runs")).to_contain_text("CET (UTC+01:00)")
    page.click("button[value=schedule]")

    page.wait_for_url(re.compile(r"/schedules/[0-9a-f-]{36}/$"))
    assert Schedule.objects.order_by("-id").first().start_fold == 1


def test_a_repeat_in_words_shows_its_next_five_runs(page):
    page.goto(reverse("web:schedule_new"))
    page.locator("input[name=when][value=repeat]").check(force=True)
    page.select_option("#id_repeat", "weekdays")

    expect(page.locator("#runs .runs li")).to_have_count(5)
    page.select_option("#id_repeat", "cron")
    page.fill("#id_cron", "61 9 * *")
    expect(page.locator("#runs")).to_contain_text("write five")


def test_what_is_refused_takes_the_focus_and_loses_nothing(page):
    page.goto(reverse("web:schedule_new"))
    page.fill("#id_text", "All of this stays")
    page.click("button[value=schedule]")

    expect(page.locator("[data-problems]")).to_be_focused()
    expect(page.locator("#id_text")).to_have_value("All of this stays")
    page.locator("[data-problems] a").first.click()
    expect(page.locator("#id_accounts")).to_be_in_viewport()


def test_leaving_with_unsaved_words_asks_first(page):
    page.goto(reverse("web:schedule_new"))
    page.fill("#id_text", "Half a thought")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.click("#rail a[data-place=jobs]", no_wait_after=True)
    page.wait_for_timeout(300)

    assert asked == ["beforeunload"]
    assert page.url.endswith("/schedules/new/")


def test_pausing_in_the_list_offers_undo(page, team):
    page.goto(reverse("web:schedules"))
    page.locator(f"#p-{team.daily.public_id}").click()
    expect(page.locator(".toast")).to_contain_text("Paused")
    expect(page.locator(f"#p-{team.daily.public_id}")).to_contain_text("Resume")
    page.keyboard.press("u")

    expect(page.locator(f"#p-{team.daily.public_id}")).to_contain_text("Pause")
    assert Schedule.objects.get(pk=team.daily.pk).state == "active"


def test_a_failed_job_is_retried_from_today(page, team):
    page.goto(reverse("web:today"))
    page.locator(f"#r-{team.jobs[0].public_id}").click()

    expect(page.locator(".toast")).to_contain_text("will be tried again")
    expect(page.locator("#today")).to_be_visible()
    assert Job.objects.get(pk=team.jobs[0].pk).state == "pending"


def test_an_unconfirmed_post_is_settled(page, team):
    page.goto(reverse("web:job", args=[team.jobs[1].public_id]))
    page.fill("#id_remote_url", "https://example.com/posts/1")
    page.click("text=Mark as published")

    expect(page.locator("h1 + p .pill")).to_have_text("Published")


def test_the_live_list_changes_by_itself_and_can_be_paused(page, team):
    page.goto(reverse("web:jobs") + "?tab=failed")
    Job.objects.filter(pk=team.jobs[0].pk).update(state="completed")
    page.mouse.move(0, 0)
    page.evaluate("htmx.trigger(document.querySelector('[data-live]'), 'refresh')")
    expect(page.locator("#jobs")).to_contain_text("No failed job")
    page.click("[data-live-toggle]")
    expect(page.locator("[data-live-age]")).to_have_text("Updates paused")


def test_the_palette_finds_a_post(page, team):
    page.goto(reverse("web:today"))
    page.keyboard.press("Control+k")
    page.keyboard.type("title")
    page.wait_for_selector("#cmd-list a:has-text('A title')")
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(r"/schedules/[0-9a-f-]{36}/$"))


def test_back_shows_whole_pages(page):
    page.goto(reverse("web:jobs"))
    page.goto(reverse("web:schedules"))
    page.go_back()

    expect(page.locator("#rail")).to_have_count(1)
    expect(page.locator("h1")).to_have_text("Jobs")


def test_keyboard_reaches_the_content_first(page):
    page.goto(reverse("web:schedules"))
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content-start")).to_be_focused()


def test_the_rail_opens_from_the_phones_bar(open_browser, team):
    page = open_browser(team.people.author, width=390, height=844)
    page.goto(reverse("web:today"))
    expect(page.locator("#rail")).to_be_hidden()
    page.click("[data-rail]")
    expect(page.locator("#rail")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#rail")).to_be_hidden()


def test_without_script_a_post_is_checked_and_scheduled(open_browser, team):
    page = open_browser(team.people.author, script=False)
    page.goto(reverse("web:schedule_new"))
    page.get_by_label(re.compile("Harbour")).first.check()
    page.fill("#id_text", "No script at all")
    page.locator("input[name=when][value=repeat]").check(force=True)
    page.select_option("#id_repeat", "monthly_nth")
    page.select_option("#id_nth", "-1")
    page.select_option("#id_nth_day", "FR")
    page.click("text=Check these times")
    expect(page.locator("#runs .runs li")).to_have_count(5)
    page.click("button[value=schedule]")

    expect(page.locator(".messagelist")).to_contain_text("is scheduled")
    assert Schedule.objects.order_by("-id").first().expression == "FREQ=MONTHLY;BYDAY=-1FR"


def test_without_script_verbs_and_undo_are_plain_forms(open_browser, team):
    page = open_browser(team.people.author, script=False)
    page.goto(reverse("web:schedules"))
    page.locator(f"#p-{team.daily.public_id}").click()
    page.click(".messagelist >> text=Undo")

    assert Schedule.objects.get(pk=team.daily.pk).state == "active"


def test_signing_in_leads_to_where_one_was_going(open_browser, team):
    page = open_browser()
    page.goto(reverse("web:jobs"))
    page.fill("#id_login", "ben")
    page.fill("#id_password", "correct horse")
    page.click("button[type=submit]")

    expect(page.locator("h1")).to_have_text("Jobs")
    page.click("summary[aria-label='Your menu']")
    page.click("text=Sign out")
    expect(page.locator("h1")).to_have_text("Sign in")
