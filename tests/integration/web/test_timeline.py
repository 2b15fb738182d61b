"""The timeline, its milestones, and what waits for what, in the pages and as services and facts."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from alwrity_scheduler.core.errors import Refused
from platforms.models import PlatformAccount
from schedules.models import AuditLog, Campaign, ContentItem, Dependency, Job, Milestone, Occurrence, Schedule, Target
from schedules.services import planning
from schedules.web.timeline.parts import touched
from tests.conftest import NOW
from tests.people import ACTOR, make_account, make_schedule

WEEK = "?zoom=week&date=2026-11-25"
PART = {"HTTP_HX_REQUEST": "true"}


def once(team, title, *, day, hour=9, **plan):
    made = make_schedule(
        team.workspace, [team.account], NOW, text=title, start_local=datetime(2026, 11, day, hour), **plan
    )
    ContentItem.objects.filter(pk=made.content_id).update(title=title)
    made.content.title = title
    return made


@pytest.fixture
def posts(team):
    """`then` stands before what it waits for; `last` is too far away to stand as a job."""
    first, then, last = once(team, "First", day=24, hour=15), once(team, "Then", day=24), once(team, "Last", day=28)
    planning.depend(schedule=then, waits_for=first, actor=ACTOR, now=NOW)
    planning.depend(schedule=last, waits_for=then, actor=ACTOR, now=NOW)
    return SimpleNamespace(first=first, then=then, last=last)


def key(schedule):
    job = Job.objects.filter(schedule=schedule).first()
    return (
        f"j{job.pk}"
        if job
        else f"p{schedule.pk}.{schedule.start_local:%Y%m%dT%H%M%S}.{schedule.targets.get().account_id}"
    )


def test_the_week_shows_lanes_places_counts_and_the_contract_of_moving(owner, team, posts):
    page = owner.get(reverse("web:timeline") + WEEK).content.decode()

    assert 'data-view="tl-week"' in page
    assert 'data-start="2026-11-23T00:00" data-slot="30" data-slots="336"' in page  # weeks begin on Monday
    assert f'data-track="{team.account.pk}"' in page
    # Tuesday, 15:00 UTC is 16:00 in Berlin: a day and 32 half hours; posts at ten and noon reach up to it
    assert (
        f'x81 w18 l3" href="/app/calendar/e/{key(posts.first)}/" data-ev="{key(posts.first)}" data-at="2026-11-24T16:00"'
        in page
    )
    assert 'class="now x' in page
    assert " style=" not in page
    assert page.count("<h1") == 1


def test_what_is_at_risk_is_said_and_only_the_critical_path_can_be_shown(owner, team, posts):
    page = owner.get(reverse("web:timeline") + WEEK).content.decode()
    path = owner.get(reverse("web:timeline") + WEEK + "&critical=1").content.decode()

    assert "It stands before “First”, which it waits for." in page
    assert "A post does not wait for what it depends on" in page
    # the chain that decides: First is later than Then, but Last waits for Then
    assert all(f'data-ev="{key(row)}"' in path for row in (posts.first, posts.then, posts.last))
    assert f'data-ev="j{team.jobs[0].pk}"' not in path


def test_the_picked_post_says_what_it_is_tied_to_and_where_the_lines_go(owner, team, posts):
    page = owner.get(f"{reverse('web:timeline')}{WEEK}&picked={key(posts.then)}").content.decode()

    assert f'data-from="{key(posts.first)}" data-to="{key(posts.then)}"' in page
    assert f'data-from="{key(posts.then)}" data-to="{key(posts.last)}"' in page
    assert "These wait for it" in page
    assert owner.get(f"{reverse('web:timeline')}{WEEK}&picked=j999999").status_code == 200
    assert "tl-picked" not in owner.get(f"{reverse('web:timeline')}{WEEK}&picked=nonsense").content.decode()


@pytest.mark.parametrize("by", ["campaign", "person", "type"])
def test_other_lanes_have_no_tracks_to_drop_on(owner, team, posts, by):
    launch = Campaign.objects.create(workspace=team.workspace, name="Launch", created_at=NOW)
    ContentItem.objects.filter(pk__in=[posts.first.content_id, posts.then.content_id]).update(campaign=launch)
    Job.objects.filter(schedule=posts.first).update(state="completed", remote_id="r")
    planning.create_milestone(
        workspace=team.workspace, name="Out", due_on=date(2026, 11, 23), campaign=launch, actor=ACTOR, now=NOW
    )
    page = owner.get(f"{reverse('web:timeline')}{WEEK}&by={by}").content.decode()

    assert "data-track" not in page
    assert "It comes after “Out”, the milestone of its campaign." in page
    assert {"campaign": "1 of 2 published", "person": "Nobody here any more", "type": 'id="a-post"'}[by] in page


def test_filters_lanes_and_nonsense_in_the_address(owner, team, posts):
    address = reverse("web:timeline")

    none = owner.get(f"{address}{WEEK}&q=nothing+has+this").content.decode()
    assert "No post matches these filters" in none
    assert "Clear filters" in none
    assert (
        "of these days is on a critical path"
        in owner.get(f"{address}?zoom=day&date=2026-01-01&critical=1").content.decode()
    )
    assert owner.get(f"{address}?zoom=x&date=31-12&page=-1&lane=%00&account=1&picked=p1.2.3").status_code == 200
    one = owner.get(f"{address}{WEEK}&lane={team.account.pk}").content.decode()
    assert "All lanes" in one


FRAME = ("django_session", "workspaces_user", "workspaces_workspace", "workspaces_membership")


def own_queries(found):
    """Those that are not about who asks: the frame needs three for that."""
    return [query["sql"] for query in found if not any(f'FROM "{name}"' in query["sql"] for name in FRAME)]


def test_a_part_for_htmx_and_its_number_of_queries(owner, team, posts, django_assert_max_num_queries):
    address = reverse("web:timeline") + WEEK
    owner.get(address)
    for by in ("", "&by=campaign", "&by=person", "&by=type"):
        with django_assert_max_num_queries(9) as found:
            part = owner.get(address + by, **PART)
        assert len(own_queries(found)) <= 5, own_queries(found)
    assert "<html" not in part.content.decode()
    assert 'id="tl-top" hx-swap-oob="true"' in part.content.decode()
    assert "HX-Request" in part["Vary"]
    assert owner.get(address, **PART, HTTP_HX_HISTORY_RESTORE_REQUEST="true").content.startswith(b"<!DOCTYPE")


def crowd(team, count):
    """That many single posts of December on ten accounts, written as rows."""
    accounts = [make_account(team.workspace, NOW, name=f"Account {number}") for number in range(10)]
    texts = [
        ContentItem(
            workspace=team.workspace,
            title=f"A title of a usual length, number {number}",
            created_at=NOW,
            updated_at=NOW,
        )
        for number in range(count)
    ]
    ContentItem.objects.bulk_create(texts)
    times = [datetime(2026, 12, 1, tzinfo=NOW.tzinfo) + timedelta(minutes=22 * number) for number in range(count)]
    common = {"rule_kind": "once", "timezone": "UTC", "state": "active", "created_at": NOW, "updated_at": NOW}
    rows = [
        Schedule(
            workspace=team.workspace,
            content=text,
            start_local=at.replace(tzinfo=None),
            planned_until=at + timedelta(days=9),
            **common,
        )
        for text, at in zip(texts, times, strict=True)
    ]
    Schedule.objects.bulk_create(rows)
    runs = [
        Occurrence(schedule=row, nominal_at=at, nominal_local=at.replace(tzinfo=None), fires_at=at, tzdata_version="x")
        for row, at in zip(rows, times, strict=True)
    ]
    Occurrence.objects.bulk_create(runs)
    Target.objects.bulk_create([Target(schedule=row, account=accounts[n % 10]) for n, row in enumerate(rows)])
    Job.objects.bulk_create(
        [
            Job(workspace=team.workspace, schedule=row, occurrence=run, account=accounts[n % 10], scheduled_for=at, run_at=at,
                created_at=NOW, state="pending", priority=5)
            for n, (row, run, at) in enumerate(zip(rows, runs, times, strict=True))
        ]
    )  # fmt: skip
    return accounts


def test_two_thousand_posts_in_the_month_keep_within_the_budget(owner, team, django_assert_max_num_queries):
    accounts = crowd(team, 2000)
    address = reverse("web:timeline")
    sizes = {}
    for zoom in ("day", "week", "month"):
        with django_assert_max_num_queries(9) as found:
            page = owner.get(f"{address}?zoom={zoom}&date=2026-12-09", **PART)
        assert len(own_queries(found)) <= 5
        sizes[zoom] = len(page.content)
        body = page.content.decode()
        assert body.count("data-ev=") > 60
        assert body.count('data-track="') == (8 if zoom == "month" else 11)  # the others on a second page
    assert max(sizes.values()) <= 180_000, sizes
    assert f"account={accounts[0].public_id}" in body  # "+n" leads to the day of that account


def test_the_lane_that_a_move_answers_with(owner, team, posts):
    request = RequestFactory().get("/")
    request.user = team.people.owner
    visit = SimpleNamespace(person=team.people.owner, workspace=team.workspace, now=NOW)
    with timezone.override("Europe/Berlin"):
        html = touched(
            request,
            visit,
            view="tl-week",
            anchor=date(2026, 11, 25),
            query="most=4",
            account_id=team.account.pk,
            pin=key(posts.first),
        )
        other = touched(
            request, visit, view="tl-week", anchor="2026-11-25", query="by=type", account_id=team.account.pk, pin=""
        )

    assert html.startswith(f'<div class="lane first" id="a-{team.account.pk}" hx-swap-oob="true">')
    assert html.count('class="lane') == 1
    assert f'data-ev="{key(posts.first)}"' in html
    assert len(html) <= 10_000
    assert other == ""


def test_milestones_by_the_pages(owner, viewer, stranger, team):
    new = reverse("web:milestone_new")
    back = reverse("web:timeline") + WEEK
    assert viewer.get(new).status_code == 403
    assert "Choose" not in owner.get(f"{new}?due_on=2026-11-27&next=//evil.example").content.decode()
    wrong = owner.post(new, {"name": " ", "due_on": "2026-11-27"})
    assert wrong.status_code == 422
    made = owner.post(new, {"name": "  The  fair ", "due_on": "2026-11-27", "next": back}, follow=True)
    row = Milestone.objects.get()
    assert row.name == "The fair"
    page = made.content.decode()
    assert made.request["PATH_INFO"] == reverse("web:timeline")
    assert 'class="tm x' in page
    assert reverse("web:milestone_act", args=[row.public_id, "remove"]) in page  # also the toast's Undo

    own, act = (
        reverse("web:milestone", args=[row.public_id]),
        lambda verb: reverse("web:milestone_act", args=[row.public_id, verb]),
    )
    assert stranger.get(own).status_code == 404
    assert viewer.post(act("done")).status_code == 403
    assert owner.post(own, {"name": "The fair in Milan", "due_on": "2026-11-28"}, HTTP_HX_REQUEST="true")["HX-Redirect"]
    assert owner.post(act("done"), {"next": back}).status_code == 303
    assert owner.post(act("done")).status_code == 303
    row.refresh_from_db()
    assert (row.name, row.due_on, row.done_at) == ("The fair in Milan", date(2026, 11, 28), NOW)
    owner.post(act("remove"))
    assert owner.get(own).status_code == 404
    assert "The fair" not in owner.get(back, **PART).content.decode().replace("Removed the milestone “The fair", "")
    owner.post(act("restore"))
    owner.post(act("reopen"))
    assert owner.get(own).status_code == 200
    assert owner.post(act("explode")).status_code == 404
    told = AuditLog.objects.filter(object_type="milestone").order_by("id").values_list("action", flat=True)
    assert list(told) == [
        f"milestone.{word}" for word in ("created", "edited", "reached", "removed", "restored", "reopened")
    ]


def test_what_waits_for_what_by_the_pages(owner, viewer, stranger, team, posts):
    address = reverse("web:schedule_dependencies", args=[posts.first.public_id])
    assert stranger.get(address).status_code == 404
    assert "Wait for another post" not in viewer.get(address).content.decode()
    assert "Last" in owner.get(f"{address}?find=last").content.decode()
    assert "No other post has these words" in owner.get(f"{address}?find=zebra", **PART).content.decode()

    def act(row, other, verb):
        return reverse("web:dependency_act", args=[row.public_id, other.public_id, verb])

    ring = owner.post(act(posts.first, posts.last, "add"), follow=True).content.decode()
    assert "in a ring: “First” → “Last” → “Then” → “First”" in ring
    assert Dependency.objects.count() == 2
    assert viewer.post(act(posts.last, posts.first, "add")).status_code == 403
    owner.post(act(posts.last, posts.first, "add"))
    owner.post(act(posts.last, posts.first, "add"))
    assert Dependency.objects.filter(schedule=posts.last).count() == 2
    owner.post(act(posts.last, posts.first, "remove"))
    assert not Dependency.objects.filter(schedule=posts.last, waits_for=posts.first).exists()
    assert AuditLog.objects.filter(action="schedule.depends").count() == 3
    assert AuditLog.objects.get(action="schedule.depends_no_more").before["waits_for"] == "First"


def test_what_a_post_may_not_wait_for(team, posts):
    far = make_schedule(team.people.other_workspace, [make_account(team.people.other_workspace, NOW, name="Far")], NOW)
    archived = once(team, "Old", day=27)
    Schedule.objects.filter(pk=archived.pk).update(state="archived")
    archived.refresh_from_db()

    for other, code in ((posts.first, "itself"), (far, "not_found"), (archived, "archived")):
        with pytest.raises(Refused) as refusal:
            planning.depend(schedule=posts.first, waits_for=other, actor=ACTOR, now=NOW)
        assert refusal.value.problems[0].code == code


def test_risks_of_an_account_that_is_signed_out_and_of_a_post_whose_time_is_past(owner, team, posts):
    PlatformAccount.objects.filter(pk=team.account.pk).update(state="needs_auth")
    Job.objects.filter(schedule=posts.then).update(scheduled_for=NOW - timedelta(hours=1))
    Job.objects.filter(schedule=posts.first).update(state="failed")
    page = owner.get(reverse("web:timeline") + WEEK).content.decode()

    assert "Needs signing in" in page
    assert "Harbour needs signing in before it can go out." in page
    assert "Its time has passed and it is not out yet." in page
    assert "It waits for “First”, which is not going out as planned." in page
