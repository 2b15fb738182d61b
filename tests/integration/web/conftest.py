"""A team with accounts, schedules and jobs in every state, and one client a person."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.test import Client

from alwrity_scheduler.core import clock
from alwrity_scheduler.workspaces import services as workspaces
from schedules.models import Attempt, Job
from schedules.services import lifecycle
from tests.conftest import NOW
from tests.people import ACTOR, make_account, make_people, make_schedule


@pytest.fixture(autouse=True, scope="session")
def _static_folder():
    """WhiteNoise warns of a folder that is not there, and warnings are errors."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True)
def _stopped_clock(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def team(db):
    people = make_people(NOW)
    workspaces.set_role(workspace=people.workspace, user=people.author, role="author", actor=ACTOR, now=NOW)
    account = make_account(people.workspace, NOW, name="Harbour")
    daily = make_schedule(
        people.workspace,
        [account],
        NOW,
        text="Good morning",
        rule_kind="rrule",
        expression="FREQ=DAILY",
        timezone="Europe/Berlin",
        start_local=NOW.replace(hour=18, tzinfo=None),
    )
    draft = make_schedule(
        people.workspace, [account], NOW, text="Not yet", state="draft", start_local=NOW.replace(day=30, tzinfo=None)
    )
    paused = make_schedule(
        people.workspace,
        [account],
        NOW,
        text="Later",
        rule_kind="cron",
        expression="0 12 * * 1-5",
        timezone="Europe/Berlin",
    )
    lifecycle.pause(schedule=paused, actor=ACTOR, now=NOW)
    jobs = list(Job.objects.filter(schedule=daily).order_by("run_at"))
    return SimpleNamespace(
        people=people, workspace=people.workspace, account=account, daily=daily, draft=draft, paused=paused, jobs=jobs
    )


@pytest.fixture
def in_state(team):
    """`in_state("failed")`: the first daily job, put into that state with one attempt."""

    def put(state: str) -> Job:
        job = team.jobs[0]
        Job.objects.filter(pk=job.pk).update(
            state=state, attempt_count=1, error_message="The platform refused the post.", run_at=NOW, finished_at=NOW
        )
        Attempt.objects.create(
            job=job,
            no=1,
            idempotency_key="k",
            worker="w",
            started_at=NOW,
            finished_at=NOW,
            outcome="rejected",
            status_code=422,
            message="The platform refused the post.",
            request={"text": "Good morning"},
            response={"error": "<b>no</b>"},
        )
        job.refresh_from_db()
        return job

    return put


@pytest.fixture
def browser_of():
    def make(person) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return make


@pytest.fixture
def owner(team, browser_of):
    return browser_of(team.people.owner)


@pytest.fixture
def viewer(team, browser_of):
    return browser_of(team.people.viewer)


@pytest.fixture
def author(team, browser_of):
    return browser_of(team.people.author)


@pytest.fixture
def stranger(team, browser_of):
    return browser_of(team.people.stranger)


HTMX = {"HX-Request": "true"}
