"""A person's data: all of it for them, none of it left when they go, and the history still holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.security import persons
from alwrity_scheduler.security.models import SecurityEvent
from alwrity_scheduler.workspaces import services as workspaces
from alwrity_scheduler.workspaces.models import User
from schedules.models import AuditLog, ContentItem
from schedules.services import approval, audit
from tests.integration.api.callers import signed_in
from tests.people import ACTOR, make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy(people: Any, now: Any) -> Any:
    """Ben, who wrote a post and was given a role; others came before and after him."""
    ben = signed_in(people.author)
    account = make_account(people.workspace, now)
    made = ben.post("schedules/", {
        "content": {"title": "By Ben", "text": "Hello"},
        "accounts": [str(account.public_id)],
        "rule": {"kind": "once", "at": "2026-12-01T09:00:00", "timezone": "Europe/Berlin"},
    })  # fmt: skip
    assert made.status_code == 201
    people.author.email = "ben@example.com"
    people.author.save()
    workspaces.set_role(workspace=people.workspace, user=people.author, role="manager", actor=ACTOR, now=now)
    workspaces.update_workspace(workspace=people.workspace, name="Renamed", timezone="UTC", actor=ACTOR, now=now)
    return ben


def test_a_person_gets_all_of_it(people, busy):
    page = busy.client.get("/app/settings/data/")
    found = busy.client.get("/app/settings/data/export/")

    assert page.status_code == 200
    assert "attachment" in found["Content-Disposition"]
    data = json.loads(found.content)
    assert data["person"]["username"] == "ben"
    assert data["memberships"][0]["role"] == "manager"
    assert len(data["schedules"]["posts_written"]) == 1
    assert "schedule.created" in {row["action"] for row in data["schedules"]["history"]}
    assert "pbkdf2" not in found.content.decode()
    assert "password" not in data["person"]


def test_an_erased_person_is_nowhere_and_the_history_still_holds(people, busy, now):
    before = AuditLog.objects.count()
    number = people.author.pk

    answer = busy.client.post("/app/settings/data/erase/", {"password": "correct horse"})

    assert answer.status_code == 303
    assert not User.objects.filter(username="ben").exists()
    assert ContentItem.objects.get().title == "By Ben"
    assert list(audit.verify()) == []
    assert AuditLog.objects.count() == before + 2  # sealed again, and erased
    everything = json.dumps(list(AuditLog.objects.values()), default=str)
    everything += json.dumps(list(SecurityEvent.objects.values()), default=str)
    for word in ('"ben"', "ben@example.com", ": ben"):
        assert word not in everything
    assert f"erased-{number}" in everything
    # others are named as before
    assert '"ana"' in everything
    assert busy.client.get("/app/").status_code == 302


def test_a_wrong_password_or_a_last_owner_stays(people, busy, now):
    busy.client.post("/app/settings/data/erase/", {"password": "wrong"})
    assert User.objects.filter(username="ben").exists()

    with pytest.raises(Refused, match="Renamed"):
        persons.erase(person=people.owner, actor=Actor(kind="command", label="x"), now=now)
    assert User.objects.filter(username="ana").exists()


def test_the_commands(people, busy, capsys):
    call_command("person_data", "export", "ben")
    assert json.loads(capsys.readouterr().out)["person"]["email"] == "ben@example.com"
    call_command("person_data", "erase", "ben", "--yes")
    assert not User.objects.filter(username="ben").exists()
    call_command("retention")
    assert "security log" in capsys.readouterr().out


def test_comments_lose_their_name(people, busy, now):
    schedule = people.workspace.schedules.get()
    ben = Actor(kind="user", id=str(people.author.pk), label="ben")
    approval.comment(schedule=schedule, text="Nice", actor=ben, now=now)

    persons.erase(person=people.author, actor=ACTOR, now=now)

    assert schedule.review_comments.get().label.startswith("erased-")
