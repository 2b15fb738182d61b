"""Accounts: connecting, changing, pausing, losing and regaining their sign-in.

Facts name the fields that changed and never hold a credential or an option's value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.text import slugify
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused, StaleVersion
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.core.secrets import CannotDecrypt
from alwrity_scheduler.workspaces.models import Workspace
from platforms import refresh
from platforms.base import Adapter
from platforms.contracts import AccountHealth, Place
from platforms.errors import AdapterMissing, PlatformError, clean
from platforms.models import AccountState, CircuitState, PlatformAccount, RefreshState
from platforms.registry import adapter_for
from platforms.services.placing import place
from platforms.services.refs import account_ref

CHANGEABLE = (
    "name", "handle", "timezone", "options", "min_spacing_seconds", "hourly_cap", "daily_cap",
    "signature", "default_hashtags", "utm",
)  # fmt: skip
UTM_NAMES = ("source", "medium", "campaign", "term", "content")
MOST_HASHTAGS = 30
VERIFY_SECONDS = 10.0
_HASHTAG = re.compile(r"[^\W]+")


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
        raise Refused([Problem(field=name, message=_("This cannot be changed."), code="unknown") for name in unknown])
    changes = _tidy(changes)
    row = _locked(account)
    if version is not None and version != row.version:
        raise StaleVersion(
            Problem(
                field="version",
                message=_("Somebody changed this account meanwhile. Look at it again."),
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
            [Problem(field=name, message=_("This platform has no such secret."), code="unknown") for name in unknown]
        )
    stored = dict(row.credentials) if row.credentials.is_readable() else {}
    row.credentials = stored | given
    _check(row, adapter, stored | given)
    _signed_in(row, stored | given, now)
    _touch(row, now)
    emit(_fact("account.credentials_changed", row, actor, now, after={"changed": sorted(given)}))
    return row


@unit()
def sign_in(
    *,
    workspace: Workspace,
    platform: str,
    place: Place,
    grant_key: UUID,
    expires_at: datetime | None = None,
    missing_scopes: Sequence[str] = (),
    timezone: str = "UTC",
    actor: Actor,
    now: datetime,
) -> PlatformAccount:
    """Connect a place that a person's sign-in brought, or give the account that stands for it the new secrets: the same row, so
    that schedules and posts stay, and what waited for the sign-in goes on. Raises Refused.
    """
    adapter = _adapter(platform)
    handle, secrets = handle_of(place), _filled(place.credentials)
    row = standing_for(workspace, platform, handle)
    row = _locked(row) if row is not None else None
    is_new = row is None
    if row is None:
        row = PlatformAccount(
            workspace=workspace,
            platform=platform,
            name=clean(place.name)[:120] or handle,
            handle=handle,
            timezone=timezone,
            state_changed_at=now,
            created_at=now,
            updated_at=now,
        )
    row.options = {**row.options, **place.options}
    row.credentials = secrets
    _check(row, adapter, secrets)
    _signed_in(row, secrets, now)
    row.grant_key, row.missing_scopes = grant_key, sorted(missing_scopes)
    row.credentials_expire_at = expires_at
    if expires_at is not None and row.refresh_state == RefreshState.DUE:
        row.refresh_state, row.refreshed_at, row.refresh_at = RefreshState.OK, now, refresh.refresh_at(expires_at, now)
    if is_new:
        _save(row)
    else:
        _touch(row, now)
    after = {"platform": platform, "name": row.name, "handle": row.handle, "missing_scopes": row.missing_scopes}
    emit(_fact("account.connected" if is_new else "account.signed_in", row, actor, now, after=after))
    if row.state in (AccountState.NEEDS_AUTH, AccountState.DISCONNECTED):
        return reconnect(account=row, actor=actor, now=now)
    return row


def handle_of(place: Place) -> str:
    """The handle under which a place is stored."""
    return clean(place.handle).lstrip("@") or slugify(place.name)


def standing_for(workspace: Workspace, platform: str, handle: str) -> PlatformAccount | None:
    """The account that this handle is connected as already; platforms do not tell upper from lower case."""
    rows = PlatformAccount.objects.filter(workspace=workspace, platform=platform)
    return rows.filter(handle=handle).first() or rows.filter(handle__iexact=handle).order_by("id").first()


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
        "grant_key": None,
        "missing_scopes": [],
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


def put_to_the_test(
    *, account: PlatformAccount, actor: Actor, now: datetime, timeout: float = VERIFY_SECONDS
) -> AccountHealth:
    """`check_now`, and keep what the platform said of the account (`AccountHealth.options`: an id, a server's own limits). The call
    is over before anything is written."""
    health = check_now(account, timeout=timeout)
    _learn(account=account, told=health.options if health.ok else {}, actor=actor, now=now)
    return health


@unit()
def _learn(*, account: PlatformAccount, told: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    new = {name: value for name, value in told.items() if account.options.get(name) != value}
    if not new:
        return
    row = _locked(account)
    row.options = {**row.options, **new}
    place(row, now)
    _touch(row, now)
    account.options, account.version = row.options, row.version
    changed = [f"options.{name}" for name in sorted(new)]
    emit(_fact("account.settings_changed", row, actor, now, after={"changed": changed}))


def health_words(health: AccountHealth) -> str:
    """A connection test in one or two sentences: what the platform says, as whom, and which rights are missing."""
    words = health.message.strip()
    if health.ok and health.identity and health.identity not in words:
        words = " ".join([words, _("You are %(identity)s there.") % {"identity": health.identity}])
    if health.missing_scopes:
        missing = {"rights": ", ".join(health.missing_scopes)}
        words = " ".join([words, _("Rights are missing: %(rights)s. Sign in again and allow them.") % missing])
    return words


def _adapter(platform: str) -> Adapter:
    try:
        return adapter_for(platform)
    except AdapterMissing as error:
        raise Refused(Problem(field="platform", message=str(error), code="adapter_missing")) from None


def _signed_in(account: PlatformAccount, secrets: Mapping[str, str], now: datetime) -> None:
    """A person gave new secrets: nobody knows until when they are good, so they are renewed soon, where that can be."""
    account.credentials_expire_at = account.refresh_at = None
    account.grant_key, account.missing_scopes = None, []
    account.refresh_state, account.refresh_error = RefreshState.NONE, ""
    place(account, now, secrets)


def _tidy(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults of posts in the form in which they are stored. Raises Refused."""
    tidy = dict(changes)
    problems = []
    if "signature" in tidy:
        tidy["signature"] = str(tidy["signature"] or "").strip()
    if "default_hashtags" in tidy:
        given = [str(item).strip().lstrip("#＃") for item in tidy["default_hashtags"] or ()]
        tags = list(dict.fromkeys(tag for tag in given if tag))
        if len(tags) > MOST_HASHTAGS or any(len(tag) > 100 or not _HASHTAG.fullmatch(tag) for tag in tags):
            words = _("Give at most %(most)s hashtags of letters, digits and underscores, without spaces.") % {
                "most": MOST_HASHTAGS
            }
            problems.append(Problem(field="default_hashtags", message=words))
        tidy["default_hashtags"] = tags
    if "utm" in tidy:
        utm = {str(name): str(value).strip() for name, value in (tidy["utm"] or {}).items() if str(value or "").strip()}
        if unknown := sorted(set(utm) - set(UTM_NAMES)):
            words = _("There is no %(name)s; there are %(names)s.") % {
                "name": unknown[0],
                "names": ", ".join(UTM_NAMES),
            }
            problems.append(Problem(field="utm", message=words, code="unknown"))
        problems += [
            Problem(field=f"utm_{name}", message=_("Write at most 200 characters, without line breaks."))
            for name, value in utm.items()
            if len(value) > 200 or not value.isprintable()
        ]
        tidy["utm"] = utm
    if problems:
        raise Refused(problems)
    return tidy


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
        message = _("There is a %(platform)s account with the handle %(handle)s already.") % {
            "platform": account.platform,
            "handle": account.handle,
        }
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
        message = _("The account is %(state)s, so this cannot be done.") % {"state": row.get_state_display().lower()}
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
