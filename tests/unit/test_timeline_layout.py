"""Where posts stand on the timeline, and the classes that put them there."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from schedules.reads.calendar import Event
from schedules.reads.timeline import Progress
from schedules.web.timeline import grid, lanes
from schedules.web.timeline.placing import ROOM, most_a_day, place
from schedules.web.timeline.zooms import ZOOMS, stretch

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 12, 7)


def event(key: str, *when: int, look: str = "scheduled", **values) -> Event:
    """`event("a", 7, 9, 30)`: on 7 December at 9:30."""
    day, hour, minute = (*when, 0, 0)[:3]
    plain = {
        "title": key,
        "content_type": "post",
        "schedule_id": 1,
        "account_id": 1,
        "account": "A",
        "platform": "x",
        "campaign_id": None,
        "campaign": "",
        "author_id": None,
        "version": 1,
        "recurring": False,
        "fixed": False,
        "gap_seconds": 0,
        "uid": str(UUID(int=1)),
        "is_job": True,
    }
    at = datetime(2026, 12, day, hour, minute, tzinfo=BERLIN)
    return Event(**{**plain, "key": key, "at": at, "look": look, **values})


def week(first_day: int = 0):
    return stretch(ZOOMS["week"], MONDAY, first_day)


def test_the_stylesheet_is_what_the_module_writes_and_wide_enough():
    assert grid.PATH.read_text() == grid.css()
    assert (
        max(zoom.per_day * days + zoom.chip for zoom, days in zip(ZOOMS.values(), (1, 7, 31), strict=True))
        <= grid.COLUMNS
    )
    assert max(zoom.rows for zoom in ZOOMS.values()) + 2 <= grid.ROWS  # a campaign's bar above, "+n" below


@pytest.mark.parametrize(
    ("zoom", "first_day", "first", "days", "previous", "following"),
    [
        ("day", 0, date(2026, 12, 10), 1, date(2026, 12, 9), date(2026, 12, 11)),
        ("week", 0, MONDAY, 7, date(2026, 12, 3), date(2026, 12, 17)),
        ("week", 6, date(2026, 12, 6), 7, date(2026, 12, 3), date(2026, 12, 17)),
        ("month", 0, date(2026, 12, 1), 31, date(2026, 11, 1), date(2027, 1, 1)),
    ],
)
def test_a_zoom_shows_its_days(zoom, first_day, first, days, previous, following):
    shown = stretch(ZOOMS[zoom], date(2026, 12, 10), first_day)

    assert (shown.first, shown.days, shown.previous, shown.following) == (first, days, previous, following)
    assert shown.columns == days * 24 * 60 // ZOOMS[zoom].slot


def test_a_column_is_half_an_hour_of_the_wall_clock_also_when_clocks_change():
    spring = stretch(ZOOMS["week"], date(2027, 3, 28), 0)

    assert week().column(datetime(2026, 12, 7, 0, 29, tzinfo=BERLIN)) == 1
    assert week().column(datetime(2026, 12, 13, 23, 59, tzinfo=BERLIN)) == 336
    assert spring.column(datetime(2027, 3, 28, 9, tzinfo=BERLIN)) == 6 * 48 + 19
    assert [at.isoformat() for at in spring.bounds(BERLIN)] == [
        "2027-03-22T00:00:00+01:00",
        "2027-03-29T00:00:00+02:00",
    ]


def test_posts_that_would_cover_each_other_stand_in_rows_and_the_rest_is_counted():
    crowd = [event(f"e{number}", 7, 9, number) for number in range(7)] + [event("late", 7, 18), event("next", 8, 9)]
    track = place(crowd, week(), per_day=99)

    assert [(item.event.key, item.x, item.row) for item in track.placed] == [
        ("e0", 19, 1), ("e1", 19, 2), ("e2", 19, 3), ("e3", 19, 4), ("late", 37, 1), ("next", 67, 1),
    ]  # fmt: skip
    assert [(rest.day, rest.x, rest.count) for rest in track.rests] == [(MONDAY, 1, 3)]
    assert track.rows == 4


def test_the_picked_post_and_what_needs_a_person_get_their_place_first():
    crowd = [event(f"e{number}", 7, 9, number) for number in range(6)]
    crowd[4].look = "failed"
    crowd[3].near = crowd[2]

    assert [item.event.key for item in place(crowd, week(), per_day=3, first={"e5"}).placed] == ["e3", "e4", "e5"]


def test_the_last_post_of_a_stretch_keeps_its_width_within_the_track():
    shown = week()
    placed = place([event("last", 13, 23, 59)], shown, per_day=9).placed[0]

    assert placed.x + placed.w - 1 <= shown.columns + shown.zoom.chip <= grid.COLUMNS


def test_a_page_keeps_within_its_weight_with_one_post_a_day_at_least():
    few = [[event("a", 7, 9), event("b", 7, 10)]]
    many = [[event(f"{lane}.{number}", 1 + number % 31, 9) for number in range(200)] for lane in range(10)]

    assert most_a_day(few, 3) == 12
    assert most_a_day(many, 3) == 1
    assert ROOM >= 310 * 400


def test_lanes_are_named_and_ordered_and_a_campaign_has_its_bar():
    posts = [
        event("a", 7, campaign_id=2, campaign="Zoo", author_id=5),
        event("b", 8, campaign_id=1, campaign="apes"),
        event("c", 9),
    ]
    names = {5: "Ana"}

    assert [(lane.key, lane.title, lane.count) for lane in lanes.by_campaign(posts)][:2] == [
        ("1", "apes", 1),
        ("2", "Zoo", 1),
    ]
    assert [(lane.key, lane.count) for lane in lanes.by_person(posts, names)] == [("5", 1), ("none", 2)]
    assert [lane.key for lane in lanes.by_type([event("v", 7, content_type="video"), *posts])] == ["post", "video"]
    before, inside = (datetime(2026, 12, day, 12, tzinfo=BERLIN) for day in (1, 8))
    shown = week()
    assert lanes.bar(Progress(1, 2, before, inside), shown, BERLIN) == lanes.Bar(1, 48 + 25)
    assert lanes.bar(Progress(1, 2, before, before + timedelta(days=1)), shown, BERLIN) is None
    assert lanes.bar(Progress(0, 1, None, None), shown, BERLIN) is None


def test_accounts_without_posts_have_lanes_only_where_nothing_is_filtered():
    def account(number, platform, state):
        return SimpleNamespace(id=number, name=f"Account {number}", platform=platform, state=state)

    rows = [account(1, "x", "active"), account(2, "linkedin", "disconnected"), account(3, "facebook", "active")]

    assert [lane.key for lane in lanes.by_account([event("a", 7)], rows, all_of_them=True)] == ["3", "1"]
    assert [lane.key for lane in lanes.by_account([event("a", 7)], rows, all_of_them=False)] == ["1"]
