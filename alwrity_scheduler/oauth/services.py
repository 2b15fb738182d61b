"""The only writers of apps and of what people allowed them: one transaction and one fact each.

Codes and tokens are made and used up by the protocol (`validator`); here they only go, with their app or permission.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db.models import F, Q
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused, StaleVersion
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.oauth.models import AccessToken, App, Code, Permission, RefreshToken
from alwrity_scheduler.oauth.querysets import digest
from alwrity_scheduler.workspaces.models import Membership, User, Workspace
from alwrity_scheduler.workspaces.roles import INSIDE
from alwrity_scheduler.workspaces.scopes import SCOPES

MOST_ADDRESSES = 10
LONGEST_ADDRESS = 500
LOOPBACK = frozenset({"127.0.0.1", "localhost"})


def register(
    *, workspace: Workspace, name: str, redirect_uris: Sequence[str], website: str = "", public: bool = False, person: User | None,
    actor: Actor, now: datetime,
) -> tuple[App, str]:  # fmt: skip
    """Make an app. Returns it and its secret, which cannot be had again; a public app has none. Refused names the field."""
    values = _checked({"name": name, "website": website, "redirect_uris": redirect_uris})
    return _register(workspace, values, public, person, actor, now)


@unit()
def _register(
    workspace: Workspace, values: dict[str, str], public: bool, person: User | None, actor: Actor, now: datetime
) -> tuple[App, str]:
    secret = "" if public else _new_secret()
    app: App = App.objects.create(
        workspace=workspace,
        **values,
        client_type=App.CLIENT_PUBLIC if public else App.CLIENT_CONFIDENTIAL,
        authorization_grant_type=App.GRANT_AUTHORIZATION_CODE,
        client_secret=_kept(secret),
        secret_prefix=secret[:8],
        hash_client_secret=False,
        created_by=person,
        created_at=now,
    )
    emit(_of_app("app.registered", app, actor, now, after={**_shown(app), "public": public}))
    return app, secret


def change(*, app: App, changes: dict[str, Any], version: int, actor: Actor, now: datetime) -> App:
    """Other words or addresses: any of name, website, redirect_uris. Refused names the field; StaleVersion: changed since."""
    values = _checked({name: value for name, value in changes.items() if value is not None})
    return _change(app, values, version, actor, now)


@unit()
def _change(app: App, values: dict[str, str], version: int, actor: Actor, now: datetime) -> App:
    before = _shown(app)
    if not App.objects.filter(pk=app.pk, version=version).update(**values, version=F("version") + 1, updated=now):
        raise StaleVersion(
            Problem(
                field="version",
                message=_("Somebody changed this app meanwhile. Look at it again, then save."),
                code="stale",
            )
        )
    app.refresh_from_db()
    after = {name: value for name, value in _shown(app).items() if value != before[name]}
    if after:
        emit(_of_app("app.changed", app, actor, now, before={name: before[name] for name in after}, after=after))
    return app


@unit()
def rotate_secret(*, app: App, actor: Actor, now: datetime) -> tuple[App, str]:
    """A new secret instead of the old one, which stops working at once. What people allowed stays."""
    if app.client_type == App.CLIENT_PUBLIC:
        raise IllegalTransition(Problem(field="id", message=_("A public app has no secret."), code="no_secret"))
    secret = _new_secret()
    App.objects.filter(pk=app.pk).update(client_secret=_kept(secret), secret_prefix=secret[:8], updated=now)
    app.refresh_from_db()
    emit(_of_app("app.secret_rotated", app, actor, now))
    return app, secret


@unit()
def disable(*, app: App, actor: Actor, now: datetime) -> App:
    """It gets in nowhere until it is enabled; what people allowed stays. Asking twice changes nothing."""
    if App.objects.filter(pk=app.pk, disabled_at=None).update(disabled_at=now):
        emit(_of_app("app.disabled", app, actor, now, before={"disabled": False}, after={"disabled": True}))
    app.refresh_from_db()
    return app


@unit()
def enable(*, app: App, actor: Actor, now: datetime) -> App:
    if App.objects.filter(pk=app.pk).exclude(disabled_at=None).update(disabled_at=None):
        emit(_of_app("app.enabled", app, actor, now, before={"disabled": True}, after={"disabled": False}))
    app.refresh_from_db()
    return app


@unit()
def delete(*, app: App, actor: Actor, now: datetime) -> None:
    """With everything that people allowed it: its tokens stop working at once."""
    fact = _of_app("app.deleted", app, actor, now, before=_shown(app))
    App.objects.filter(pk=app.pk).delete()
    emit(fact)


@unit()
def allow(
    *, app: App, person: User, workspace: Workspace, scopes: Iterable[str], actor: Actor, now: datetime
) -> Permission:
    """This person lets this app act for them in this workspace. Allowing again replaces the scopes, also for tokens that are out.

    Refused for a workspace that the person is not in, for no scopes and for unknown ones.
    """
    wanted = [scope for scope in SCOPES if scope in set(scopes)]
    if not Membership.objects.filter(user=person, workspace=workspace, role__in=INSIDE).exists():
        raise Refused(Problem(field="workspace", message=_("You are in no workspace of this name."), code="not_found"))
    if not wanted or set(scopes) - set(SCOPES):
        raise Refused(Problem(field="scope", message=_("The app asks for nothing that there is."), code="invalid"))
    row, _made = Permission.objects.update_or_create(
        app=app,
        user=person,
        workspace=workspace,
        defaults={"scopes": wanted, "updated_at": now},
        create_defaults={"scopes": wanted, "created_at": now, "updated_at": now},
    )
    emit(_of_permission("app.allowed", row, actor, now, after={"app": app.name, "scopes": wanted}))
    return row


@unit()
def revoke(*, permission: Permission, actor: Actor, now: datetime) -> None:
    """The app gets in for this person no more, in that workspace; its codes and tokens go at once."""
    before = {"app": permission.app.name, "scopes": permission.scopes}
    fact = _of_permission("app.revoked", permission, actor, now, before=before)
    removed, _each = Permission.objects.filter(pk=permission.pk).delete()
    if removed:
        emit(fact)


def clear_expired(*, now: datetime) -> int:
    """Remove what opens nothing any more. Used refresh tokens stay as long as live ones would, so that a second use is noticed.
    Returns how many codes and tokens went."""
    idle = now - timedelta(seconds=settings.OAUTH2_PROVIDER["REFRESH_TOKEN_EXPIRE_SECONDS"])
    live = RefreshToken.objects.filter(revoked=None)
    gone = [
        Code.objects.filter(expires__lt=now).delete(),
        RefreshToken.objects.filter(revoked__lt=idle).delete(),
        live.filter(Q(access_token=None) | Q(access_token__expires__lt=idle)).delete(),
        AccessToken.objects.filter(expires__lt=now, refresh_token=None).delete(),
    ]
    return sum(count for count, _each in gone)


def held(person: User) -> list[dict[str, Any]]:
    """What a person allowed, as JSON values, for whoever asks what is held of them. It goes with the person's row."""
    rows = Permission.objects.filter(user=person).select_related("app", "workspace").order_by("id")
    return [
        {
            "app": row.app.name,
            "workspace": row.workspace.name,
            "scopes": row.scopes,
            "since": row.created_at.isoformat(),
        }
        for row in rows
    ]


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def _kept(secret: str) -> str:
    return digest(secret) if secret else ""


