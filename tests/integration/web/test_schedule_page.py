"""The schedule's own page: its health, its history with what changed, its policies in words; and the same health by the API."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from platforms.models import Service
from platforms.services import accounts
from schedules.models import AuditLog, Job, Occurrence, Schedule
from schedules.reads import health
from schedules.services import lifecycle
from schedules.services.content import draft_of
from schedules.services.plans import SchedulePlan, TargetPlan
from schedules.services.schedules import update_schedule
from schedules.web import policies
from schedules.web.history import entries
from tests.conftest import NOW
from tests.integration.web.conftest import HTMX
from tests.people import ACTOR, make_account, make_schedule


def page_of(client, schedule, query="", **headers):
    return client.get(reverse("web:schedule", args=[schedule.public_id]) + query, headers=headers).content.decode()


def words_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))  # also the spaces that do not break


def health_card(body):
    return body[body.index('id="health"') :].split("</section>")[0]


def ran(team, states):
    """Past runs of the daily schedule, the latest first."""
    for number, state in enumerate(states, start=1):
        at = NOW - timedelta(days=number)
        occurrence = Occurrence.objects.create(
            schedule=team.daily, nominal_at=at, nominal_local=at.replace(tzinfo=None), fires_at=at, tzdata_version="t"
        )
        Job.objects.create(
            workspace=team.workspace, schedule=team.daily, occurrence=occurrence, account=team.account, state=state,
            scheduled_for=at, run_at=at, finished_at=at, created_at=at,
            remote_id=f"r{number}" if state == "completed" else "",
        )  # fmt: skip


def tone_of(schedule):
    return health.of_schedule(Schedule.objects.get(pk=schedule.pk), now=NOW).tone


@pytest.fixture
def running(monkeypatch):
    """A scheduler is alive, so that nothing but what the test does stands in the way."""
    monkeypatch.setattr("schedules.reads.alarms.is_anybody_alive", lambda now: True)


def test_a_schedule_that_does_well_says_so_quietly(owner, team, running):
    ran(team, ["completed", "completed", "cancelled"])

    card = health_card(page_of(owner, team.daily))

    assert "All well" in card
    assert "100 % (2 of 2)" in words_of(card)  # what a person called off counts neither way
    assert "Mon 23 Nov, 18:00 CET" in card
    assert card.count('class="dot ') == 3
    assert "alarm" not in card[:60]


def test_health_tells_the_last_result_the_rate_and_what_was_missed(owner, team, running):
    ran(team, ["failed", "missed", *["completed"] * 30])
    Job.objects.filter(pk=team.jobs[0].pk).update(run_at=NOW - timedelta(minutes=3))

    body = page_of(owner, team.daily)
    card = words_of(health_card(body))

    assert 'class="card health alarm"' in body
    assert "Failed" in card
    assert "90 % (18 of 20)" in card
    assert "1 of the last runs missed its time" in card
    assert "1 job is past its time and waits" in card


def test_what_stands_in_the_way_is_named_with_its_remedy(owner, team, running):
    accounts.mark_needs_auth(account_id=team.account.pk, message="Revoked.", actor=ACTOR, now=NOW)
    lifecycle.pause(schedule=team.daily, actor=ACTOR, now=NOW)

    body = page_of(owner, team.daily)
    card = health_card(body)

    assert "Harbour" in card
    assert "The platform does not accept the sign-in any more. Revoked." in words_of(card)
    assert f'href="{reverse("web:account", args=[team.account.public_id])}"' in card
    assert "The schedule is paused." in card
    assert tone_of(team.daily) == "blocked"


def test_the_ways_in_which_a_schedule_can_be_unwell(team, running):
    assert tone_of(team.daily) == "well"
    assert tone_of(team.paused) == "warning"
    assert tone_of(team.draft) == "well"

    Service.objects.filter(pk=team.account.service_id).update(state="open", retry_at=NOW + timedelta(minutes=5))
    assert tone_of(team.daily) == "blocked"
    Service.objects.update(state="closed")

    ending = make_schedule(
        team.workspace, [team.account], NOW, rule_kind="rrule", expression="FREQ=DAILY;COUNT=2",
        start_local=NOW.replace(hour=20, tzinfo=None),
    )  # fmt: skip
    found = health.of_schedule(Schedule.objects.get(pk=ending.pk), now=NOW)
    assert [(item.code, item.tone) for item in found.obstacles] == [("ends_soon", "info")]
    assert "2 more runs" in found.obstacles[0].words

    two = make_account(team.workspace, NOW, name="Second")
    both = make_schedule(
        team.workspace, [team.account, two], NOW, text="x", start_local=NOW.replace(hour=21, tzinfo=None)
    )
    accounts.mark_needs_auth(account_id=team.account.pk, message="Gone.", actor=ACTOR, now=NOW)
    accounts.mark_needs_auth(account_id=two.pk, message="Gone.", actor=ACTOR, now=NOW)
    (item, other) = health.of_schedule(Schedule.objects.get(pk=both.pk), now=NOW).obstacles
    assert {account.name for one in (item, other) for account in one.accounts} == {"Harbour", "Second"}


def test_no_scheduler_is_worth_a_look(owner, team):
    assert "No scheduler has been heard of" in health_card(page_of(owner, team.daily))


def edited(team, **changes):
    """The daily schedule edited: other words, and it goes to a second account as well."""
    row = Schedule.objects.get(pk=team.daily.pk)
    second = make_account(team.workspace, NOW, name="Newsroom")
    plan = SchedulePlan(
        rule_kind="rrule", expression="FREQ=DAILY", timezone="Europe/Berlin", start_local=row.start_local, priority=1,
        catch_up="skip", retry_base_seconds=300,
        targets=(TargetPlan(account_id=str(team.account.public_id)), TargetPlan(account_id=str(second.public_id))),
    )  # fmt: skip
    draft = draft_of(row.content)
    draft = type(draft)(**{**{name: getattr(draft, name) for name in draft.__dataclass_fields__}, **changes})
    update_schedule(schedule=row, plan=plan, version=row.version, actor=ACTOR, now=NOW, draft=draft)


def test_the_history_shows_what_changed_word_by_word(owner, team):
    edited(team, text="Good evening, harbour", hashtags=("pier",))

    body = page_of(owner, team.daily)
    history = words_of(body[body.index('id="history-title"') :])

    assert re.search(r"<del><span class=\"vh\">removed: </span>morning<", body)
    assert re.search(r"<ins><span class=\"vh\">added: </span>evening, harbour<", body)
    assert "#pier" in history
    assert "before: – now: Newsroom (sandbox)" in history  # the account that came
    assert "before: Normal now: Urgent" in history
    assert "before: Only the latest missed run is published late now: Missed runs are left out" in history
    assert "before: 1 min now: 5 min" in history


def test_the_history_is_narrowed_to_a_kind_and_goes_on_for_pages(owner, team):
    edited(team, text="Other words")
    now_and_then = AuditLog.objects.filter(action="schedule.edited").first()
    for number in range(45):
        AuditLog.objects.create(
            chain=99, seq=number, workspace_ref=team.workspace.pk, at=NOW, action="schedule.paused", actor_kind="user",
            actor_label="ana", object_type="schedule", object_id=now_and_then.object_id, hash="x",
        )  # fmt: skip

    of_post = page_of(owner, team.daily, "?kind=post")
    assert "Edited the post" in of_post
    assert "Edited the schedule" not in of_post
    assert "Nothing of this kind has happened" in page_of(owner, team.daily, "?kind=review")
    first, second = page_of(owner, team.daily), page_of(owner, team.daily, "?page=2")
    assert "1–40 of 49" in first
    assert '?page=2#history-title"' in first
    assert "41–49 of 49" in second
    assert "Made the schedule" in second
    part = page_of(owner, team.daily, "?kind=post", **HTMX)  # what refreshes itself stays where it is
    assert f'hx-get="/app/schedules/{team.daily.public_id}/?kind=post"' in part


def test_a_history_of_anything_is_readable():
    row = AuditLog(
        at=NOW, action="schedule.edited", actor_kind="user", actor_label="ana", object_type="schedule",
        before={"targets": [{"account": "A", "offset_seconds": 0, "text": None}], "media": [], "variants": []},
        after={
            "targets": [{"account": "A", "offset_seconds": 600, "text": "Own words"}],
            "media": ["a", "b"],
            "variants": [{"platform": "x", "text": "Short", "options": {"reply": "nobody"}}],
            "jobs_replaced": 3,
        },
    )  # fmt: skip
    (entry,) = entries([row])

    found = {change.name: (change.old, change.new) for change in entry.changes}
    assert found["later than the others on A"] == ("0\u00a0s", "10\u00a0min")
    assert found["text on A"] == ("–", "Own words")
    assert found["media"] == ("0 files", "2 files")
    assert found["text on X"] == ("–", "Short")
    assert found["posts planned anew"] == ("–", "3")


def test_policies_are_said_in_words(owner, team):
    assert (
        words_of(policies.retry_words(team.daily)) == "Up to 5 tries, with waits of at most 1 min, 2 min, 4 min, 8 min."
    )
    team.daily.max_attempts, team.daily.retry_base_seconds, team.daily.retry_cap_seconds = 12, 1800, 7200
    assert words_of(policies.retry_words(team.daily)).startswith(
        "Up to 12 tries, with waits of at most 30 min, 1 h, 2 h, 2 h"
    )
    team.daily.max_attempts = 1
    assert words_of(policies.retry_words(team.daily)) == "One try, and no further one."
    assert policies.priority_words(4) == "4 of 10, where 1 goes first"

    body = words_of(page_of(owner, team.daily))
    assert "Only the latest missed run is published late, within 1 h." in body
    assert "Priority Normal" in body


def test_a_schedule_of_every_minute_still_shows_its_last_runs(owner, team):
    """Two days of planned runs stand before the past ones in the order of time."""
    often = make_schedule(
        team.workspace, [team.account], NOW, rule_kind="cron", expression="* * * * *",
        start_local=(NOW - timedelta(days=1)).replace(tzinfo=None),
    )  # fmt: skip
    first = Job.objects.filter(schedule=often).order_by("run_at").first()
    Job.objects.filter(pk=first.pk).update(state="failed", error_message="Too long.", finished_at=NOW)

    body = page_of(owner, often)

    assert "Too long." in body
    assert health_card(body).count('class="dot ') == 1


def test_health_by_the_api_is_the_same(owner, stranger, team, running):
    ran(team, ["missed", "completed"])
    url = f"/api/v1/schedules/{team.daily.public_id}/health/"

    found = owner.get(url).json()

    assert (found["verdict"], found["success_rate"], found["missed"], found["late"]) == ("blocked", 0.5, 1, 0)
    assert found["next_run_at_local"] == "2026-11-23T18:00:00+01:00"
    assert [run["state"] for run in found["runs"]] == ["missed", "completed"]
    assert found["obstacles"] == []
    assert stranger.get(url).status_code == 404
