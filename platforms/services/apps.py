"""Sign-in apps: what a platform knows this installation by. A workspace's own, the installation's, or one that the server gave.

The secret goes in and never comes out: facts, screens and the API say only that there is one, since when, and from whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import Workspace
from platforms.base import RegistersApps, SignsIn
from platforms.contracts import ClientApp
from platforms.models import PlatformApp
from platforms.registry import adapters

CALLBACK = "/oauth/callback"
REGISTER_SECONDS = 15.0
SECRET = "client_secret"  # noqa: S105 - the name of the field


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPlatform:
    """A platform at which people sign in: whether an app can be made by hand, and what there is already.

    servers: the platform has many, so that an app belongs to one. registers: the servers give out apps by themselves.
    installed: the operator named an app for the whole installation.
    """

    key: str
    label: str
    servers: bool
    registers: bool
    installed: bool

    @property
    def is_ready(self) -> bool:
        """Can a person sign in although the workspace has no app of its own?"""
        return self.installed or self.registers


def redirect_uri() -> str:
    """The address that is entered at every platform, and that people come back to. Never from a request's Host header."""
    return f"{settings.PUBLIC_URL}{CALLBACK}"


def sign_in_platforms() -> list[SignInPlatform]:
    return [
        SignInPlatform(
            key=key,
            label=adapter.label,
            servers=bool(adapter.sign_in_fields),
            registers=isinstance(adapter, RegistersApps),
            installed=key in settings.SIGN_IN_APP_KEYS and not isinstance(adapter, RegistersApps),
        )
        for key, adapter in adapters.items()
        if isinstance(adapter, SignsIn)
    ]


def server_of(adapter: SignsIn, options: Mapping[str, Any]) -> str:
    """Which of a platform's servers the fields name: `https://mastodon.example`. Empty for platforms of one server."""
    return " ".join(_tidy(str(options.get(name) or "")) for name in adapter.sign_in_fields).strip()[:300]


def _tidy(address: str) -> str:
    """The same server written differently is one server."""
    address = address.strip().rstrip("/")
    parts = urlsplit(address)
    return address.replace(parts.netloc, parts.netloc.lower(), 1) if parts.netloc else address.lower()


@unit()
def save(
    *,
    workspace: Workspace,
    platform: str,
    client_id: str,
    client_secret: str = "",
    server: str = "",
    actor: Actor,
    now: datetime,
) -> PlatformApp:
    """Make the workspace's app for a platform (and server), or change it. An empty secret leaves the stored one, as long as the
    client id stays. Raises Refused."""
    adapter: Any = adapters.get(platform)
    problems = []
    if not isinstance(adapter, SignsIn):
        problems.append(Problem(field="platform", message=_("Nobody signs in at this platform."), code="unknown"))
    client_id, client_secret = client_id.strip(), client_secret.strip()
    if not client_id or len(client_id) > 400 or not client_id.isprintable():
        words = _("Copy the client id from the platform; it has at most 400 characters.")
        problems.append(Problem(field="client_id", message=words, code="required"))
    if len(client_secret) > 4000 or not client_secret.isprintable():
        problems.append(
            Problem(field="client_secret", message=_("Copy the secret from the platform, without line breaks."))
        )
    server = _tidy(server)[:300] if isinstance(adapter, SignsIn) and adapter.sign_in_fields else ""
    if isinstance(adapter, SignsIn) and adapter.sign_in_fields and not server:
        words = _("Write the address of the server that this app belongs to.")
        problems.append(Problem(field="server", message=words, code="required"))
    if problems:
        raise Refused(problems)
    row = PlatformApp.objects.select_for_update().filter(workspace=workspace, platform=platform, server=server).first()
    kept = _readable(row) if row is not None and row.client_id == client_id else ""
    row = row or PlatformApp(workspace=workspace, platform=platform, server=server)
    row.client_id, row.registered_for = client_id, ""
    row.secrets = {SECRET: client_secret or kept} if client_secret or kept else {}
    row.set_by, row.set_at = actor.label[:150], now
    row.save()
    emit(_fact("sign_in_app.saved", row, actor, now, {"client_id": client_id, "secret_changed": bool(client_secret)}))
    return row


@unit()
def remove(*, app: PlatformApp, actor: Actor, now: datetime) -> None:
    """Accounts that signed in through it keep what they were given."""
    row = PlatformApp.objects.select_for_update().filter(pk=app.pk).first()
    if row is None:
        return
    emit(_fact("sign_in_app.removed", row, actor, now, {}))
    row.delete()


def client_app(
    *, workspace: Workspace, platform: str, options: Mapping[str, Any], actor: Actor, now: datetime
) -> ClientApp | None:
    """The app to sign in through: the workspace's, else the installation's, else one that the server gives out now (a network
    call, so never inside of a transaction). None: there is none. Raises PlatformError when the server gives none, CannotDecrypt.
    """
    adapter: Any = adapters.get(platform)
    if not isinstance(adapter, SignsIn):
        return None
    server = server_of(adapter, options)
    row = PlatformApp.objects.filter(workspace=workspace, platform=platform, server=server).first()
    if row is not None and row.registered_for in ("", redirect_uri()):
        return _client(row.client_id, row.secrets.get(SECRET, ""), options)
    if platform in settings.SIGN_IN_APP_KEYS and not isinstance(adapter, RegistersApps):
        client_id, client_secret = settings.SIGN_IN_APP_KEYS[platform]
        return _client(client_id, client_secret, options)
    if isinstance(adapter, RegistersApps):
        return _register(adapter, workspace, platform, server, options, actor, now)
    return None


def _register(
    adapter: Any,
    workspace: Workspace,
    platform: str,
    server: str,
    options: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> ClientApp:
    given: ClientApp = adapter.register(redirect_uri=redirect_uri(), options=options, timeout=REGISTER_SECONDS)
    with unit():
        row, _made = PlatformApp.objects.update_or_create(
            workspace=workspace,
            platform=platform,
            server=server,
            defaults={
                "client_id": given.client_id,
                "secrets": {SECRET: given.client_secret} if given.client_secret else {},
                "registered_for": redirect_uri(),
                "set_by": actor.label[:150],
                "set_at": now,
            },
        )
        emit(_fact("sign_in_app.registered", row, actor, now, {"client_id": given.client_id, "server": server}))
    return _client(given.client_id, given.client_secret, options)


def _client(client_id: str, client_secret: str, options: Mapping[str, Any]) -> ClientApp:
    return ClientApp(
        client_id=client_id, client_secret=client_secret, redirect_uri=redirect_uri(), options=dict(options)
    )


def _readable(row: PlatformApp) -> str:
    return row.secrets.get(SECRET, "") if row.secrets.is_readable() else ""


def _fact(name: str, row: PlatformApp, actor: Actor, now: datetime, after: Mapping[str, Any]) -> Fact:
    return Fact(
        name=name,
        at=now,
        actor=actor,
        object_type="sign_in_app",
        object_id=str(row.public_id),
        object_label=str(row)[:200],
        workspace_id=row.workspace_id,
        after=after,
    )
