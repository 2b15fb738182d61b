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
from schedules.models import Job, Schedule
from tests.integration.api.callers import Caller, signed_in, with_token
from tests.people import ACTOR, People, make_account, make_schedule


@pytest.fixture(scope="session", autouse=True)
def _static_folder() -> None:
    """WhiteNoise warns of a folder that is not there, and warnings are errors here."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True)
def _standing_clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)


@pytest.fixture
def callers(people: People, now: datetime) -> dict[str, Caller]:
    """Four by session, five by token (two of which are no longer good), and nobody."""

    def token(workspace: Any, role: str, **values: Any) -> tuple[Any, str]:
        return workspaces.create_token(workspace=workspace, name="n8n", role=role, actor=ACTOR, now=now, **values)

    gone, gone_secret = token(people.workspace, "author")
    workspaces.revoke_token(token=gone, actor=ACTOR, now=now)
    return {
        "owner": signed_in(people.owner),
        "author": signed_in(people.author),
        "viewer": signed_in(people.viewer),
        "stranger": signed_in(people.stranger),
        "token": with_token(token(people.workspace, "author")[1]),
        "viewer_token": with_token(token(people.workspace, "viewer")[1]),
        "foreign_token": with_token(token(people.other_workspace, "owner")[1]),
        "expired": with_token(token(people.workspace, "author", expires_at=now)[1]),
        "revoked": with_token(gone_secret),
        "nobody": Caller(APIClient()),
    }


@pytest.fixture
def api(callers: dict[str, Caller]) -> Caller:
    """An author's token: what an integrator has."""
    return callers["token"]


@pytest.fixture
def account(people: People, now: datetime) -> Any:
    return make_account(people.workspace, now)


@pytest.fixture
def schedule(people: People, account: Any, after: Callable[..., datetime], now: datetime) -> Schedule:
    """Active, once, in an hour."""
    row: Schedule = make_schedule(people.workspace, [account], after(hours=1))
    return row


@pytest.fixture
def job(schedule: Schedule) -> Job:
    return Job.objects.get(schedule=schedule)


@pytest.fixture
def body(account: Any) -> dict[str, Any]:
    """The smallest whole request for a schedule."""
    return {
        "content": {"title": "Launch", "text": "We are live."},
        "accounts": [str(account.public_id)],
        "rule": {"kind": "once", "at": "2026-12-01T09:00:00", "timezone": "Europe/Berlin"},
    }
