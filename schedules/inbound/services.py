"""Hooks are made, changed, given a new secret and removed here; `receiving` takes their calls."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from alwrity_scheduler.core import signing
from alwrity_scheduler.core.errors import Problem, Refused, StaleVersion
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import User, Workspace
from platforms.models import AccountGroup, PlatformAccount
from schedules.inbound import mapping as maps
from schedules.inbound.models import InboundHook, Makes, Proof, When

MOST_HOOKS = 50
BOTH_FOR = timedelta(days=1)  # so long the old secret works beside the new one
_HEADER = re.compile(r"^[A-Za-z][A-Za-z0-9-]{0,58}$")
_TAKEN_HEADERS = frozenset({"authorization", "cookie", "host", "content-type", "content-length"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HookPlan:
    """What a hook is to do. accounts, groups: public ids."""

    name: str
    proof: str = Proof.SIGNATURE.value
    header: str = "X-Hook-Secret"
    makes: str = Makes.DRAFT.value
    is_active: bool = False
    when: str = When.AT.value
    delay_minutes: int = 60
    accounts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    mapping: Mapping[str, maps.Source] = field(default_factory=dict)
    is_on: bool = True


FIELDS = tuple(HookPlan.__dataclass_fields__)


def plan_of(hook: InboundHook) -> HookPlan:
    values = {name: getattr(hook, name) for name in FIELDS}
    return HookPlan(**values | {"accounts": tuple(hook.accounts), "groups": tuple(hook.groups)})


def address_of(hook: InboundHook) -> str:
    return f"{settings.PUBLIC_URL}/hooks/{hook.token}/"


@unit()
def create(
    *, workspace: Workspace, plan: HookPlan, actor: Actor, now: datetime, person: User | None = None
) -> tuple[InboundHook, str]:
    """A new hook. Returns it with its secret, which is not shown again. Refused names each field."""
    check(workspace, plan)
    if InboundHook.objects.filter(workspace=workspace).count() >= MOST_HOOKS:
        words = _("There are %(most)s hooks here already. Remove one first.") % {"most": MOST_HOOKS}
        raise Refused(Problem(field="name", message=words, code="too_many"))
    secret = signing.generate_secret()
    row = InboundHook(
        workspace=workspace, token=secrets.token_urlsafe(24), secrets={"key": secret}, created_by=person, created_at=now,
        updated_at=now, **_values(plan),
    )  # fmt: skip
    _save(row)
    emit(_fact("hook.created", row, actor, now, after=_values(plan)))
    return row, secret


@unit()
def update(*, hook: InboundHook, plan: HookPlan, version: int, actor: Actor, now: datetime) -> InboundHook:
    """Replace what the hook does, if it is still the version that was shown."""
    check(hook.workspace, plan)
    row: InboundHook = InboundHook.objects.select_for_update().get(pk=hook.pk)
    if row.version != version:
        words = _("Somebody changed this hook while you were editing. Nothing of yours was saved: look at it again.")
        raise StaleVersion(Problem(field="version", message=words, code="stale"))
    old, new = _values(plan_of(row)), _values(plan)
    changed = [name for name in new if old[name] != new[name]]
    if not changed:
        return row
    for name, value in _values(plan).items():
        setattr(row, name, value)
    row.version, row.updated_at = row.version + 1, now
    _save(row)
    before, after = ({name: words[name] for name in changed} for words in (old, new))
    emit(_fact("hook.changed", row, actor, now, before=before, after=after))
    return row


@unit()
def rotate_secret(*, hook: InboundHook, actor: Actor, now: datetime) -> str:
    """A new secret. The old one works for another day, so that no call is lost. Returns the new one, once."""
    row: InboundHook = InboundHook.objects.select_for_update().get(pk=hook.pk)
    secret = signing.generate_secret()
    old = row.secrets["key"] if row.secrets.is_readable() else ""
    row.secrets = {"key": secret, **({"old": old} if old else {})}
    row.old_until = now + BOTH_FOR
    row.updated_at, row.version = now, row.version + 1
    row.save(update_fields=["secrets", "old_until", "updated_at", "version"])
    emit(_fact("hook.secret_rotated", row, actor, now, after={"old_until": row.old_until.isoformat()}))
    return secret


@unit()
def remove(*, hook: InboundHook, actor: Actor, now: datetime) -> None:
    """Its address answers 404 from now on. What it made stays."""
    row = InboundHook.objects.select_for_update().filter(pk=hook.pk).first()
    if row is not None:
        emit(_fact("hook.removed", row, actor, now, before={"name": row.name}))
        row.delete()


def called(*, hook: InboundHook, now: datetime) -> None:
    InboundHook.objects.filter(pk=hook.pk).update(last_called_at=now)


def check(workspace: Workspace, plan: HookPlan) -> None:
    """Everything that can be said about a hook before it is called; Refused with all of it."""
    problems = [*_plain_problems(plan), *_mapping_problems(plan.mapping)]
    if not {"title", "text", "link"} & set(plan.mapping):
        words = _("Say where the post's words come from: fill its title, its text or its link.")
        problems.append(Problem(field="mapping.text", message=words, code="required"))
    if plan.makes == Makes.SCHEDULE:
        problems += _schedule_problems(workspace, plan)
    if problems:
        raise Refused(problems)


def _plain_problems(plan: HookPlan) -> list[Problem]:
    problems = []
    if not plan.name.strip() or len(plan.name.strip()) > 80 or not plan.name.isprintable():
        problems.append(
            Problem(field="name", message=_("Give the hook a name of up to 80 characters."), code="required")
        )
    for name, kind in (("proof", Proof), ("makes", Makes), ("when", When)):
        if getattr(plan, name) not in kind.values:
            words = _("Choose one of %(values)s.") % {"values": ", ".join(kind.values)}
            problems.append(Problem(field=name, message=words))
    if plan.proof == Proof.HEADER and (not _HEADER.match(plan.header) or plan.header.lower() in _TAKEN_HEADERS):
        words = _("Write the name of a header, like X-Hook-Secret: letters, digits and dashes.")
        problems.append(Problem(field="header", message=words))
    return problems


def _mapping_problems(mapping: Mapping[str, maps.Source]) -> list[Problem]:
    problems = []
    for name, source in mapping.items():
        where = f"mapping.{name}"
        if name not in maps.TARGETS:
            words = _("A post has no field %(name)s here. There are: %(names)s.") % {
                "name": name,
                "names": ", ".join(maps.TARGETS),
            }
            problems.append(Problem(field=where, message=words, code="unknown"))
        elif set(source) == {"path"} and not maps.is_path(source["path"]):
            words = _("Write a path like data.title or items.0.text.")
            problems.append(Problem(field=where, message=words))
        elif set(source) == {"text"} and (
            len(source["text"]) > maps.LONGEST_TEXT or maps.wrong_places(source["text"]) or "\x00" in source["text"]
        ):
            words = _("Write at most %(most)s characters, and only paths between { and }, like {data.title}.") % {
                "most": maps.LONGEST_TEXT
            }
            problems.append(Problem(field=where, message=words))
        elif set(source) not in ({"path"}, {"text"}):
            problems.append(Problem(field=where, message=_("Give either a path or a text.")))
    return problems


def _schedule_problems(workspace: Workspace, plan: HookPlan) -> list[Problem]:
    problems = []
    if not plan.accounts and not plan.groups:
        words = _("Choose at least one account to publish to.")
        problems.append(Problem(field="accounts", message=words, code="required"))
    for name, model, given in (
        ("accounts", PlatformAccount, plan.accounts),
        ("groups", AccountGroup, plan.groups),
    ):
        found = model.objects.filter(workspace=workspace, public_id__in=_ids(given)).count()
        if found != len(set(given)):
            words = _("One of these is not in this workspace.")
            problems.append(Problem(field=name, message=words, code="not_found"))
    if plan.when == When.AT and "at" not in plan.mapping:
        words = _("Say where the time comes from.")
        problems.append(Problem(field="mapping.at", message=words, code="required"))
    if plan.when == When.DELAY and not 1 <= plan.delay_minutes <= 60 * 24 * 366:
        problems.append(Problem(field="delay_minutes", message=_("Give 1 minute to 366 days.")))
    return problems


def _ids(given: tuple[str, ...]) -> list[str]:
    plain = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    return [item for item in given if plain.match(item)]


def _values(plan: HookPlan) -> dict[str, Any]:
    return {
        **{name: getattr(plan, name) for name in FIELDS},
        "name": " ".join(plan.name.split()),
        "accounts": list(dict.fromkeys(plan.accounts)),
        "groups": list(dict.fromkeys(plan.groups)),
        "mapping": {name: dict(source) for name, source in plan.mapping.items()},
    }


def _save(row: InboundHook) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        words = _("There is a hook %(name)s already. Choose another name.") % {"name": row.name}
        raise Refused(Problem(field="name", message=words, code="taken")) from None


def _fact(
    name: str, row: InboundHook, actor: Actor, now: datetime, *,
    before: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None,
) -> Fact:  # fmt: skip
    return Fact(
        name=name, at=now, actor=actor, workspace_id=row.workspace_id, object_type="inbound_hook",
        object_id=str(row.public_id), object_label=row.name, before=before or {}, after=after or {},
    )  # fmt: skip
