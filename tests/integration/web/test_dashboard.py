"""The dashboard: what it shows and in which order, its figures against what is there, and how a person arranges it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from alwrity_scheduler.core.events import Actor
from platforms.services import accounts
from schedules.models import Job, Occurrence, Review, Worker
from schedules.reads import board, reviews
from schedules.services import approval, lifecycle
from schedules.web.dashboard import Arrangement, cards, percent
from tests.conftest import NOW
from tests.integration.web.conftest import HTMX
from tests.people import ACTOR, make_schedule

TODAY = "/app/"
ARRANGE = "/app/arrange/"


def put_job(team, state, *, ago, **values):
    """A job of the daily schedule that ended `ago` before now."""
    at = NOW - ago
    occurrence = Occurrence.objects.create(
        schedule=team.daily, nominal_at=at, nominal_local=at.replace(tzinfo=None), fires_at=at, tzdata_version="t"
    )
    names = {"remote_id": f"r{at}"} if state == "completed" else {}
    return Job.objects.create(
        workspace=team.workspace, schedule=team.daily, occurrence=occurrence, account=team.account, state=state,
        scheduled_for=at, run_at=at, finished_at=at, created_at=at, **{**names, **values},
    )  # fmt: skip


def body_of(client, url=TODAY, **headers):
    return client.get(url, headers=headers).content.decode()


def figures(body):
    return re.findall(r'class="figure[^"]*" href="([^"]+)"><span>([^<]+)</span><b>([^<]+)</b>', body)


def order_of(person):
    person.refresh_from_db()
    return person.layout["today"]


def test_the_figures_count_what_the_lists_behind_them_show(owner, team):
    for hours in (1, 2, 30, 24 * 6):
        put_job(team, "completed", ago=timedelta(hours=hours))
    put_job(team, "failed", ago=timedelta(hours=3))
    put_job(team, "failed", ago=timedelta(days=8))  # longer ago than the rate looks
    put_job(team, "cancelled", ago=timedelta(hours=4))

    found = {name: (value, url) for url, name, value in figures(body_of(owner))}

    assert found["Active schedules"] == ("1", "/app/schedules/?state=active")
    assert (
        found["Pending jobs"][0] == "2"
    )  # that of 18:00, and the paused one of noon; tomorrow's are more than a day away
    assert found["Published today"][0] == "2"  # since midnight in Berlin, an hour before that of UTC
    assert found["Success rate"][0] == "80 %"
    assert percent(0.999) == 99
    assert percent(0.001) == 1


def test_without_a_base_the_rate_is_a_dash_and_not_nought(owner, team):
    body = body_of(owner)

    assert ("Success rate", "–") in [item[1:] for item in figures(body)]
    assert "nothing ended in the last 7 days" in body


def test_what_needs_a_person_comes_first_and_carries_its_verb(owner, team, in_state):
    failed = in_state("failed")
    other = make_schedule(
        team.workspace,
        [team.account],
        NOW,
        text="Look at me",
        state="draft",
        start_local=NOW.replace(day=29, tzinfo=None),
    )
    approval.submit(schedule=other, actor=Actor(kind="user", id=str(team.people.author.pk), label="ben"), now=NOW)
    type(other).objects.filter(pk=other.pk).update(created_by=team.people.author)
    accounts.mark_needs_auth(account_id=team.account.pk, message="Gone.", actor=ACTOR, now=NOW)

    body = body_of(owner)

    assert body.index("Needs you") < body.index('class="figures"') < body.index('id="next-title"')
    assert reverse("web:job_act", args=[failed.public_id, "retry"]) in body
    assert "asks for your approval" in body
    assert "Sign in again" in body
    assert "Nothing needs you" not in body


def test_the_upcoming_posts_say_what_where_and_when(owner, team):
    body = body_of(owner)

    row = body[body.index("The next posts") :]
    assert "Good morning" in row  # the words, beside the title
    assert "Harbour" in row
    assert "Mon 23 Nov, 18:00 CET" in row
    assert "Scheduled" in row


def test_the_load_counts_the_days_of_the_reader(owner, team, monkeypatch):
    make_schedule(team.workspace, [team.account], NOW, start_local=NOW.replace(day=25, hour=22, minute=59, tzinfo=None))
    make_schedule(team.workspace, [team.account], NOW, start_local=NOW.replace(day=25, hour=23, minute=1, tzinfo=None))

    days = board.load(team.workspace, zone="Europe/Berlin", now=NOW)
    later = {day.day.isoformat(): (day.planned, day.undecided) for day in days}

    assert len(days) == 14
    assert later["2026-11-25"] == (2, 1)  # 23:59 there, and the daily one; the paused one stands there too
    assert later["2026-11-26"] == (2, 1)  # 00:01 there
    assert later["2026-11-30"] == (1, 2)  # the draft of the 30th
    body = body_of(owner)
    assert body.count('class="ground"') == 14
    assert "Wednesday 25 November 2026: 3 posts" in body
    assert 'href="/app/calendar/?view=day&amp;date=2026-11-25"' in body


def test_numbers_in_the_drawing_are_not_localised(owner, team, settings):
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    for hour in (1, 2, 3):
        make_schedule(team.workspace, [team.account], NOW, start_local=NOW.replace(day=25, hour=hour + 9, tzinfo=None))
    person = team.people.owner
    type(person).objects.filter(pk=person.pk).update(language="de")
    with translation.override("en"):  # what the request activates ends here
        body = body_of(owner, accept_language="de")
    drawn = re.findall(r'<rect class="\w+" width="10" y="([^"]+)" height="([^"]+)"', body)

    assert drawn
    assert all(re.fullmatch(r"[\d.]+", number) for pair in drawn for number in pair)


def test_the_systems_say_what_is_wrong_and_since_when(owner, team):
    Worker.objects.create(
        name="w", role="all", host="h", pid=1, process_mark="m", started_at=NOW - timedelta(hours=2), beat_at=NOW,
        database_error_count=2,
    )  # fmt: skip
    Job.objects.filter(pk=team.jobs[0].pk).update(run_at=NOW - timedelta(minutes=5))
    service = team.account.service
    type(service).objects.filter(pk=service.pk).update(
        state="open", opened_at=NOW - timedelta(hours=1), retry_at=NOW + timedelta(minutes=9), label="Sandbox host"
    )

    body = body_of(owner)
    lines = re.sub(r"<[^>]+>", " ", body[body.index('class="systems"') :].split("</ul>")[0])
    lines = re.sub(r"\s+", " ", lines)

    assert "1 job is due since Mon 23 Nov, 08:55 CET" in lines
    assert "silent 2 times" in lines
    assert "Sandbox host : Does not answer since Mon 23 Nov, 08:00 CET" in lines
    assert "The next try: Mon 23 Nov, 09:09 CET ." in lines
    assert "Accounts : 1 connected" in lines


def test_only_requests_that_the_reader_can_answer_wait_for_them(team, django_assert_num_queries):
    owner, author = team.people.owner, team.people.author
    asked = [
        make_schedule(
            team.workspace, [team.account], NOW, text=text, state="draft", start_local=NOW.replace(day=29, tzinfo=None)
        )
        for text in ("Ben's", "Ana's", "Ana's for Ben")
    ]
    for schedule, who in zip(asked, (author, owner, owner), strict=True):
        type(schedule).objects.filter(pk=schedule.pk).update(created_by=who)
        approval.submit(schedule=schedule, actor=Actor(kind="user", id=str(who.pk), label=who.username), now=NOW)

    with django_assert_num_queries(4):
        found = reviews.mine(owner, team.workspace)

    assert [row.schedule_id for row in found] == [asked[0].pk]  # nobody approves their own
    for person in (owner, author, team.people.viewer, team.people.stranger):
        one_by_one = [row.pk for row in Review.objects.waiting() if not approval.why_not(row.schedule, person, row)]
        assert sorted(row.pk for row in reviews.mine(person, team.workspace)) == sorted(one_by_one)


def test_a_viewer_is_offered_nothing_that_changes(viewer, team):
    body = body_of(viewer)

    actions = body[body.index('id="actions"') :].split("</section>")[0]
    assert "Recovery desk" in actions
    assert "New post" not in actions
    assert "Pause" not in actions


def test_a_part_that_is_the_same_is_not_sent_again(owner, team):
    first = owner.get(TODAY, headers=HTMX)
    again = owner.get(TODAY, headers={**HTMX, "X-Seen": first.headers["X-Seen"]})

    assert again.status_code == 204
    Job.objects.filter(pk=team.jobs[0].pk).update(state="failed")
    assert owner.get(TODAY, headers={**HTMX, "X-Seen": first.headers["X-Seen"]}).status_code == 200


def test_cards_are_moved_hidden_shown_and_reset_by_forms(owner, team):
    person = team.people.owner

    owner.post(ARRANGE, {"card": "load", "do": "up"})
    assert order_of(person)["order"].index("load") < order_of(person)["order"].index("coming")
    body = body_of(owner)
    assert body.index('id="load-title"') < body.index('id="next-title"')

    hidden = owner.post(ARRANGE, {"card": "systems", "do": "hide"}, follow=True)
    assert "Hid “Systems”." in hidden.content.decode()
    undo = re.search(r'action="(/app/arrange/[^"]+)"', hidden.content.decode()).group(1).replace("&amp;", "&")
    assert 'id="engine"' not in body_of(owner)
    assert "Add a card" in body_of(owner, TODAY + "?arrange=1")
    owner.post(undo)
    assert order_of(person)["hidden"] == []
    assert order_of(person)["order"].index("load") < order_of(person)["order"].index("coming")

    owner.post(ARRANGE, {"card": "published", "do": "put", "before": "actions"})
    assert [item.name for item in Arrangement.of(order_of(person)).column("side")] == [
        "published",
        "actions",
        "systems",
    ]
    owner.post(ARRANGE, {"do": "reset"})
    assert Arrangement.of(order_of(person)) == Arrangement.of({})
    assert owner.post(ARRANGE, {"card": "nothing", "do": "up"}).status_code == 404


def test_what_was_stored_is_never_trusted():
    usual = Arrangement.of({})

    assert Arrangement.of(None) == Arrangement.of([1]) == Arrangement.of({"order": 3, "hidden": "x"}) == usual
    odd = Arrangement.of({"order": ["load", "gone", "load", 7], "hidden": ["gone", "figures"]})
    assert sorted(odd.order) == sorted(cards)
    assert odd.order[0] == "load"
    assert odd.hidden == {"figures"}
    assert usual.step("needs", -1) == usual
    assert [item.name for item in usual.put("load", "actions").column("main")] == ["coming", "load"]


def test_an_arrangement_is_its_persons_alone(owner, viewer, team):
    owner.post(ARRANGE, {"card": "load", "do": "hide"})
    viewer.post(ARRANGE, {"card": "coming", "do": "hide"})  # a viewer may, too

    assert 'id="load-title"' not in body_of(owner)
    assert 'id="load-title"' in body_of(viewer)
    assert 'id="next-title"' not in body_of(viewer)


def test_a_hidden_card_asks_no_query(owner, team):
    for name in cards:
        owner.post(ARRANGE, {"card": name, "do": "hide"})

    with CaptureQueriesContext(connection) as asked:
        body = body_of(owner, **HTMX)
    assert "You have hidden every card" in body
    assert len(asked) <= 4


def test_the_dashboard_asks_few_queries_whatever_it_shows(owner, team, in_state):
    in_state("failed")
    for number in range(8):
        start = NOW.replace(hour=12 + number, tzinfo=None)
        make_schedule(team.workspace, [team.account], NOW, text=f"N {number}", start_local=start)
    owner.get(TODAY)

    with CaptureQueriesContext(connection) as whole:
        response = owner.get(TODAY)
    with CaptureQueriesContext(connection) as frame:
        owner.get(reverse("web:settings"))
    assert len(whole) - len(frame) <= 10, [item["sql"][:90] for item in whole]
    assert len(response.content) < 60_000


def test_the_rate_and_the_figures_are_read_from_indexes(team):
    if connection.vendor != "sqlite":
        pytest.skip("the plan's words are SQLite's")

    assert "job_list" in board.ended(team.workspace, NOW).explain()
    assert "job_list" in board.published_since(team.workspace, NOW).explain()
    with CaptureQueriesContext(connection) as asked:
        board.figures(team.workspace, now=NOW, day_start=NOW)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked[0]['sql']}")
        plan = "\n".join(row[3] for row in cursor.fetchall())
    assert "SCAN schedules_job" not in plan
    assert "SCAN schedules_schedule" not in plan


def test_the_first_steps_are_ticked_off_by_what_is_there(stranger, team, client):
    person = team.people.stranger
    room = team.people.other_workspace

    empty = body_of(stranger)
    assert "Three steps to the first post" in empty
    assert "0 of 3 done" in empty
    assert "Nothing needs you" not in empty
    made = accounts.connect(
        workspace=room, platform="sandbox", name="Own", handle="own", timezone="UTC", options={}, credentials={},
        actor=ACTOR, now=NOW,
    )  # fmt: skip
    assert "1 of 3 done" in body_of(stranger)
    lone = make_schedule(room, [made], NOW, start_local=NOW.replace(hour=20, tzinfo=None))
    assert "2 of 3 done" in body_of(stranger)

    put_away = stranger.post("/app/first-steps/", {"do": "dismiss"}, follow=True)
    assert "Put the first steps away" in put_away.content.decode()
    assert "Three steps to the first post" not in body_of(stranger)
    assert "Three steps to the first post" in body_of(stranger, "/app/first-steps/")  # there for whoever asks
    stranger.post("/app/first-steps/", {"do": "show"})
    person.refresh_from_db()
    assert person.layout["first_steps"] == {"dismissed": False}
    Job.objects.filter(schedule=lone).update(state="completed", remote_id="r", finished_at=NOW)
    assert "Three steps to the first post" not in body_of(stranger)
    assert "Harbour" not in body_of(stranger)


def test_undo_brings_the_first_steps_back(stranger, team):
    page = stranger.post("/app/first-steps/", {"do": "dismiss"}, follow=True).content.decode()
    stranger.post(re.search(r'action="(/app/first-steps/[^"]+)"', page).group(1))

    assert "Three steps to the first post" in body_of(stranger)


def test_pausing_the_workspace_stands_among_the_actions_and_leads_back(owner, team):
    assert reverse("web:pause_workspace") in body_of(owner)
    owner.post(reverse("web:pause_workspace"), {"next": TODAY})
    body = body_of(owner)
    assert reverse("web:resume_workspace") in body[body.index('id="actions"') :]
    lifecycle.pause(schedule=team.daily, actor=ACTOR, now=NOW)
    assert "paused" in body_of(owner)
