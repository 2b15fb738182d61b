"""The timeline in a real browser: picking draws lines, forms in a dialog, panning, a drag, no script, a phone, right to left."""

from __future__ import annotations

import zoneinfo
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from alwrity_scheduler.core import clock
from schedules.models import ContentItem, Dependency, Job, Milestone
from schedules.services import planning
from tests.browser.test_access_for_all import violations  # noqa: F401 - a fixture
from tests.people import ACTOR, make_schedule

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def pair(team):
    """Tomorrow: "Teaser" at eight, and "Launch" at ten (UTC), which waits for it. Returns the two jobs."""
    now = clock.now()
    day = (now + timedelta(days=1)).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    made = []
    for title, hour in (("Teaser", 8), ("Launch", 10)):
        row = make_schedule(team.people.workspace, [team.account], now, text=title, start_local=day.replace(hour=hour))
        ContentItem.objects.filter(pk=row.content_id).update(title=title)
        made.append(row)
    planning.depend(schedule=made[1], waits_for=made[0], actor=ACTOR, now=now)
    return [Job.objects.get(schedule=row) for row in made]


def address(job, **more):
    day = timezone.localtime(job.scheduled_for).date().isoformat()
    return f"{reverse('web:timeline')}?date={day}" + "".join(f"&{name}={value}" for name, value in more.items())


def test_a_post_is_picked_its_lines_are_drawn_and_a_milestone_is_made(open_browser, team, pair, violations):  # noqa: F811
    teaser, launch = pair
    page = open_browser(team.people.owner)
    page.goto(address(launch, zoom="week"))
    page.locator(f'.tl [data-ev="j{launch.pk}"]').click()
    page.wait_for_selector("#tl-picked .tl-list a >> text=Teaser")
    page.wait_for_selector(".tl-lines path", state="attached")
    assert page.locator(f'.tl [data-ev="j{teaser.pk}"].tied').count() == 1
    assert f"picked=j{launch.pk}" in page.url
    assert page.evaluate("document.activeElement.dataset.ev") == f"j{launch.pk}"
    assert not page.locator("#peek:popover-open").count()
    assert violations(page) == []

    # another post is found by typing, and can be taken back
    page.fill("#tl-find", "good morning")
    page.click('#tl-found button:has-text("Wait for this")')
    page.wait_for_selector(".messagelist >> text=now waits for")
    assert Dependency.objects.filter(schedule=launch.schedule).count() == 2
    page.click('.messagelist button:has-text("Undo")')
    page.wait_for_selector(".messagelist >> text=no longer waits for")
    assert Dependency.objects.filter(schedule=launch.schedule).count() == 1

    # a milestone, in a dialog: what is wrong is said there
    page.click("#tl-ms-new")
    page.wait_for_selector("#tl-dialog[open] form")
    page.fill("#tl-dialog [name=name]", "   ")
    page.evaluate("document.querySelector('#tl-dialog form').noValidate = true")
    page.click("#tl-dialog .btn.primary")
    page.wait_for_selector("#tl-dialog .err")
    assert violations(page) == []
    page.fill("#tl-dialog [name=name]", "The fair")
    page.click("#tl-dialog .btn.primary")
    page.wait_for_selector(".tm >> text=The fair")
    page.locator(".tl-ms", has_text="The fair").get_by_role("button", name="Reached").click()
    page.wait_for_selector('.tl-ms:has-text("The fair") .good')
    assert Milestone.objects.get().done_at is not None

    # zoom and lanes by htmx, Back is the page before, the empty track pans
    page.click("#tl-zoom-month")
    page.wait_for_selector('#cal[data-view="tl-month"]')
    page.click("#tl-by-campaign")
    page.wait_for_selector("#cal:not(:has([data-track])) .lane >> text=No campaign")
    page.go_back()
    page.wait_for_selector('#cal[data-view="tl-month"] [data-track]')
    box = page.locator(".lane .track[data-track]").last.bounding_box()
    before = page.evaluate("document.querySelector('.tl').scrollLeft")
    page.mouse.move(700, box["y"] + box["height"] - 3)
    page.mouse.down()
    page.mouse.move(900, box["y"] + box["height"] - 3, steps=4)
    page.mouse.up()
    assert page.evaluate("document.querySelector('.tl').scrollLeft") != before


def test_a_post_is_dragged_along_its_lane(open_browser, team, pair):
    _teaser, launch = pair
    page = open_browser(team.people.owner)
    page.goto(address(launch, zoom="day"))
    post = page.locator(f'.tl [data-ev="j{launch.pk}"]')
    post.scroll_into_view_if_needed()
    box = post.bounding_box()
    column = page.evaluate(
        "parseFloat(getComputedStyle(document.querySelector('.track[data-track]')).gridTemplateColumns)"
    )
    x, y = box["x"] + 20, box["y"] + 8
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 12 * column, y, steps=8)  # an hour is twelve columns of five minutes
    page.wait_for_timeout(100)
    page.mouse.up()
    page.wait_for_selector(".toast")
    moved = timezone.localtime(launch.scheduled_for, zoneinfo.ZoneInfo("Europe/Berlin")) + timedelta(hours=1)
    page.wait_for_selector(f'.lane[id="a-{team.account.pk}"] [data-at="{moved:%Y-%m-%dT%H:%M}"]')
    standing = Job.objects.filter(schedule=launch.schedule).exclude(state="superseded")
    assert standing.get().scheduled_for - launch.scheduled_for == timedelta(hours=1)
    page.click(".toast [data-undo]")
    page.wait_for_selector(f'.lane[id="a-{team.account.pk}"] [data-at="{moved - timedelta(hours=1):%Y-%m-%dT%H:%M}"]')
    assert standing.get().scheduled_for == launch.scheduled_for


def test_without_script_on_a_phone_and_right_to_left(open_browser, team, pair, violations):  # noqa: F811
    teaser, launch = pair
    plain = open_browser(team.people.owner, script=False)
    plain.goto(address(launch, zoom="week", picked=f"j{launch.pk}"))
    assert "Teaser" in plain.inner_text("#tl-picked")
    plain.fill("#tl-find", "good morning")
    plain.click(".tl-find button")
    plain.click('button:has-text("Wait for this") >> nth=0')
    assert "now waits for" in plain.inner_text(".messagelist")
    plain.click("#rail a >> text=Timeline")
    plain.click("#tl-ms-new")
    plain.fill("[name=name]", "The fair")
    plain.click('.tl-form button:has-text("Save")')
    assert Milestone.objects.get().name == "The fair"

    phone = open_browser(team.people.owner, width=320, dark=True)
    phone.goto(address(launch, zoom="week"))
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert phone.locator(".lane .track:visible").count() == 1
    phone.click(".lh >> text=Newsroom")
    phone.wait_for_selector("text=All lanes")
    assert phone.locator(".lane").filter(visible=True).count() == 1
    assert violations(phone) == []

    page = open_browser(team.people.owner)
    page.goto(address(launch, zoom="week"))
    page.evaluate("document.documentElement.dir = 'rtl'")
    left, right = (page.locator(f'.tl [data-ev="j{job.pk}"]').bounding_box()["x"] for job in (launch, teaser))
    assert left < right
