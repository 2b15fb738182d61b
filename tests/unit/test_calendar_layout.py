"""Which days a view shows, what a cell shows of its events, the state in the address, and the files."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict

from schedules.reads.calendar import Event
from schedules.web.calendar import cells, exports, layers, spans
from schedules.web.calendar.query import read

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 12, 11)


def event(minute: int = 0, *, key: str = "", look: str = "scheduled", **values) -> Event:
    at = datetime(2026, 12, 11, 9, tzinfo=BERLIN) + timedelta(minutes=minute)
    plain = {
        "title": f"Post {minute}", "content_type": "post", "schedule_id": 1, "account_id": 3, "account": "Harbour",
        "platform": "linkedin", "campaign_id": None, "campaign": "", "author_id": 5, "version": 2, "recurring": False,
        "fixed": False, "gap_seconds": 0, "uid": str(UUID(int=minute)), "is_job": True,
    }  # fmt: skip
    return Event(key=key or f"j{minute}", at=at, look=look, **{**plain, **values})


# ---- spans


@pytest.mark.parametrize(
    ("month", "first_day", "first", "weeks"),
    [
        (date(2026, 12, 1), 0, date(2026, 11, 30), 5),
        (date(2026, 12, 31), 6, date(2026, 11, 29), 5),
        (date(2026, 8, 15), 0, date(2026, 7, 27), 6),
        (date(2027, 2, 1), 0, date(2027, 2, 1), 4),
        (date(2027, 2, 1), 5, date(2027, 1, 30), 5),
    ],
)
def test_a_month_is_whole_weeks_from_the_readers_first_day_on(month, first_day, first, weeks):
    span = spans.span_of("month", month, first_day)

    assert (span.first, len(span.weeks())) == (first, weeks)
    assert all(len(week) == 7 and week[0].weekday() == first_day for week in span.weeks())
    whole = [day for day in span.days if span.holds(day)]
    assert whole[0].day == 1
    assert (whole[-1] + timedelta(days=1)).month != month.month


@pytest.mark.parametrize("view", spans.VIEWS)
def test_the_neighbours_of_a_span_touch_it(view):
    span = spans.span_of(view, date(2026, 1, 31), 0)
    before, after = (spans.span_of(view, anchor, 0) for anchor in (span.previous, span.following))

    own = [day for day in span.days if span.holds(day)]
    assert [day for day in before.days if before.holds(day)][-1] == own[0] - timedelta(days=1)
    assert next(day for day in after.days if after.holds(day)) == own[-1] + timedelta(days=1)


@pytest.mark.parametrize(
    ("zone", "day", "changes"),
    [
        ("Europe/Berlin", date(2027, 3, 28), {2: ("gap", time(3), "CET", "CEST")}),
        ("Europe/Berlin", date(2026, 10, 25), {2: ("fold", time(3), "CEST", "CET")}),
        ("Australia/Lord_Howe", date(2026, 10, 4), {2: ("gap", time(2, 30), "+1030", "+11")}),
        ("America/Sao_Paulo", date(2018, 11, 4), {0: ("gap", time(1), "-03", "-02")}),
        ("Europe/Berlin", TODAY, {}),
        ("UTC", date(2027, 3, 28), {}),
    ],
)
def test_what_the_clocks_do_on_a_day(zone, day, changes):
    found = spans.changes_of(day, ZoneInfo(zone))

    assert {hour: (one.kind, one.until, one.before, one.after) for hour, one in found.items()} == changes


# ---- cells


def test_a_day_shows_first_what_needs_a_person_and_never_loses_the_one_that_was_moved():
    many = [event(minute) for minute in range(10)]
    many[7].look, many[8].near = "failed", many[9]

    shown = cells.day_cell(many, pin="j6")

    assert [one.key for one in shown.shown] == ["j7", "j8", "j0", "j6"]
    assert (shown.count, shown.hidden, shown.bad, shown.conflicts) == (10, 6, 1, 1)
    assert not shown.left_out_in_conflict
    assert cells.day_cell(many[:4]).hidden == 0
    assert [one.key for one in cells.day_cell(many, pin="gone").shown] == ["j7", "j8", "j0", "j1"]


def test_an_hour_keeps_the_order_of_time_and_says_whether_a_conflict_is_left_out():
    many = [event(minute) for minute in range(5)]
    for one in many[2:]:
        one.near = many[0]

    shown = cells.hour_cell(many, most=2, pin="j0")

    assert [one.key for one in shown.shown] == ["j0", "j2"]
    assert shown.left_out_in_conflict
    assert len(cells.hour_cell(many, most=None).shown) == 5


def test_the_strip_is_whole_and_the_heat_has_five_steps():
    bars = cells.strip([event(1), event(2, look="failed"), event(3, look="published")])

    assert [look for look, _place, _width in bars] == ["failed", "scheduled", "published"]
    assert sum(width for _look, _place, width in bars) == pytest.approx(100, abs=0.2)
    assert [cells.step_of(count, 8) for count in (0, 1, 2, 3, 5, 7, 8)] == [0, 1, 1, 2, 3, 4, 4]
    assert [cells.step_of(count, 1) for count in (0, 1)] == [0, 1]
    assert cells.step_of(0, 0) == 0


# ---- the address


def test_the_address_is_the_whole_state():
    text = (
        "view=week&date=2026-12-07&platform=x&platform=linkedin&account=01980000-0000-7000-8000-000000000001&type=post&person=4"
        "&label=a%26b&status=failed&conflicts=1&q=tips&hours=all&by=account&select=1"
    )
    query = read(QueryDict(text), TODAY)

    assert read(QueryDict(query.url("/").partition("?")[2]), date(2000, 1, 1)) == query
    assert query.wanted().labels == ("a&b",)
    assert query.filtered
    assert not query.bare().filtered
    assert query.without("platform", "x").platform == ("linkedin",)
    assert query.without("q", "tips").q == ""


def test_what_an_address_says_in_vain_is_left_out():
    junk = "view=decade&date=2026-02-30&account=1&person=x&status=<b>&type=song&platform=a b&hours=7&by=moon&q=%20%20"

    query = read(QueryDict(junk), TODAY)

    assert (query.view, query.day, query.filters, query.filtered) == ("month", TODAY, "", False)
    assert read(QueryDict("date=0001-01-01"), TODAY).day == TODAY


# ---- layers


def test_a_layer_stays_off_until_it_is_listed_again():
    one = layers.switched(layers.Layers(), listed={"platform": ["x", "linkedin"]}, shown={"platform": ["x"]})
    other = layers.switched(one, listed={"account": ["3", "4"]}, shown={"account": ["4"]})
    again = layers.remembered({"calendar": other.stored()})

    assert again == other
    assert other.count == 2
    assert not other.shown([event()])
    assert [item.key for item in other.shown([event(account_id=4, platform="x")])] == ["j0"]
    assert layers.switched(other, listed={"platform": ["linkedin"]}, shown={"platform": ["linkedin"]}).count == 1
    assert layers.remembered({"calendar": {"hidden": "junk", "overlays": 3}}) == layers.Layers()


# ---- files


def unfolded(data: bytes) -> list[str]:
    return data.decode().replace("\r\n ", "").split("\r\n")


def test_the_calendar_file_keeps_to_its_standard():
    title = "Tips; for you, and\nme \\ " + "Größe🎉" * 20
    found = [event(5, title=title, look="draft"), event(6, campaign="A\r\nEND:VEVENT")]
    data = exports.icalendar(found, name="Team", now=datetime(2026, 12, 1, tzinfo=UTC), site="https://a.test")

    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    assert b"\n" not in data.replace(b"\r\n", b"")
    lines = unfolded(data)
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert "DTSTART:20261211T080500Z" in lines
    assert "DTSTAMP:20261201T000000Z" in lines
    assert "UID:j5@a.test" in lines
    assert "STATUS:TENTATIVE" in lines
    assert "SUMMARY:" + r"Tips\; for you\, and\nme \\ " + "Größe🎉" * 20 in lines
    assert lines.count("END:VEVENT") == 2
    assert r"CATEGORIES:A\nEND:VEVENT" in lines


def test_a_table_holds_no_formula_and_opens_as_utf_8():
    near = event(1, title="Later")
    data = exports.table(
        [event(0, title="=HYPERLINK(1)", near=near), event(2, title="Grüße, “du”")], zone="Europe/Berlin", site=""
    )

    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert rows[1][5] == "'=HYPERLINK(1)"
    assert rows[1][:4] == ["2026-12-11", "09:00", "Europe/Berlin", "2026-12-11T08:00:00Z"]
    assert rows[1][11] == "2026-12-11 09:01 Later"
    assert rows[2][5] == "Grüße, “du”"
