"""Posts are moved in a real browser, by mouse, keys, touch, dialog and without script, and looked up in the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from alwrity_scheduler.core import clock
from schedules.models import Job, Schedule, ScheduleException
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


def test_out_of_the_tray_and_the_drawer(open_browser, team, desk, monday):
    account, make = desk
    past = clock.now().astimezone(BERLIN).replace(tzinfo=None, second=0, microsecond=0) - timedelta(days=40)
    idea = make(past.replace(hour=11, minute=5), "An idea", state="draft")
    crowd = [make(monday.replace(hour=8 + number), f"Crowd {number}") for number in range(7)]
    page = open_browser(team.people.author)
    page.goto(address(monday, account=account))

    friday = monday + timedelta(days=4)
    drag(page, event_of(page, "An idea", "#tray"), place(page, friday))
    moved(page, "Moved “An idea”")
    assert wall_of(idea) == friday.replace(hour=11, minute=5)
    expect(place(page, friday).locator(".ev", has_text="An idea")).to_be_focused()
    expect(page.locator("#tray .ev", has_text="An idea")).to_have_count(0)

    place(page, monday).locator(".more").click()
    expect(page.locator("#drawer")).to_be_visible()
    last = event_of(page, "Crowd 6", "#drawer")
    last.click()
    expect(page.locator("#peek")).to_contain_text("Crowd 6")  # above the drawer
    page.keyboard.press("Escape")
    expect(page.locator("#peek")).to_be_hidden()
    expect(page.locator("#drawer")).to_be_visible()
    drag(page, last, place(page, friday))
    moved(page, "Moved “Crowd 6”")
    expect(page.locator("#drawer")).to_be_hidden()
    assert wall_of(crowd[6]) == friday.replace(hour=14)


def test_by_keys_by_dialog_and_when_somebody_else_was_faster(open_browser, team, desk, monday):
    account, make = desk
    post = make(monday.replace(hour=9, minute=20), "Lights")
    make((monday + timedelta(days=8)).replace(hour=9, minute=20), "Fog horn")
    page = open_browser(team.people.author)
    page.goto(address(monday, account=account))

    event_of(page, "Lights").focus()
    page.keyboard.press("m")
    expect(page.locator("#say")).to_contain_text("Picked up “Lights”")
    page.keyboard.press("n")  # while it is held, no letter means anything else
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#say")).to_contain_text("Too close to “Fog horn”")
    page.keyboard.press("Escape")
    expect(page.locator("#say")).to_contain_text("Not moved")
    page.keyboard.press("m")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    moved(page)
    tuesday = monday + timedelta(days=1)
    assert wall_of(post) == tuesday.replace(hour=9, minute=20)
    expect(event_of(page, "Lights")).to_be_focused()

    page.keyboard.press("Shift+M")
    dialog = page.locator("#movedlg")
    dialog.get_by_text("1 week later").click()
    expect(dialog.locator("[data-move-note]")).to_contain_text("Too close to “Fog horn”")
    dialog.get_by_text("Use 09:35 instead").click()
    dialog.locator("[type=submit]").click()
    expect(page.locator(".toast").last).to_contain_text("09:35")
    there = (tuesday + timedelta(days=7)).replace(hour=9, minute=35)
    assert wall_of(post) == there

    # by the preview, and by the free time that it offers
    event_of(page, "Fog horn").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#peek")).to_contain_text("09:20")
    expect(page.locator("#peek a").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(event_of(page, "Fog horn")).to_be_focused()

    Schedule.objects.filter(pk=post.pk).update(version=post.version + 5)
    drag(page, event_of(page, "Lights"), place(page, monday))
    expect(page.locator(".toast.error")).to_be_visible()
    assert wall_of(post) == there
    expect(event_of(page, "Lights")).to_have_attribute("data-v", str(post.version))
    drag(page, event_of(page, "Lights"), place(page, monday))  # what the page has now is fresh
    moved(page, "Moved “Lights”")
    assert wall_of(post) == monday.replace(hour=9, minute=35)


def test_a_series_asks_fixed_posts_stay_and_back_gives_the_whole_page(open_browser, team, desk, monday):
    account, make = desk
    rule = {"rule_kind": "rrule", "expression": "FREQ=WEEKLY;BYDAY=MO", "timezone": "Europe/Berlin"}
    weekly = make(monday, "Letter", start_local=monday.replace(hour=18), **rule)
    out = make((monday + timedelta(days=1)).replace(hour=9), "Is out")
    job = Job.objects.create(
        schedule=out, occurrence=_occurrence(out), account=account, workspace=team.people.workspace,
        run_at=_utc(out), scheduled_for=_utc(out), deadline_at=_utc(out), state="completed", remote_id="1",
        attempt_count=1, finished_at=clock.now(), created_at=clock.now(),
    )  # fmt: skip
    Schedule.objects.filter(pk=out.pk).update(state="finished")
    page = open_browser(team.people.author)
    page.goto(address(monday, account=account))

    drag(page, place(page, monday).locator(".ev"), place(page, monday + timedelta(days=2)))
    page.locator("#scopedlg").get_by_text("Only this one").click()
    moved(page, "Moved “Letter”")
    edit = ScheduleException.objects.get(schedule=weekly)
    assert edit.moved_to_local == (monday + timedelta(days=2)).replace(hour=18)
    expect(place(page, monday + timedelta(days=2)).locator(".ev")).to_be_focused()
    next_week = monday + timedelta(days=7)
    expect(place(page, next_week).locator(".ev")).to_have_attribute(
        "data-v", str(weekly.version + 1)
    )  # its siblings too
    drag(page, place(page, next_week).locator(".ev"), place(page, next_week + timedelta(days=1)))
    page.locator("#scopedlg").get_by_text("This and all that follow").click()
    moved(page, "all that follow")
    assert Schedule.objects.get(split_from=weekly).expression == "FREQ=WEEKLY;BYDAY=TU"
    expect(place(page, next_week + timedelta(days=8)).locator(".ev")).to_have_count(1)

    drag(page, event_of(page, "Is out"), place(page, monday))
    page.wait_for_timeout(100)
    assert Job.objects.get(pk=job.pk).scheduled_for == _utc(out)
    event_of(page, "Is out").focus()
    page.keyboard.press("m")
    expect(page.locator("#say")).to_contain_text("stays where it is")

    page.keyboard.press("2")
    expect(page.locator("#cal")).to_have_attribute("data-view", "week")
    page.keyboard.press("k")
    expect(page.locator("#cal")).to_have_attribute("data-anchor", f"{next_week:%Y-%m-%d}")
    page.go_back()
    expect(page.locator("#cal")).to_have_attribute("data-anchor", f"{monday:%Y-%m-%d}")
    page.wait_for_load_state("load")
    page.go_back()
    expect(page.locator("#cal")).to_have_attribute("data-view", "month")
    expect(page.locator("#rail")).to_have_count(1)
    with page.expect_download() as download:
        page.evaluate("document.querySelector('[data-png]').click()")
    assert download.value.suggested_filename == f"month-{monday:%Y-%m-%d}.png"
    assert download.value.path().read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def _utc(schedule):
    return schedule.start_local.replace(tzinfo=UTC)


def _occurrence(schedule):
    at = _utc(schedule)
    return schedule.occurrences.create(
        nominal_at=at, nominal_local=schedule.start_local, fires_at=at, tzdata_version="1"
    )


def test_where_clocks_change(open_browser, team, desk):
    """The person lives in Berlin, the schedule is kept in UTC; the browser's own zone is neither."""
    account, make = desk
    spring = datetime(2027, 3, 28, 1, 30)
    post = make(spring, "Night watch")
    page = open_browser(team.people.author)
    page.goto(address(spring, account=account))
    event_of(page, "Night watch").focus()
    page.keyboard.press("Shift+M")
    dialog = page.locator("#movedlg")
    dialog.locator("[name=time]").fill("02:30")
    dialog.locator("[name=time]").dispatch_event("change")
    expect(dialog.locator("[data-move-note]")).to_contain_text("02:30 does not exist on this day")
    dialog.locator("[type=submit]").click()
    moved(page, "03:30 CEST")
    assert wall_of(post) == datetime(2027, 3, 28, 3, 30)

    drag(page, event_of(page, "Night watch"), place(page, datetime(2027, 3, 27)))
    moved(page, "27 Mar 2027, 03:30 CET")
    assert wall_of(post) == datetime(2027, 3, 27, 3, 30)
    page.keyboard.press("u")
    moved(page, "back to Sun 28 Mar 2027, 03:30 CEST")
    assert wall_of(post) == datetime(2027, 3, 28, 3, 30)

    autumn = make(datetime(2027, 10, 30, 2, 30), "Long night")
    page.goto(address(autumn.start_local, "week", account=account))
    event_of(page, "Long night").focus()
    page.keyboard.press("m")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#say")).to_contain_text("comes twice")
    page.keyboard.press("Enter")
    moved(page, "02:30 CEST")
    autumn.refresh_from_db()
    assert autumn.start_local == datetime(2027, 10, 31, 0, 30)  # the first of the two


