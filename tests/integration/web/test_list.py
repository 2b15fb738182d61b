"""The list of schedules: narrowed, sorted, arranged, exported; and one verb for many without a script."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import datetime, timedelta

import pytest
from django.urls import reverse

from schedules.models import BulkRun, Job, Schedule
from schedules.reads import spreadsheet
from schedules.services import bulk, lifecycle
from schedules.services.plans import ContentDraft
from schedules.services.schedules import edit_content
from schedules.web import listing
from tests.conftest import NOW
from tests.integration.web.conftest import HTMX
from tests.people import ACTOR, make_account, make_schedule

LIST = reverse("web:schedules")


@pytest.fixture
def second(team):
    """Another account, with a post of its own: labelled, in a campaign, urgent, once on 1 December at 0:30 in Berlin."""
    account = make_account(team.workspace, NOW, name="Newsroom")
    row = make_schedule(
        team.workspace, [account], NOW, text="Zebra", timezone="Europe/Berlin", priority=1, tags=("eu",),
        start_local=datetime(2026, 12, 1, 0, 30),
    )  # fmt: skip
    draft = ContentDraft(title="=Zebra", text="Zebra", labels=("launch",), campaign="Spring", content_type="article")
    edit_content(content=row.content, draft=draft, version=row.content.version, actor=ACTOR, now=NOW)
    Schedule.objects.filter(pk=row.pk).update(created_by=team.people.author)
    return row


def titles(response):
    return re.findall(r'class="title"[^>]*>([^<]+)<', response.content.decode())


def ids(rows):
    return [str(row.public_id) for row in rows]


@pytest.mark.parametrize(
    "query",
    [
        "q=zeb", "campaign=Spring", "content_type=article", "label=launch", "tag=eu", "owner=ben", "kind=once&state=active",
        "since=2026-12-01&until=2026-12-01&kind=once",
    ],
)  # fmt: skip
def test_each_filter_narrows_the_list_and_its_chip_takes_it_out(owner, team, second, query):
    response = owner.get(f"{LIST}?{query}")

    assert titles(response) == ["=Zebra"]
    chips = re.findall(r'<li class="chip"><bdi>([^<]+)</bdi><a href="([^"]+)"', response.content.decode())
    assert len(chips) == len(query.split("&"))
    assert len(titles(owner.get(chips[0][1].replace("&amp;", "&")))) >= 1


def test_what_is_impossible_narrows_nothing_and_what_finds_nothing_says_so(owner, team, second):
    assert len(titles(owner.get(f"{LIST}?state=gone&account=x&since=soon&sort=colour&page=x"))) == 4
    lifecycle.archive(schedule=second, actor=ACTOR, now=NOW)
    assert len(titles(owner.get(LIST))) == 3
    assert len(titles(owner.get(f"{LIST}?state=any"))) == 4
    assert titles(owner.get(f"{LIST}?state=archived,finished")) == ["=Zebra"]

    empty = owner.get(f"{LIST}?q=nobody").content.decode()
    assert "No schedule matches these filters" in empty
    assert "Clear filters" in empty
    assert "There is no such page" in owner.get(f"{LIST}?page=9").content.decode()


def test_the_heads_sort_and_say_so(owner, team, second):
    by_time = owner.get(f"{LIST}?sort=next&q=a")

    assert titles(by_time)[-1] == "=Zebra"
    assert re.search(r'aria-sort="ascending"><a href="[^"]*sort=-next[^"]*">Next run', by_time.content.decode())
    assert "q=a" in re.search(r'<a href="([^"]*sort=title[^"]*)"', by_time.content.decode())[1]
    assert titles(owner.get(f"{LIST}?sort=priority"))[0] == "=Zebra"
    assert titles(owner.get(f"{LIST}?sort=-campaign"))[0] == "=Zebra"


def test_each_person_has_their_own_columns(owner, viewer, team, second):
    arrange = reverse("web:schedules_arrange")

    owner.post(arrange, {"columns": ["labels", "priority", "nonsense"], "density": "compact"})
    mine, theirs = owner.get(LIST).content.decode(), viewer.get(LIST).content.decode()

    assert 'class="list six compact"' in mine
    assert "Urgent" in mine
    assert ">launch<" in mine
    assert "Campaign</a></th>" not in mine
    assert "Campaign</a></th>" in theirs
    owner.post(arrange, {"reset": "1"})
    assert "Campaign</a></th>" in owner.get(LIST).content.decode()


def test_an_export_has_what_the_list_has_and_runs_nothing(owner, team, second):
    answer = owner.get(reverse("web:schedules_export", args=["csv"]) + "?label=launch")
    text = b"".join(answer.streaming_content).decode()
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))

    assert text.startswith("\ufeff")
    assert answer["Content-Disposition"] == 'attachment; filename="schedules-2026-11-23.csv"'
    assert len(rows) == 2
    assert rows[1][:5] == [str(second.public_id), "active", "'=Zebra", "Zebra", "Newsroom"]
    assert rows[1][12:14] == ["2026-11-30T23:30:00Z", "2026-12-01T00:30:00+01:00"]  # asked when the request was over
    everything = owner.get(reverse("web:schedules_export", args=["json"]))
    assert len(json.loads(b"".join(everything.streaming_content))) == 4
    assert b"".join(owner.get(reverse("web:schedules_export", args=["csv"]) + "?q=nobody").streaming_content)
    chosen = owner.post(reverse("web:bulk_plan"), {"verb": "export-json", "ids": ids([team.draft])})
    assert [row["state"] for row in json.loads(b"".join(chosen.streaming_content))] == ["draft"]
    assert [spreadsheet.cell(value) for value in ("+1", "@x", "-", "a=1", None)] == ["'+1", "'@x", "'-", "a=1", ""]
    assert owner.get(reverse("web:schedules_export", args=["xls"])).status_code == 404


def test_many_are_archived_and_brought_back_without_a_script(owner, team, second):
    plan = owner.post(
        reverse("web:bulk_plan"), {"verb": "archive", "ids": ids([team.daily, team.draft, second]), "amount": "1"}
    )
    page = owner.get(plan["Location"])
    words = page.content.decode()

    assert plan.status_code == 303
    assert "<h1" in words
    assert "Archive 3 schedules?" in words
    assert "1 of them is due today." in words
    assert "later" not in words
    assert Schedule.objects.filter(state="archived").count() == 0

    run = BulkRun.objects.get()
    started = owner.post(reverse("web:bulk_act", args=[run.public_id, "start"]), follow=True)
    assert started.redirect_chain == [(LIST, 303)]
    assert "Archived 3 schedules." in started.content.decode()
    undo = reverse("web:bulk_act", args=[run.public_id, "undo"])
    assert undo in started.content.decode()

    back = owner.post(undo, {"next": LIST}, follow=True)
    assert "Restored 3 schedules." in back.content.decode()
    states = dict(Schedule.objects.values_list("pk", "state"))
    assert [states[row.pk] for row in (team.daily, team.draft, second)] == ["active", "draft", "active"]


def test_a_long_run_goes_on_step_by_step_and_the_list_offers_it(owner, team, second, monkeypatch):
    whole = bulk.step
    monkeypatch.setattr("schedules.web.views.bulk.bulk.step", lambda **given: whole(**given, most=1))
    lifecycle.pause(schedule=second, actor=ACTOR, now=NOW)
    plan = owner.post(reverse("web:bulk_plan"), {"verb": "clone", "all": "1", "query": "state=active,paused"})
    make_schedule(team.workspace, [team.account], NOW, text="Too late", start_local=datetime(2026, 12, 3, 9))
    run = BulkRun.objects.get()
    act = {verb: reverse("web:bulk_act", args=[run.public_id, verb]) for verb in ("start", "step", "stop", "continue")}

    page = owner.post(act["start"], follow=True).content.decode()
    assert "1 of 3" in page
    assert f'hx-post="{act["step"]}" hx-trigger="load delay:150ms, again"' in page
    assert "0 of 3 are done" not in owner.get(LIST).content.decode()
    assert "1 of 3 are done" in owner.get(LIST).content.decode()
    stopped = owner.post(act["stop"], headers=HTMX).content.decode()
    assert "Stopped." in stopped
    assert "hx-trigger" not in stopped
    owner.post(act["continue"])
    last = owner.post(act["step"], headers=HTMX).content.decode()
    assert "Cloned 3 schedules: the copies are drafts." in last
    assert "<html" not in last
    assert plan["Location"] == reverse("web:bulk_run", args=[run.public_id])
    assert Schedule.objects.filter(content__text="Too late").count() == 1
    assert Schedule.objects.filter(created_by=team.people.owner, state="draft").count() == 3


def test_what_was_not_done_is_named_and_a_plan_can_be_dropped(owner, team, second):
    owner.post(reverse("web:bulk_plan"), {"verb": "pause", "ids": ids([team.daily, team.draft, second])})
    run = BulkRun.objects.get()
    assert (
        "1 is in this state and is left out."
        in owner.get(reverse("web:bulk_run", args=[run.public_id])).content.decode()
    )
    lifecycle.archive(schedule=second, actor=ACTOR, now=NOW)

    result = owner.post(reverse("web:bulk_act", args=[run.public_id, "start"]), follow=True).content.decode()

    assert "Paused 1 schedule." in result
    assert "1 could not be done:" in result
    assert "=Zebra" in result
    assert "It is “Archived”" in result
    assert "Try these again" in result
    owner.post(reverse("web:bulk_plan"), {"verb": "resume", "ids": ids([team.daily])})
    plan = BulkRun.objects.get(verb="resume")
    assert (
        "Nothing was changed."
        in owner.post(reverse("web:bulk_act", args=[plan.public_id, "cancel"]), follow=True).content.decode()
    )
    assert not BulkRun.objects.filter(verb="resume").exists()


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"verb": "pause"}, "Select at least one schedule."),
        ({"verb": "", "all": "1"}, "Choose what is to be done."),
        ({"verb": "shift", "all": "1", "amount": "x"}, "Say by how much"),
        ({"verb": "label", "all": "1", "label": " "}, "Give a label"),
        ({"verb": "pause", "ids": "no-uuid"}, "Select at least one schedule."),
    ],
)
def test_what_cannot_be_planned_says_why(owner, team, form, words):
    assert words in owner.post(reverse("web:bulk_plan"), form, follow=True).content.decode()
    assert not BulkRun.objects.exists()


def test_many_are_for_those_who_may_and_a_run_is_its_persons_own(owner, author, viewer, stranger, team):
    assert b'id="bulk"' not in viewer.get(LIST).content
    assert viewer.post(reverse("web:bulk_plan"), {"verb": "pause", "all": "1"}).status_code == 403
    stranger.post(reverse("web:bulk_plan"), {"verb": "pause", "ids": ids([team.daily])})
    assert not BulkRun.objects.exists()

    owner.post(reverse("web:bulk_plan"), {"verb": "shift", "ids": ids([team.daily]), "amount": "2", "unit": "days"})
    run = BulkRun.objects.get()
    page = reverse("web:bulk_run", args=[run.public_id])
    assert "2 days later" in owner.get(page).content.decode()
    for other in (author, stranger):
        assert other.get(page).status_code == 404
        assert other.post(reverse("web:bulk_act", args=[run.public_id, "start"])).status_code == 404
    assert owner.post(reverse("web:bulk_act", args=[run.public_id, "explode"])).status_code == 404


def test_the_default_list_and_that_of_one_state_read_an_index(db, team):
    """In the order in which they are shown: neither the whole table nor a sort."""
    rows = Schedule.objects.filter(workspace=team.workspace)
    plans = {
        "default": listing.unarchived(rows).order_by("-created_at", "-id")[:51].explain(),
        "one state": rows.filter(state="active").order_by("-created_at", "-id")[:51].explain(),
    }
    for name, plan in plans.items():
        assert "schedule_list" in plan or "schedule_by_state" in plan, (name, plan)
        assert "SCAN" not in plan, (name, plan)
        assert "TEMP B-TREE" not in plan, (name, plan)
    assert "schedule_by_state" in plans["one state"]


def test_a_full_page_is_light_and_counts_up_to_a_limit(owner, team, monkeypatch, django_assert_max_num_queries):
    content = team.daily.content
    made = [
        Schedule(
            workspace=team.workspace, content=content, rule_kind="once", timezone="UTC", state="paused",
            start_local=datetime(2027, 1, 1, 9), created_at=NOW - timedelta(minutes=number), updated_at=NOW,
        )
        for number in range(60)
    ]  # fmt: skip
    Schedule.objects.bulk_create(made)
    Job.objects.filter(schedule=team.daily).update(state="failed")
    monkeypatch.setattr(listing, "MOST_COUNTED", 55)

    with django_assert_max_num_queries(21):
        first = owner.get(LIST)
    part = owner.get(LIST, headers=HTMX)

    assert len(titles(first)) == 50
    assert "1–50 of 55+" in first.content.decode()
    assert len(part.content) <= 130_000
    assert len(titles(owner.get(f"{LIST}?page=2"))) == 13
    assert "Select the newest 10,000 of those that match" in first.content.decode()
