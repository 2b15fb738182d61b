"""The job monitor in the browser: filters, a batch with undo, new rows that wait, the figure, and the job's own page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from alwrity_scheduler.core import clock
from schedules.models import Attempt, Job
from tests.browser.test_access_for_all import violations  # noqa: F401 - a fixture
from tests.people import make_schedule

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def failed(team):
    """Four failed jobs of a minute ago, each tried once."""
    now = clock.now()
    start = (now + timedelta(hours=1)).replace(tzinfo=None)
    made = [make_schedule(team.people.workspace, [team.account], now, start_local=start) for _ in range(4)]
    Job.objects.filter(schedule__in=made).update(
        state="failed", scheduled_for=now - timedelta(minutes=1), run_at=now, attempt_count=1, error_class="rejected"
    )
    jobs = list(Job.objects.filter(schedule__in=made).order_by("id"))
    for job in jobs:
        at = now - timedelta(seconds=50)
        Attempt.objects.create(
            job=job, no=1, idempotency_key="k", worker="w", started_at=at, finished_at=now, outcome="rejected"
        )
    return jobs


def state_of(job):
    return Job.objects.values_list("state", flat=True).get(pk=job.pk)


def test_a_range_of_jobs_is_given_up_and_taken_back_by_keyboard(open_browser, team, failed, violations):  # noqa: F811
    page = open_browser(team.people.owner)
    page.goto(reverse("web:jobs") + "?tab=failed")
    page.select_option("#id_range", "24h")
    page.wait_for_url("**range=24h**")
    expect(page.locator(".chips .chip")).to_have_text(["Last 24 hours"])
    boxes = page.locator("#jobs tbody input[name=job]")
    expect(page.locator("#b-cancel")).not_to_be_visible()
    before = boxes.count()
    boxes.nth(0).check()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(page.locator("[data-picked]")).to_have_text("3 selected")
    assert violations(page) == []
    page.focus("#b-cancel")
    page.keyboard.press("Enter")

    expect(page.locator("#toasts")).to_contain_text("3 of 3 jobs were cancelled.")
    assert sorted(state_of(job) for job in failed) == ["cancelled"] * 3 + ["failed"]
    page.keyboard.press("u")
    expect(boxes).to_have_count(before)
    assert {state_of(job) for job in failed} == {"failed"}
    page.locator(".chips .chip a").click()
    expect(page.locator(".chips")).to_have_count(0)

    row = page.locator(f"#j-{failed[0].public_id}")
    row.locator("a.title").focus()
    page.keyboard.press("x")
    expect(page.locator("[data-picked]")).to_have_text("1 selected")
    page.evaluate("document.documentElement.dataset.keys = 'off'")
    page.keyboard.press("x")
    page.keyboard.press("r")
    expect(page.locator("[data-picked]")).to_have_text("1 selected")
    assert state_of(failed[0]) == "failed"
    page.evaluate("document.documentElement.dataset.keys = 'on'")
    page.keyboard.press("r")
    expect(row).to_have_count(0)
    assert state_of(failed[0]) == "pending"


def test_new_rows_wait_for_a_click_and_old_ones_are_renewed_in_place(open_browser, team, failed):
    page = open_browser(team.people.owner)
    Job.objects.filter(pk__in=[job.pk for job in failed[:2]]).update(state="completed", remote_id="x")
    page.goto(reverse("web:jobs") + "?tab=failed")
    rows = page.locator("#jobs tbody tr")
    before = rows.count()
    first = rows.first.get_attribute("id")
    Job.objects.filter(pk__in=[job.pk for job in failed[:2]]).update(state="failed")
    Job.objects.filter(pk=failed[3].pk).update(error_message="Said otherwise now.")
    rows.first.locator("th").hover()
    page.evaluate("htmx.trigger(document.querySelector('[data-live]'), 'refresh')")

    news = page.locator("[data-news]")
    expect(news).to_have_text("2 new")
    expect(page.locator(f"#j-{failed[3].public_id}")).to_contain_text("Said otherwise now.")
    assert (rows.count(), rows.first.get_attribute("id")) == (before, first)
    expect(page.locator(".tabs a[aria-current] .count")).to_have_text(str(before + 2))
    news.click()
    expect(rows).to_have_count(before + 2)
    expect(news).to_be_hidden()


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_the_figure_is_drawn_in_sight_in_the_colours_of_the_theme(
    open_browser,
    team,
    failed,
    violations,  # noqa: F811
    width,
    dark,
):
    """Whatever Plotly writes that the page's policy does not allow is on the console, and fails the test."""
    page = open_browser(team.people.owner, width=width, height=420, dark=dark)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(reverse("web:jobs_runs"))
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "plotly" in url]
    page.locator("[data-figure]").scroll_into_view_if_needed()
    bar = page.locator(".plot .barlayer path").first
    bar.wait_for(state="attached", timeout=20_000)
    page.locator(".plot").hover()
    colour = bar.evaluate("node => getComputedStyle(node).fill")
    assert colour == ("rgb(242, 85, 74)" if dark else "rgb(161, 18, 18)")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.emulate_media(color_scheme="light" if dark else "dark")
    page.wait_for_function(
        "before => getComputedStyle(document.querySelector('.plot .barlayer path')).fill !== before", arg=colour
    )
    if not dark:
        box = page.locator(".plot .nsewdrag").bounding_box()
        middle = bar.evaluate(
            "node => { const b = node.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; }"
        )
        assert box
        page.mouse.move(*middle)
        page.mouse.click(*middle)
        page.wait_for_url(re.compile(r"/jobs/[0-9a-f-]{36}/$"))


def test_one_job_says_all_can_be_copied_and_gets_another_time(open_browser, team, failed, violations):  # noqa: F811
    page = open_browser(team.people.owner, width=390, dark=True)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    job = failed[0]
    page.goto(reverse("web:job", args=[job.public_id]))
    page.click("text=Copy as text")
    expect(page.locator("#toasts")).to_contain_text("Copied")
    assert "Account: Harbour (Sandbox)" in page.evaluate("navigator.clipboard.readText()")
    page.click("summary:has-text('Change time')")
    assert violations(page) == []
    page.fill("#id_at", "2020-01-01T09:00")
    page.click("#v-move")
    expect(page.locator("#err_at")).to_contain_text("This time is past.")
    page.fill("#id_at", "2031-05-05T09:00")
    page.click("#v-move")

    expect(page.locator("h1 + p .pill")).to_have_text("Scheduled")
    job.refresh_from_db()
    assert (job.state, job.scheduled_for.year) == ("pending", 2031)


def test_the_monitor_works_without_script_from_right_to_left_and_at_320(open_browser, team, failed):
    page = open_browser(team.people.owner, script=False)
    page.goto(reverse("web:jobs") + "?tab=failed")
    page.locator(f"input[value='{failed[0].public_id}']").check()
    page.click("#b-retry")
    expect(page.locator(".messagelist")).to_contain_text("1 of 1 job is tried again at once.")
    assert state_of(failed[0]) == "pending"
    page.goto(reverse("web:jobs_runs"))
    expect(page.locator(".runs-table tbody tr")).not_to_have_count(0)

    small = open_browser(team.people.owner, width=320, height=640)
    for name in ("jobs", "jobs_runs", "jobs_schedules"):
        small.goto(reverse(f"web:{name}"))
        for way in ("ltr", "rtl"):
            small.evaluate("way => { document.documentElement.dir = way; }", way)
            assert small.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, way)
