"""Accounts: connecting, changing, pausing, losing and regaining their sign-in.

Facts name the fields that changed and never hold a credential or an option's value.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.text import slugify

from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused, StaleVersion
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.core.secrets import CannotDecrypt
from alwrity_scheduler.workspaces.models import Workspace
from platforms.base import Adapter
from platforms.contracts import AccountHealth
from platforms.errors import AdapterMissing, PlatformError
from platforms.models import AccountState, CircuitState, PlatformAccount, RefreshState
from platforms.registry import adapter_for
from platforms.services.placing import place
from platforms.services.refs import account_ref

CHANGEABLE = ("name", "handle", "timezone", "options", "min_spacing_seconds", "hourly_cap", "daily_cap")
VERIFY_SECONDS = 10.0


@unit()
def connect(
    *,
    workspace: Workspace,
    platform: str,
    name: str,
    handle: str = "",
    timezone: str = "UTC",
    credentials: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    actor: Actor,
    now: datetime,
) -> PlatformAccount:
    """Make an account. Secrets the adapter can generate and that were left empty are in the returned row's
    `credentials`: show those (see `generated`) once. Raises Refused with the fields at fault.
    """
    adapter = _adapter(platform)
    secrets = _filled(credentials or {})
    secrets |= {
        spec.name: spec.generate() for spec in adapter.credential_fields if spec.generate and spec.name not in secrets
    }
    account = PlatformAccount(
        workspace=workspace,
        platform=platform,
        name=name.strip(),
        handle=handle.strip().lstrip("@") or slugify(name) or platform,
        timezone=timezone,
        credentials=secrets,
        options=dict(options or {}),
        state_changed_at=now,
        created_at=now,
        updated_at=now,
    )
    _check(account, adapter, secrets)
    _signed_in(account, secrets, now)
    _save(account)
    emit(
        _fact(
            "account.connected",
            account,
            actor,
            now,
            after={"platform": platform, "name": account.name, "handle": account.handle},
        )
    )
    return account


def generated(account: PlatformAccount, given: Mapping[str, str]) -> dict[str, str]:
    """The secrets that `connect` made because they were not given: for the one page that shows them."""
    return {name: secret for name, secret in account.credentials.items() if not given.get(name, "").strip()}


@unit()
def update_settings(
    *,
    account: PlatformAccount,
    changes: Mapping[str, Any],
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> PlatformAccount:
    """Change what CHANGEABLE names. `version`, when given, must be the one the person looked at (else StaleVersion)."""
    unknown = sorted(set(changes) - set(CHANGEABLE))
    if unknown:
        raise Refused([Problem(field=name, message="This cannot be changed.", code="unknown") for name in unknown])
    row = _locked(account)
    if version is not None and version != row.version:
        raise StaleVersion(
            Problem(
                field="version",
                message="Somebody changed this account meanwhile. Look at it again.",
                code="stale",
            )
        )
    changed = _changed_names(row, changes)
    if not changed:
        return row
    for name, value in changes.items():
        setattr(row, name, value)
    _check(row, _adapter(row.platform), None)
    place(row, now)
    _touch(row, now)
    emit(_fact("account.settings_changed", row, actor, now, after={"changed": changed}))
    return row


@unit()
def set_credentials(
    *, account: PlatformAccount, credentials: Mapping[str, str], actor: Actor, now: datetime
) -> PlatformAccount:
    """Replace the secrets that are given; an empty value leaves the stored one as it is."""
    given = _filled(credentials)
    row = _locked(account)
    if not given:
        return row
    adapter = _adapter(row.platform)
    names = {spec.name for spec in adapter.credential_fields}
    unknown = sorted(set(given) - names)
    if unknown:
        raise Refused(
            [Problem(field=name, message="This platform has no such secret.", code="unknown") for name in unknown]
        )
    stored = dict(row.credentials) if row.credentials.is_readable() else {}
    row.credentials = stored | given
    _check(row, adapter, stored | given)
    _signed_in(row, stored | given, now)
    _touch(row, now)
    emit(_fact("account.credentials_changed", row, actor, now, after={"changed": sorted(given)}))
    return row


@unit()
def pause(*, account: PlatformAccount, reason: str = "", actor: Actor, now: datetime) -> PlatformAccount:
    """Publish nothing there until it is resumed. Asking twice changes nothing."""
    return _move(account, {AccountState.ACTIVE}, AccountState.PAUSED, "account.paused", reason, actor, now)


@unit()
def resume(*, account: PlatformAccount, actor: Actor, now: datetime) -> PlatformAccount:
    """Publish there again after a pause."""
    return _move(account, {AccountState.PAUSED}, AccountState.ACTIVE, "account.resumed", "", actor, now)


@unit()
def disconnect(*, account: PlatformAccount, reason: str = "", actor: Actor, now: datetime) -> PlatformAccount:
    """Give the account up, and forget its credentials. Its history stays."""
    olds = {AccountState.ACTIVE, AccountState.PAUSED, AccountState.NEEDS_AUTH}
    row = _move(account, olds, AccountState.DISCONNECTED, "account.disconnected", reason, actor, now)
    gone: dict[str, Any] = {
        "credentials": {},
        "credentials_expire_at": None,
        "refresh_at": None,
        "refresh_state": RefreshState.NONE,
    }
    PlatformAccount.objects.filter(pk=row.pk).update(**gone, refresh_error="")
    row.credentials = {}
    return row


@unit()
def mark_needs_auth(*, account_id: int, message: str, actor: Actor, now: datetime) -> bool:
    """The platform no longer takes the credentials. Says whether this call was the first to find out (R31)."""
    row = PlatformAccount.objects.select_for_update().filter(pk=account_id).first()
    if row is None or row.state not in (AccountState.ACTIVE, AccountState.PAUSED):
        return False
    _move(
        row,
        {AccountState.ACTIVE, AccountState.PAUSED},
        AccountState.NEEDS_AUTH,
        "account.auth_lost",
        message,
        actor,
        now,
    )
    return True


@unit()
def reconnect(*, account: PlatformAccount, actor: Actor, now: datetime) -> PlatformAccount:
    """Back to work after new credentials: active, with a clean circuit and no waiting left over."""
    row = _move(
        account,
        {AccountState.NEEDS_AUTH, AccountState.DISCONNECTED},
        AccountState.ACTIVE,
        "account.reconnected",
        "",
        actor,
        now,
    )
    CircuitState.objects.filter(account=row).delete()
    PlatformAccount.objects.filter(pk=row.pk).update(not_before_at=None)
    row.not_before_at = None
    return row


def check_now(account: PlatformAccount, *, timeout: float = VERIFY_SECONDS) -> AccountHealth:
    """Ask the platform whether the account would work. Posts nothing, changes nothing, and never raises."""
    try:
        return adapter_for(account.platform).verify(account_ref(account), timeout=timeout)
    except (PlatformError, CannotDecrypt) as error:
        return AccountHealth(ok=False, message=str(error))


def _adapter(platform: str) -> Adapter:
    try:
        return adapter_for(platform)
    except AdapterMissing as error:
        raise Refused(Problem(field="platform", message=str(error), code="adapter_missing")) from None


def _signed_in(account: PlatformAccount, secrets: Mapping[str, str], now: datetime) -> None:
    """A person gave new secrets: nobody knows until when they are good, so they are renewed soon, where that can be."""
    account.credentials_expire_at = account.refresh_at = None
    account.refresh_state, account.refresh_error = RefreshState.NONE, ""
    place(account, now, secrets)


def _filled(credentials: Mapping[str, str]) -> dict[str, str]:
    return {name: str(secret).strip() for name, secret in credentials.items() if secret and str(secret).strip()}


def _check(account: PlatformAccount, adapter: Adapter, secrets: Mapping[str, str] | None) -> None:
    """Raise Refused for wrong fields and for settings the adapter does not take. `secrets` None: as stored."""
    problems = []
    try:
        account.clean_fields(exclude=["credentials", "options"])
    except ValidationError as error:
        problems = [Problem(field=field, message=str(words[0])) for field, words in error.message_dict.items()]
    if secrets is None:
        secrets = dict(account.credentials) if account.credentials.is_readable() else {}
    problems += [
        Problem(field=field, message=message) for field, message in adapter.check_settings(account.options, secrets)
    ]
    if problems:
        raise Refused(problems)


def _save(account: PlatformAccount) -> None:
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError as error:
        if "handle" not in str(error):
            raise
        message = f"There is a {account.platform} account with the handle {account.handle} already."
        raise Refused(Problem(field="handle", message=message, code="taken")) from None


def _touch(row: PlatformAccount, now: datetime) -> None:
    row.version += 1
    row.updated_at = now
    _save(row)


def _locked(account: PlatformAccount) -> PlatformAccount:
    return PlatformAccount.objects.select_for_update().get(pk=account.pk)


def _changed_names(row: PlatformAccount, changes: Mapping[str, Any]) -> list[str]:
    names = [name for name, value in changes.items() if name != "options" and getattr(row, name) != value]
    options = changes.get("options", row.options)
    keys = set(options) | set(row.options)
    names += [f"options.{key}" for key in keys if options.get(key) != row.options.get(key)]
    return sorted(names)


def _move(
    account: PlatformAccount,
    olds: set[AccountState],
    new: AccountState,
    fact: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> PlatformAccount:
    """One step of the account's states by compare-and-set; a step already taken is no step."""
    row = _locked(account)
    if row.state == new:
        return row
    if row.state not in olds:
        message = f"The account is {row.get_state_display().lower()}, so this cannot be done."
        raise IllegalTransition(Problem(field="state", message=message, code="state"))
    old, row.state, row.state_reason, row.state_changed_at = row.state, new.value, reason[:500], now
    PlatformAccount.objects.filter(pk=row.pk, state=old).update(
        state=row.state,
        state_reason=row.state_reason,
        state_changed_at=now,
        updated_at=now,
        version=F("version") + 1,
    )
    row.version += 1
    emit(
        _fact(
            fact,
            row,
            actor,
            now,
            before={"state": old},
            after={"state": row.state, "reason": row.state_reason},
        )
    )
    return row


def _fact(
    name: str,
    account: PlatformAccount,
    actor: Actor,
    now: datetime,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Fact:
    return Fact(
        name=name,
        at=now,
        actor=actor,
        object_type="account",
        object_id=str(account.public_id),
        object_label=account.name,
        workspace_id=account.workspace_id,
        before=before or {},
        after=after or {},
    )
