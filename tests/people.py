"""The people of the tests, and the things they own, made through the product's services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.workspaces import services as workspaces
from alwrity_scheduler.workspaces.models import User, Workspace

ACTOR = Actor(kind="user", id="1", label="ana")


@dataclass(frozen=True)
class People:
    workspace: Workspace
    other_workspace: Workspace
    owner: User
    author: User
    viewer: User
    stranger: User


def make_people(now: datetime) -> People:
    owner, author, viewer, stranger = (
        User.objects.create_user(name, password="correct horse", timezone="Europe/Berlin")
        for name in ("ana", "ben", "vera", "sid")
    )
    room = workspaces.create_workspace(
        name="Team", slug="team", timezone="Europe/Berlin", owner=owner, actor=ACTOR, now=now
    )
    other = workspaces.create_workspace(
        name="Elsewhere", slug="elsewhere", timezone="UTC", owner=stranger, actor=ACTOR, now=now
    )
    workspaces.set_role(workspace=room, user=author, role="author", actor=ACTOR, now=now)
    workspaces.set_role(workspace=room, user=viewer, role="viewer", actor=ACTOR, now=now)
    return People(room, other, owner, author, viewer, stranger)


@dataclass(frozen=True)
class Team:
    """The other roles of the same workspace. `limited` is an author who sees one account only, once `limit` said which."""

    manager: User
    approver: User
    reviewer: User
    limited: User


def make_team(people: People, now: datetime) -> Team:
    found = {}
    for name, role in (("mia", "manager"), ("carla", "approver"), ("otto", "reviewer"), ("lena", "author")):
        person = User.objects.create_user(name, f"{name}@example.com", password="correct horse")
        workspaces.set_role(workspace=people.workspace, user=person, role=role, actor=ACTOR, now=now)
        found[name] = person
    return Team(*found.values())


def limit(person: Any, accounts: list[Any], now: datetime) -> Any:
    """Let a member, or a token, see these accounts only."""
    from alwrity_scheduler.workspaces.models import ApiToken
    from platforms.services import grants

    of = person if isinstance(person, ApiToken) else person.memberships.select_related("user", "workspace").get()
    grants.set_grants(of=of, accounts=[row.public_id for row in accounts], actor=ACTOR, now=now)
    person.refresh_from_db()
    return person


def make_account(
    workspace: Workspace, now: datetime, *, name: str = "News", platform: str = "sandbox", **values: Any
) -> Any:
    from platforms.services import accounts

    limits = {key: values.pop(key) for key in ("min_spacing_seconds", "hourly_cap", "daily_cap") if key in values}
    values = {"handle": name.lower(), "timezone": "Europe/Berlin", "options": {}, "credentials": {}, **values}
    account = accounts.connect(workspace=workspace, platform=platform, name=name, actor=ACTOR, now=now, **values)
    if limits:
        type(account).objects.filter(pk=account.pk).update(**limits)
        account.refresh_from_db()
    return account


def make_schedule(
    workspace: Workspace, accounts: list[Any], now: datetime, *, state: str = "active", text: str = "Hello", **plan: Any
) -> Any:
    """A schedule on `accounts`; by default once, at `now` in UTC."""
    from schedules.services.plans import ContentDraft, SchedulePlan, TargetPlan
    from schedules.services.schedules import create_schedule

    values = {
        "rule_kind": "once",
        "timezone": "UTC",
        "start_local": now.replace(tzinfo=None),
        "targets": tuple(TargetPlan(account_id=str(account.public_id)) for account in accounts),
        **plan,
    }
    draft = ContentDraft(title="A title", text=text)
    return create_schedule(
        workspace=workspace, content=draft, plan=SchedulePlan(**values), state=state, actor=ACTOR, now=now
    )
