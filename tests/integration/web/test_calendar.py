"""The calendar as the server draws it: what stands where, for whom, with which filters, and what it costs."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from alwrity_scheduler.workspaces.access import actor_of
from schedules.models import (
    Campaign,
    ComposerDraft,
    ContentItem,
    Job,
    Milestone,
    Occurrence,
    PostingSlot,
    SavedView,
    Schedule,
    Target,
)  # fmt: skip
from schedules.reads import calendar as reads
from schedules.reads import year
from schedules.reads.calendar import Wanted
from schedules.services import planning
from schedules.web.calendar import parts
from schedules.web.calendar.layers import Layers
from schedules.web.calendar.overlays import Bar, Overlay, overlays
from schedules.web.gate import Visit
from tests.conftest import NOW
from tests.integration.web.conftest import HTMX
from tests.people import ACTOR, make_account, make_schedule

URL = "/app/calendar/"
EVENT = re.compile(r'<a class="ev ([^"]*)" href="([^"]*)" data-ev="([^"]*)" data-at="([^"]*)"')


def events_of(response) -> list[tuple[str, str]]:
    """(key, wall clock) of the events on a page."""
    return [(found[2], found[3]) for found in EVENT.findall(response.content.decode())]


def piece(response, mark: str) -> str:
    """The cell or slot with that id, up to the next one."""
    text = response.content.decode()
    begin = text.index(f'id="{mark}"')
    ends = [text.find(other, begin + 10) for other in ('<div class="cell', '<div class="slot', "</tr>")]
    return text[begin : min(end for end in ends if end > 0)]


def many(team, count: int, first: datetime, *, days: int = 31) -> None:
    """`count` pending posts on two accounts over the days from `first` on, from 06:00 to 21:00 UTC."""
    other = make_account(team.workspace, NOW, name="Quay")
    stamp = {"created_at": NOW, "updated_at": NOW}
    content = ContentItem.objects.bulk_create(
        ContentItem(workspace=team.workspace, title=f"A post with a title that people read {n}", **stamp)
        for n in range(count)
    )
    times = [first + timedelta(days=n * 7919 % days, hours=6 + n * 7 % 15, minutes=n * 13 % 60) for n in range(count)]
    schedules = Schedule.objects.bulk_create(
        Schedule(
            workspace=team.workspace, content=item, rule_kind="once", timezone="UTC", start_local=at.replace(tzinfo=None),
            state="active", planned_until=first + timedelta(days=400), created_by=team.people.owner, **stamp,
        )
        for item, at in zip(content, times, strict=True)
    )  # fmt: skip
    accounts = [(team.account, other)[n % 2] for n in range(count)]
    Target.objects.bulk_create(
        Target(schedule=row, account=account) for row, account in zip(schedules, accounts, strict=True)
    )
    occurrences = Occurrence.objects.bulk_create(
        Occurrence(schedule=row, nominal_at=at, nominal_local=at.replace(tzinfo=None), fires_at=at, tzdata_version="x")
        for row, at in zip(schedules, times, strict=True)
    )
    Job.objects.bulk_create(
        Job(
            workspace=team.workspace, schedule=row, occurrence=occurrence, account=account, scheduled_for=at, run_at=at,
            created_at=NOW,
            state="failed" if n % 50 == 3 else "pending", priority=5, finished_at=at if n % 50 == 3 else None,
        )
        for n, (row, occurrence, account, at) in enumerate(zip(schedules, occurrences, accounts, times, strict=True))
    )  # fmt: skip


@pytest.fixture
def crowd(team):
    many(team, 2_000, datetime(2026, 12, 1, tzinfo=UTC))
    return team


@pytest.fixture
def some(team):
    """Ten posts on each day of December."""
    many(team, 310, datetime(2026, 12, 1, tzinfo=UTC))
    return team


def test_two_thousand_posts_cost_few_queries_and_little_to_send(owner, crowd, django_assert_max_num_queries):
    sizes = {}
    for view, address in {
        "month": "?view=month&date=2026-12-01",
        "week": "?view=week&date=2026-12-09",
        "day": "?view=day&date=2026-12-09",
        "year": "?view=year&date=2026-12-09",
        "drawer": "day/?date=2026-12-09",
        "filtered": "?view=month&date=2026-12-01&q=title&account=" + str(crowd.account.public_id),
    }.items():
        with django_assert_max_num_queries(9 if view == "year" else 8):  # a year has the milestones besides
            response = owner.get(URL + address, headers=HTMX)
        sizes[view] = len(response.content) // 1000
        if view == "month":
            assert len(events_of(response)) <= 4 * 35
            assert response.content.count(b'class="more"') == 31
    with django_assert_max_num_queries(10):  # the frame, the tray and what can be chosen besides
        sizes["page"] = len(owner.get(URL + "?view=month&date=2026-12-01").content) // 1000

    assert sizes["month"] <= 150
    assert sizes["page"] <= 150
    assert sizes["week"] <= 180
    assert sizes["day"] <= 180
    assert sizes["year"] <= 100


def test_events_stand_on_the_readers_wall_clock(owner, author, team):
    make_schedule(team.workspace, [team.account], NOW, start_local=datetime(2026, 12, 10, 23, 30))
    type(team.people.author).objects.filter(pk=team.people.author.pk).update(timezone="America/New_York")

    berlin = owner.get(URL + "?view=month&date=2026-12-01")
    new_york = author.get(URL + "?view=month&date=2026-12-01")

    assert 'data-at="2026-12-11T00:30"' in piece(berlin, "d-2026-12-11")
    assert 'data-at="2026-12-10T18:30"' in piece(new_york, "d-2026-12-10")
    week = owner.get(URL + "?view=week&date=2026-12-11&hours=all")
    assert 'data-at="2026-12-11T00:30"' in piece(week, "h-2026-12-11T00")
    day = owner.get(URL + "?view=day&date=2026-12-11")
    assert 'data-at="2026-12-11T00:30"' in piece(day, "h-2026-12-11T00-sandbox")


def test_hours_that_do_not_exist_or_come_twice_say_so(owner, team):
    for hour in (0, 1):
        make_schedule(team.workspace, [team.account], NOW, start_local=datetime(2027, 10, 31, hour, 30))

    gap = piece(owner.get(URL + "?view=week&date=2027-03-28"), "h-2027-03-28T02")
    assert "02:00 does not exist on this day: clocks go forward to 03:00." in gap
    assert "new/?at=" not in gap

    fold = piece(owner.get(URL + "?view=week&date=2027-10-31"), "h-2027-10-31T02")
    assert "02:00 comes twice on this day: first CEST, then CET." in fold
    assert fold.index("02:30 CEST") < fold.index("02:30 CET<")


@pytest.mark.parametrize("view", ["month", "week", "day", "year"])
def test_everybody_sees_their_own_workspace_and_the_verbs_they_may_use(owner, viewer, stranger, client, team, view):
    address = f"{URL}?view={view}&date=2026-11-24"
    body = owner.get(address).content.decode()

    assert body.count("<h1") == 1
    assert " style=" not in body
    assert "hx-on" not in body
    assert 'href="#"' not in body
    ids = re.findall(r' id="([^"]+)"', body)
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    if view != "year":
        assert "A title" in body
        assert "/schedules/new/?at=" in body
    seen = viewer.get(address).content.decode()
    assert "schedules/new/" not in seen
    assert "A title" in seen or view == "year"
    assert "A title" not in stranger.get(address).content.decode()
    assert "/accounts/login/" in client.get(address)["Location"] or "login" in client.get(address)["Location"]


def test_a_browser_gets_the_page_and_htmx_the_part(owner, team):
    address = f"{URL}?view=week&date=2026-11-24&q=&platform="
    page, part = owner.get(address), owner.get(address, headers=HTMX)
    back = owner.get(address, headers={**HTMX, "HX-History-Restore-Request": "true"})
    live = owner.get(address, headers={**HTMX, "HX-Trigger": "cal"})

    assert b"<html" in page.content
    assert b"<html" in back.content
    assert b"<html" not in part.content
    assert "HX-Request" in part["Vary"]
    assert part["Cache-Control"] == "no-store"
    assert part["HX-Push-Url"] == f"{URL}?view=week&date=2026-11-24"
    assert b'id="cal-head" hx-swap-oob="true"' in part.content
    assert b"cal-head" not in live.content
    assert "HX-Push-Url" not in live
    assert owner.get(address, headers={**HTMX, "HX-Trigger": "cal", "X-Seen": live["X-Seen"]}).status_code == 204


def test_filters_narrow_and_say_so(owner, team):
    quay = make_account(team.workspace, NOW, name="Quay", platform="http", options={"publish_url": "https://a.test"})
    named = make_schedule(team.workspace, [quay], NOW, text="Launch", start_local=datetime(2026, 12, 3, 9))
    campaign = Campaign.objects.create(workspace=team.workspace, name="Spring", created_at=NOW)
    ContentItem.objects.filter(pk=named.content_id).update(title="Launch", campaign=campaign, labels=["big & new"])
    Schedule.objects.filter(pk=named.pk).update(created_by=team.people.author)
    month = f"{URL}?view=month&date=2026-12-01"

    for filters in (
        "platform=http",
        f"account={quay.public_id}",
        f"campaign={campaign.public_id}",
        f"person={team.people.author.pk}",
        "label=big+%26+new",
        "q=launch",
    ):
        response = owner.get(f"{month}&{filters}")
        assert [at for _key, at in events_of(response)] == ["2026-12-03T10:00"], filters
        assert b"Clear filters" in response.content
        assert b"cal-chips" in response.content
    assert len(events_of(owner.get(f"{month}&status=paused"))) > 3
    nothing = owner.get(f"{month}&q=nothing+like+this")
    assert b"No post matches these filters" in nothing.content
    assert b"Nothing is planned here yet" not in nothing.content
    assert b"Nothing is planned here yet" in owner.get(f"{URL}?view=month&date=2020-01-01").content
    assert b"big &amp; new" in owner.get(reverse("web:calendar_labels")).content


def test_layers_are_remembered_for_one_person(owner, author, team):
    month = f"{URL}?view=month&date=2026-12-01"
    assert events_of(owner.get(month))

    answer = owner.post(
        reverse("web:calendar_layers"), {"listed_platform": ["sandbox", "x"], "shown_platform": ["x"], "next": month}
    )
    assert (answer.status_code, answer["Location"]) == (303, month)
    hidden = owner.get(month)
    assert not events_of(hidden)
    assert b"1 layer is switched off" in hidden.content
    assert b"layers that are switched off" in hidden.content
    assert events_of(author.get(month))
    assert csv_rows(owner.get(reverse("web:calendar_export", args=["csv"]) + "?view=month&date=2026-12-01")) == []

    owner.post(reverse("web:calendar_layers"), {"next": month})
    assert events_of(owner.get(month))


def test_saved_views_and_overlays(owner, author, stranger, viewer, team):
    save, month = reverse("web:view_save"), f"{URL}?view=month&date=2026-12-01"
    ours = {"page": "calendar", "name": "Ours", "query": "view=week&platform=sandbox", "next": month, "shared": "1"}
    owner.post(save, ours)
    owner.post(save, {"page": "overlay", "name": "Paused ones", "query": "view=month&status=paused", "next": month})
    row, overlay = SavedView.objects.get(name="Ours"), SavedView.objects.get(name="Paused ones")

    assert b"/app/calendar/?view=week&amp;platform=sandbox" in author.get(month).content
    assert b"Paused ones" not in author.get(month).content
    assert ' ov" href' not in owner.get(month).content.decode()
    owner.post(
        reverse("web:calendar_layers"), {"listed_overlay": [overlay.public_id], "shown_overlay": [overlay.public_id]}
    )
    marked = EVENT.findall(owner.get(month).content.decode())
    assert {cls.split()[0] for cls, *_ in marked if cls.endswith(" ov")} == {"s-paused"}
    assert {cls.split()[0] for cls, *_ in marked if not cls.endswith(" ov")} == {"s-scheduled", "s-draft"}

    assert viewer.post(save, {**ours, "name": "Mine"}).status_code == 403
    assert "name" in owner.post(save, {**ours, "name": ""}, follow=True).content.decode()
    remove = reverse("web:view_remove", args=[row.public_id])
    assert author.post(remove).status_code == 404
    assert stranger.post(remove).status_code == 404
    answer = owner.post(remove, {"next": month}, follow=True)
    assert not SavedView.objects.filter(name="Ours").exists()
    undo = re.search(r'action="([^"]*views/save/[^"]*page=[^"]*)"', answer.content.decode())
    assert undo
    owner.post(undo[1].replace("&amp;", "&"), {"next": month})
    assert SavedView.objects.get(name="Ours").shared


def test_verbs_on_ticked_posts_and_their_undo(owner, author, viewer, team):
    bulk, month = reverse("web:calendar_bulk"), f"{URL}?view=month&date=2026-12-01&select=1"
    row = make_schedule(team.workspace, [team.account], NOW, start_local=datetime(2026, 12, 3, 9))
    page = owner.get(month)
    key = next(key for key, at in events_of(page) if at == "2026-12-03T10:00")
    assert f'name="event" value="{key}" form="cal-bulk"' in page.content.decode()
    assert 'name="event"' not in viewer.get(month).content.decode()
    assert viewer.post(bulk, {"event": key, "verb": "pause"}).status_code == 403

    said = owner.post(bulk, {"event": key, "verb": "pause", "next": month}, follow=True).content.decode()
    assert "Paused 1 schedule." in said
    row.refresh_from_db()
    assert row.state == "paused"
    undo = re.search(r'action="([^"]*calendar/bulk/[^"]*verb=resume[^"]*)"', said)[1].replace("&amp;", "&")
    owner.post(undo)
    row.refresh_from_db()
    assert row.state == "active"

    said = owner.post(bulk, {"event": key, "verb": "shift", "days": "2", "next": month}, follow=True).content.decode()
    assert "Moved 1 post." in said
    row.refresh_from_db()
    assert row.start_local == datetime(2026, 12, 5, 9)
    undo = re.search(r'action="([^"]*calendar/bulk/[^"]*verb=shift[^"]*)"', said)[1].replace("&amp;", "&")
    owner.post(undo)
    row.refresh_from_db()
    assert row.start_local == datetime(2026, 12, 3, 9)

    past = owner.post(bulk, {"event": key, "verb": "shift", "days": "-90", "next": month}, follow=True).content.decode()
    assert "was left as it is" in past
    assert (
        "Say by how many days"
        in owner.post(bulk, {"event": key, "verb": "shift", "days": "x"}, follow=True).content.decode()
    )
    assert "Tick at least one post first." in owner.post(bulk, {"verb": "pause"}, follow=True).content.decode()


def csv_rows(response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


def test_exports_hold_what_the_view_shows(owner, stranger, team):
    export = reverse("web:calendar_export", args=["csv"])
    rows = csv_rows(owner.get(f"{export}?view=week&date=2026-11-24&status=scheduled"))
    shown = owner.get(f"{URL}?view=week&date=2026-11-24&status=scheduled&hours=all&every=1")

    assert [f"{row['Date']}T{row['Time']}" for row in rows] == sorted(at for _key, at in events_of(shown))
    assert {row["Status"] for row in rows} == {"Scheduled"}
    month = csv_rows(owner.get(f"{export}?view=month&date=2026-12-01"))
    assert {row["Date"][:7] for row in month} == {"2026-12"}

    file = owner.get(reverse("web:calendar_export", args=["ics"]) + "?view=week&date=2026-11-24")
    assert file["Content-Type"] == "text/calendar; charset=utf-8"
    assert file["Content-Disposition"] == 'attachment; filename="calendar-week-2026-11-24.ics"'
    assert file.content.count(b"BEGIN:VEVENT") == len(csv_rows(owner.get(f"{export}?view=week&date=2026-11-24")))
    assert b"BEGIN:VEVENT" not in stranger.get(reverse("web:calendar_export", args=["ics"])).content
    assert owner.get(reverse("web:calendar_export", args=["pdf"])).status_code == 404


def test_the_drawer_holds_all_of_a_day_or_an_hour(owner, some):
    day = owner.get(URL + "day/?date=2026-12-09")
    part = owner.get(URL + "day/?date=2026-12-09", headers=HTMX)
    events = events_of(day)

    assert events == events_of(part)
    assert len(events) > 10
    assert {at[:10] for _key, at in events} == {"2026-12-09"}
    assert b"data-close" in part.content
    hour = events_of(owner.get(URL + "day/?date=2026-12-09&hour=10", headers=HTMX))
    assert hour == [item for item in events if item[1][11:13] == "10"]
    assert owner.get(URL + "day/?date=junk&hour=junk").status_code == 200


def test_the_day_shows_posting_times_that_are_free(owner, viewer, team):
    PostingSlot.objects.create(account=team.account, weekday=2, time="11:15")
    PostingSlot.objects.create(account=team.account, weekday=2, time="18:20")  # a post of the rule stands there

    day = owner.get(URL + "?view=day&date=2026-11-25")
    assert f"new/?at=2026-11-25T11:15&amp;account={team.account.public_id}" in piece(day, "h-2026-11-25T11-sandbox")
    assert b"T18:20" not in day.content
    assert b"1 posting time is free" in day.content
    assert b"T11:15" not in viewer.get(URL + "?view=day&date=2026-11-25").content
    by_account = owner.get(URL + "?view=day&date=2026-11-25&by=account")
    assert "T11:15" in piece(by_account, f"h-2026-11-25T11-a{team.account.pk}")


def test_the_tray_holds_what_has_no_time_to_come(owner, viewer, author, team):
    row = make_schedule(team.workspace, [team.account], NOW, state="draft", start_local=datetime(2026, 11, 2, 9))
    draft = ComposerDraft.objects.create(
        workspace=team.workspace, person=team.people.owner, data={"title": ["Half <b>done"], "when": ["once"], "time": ["07:00"]},
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip

    body = owner.get(URL).content.decode()
    tray = body[body.index('id="tray"') : body.index("</section>", body.index('id="tray"'))]
    assert f'data-ev="p{row.pk}.20261102T090000.{team.account.pk}"' in tray
    assert f'data-ev="d{draft.public_id}"' in tray
    assert "Half &lt;b&gt;done" in tray
    assert f".{team.draft.pk}." not in tray  # its time is still to come: it stands in the calendar
    assert "Half" not in author.get(URL).content.decode()
    assert 'aria-labelledby="tray-h" hidden' in viewer.get(URL).content.decode()
    composer = owner.get(f"/app/schedules/new/?draft={draft.public_id}&at=2026-12-11T09:00").content.decode()
    assert 'value="2026-12-11"' in composer
    assert 'value="09:00' in composer


def visit_of(person, workspace) -> Visit:
    request = RequestFactory().get(URL)
    request.user, request.session = person, {}
    return Visit(request, person, workspace, actor_of(request), NOW)


def test_what_was_touched_is_answered_with_its_cells_alone(some):
    visit = visit_of(some.people.owner, some.workspace)
    last = Job.objects.filter(scheduled_for__date="2026-12-09").exclude(state="failed").order_by("-scheduled_for")[0]

    def touched(**values) -> str:
        with timezone.override(ZoneInfo("Europe/Berlin")):
            return parts.touched(visit.request, visit, anchor=date(2026, 12, 9), pin=f"j{last.pk}", **values)

    month = touched(view="month", query="", days=[date(2026, 12, 9), date(2026, 12, 11), date(2027, 6, 1)])
    assert re.findall(r'id="(d-[^"]+)"', month) == ["d-2026-12-09", "d-2026-12-11"]
    assert month.count('hx-swap-oob="true"') == 2
    assert f'data-ev="j{last.pk}"' in month
    assert len(month) <= 10_000

    week = touched(view="week", query="", days=[date(2026, 12, 9)], hours={(date(2026, 12, 9), 9)})
    assert re.findall(r'id="([nh]-[^"]+)"', week) == [
        "n-2026-12-09",
        *(f"h-2026-12-09T{hour}" for hour in ("08", "09", "10")),
    ]
    assert len(week) <= 10_000
    assert touched(view="month", query="q=nothing", days=[date(2026, 12, 9)]).count("data-ev") == 0
    assert "h-2026-12-09T09-sandbox" in touched(view="day", query="", days=[date(2026, 12, 9)])
    assert touched(view="year", query="", days=[date(2026, 12, 9)]) == ""


def test_a_connected_calendar_is_laid_over_when_there_is_one(owner, team, monkeypatch):
    assert b"Connected calendars" not in owner.get(URL).content
    holiday = Overlay(
        "Holidays",
        lambda workspace, start, end: [Bar(start + timedelta(hours=9), start + timedelta(hours=10), "Day <off>")],
    )
    monkeypatch.setattr(overlays, "_entries", {"holidays": holiday})

    for view in ("month", "week", "day"):
        body = owner.get(f"{URL}?view={view}").content
        assert b"Connected calendars" in body
        assert b"Day &lt;off&gt;" in body


def test_a_year_counts_what_the_calendar_shows(some, in_state):
    in_state("failed")
    make_schedule(some.workspace, [some.account], NOW, state="draft", start_local=datetime(2026, 12, 31, 23, 30))
    ContentItem.objects.filter(title__endswith="7").update(labels=["ü", "a"], content_type="video")
    wanted = (
        Wanted(),
        Wanted(looks=("paused", "failed")),
        Wanted(q="read 19", people=(some.people.owner.pk,)),
        Wanted(labels=("ü",), types=("video",)),
        Wanted(platforms=("x",)),
        Wanted(accounts=(some.account.public_id,), looks=("scheduled", "draft")),
    )
    for zone, what in [
        *(("Europe/Berlin", one) for one in wanted),
        ("Asia/Kolkata", wanted[0]),
        ("America/New_York", wanted[0]),
    ]:
        start, end = (datetime(number, 1, 1, tzinfo=ZoneInfo(zone)) for number in (2026, 2027))
        found = reads.events(some.workspace, start=start, end=end, zone=zone, now=NOW, wanted=what)
        counts = Counter(event.at.date() for event in found)
        bad = Counter(event.at.date() for event in found if event.look in reads.NEEDS_A_PERSON)

        days = year.days(some.workspace, 2026, zone, NOW, what)

        assert {day: one.count for day, one in days.items()} == counts, (zone, what)
        assert {day: one.bad for day, one in days.items() if one.bad} == bad, (zone, what)

    campaign = Campaign.objects.create(workspace=some.workspace, name="Spring", created_at=NOW)
    ContentItem.objects.filter(title__endswith="3").update(campaign=campaign)
    found = reads.events(some.workspace, start=start, end=end, zone=zone, now=NOW)
    for kind, value in (
        ("account", some.account.pk),
        ("campaign", campaign.pk),
        ("person", some.people.owner.pk),
        ("type", "video"),
        ("platform", "sandbox"),
    ):
        off = Layers({kind: frozenset({str(value)})})
        days = year.days(some.workspace, 2026, zone, NOW, without=off.without())
        assert {day: one.count for day, one in days.items()} == Counter(
            event.at.date() for event in off.shown(found)
        ), kind


def test_the_year_says_how_it_compares(owner, some):
    Job.objects.filter(pk__in=Job.objects.order_by("pk").values("pk")[:50]).update(
        scheduled_for=datetime(2025, 5, 2, 9, tzinfo=UTC)
    )

    body = owner.get(URL + "?view=year&date=2026-05-01").content.decode()

    assert "on 2025, which had 50 posts." in body
    assert [number for number in "12345" if f'id="q{number}"' in body] == ["1", "2", "3", "4"]
    assert len(re.findall(r'<li><a class="lv\d', body)) == 365
    assert "needs you" in body or "need you" in body


def test_the_year_marks_the_milestones_of_the_workspace_and_leads_to_them(owner, team, django_assert_max_num_queries):
    planned = {"campaign": None, "actor": ACTOR, "now": NOW}
    due, gone, done = (
        planning.create_milestone(workspace=team.workspace, name=name, due_on=date(2026, 5, day), **planned)
        for name, day in (("Fair & show", 7), ("Called off", 8), ("Brochure", 9))
    )
    planning.create_milestone(workspace=team.people.other_workspace, name="Elsewhere", due_on=due.due_on, **planned)
    planning.create_milestone(workspace=team.workspace, name="Next year", due_on=date(2027, 1, 1), **planned)
    planning.remove_milestone(milestone=gone, actor=ACTOR, now=NOW)
    Milestone.objects.filter(pk=done.pk).update(done_at=NOW)

    with django_assert_max_num_queries(9):
        body = owner.get(URL + "?view=year&date=2026-05-01", headers=HTMX).content.decode()

    assert 'title="7 May: 0 posts, milestone: Fair &amp; show"' in body
    assert body.count(" goal") == 2
    assert (
        'href="/app/timeline/?zoom=month&amp;date=2026-05-07"><bdi>Fair &amp; show</bdi></a> <span class="bad">overdue'
        in body
    )
    assert '<bdi>Brochure</bdi></a> <span class="quiet">reached' in body
    assert not [name for name in ("Called off", "Elsewhere", "Next year") if name in body]
    assert " goal" not in owner.get(URL + "?view=year&date=2025-05-01", headers=HTMX).content.decode()
