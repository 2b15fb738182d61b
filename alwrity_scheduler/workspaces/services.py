"""The only writers of workspaces and of people's own settings: one transaction and one fact each.

Members, invitations and tokens have modules of their own beside this one; what is asked for most is named here too.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.keys import TOKEN_PREFIX, digest
from alwrity_scheduler.workspaces.members import remove_member, set_role
from alwrity_scheduler.workspaces.models import Membership, User, Workspace
from alwrity_scheduler.workspaces.roles import Role
from alwrity_scheduler.workspaces.tokens import create_token, revoke_token

__all__ = ["TOKEN_PREFIX", "create_token", "digest", "remove_member", "revoke_token", "set_role"]


@unit()
def create_workspace(*, name: str, slug: str, timezone: str, owner: User, actor: Actor, now: datetime) -> Workspace:
    """Make a workspace with its first owner."""
    workspace = Workspace.objects.create(name=name, slug=slug, timezone=timezone, created_at=now)
    Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER, created_at=now)
    emit(_fact("workspace.created", workspace, actor, now, after={"name": name, "slug": slug, "timezone": timezone}))
    return workspace


# what a person says about themselves; the rest of the row is Django's and the administrator's
OWN_FIELDS = frozenset(
    {"first_name", "last_name", "timezone", "language", "theme", "week_start", "hour_cycle", "density", "single_keys"}
)


@unit()
def update_person(*, person: User, actor: Actor, now: datetime, **values: Any) -> User:
    """A person's own settings: any of `OWN_FIELDS`; what is not named stays. Refused names the field.

    The fact names what changed; it belongs to no workspace.
    """
    unknown = values.keys() - OWN_FIELDS
    if unknown:
        raise TypeError(f"not a person's own: {', '.join(sorted(unknown))}")
    new = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
    _check_person(new)
    before = {name: getattr(person, name) for name, value in new.items() if getattr(person, name) != value}
    if not before:
        return person
    for name, value in new.items():
        setattr(person, name, value)
    person.save(update_fields=list(new))
    emit(
        Fact(
            name="person.settings_changed",
            at=now,
            actor=actor,
            object_type="person",
            object_id=str(person.pk),
            object_label=person.get_username(),
            before=before,
            after={name: new[name] for name in before},
        )
    )
    return person


def _check_person(values: Mapping[str, Any]) -> None:
    problems: list[Problem] = []
    for name, value in values.items():
        try:
            User._meta.get_field(name).clean(value, None)  # type: ignore[union-attr]
        except ValidationError as error:
            problems.extend(Problem(field=name, message=words) for words in error.messages)
    if values.get("language") and values["language"] not in dict(settings.LANGUAGES):
        problems.append(Problem(field="language", message=_("There is no such language here; choose one of the list.")))
    if problems:
        raise Refused(problems)


@unit()
def set_workspace_paused(*, workspace: Workspace, paused: bool, actor: Actor, now: datetime) -> Workspace:
    """Hold everything this workspace would publish, or let it go on. Asking twice changes nothing."""
    changed = Workspace.objects.filter(pk=workspace.pk, paused_at__isnull=paused).update(
        paused_at=now if paused else None
    )
    workspace.refresh_from_db()
    if changed:
        name = "workspace.paused" if paused else "workspace.resumed"
        emit(_fact(name, workspace, actor, now, before={"paused": not paused}, after={"paused": paused}))
    return workspace


@unit()
def update_workspace(*, workspace: Workspace, name: str, timezone: str, actor: Actor, now: datetime) -> Workspace:
    """Rename a workspace or give it another zone, in which new posts start. Refused names the field."""
    new = {"name": " ".join(name.split()), "timezone": timezone.strip()}
    problems = []
    if not 0 < len(new["name"]) <= 120:
        problems.append(Problem(field="name", message=_("Give the workspace a name of up to 120 characters.")))
    if new["timezone"] not in zoneinfo.available_timezones():
        problems.append(
            Problem(field="timezone", message=_("There is no such time zone; write one like Europe/Berlin."))
        )
    if problems:
        raise Refused(problems)
    before = {key: getattr(workspace, key) for key, value in new.items() if getattr(workspace, key) != value}
    if before:
        Workspace.objects.filter(pk=workspace.pk).update(**new)
        workspace.refresh_from_db()
        after: dict[str, object] = {key: new[key] for key in before}
        emit(_fact("workspace.changed", workspace, actor, now, before=before, after=after))
    return workspace


def arrange(*, person: User, page: str, values: Mapping[str, object]) -> None:
    """Remember how this person arranged a page: columns, cards, layers. What is not named stays. Nobody's business but theirs, so
    no fact is written."""
    layout = dict(User.objects.only("layout").get(pk=person.pk).layout)
    layout[page] = {**layout.get(page, {}), **values}
    User.objects.filter(pk=person.pk).update(layout=layout)
    person.layout = layout


def _fact(
    name: str, workspace: Workspace, actor: Actor, now: datetime, *,
    before: dict[str, object] | None = None, after: dict[str, object] | None = None,
) -> Fact:  # fmt: skip
    return Fact(
        name=name, at=now, actor=actor, workspace_id=workspace.pk, object_type="workspace", object_id=str(workspace.public_id),
        object_label=workspace.name, before=before or {}, after=after or {},
    )  # fmt: skip