def _shown(app: App) -> dict[str, Any]:
    return {"name": app.name, "website": app.website, "redirect_uris": app.redirect_uris.split()}


def _checked(given: dict[str, Any]) -> dict[str, str]:
    """The values as they are stored. Raises Refused with every problem."""
    problems: list[Problem] = []
    values: dict[str, str] = {}
    if "name" in given:
        values["name"] = " ".join(given["name"].split())
        if not 0 < len(values["name"]) <= 80:
            problems.append(Problem(field="name", message=_("Give the app a name of up to 80 characters.")))
    if "website" in given:
        values["website"] = given["website"].strip()
        if values["website"] and not _is_https(values["website"]):
            problems.append(
                Problem(field="website", message=_("Write the website's address, beginning with https://."))
            )
    if "redirect_uris" in given:
        addresses = list(dict.fromkeys(address.strip() for address in given["redirect_uris"] if address.strip()))
        values["redirect_uris"] = " ".join(addresses)
        problems.extend(_address_problems(addresses))
    if problems:
        raise Refused(problems)
    return values


def _address_problems(addresses: list[str]) -> Iterable[Problem]:
    if not addresses:
        words = _("Name at least one address that people are led back to.")
        yield Problem(field="redirect_uris", message=words, code="required")
    if len(addresses) > MOST_ADDRESSES:
        words = _("Name %(most)s addresses at most.") % {"most": MOST_ADDRESSES}
        yield Problem(field="redirect_uris", message=words)
    for address in addresses:
        if not _leads_back(address):
            words = _(
                "%(address)s does not work: write https://…, or http://127.0.0.1/… for a program on the person's own machine; "
                "without *, # and user name."
            )
            yield Problem(field="redirect_uris", message=words % {"address": address[:120]})


def _leads_back(address: str) -> bool:
    """https, or http to the same machine (RFC 8252 section 7.3); no fragment (RFC 6749 section 3.1.2)."""
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    if len(address) > LONGEST_ADDRESS or not host or "#" in address or "@" in parts.netloc or not address.isascii():
        return False
    if any(letter <= " " or letter in "\"'<>;,*\\^`{}|" for letter in address):
        return False
    if parts.scheme == "http":
        return host in LOOPBACK
    return parts.scheme == "https" and _is_https(address)


def _is_https(address: str) -> bool:
    try:
        URLValidator(schemes=["https"])(address)
    except ValidationError:
        return False
    return len(address) <= LONGEST_ADDRESS


def _of_app(
    name: str, app: App, actor: Actor, now: datetime, *, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
) -> Fact:  # fmt: skip
    return Fact(
        name=name, at=now, actor=actor, workspace_id=app.workspace_id, object_type="app", object_id=str(app.public_id),
        object_label=app.name, before=before or {}, after=after or {},
    )  # fmt: skip


def _of_permission(
    name: str, row: Permission, actor: Actor, now: datetime, *,
    before: dict[str, Any] | None = None, after: dict[str, Any] | None = None,
) -> Fact:  # fmt: skip
    return Fact(
        name=name, at=now, actor=actor, workspace_id=row.workspace_id, object_type="app_permission", object_id=str(row.public_id),
        object_label=row.app.name, before=before or {}, after=after or {},
    )  # fmt: skip
