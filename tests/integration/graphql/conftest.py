"""Who asks, and what there is to be asked for. The clock stands at `NOW`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from alwrity_scheduler.core import clock
from alwrity_scheduler.workspaces import services as workspaces
from alwrity_scheduler.workspaces.models import ApiToken, User
from schedules.models import Job, Schedule
from tests.integration.graphql.callers import Caller, signed_in, with_token
from tests.people import ACTOR, People, make_account, make_schedule


@pytest.fixture(scope="session", autouse=True)
def _static_folder() -> None:
    """WhiteNoise warns of a folder that is not there, and warnings are errors here."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True)
def _standing_clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)


@pytest.fixture
def token(people: People, now: datetime) -> Callable[..., Caller]:
    """`token("author", scopes=["jobs:read"])`: a caller with a token of the team's workspace."""

    def make(role: str, *, workspace: Any = None, **values: Any) -> Caller:
        row, secret = workspaces.create_token(
            workspace=workspace or people.workspace, name="n8n", role=role, actor=ACTOR, now=now
        )
        ApiToken.objects.filter(pk=row.pk).update(**values)
        return with_token(secret)

    return make


@pytest.fixture
def callers(people: People, token: Callable[..., Caller], now: datetime) -> dict[str, Caller]:
    outside = User.objects.create_user("olga", timezone="Europe/Berlin")
    workspaces.set_role(workspace=people.workspace, user=outside, role="reviewer", actor=ACTOR, now=now)
    return {
        "reviewer": signed_in(outside),
        "owner": signed_in(people.owner),
        "author": signed_in(people.author),
        "viewer": signed_in(people.viewer),
        "stranger": signed_in(people.stranger),
        "token": token("author"),
        "foreign_token": token("owner", workspace=people.other_workspace),
        "revoked": token("owner", revoked_at=now),
        "expired": token("owner", expires_at=now),
        "nobody": Caller(APIClient()),
    }


@pytest.fixture
def owner(people: People) -> Caller:
    return signed_in(people.owner)


@pytest.fixture
def author(people: People) -> Caller:
    return signed_in(people.author)


@pytest.fixture
def account(people: People, now: datetime) -> Any:
    return make_account(people.workspace, now, credentials={"token": "hush-hush"})


@pytest.fixture
def schedule(people: People, account: Any, after: Callable[..., datetime]) -> Schedule:
    """Active, once, in an hour."""
    row: Schedule = make_schedule(people.workspace, [account], after(hours=1))
    return row


@pytest.fixture
def job(schedule: Schedule) -> Job:
    return Job.objects.get(schedule=schedule)
