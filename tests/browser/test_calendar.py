"""Posts are moved in a real browser: by mouse, by keys, by touch, by dialog, without script; each move is looked up in the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from alwrity_scheduler.core import clock
from schedules.models import Job
from tests.people import make_account, make_schedule

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

BERLIN = ZoneInfo("Europe/Berlin")  # the person's zone; the schedules' is UTC


def month_ahead() -> datetime:
    """The first Monday of the month after next: all of its week stands on one month's page, and nothing is due meanwhile."""
    first = (clock.now().replace(day=1) + timedelta(days=64)).replace(day=1)
    return datetime(first.year, first.month, 1 + (7 - first.weekday()) % 7)


@pytest.fixture
def monday():
    return month_ahead()


@pytest.fixture
def desk(team, monday):
    """An account with posts of its own: on Monday 09:20 and 14:00 (Berlin), in a week of nothing else."""
    now = clock.now()
    account = make_account(team.people.workspace, now, name="Pier", min_spacing_seconds=900)

    def make(wall, text="Lights", **plan):
        at = wall.replace(tzinfo=BERLIN).astimezone(UTC).replace(tzinfo=None)
        made = make_schedule(team.people.workspace, [account], now, text=text, **{"start_local": at, **plan})
        type(made.content).objects.filter(pk=made.content.pk).update(title=text)
        return made

    return account, make


def address(monday, view="month", account=None, **more):
    query = {
        "view": view,
        "date": monday.date().isoformat(),
        **({"account": account.public_id} if account else {}),
        **more,
    }
    return reverse("web:calendar") + "?" + "&".join(f"{name}={value}" for name, value in query.items())


def wall_of(schedule):
    """When the post goes out, on the person's clock."""
    schedule.refresh_from_db()
    return schedule.start_local.replace(tzinfo=UTC).astimezone(BERLIN).replace(tzinfo=None)


def event_of(page, text, within="#cal"):
    return page.locator(f"{within} .ev", has=page.locator(".t", has_text=text)).first


def place(page, at, view="month"):
    return page.locator(f"#d-{at:%Y-%m-%d}" if view == "month" else f"#h-{at:%Y-%m-%dT%H}")


def drag(page, what, where, *, before_drop=None):
    what.scroll_into_view_if_needed()
    start = what.bounding_box()
    page.mouse.move(start["x"] + 14, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 24, start["y"] + 16, steps=3)
    end = where.bounding_box()
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + min(end["height"], 30) / 2, steps=4)
    if before_drop:
        before_drop()
    page.mouse.up()


def moved(page, words="Moved"):
    expect(page.locator(".toast").last).to_contain_text(words)
    return page.locator(".toast").last.inner_text()


def test_by_mouse_between_days_and_hours_with_what_is_in_the_way_and_undo(open_browser, team, desk, monday):
    account, make = desk
    post = make(monday.replace(hour=9, minute=20), "Lights")
    make((monday + timedelta(days=2)).replace(hour=9, minute=10), "Fog horn")
    page = open_browser(team.people.author)
    page.goto(address(monday, account=account))

    def is_told():
        expect(page.locator(".drag-ghost .to")).to_contain_text("Too close to “Fog horn” at 09:10")

    wednesday = monday + timedelta(days=2)
    drag(page, event_of(page, "Lights"), place(page, wednesday), before_drop=is_told)
    moved(page, "Moved “Lights”")
    assert wall_of(post) == wednesday.replace(hour=9, minute=20)
    there = place(page, wednesday).locator(".ev.cf", has_text="Lights")
    expect(there).to_be_focused()
    expect(page.locator("#peek")).to_be_hidden()  # the click that ends a drag opens nothing
    page.keyboard.press("u")
    moved(page, "back to")
    expect(place(page, monday).locator(".ev", has_text="Lights")).to_be_focused()
    assert wall_of(post) == monday.replace(hour=9, minute=20)

    page.goto(address(monday, "week", account=account))
    later = monday.replace(hour=13) + timedelta(days=1)
    drag(page, event_of(page, "Lights"), place(page, later, "week"))
    moved(page, "13:20")
    assert wall_of(post) == later.replace(minute=20)

    before = wall_of(post)
    start = event_of(page, "Lights").bounding_box()
    page.mouse.move(start["x"] + 14, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 60, start["y"] + 80, steps=4)
    expect(page.locator(".drag-ghost")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".drag-ghost")).to_have_count(0)
    page.mouse.up()
    page.wait_for_timeout(50)
    assert wall_of(post) == before

    Job.objects.filter(schedule=post).delete()