def test_by_touch_and_from_right_to_left(open_browser, team, desk, monday, chromium, live_server):
    account, make = desk
    post = make(monday.replace(hour=9, minute=20), "Lights")
    page = open_browser(team.people.author, width=1024, height=760)
    page.goto(address(monday, account=account))
    touch = page.context.new_cdp_session(page)

    def finger(kind, x=0.0, y=0.0):
        points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    event_of(page, "Lights").scroll_into_view_if_needed()
    start, thursday = event_of(page, "Lights").bounding_box(), monday + timedelta(days=3)
    x, y = start["x"] + 20, start["y"] + 8
    finger("touchStart", x, y)  # a swipe scrolls and moves nothing
    for step in range(1, 6):
        finger("touchMove", x, y - 12 * step)
    finger("touchEnd")
    expect(page.locator(".drag-ghost")).to_have_count(0)
    assert wall_of(post) == monday.replace(hour=9, minute=20)

    for _ in range(
        5
    ):  # a page that is slow to answer loses the finger to the browser, which scrolls: nothing moves then
        page.wait_for_timeout(300)
        start = event_of(page, "Lights").bounding_box()
        x, y = start["x"] + 20, start["y"] + 8
        finger("touchStart", x, y)
        expect(page.locator(".drag-ghost")).to_be_visible()
        end = place(page, thursday).bounding_box()
        for part in (0.3, 0.7, 1):
            finger("touchMove", x + (end["x"] + end["width"] / 2 - x) * part, y + (end["y"] + 20 - y) * part)
        page.wait_for_timeout(50)
        is_held = page.locator(".drag-ghost").count() == 1
        finger("touchEnd")
        expect(page.locator(".drag-ghost")).to_have_count(0)
        if is_held:
            break
    moved(page)
    assert wall_of(post) == thursday.replace(hour=9, minute=20)

    page.evaluate("document.documentElement.dir = 'rtl'")
    event_of(page, "Lights").focus()
    page.keyboard.press("m")
    page.keyboard.press("ArrowLeft")  # where the next day is
    page.keyboard.press("Enter")
    friday = thursday + timedelta(days=1)
    expect(page.locator(".toast").last).to_contain_text(f"{friday.day} ")
    assert wall_of(post) == friday.replace(hour=9, minute=20)
    drag(page, event_of(page, "Lights"), place(page, monday))
    expect(place(page, monday).locator(".ev")).to_be_focused()
    assert wall_of(post) == monday.replace(hour=9, minute=20)


def test_without_script_a_month_is_read_and_a_post_is_moved_by_a_form(open_browser, team, desk, monday):
    account, make = desk
    post = make(monday.replace(hour=9, minute=20), "Lights")
    page = open_browser(team.people.author, script=False)
    page.goto(address(monday, account=account))
    event_of(page, "Lights").click()
    expect(page.locator("h1")).to_have_text("Lights")
    page.fill("#id_at", f"{monday:%Y-%m-%d}T16:45")
    page.click("#move button[type=submit]")
    expect(page.locator(".messagelist")).to_contain_text("16:45")
    assert wall_of(post) == monday.replace(hour=16, minute=45)
    page.click(".messagelist >> text=Undo")
    expect(page.locator(".messagelist")).to_contain_text("back to")
    assert wall_of(post) == monday.replace(hour=9, minute=20)
