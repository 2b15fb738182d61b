"""The only writer of API tokens: make, change, renew the secret, revoke. Each one transaction and one fact, without the secret.

Whose accounts a token sees is set by `platforms.services.grants`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces import rules
from alwrity_scheduler.workspaces.keys import digest, new_token
from alwrity_scheduler.workspaces.models import ApiToken, User, Workspace
from alwrity_scheduler.workspaces.roles import Role


@unit()
def create_token(
    *, workspace: Workspace, name: str, role: str, actor: Actor, now: datetime, expires_at: datetime | None = None,
    scopes: Iterable[str] = (), networks: Iterable[str] = (), person: User | None = None,
    within: Collection[str] | None = None,
) -> tuple[ApiToken, str]:  # fmt: skip
    """Make a token. Returns the row and the secret, which cannot be had again. Never above the role of who makes it.

    person: who makes it, if a person does. within: the scopes that whoever makes it is narrowed to. Raises Refused, NotAllowed.
    """
    if rules.known_role(role) == Role.REVIEWER:
        words = _("Outside reviewers are people: invite one. A token needs one of the other roles.")
        raise Refused(Problem(field="role", message=words))
    rules.not_above_the_actor(role, actor, workspace)
    secret = new_token()
    row = ApiToken.objects.create(
        workspace=workspace,
        name=_name(name),
        role=role,
        prefix=secret[:8],
        digest=digest(secret),
        created_at=now,
        created_by=person,
        expires_at=expires_at,
        scopes=rules.known_scopes(scopes, within=within),
        networks=rules.known_networks(networks),
    )
    emit(_fact("token.created", row, actor, now, after={"role": role, **_values(row)}))
    return row, secret


@unit()
def change_token(
    *, token: ApiToken, actor: Actor, now: datetime, within: Collection[str] | None = None, **values: Any
) -> ApiToken:
    """Any of name, scopes, networks and expires_at; what is not named stays. Raises Refused, NotAllowed."""
    row = ApiToken.objects.select_for_update().get(pk=token.pk)
    _still_works(row)
    before = _values(row)
    if "name" in values:
        row.name = _name(values.pop("name"))
    if "scopes" in values:
        rules.known_scopes(row.scopes, within=within)
        row.scopes = rules.known_scopes(values.pop("scopes"), within=within)
    if "networks" in values:
        row.networks = rules.known_networks(values.pop("networks"))
    if "expires_at" in values:
        row.expires_at = values.pop("expires_at")
    if values:
        raise TypeError(f"not to be changed: {', '.join(sorted(values))}")
    after = _values(row)
    changed = [name for name in after if after[name] != before[name]]
    if changed:
        row.save(update_fields=["name", "scopes", "networks", "expires_at"])
        emit(
            _fact(
                "token.changed", row, actor, now,
                before={name: before[name] for name in changed}, after={name: after[name] for name in changed},
            )
        )  # fmt: skip
    return row


@unit()
def rotate_token(
    *, token: ApiToken, actor: Actor, now: datetime, within: Collection[str] | None = None
) -> tuple[ApiToken, str]:
    """Another secret for the same token; the old one ends at once. Returns the row and the secret. Raises Refused, NotAllowed."""
    row = ApiToken.objects.select_for_update().select_related("workspace").get(pk=token.pk)
    _still_works(row)
    rules.not_above_the_actor(row.role, actor, row.workspace)
    rules.known_scopes(row.scopes, within=within)
    secret = new_token()
    row.prefix, row.digest = secret[:8], digest(secret)
    row.save(update_fields=["prefix", "digest"])
    emit(_fact("token.rotated", row, actor, now, after={"prefix": row.prefix}))
    return row, secret


@unit()
def revoke_token(*, token: ApiToken, actor: Actor, now: datetime) -> ApiToken:
    """End a token at once. Asking twice changes nothing."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        emit(_fact("token.revoked", token, actor, now, before={"revoked": False}, after={"revoked": True}))
    token.refresh_from_db()
    return token


def _still_works(row: ApiToken) -> None:
    if row.revoked_at is not None:
        words = _("This token is revoked, which cannot be taken back. Make a new one.")
        raise IllegalTransition(Problem(field="token", message=words, code="revoked"))


def _name(given: str) -> str:
    name = " ".join(given.split())
    if not 0 < len(name) <= 120:
        raise Refused(Problem(field="name", message=_("Give the token a name of up to 120 characters.")))
    return name


def _values(row: ApiToken) -> dict[str, Any]:
    return {
        "name": row.name,
        "scopes": list(row.scopes),
        "networks": list(row.networks),
        "expires_at": row.expires_at.isoformat() if row.expires_at else None,
    }


def _fact(
    name: str, row: ApiToken, actor: Actor, now: datetime, *,
    before: dict[str, Any] | None = None, after: dict[str, Any] | None = None,
) -> Fact:  # fmt: skip
    return Fact(
        name=name, at=now, actor=actor, workspace_id=row.workspace_id, object_type="api_token", object_id=str(row.public_id),
        object_label=row.name, before=before or {}, after=after or {},
    )  # fmt: skip
