"""The only writer of endpoints, and of deliveries that a person asks for. Secrets go out once: when they are made.

An endpoint is locked before its deliveries, and of those only what no claimer holds is changed (see `sending`).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from alwrity_scheduler.core import retention, signing
from alwrity_scheduler.core.addresses import Allowed
from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused, StaleVersion
from alwrity_scheduler.core.events import ENGINE, Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import Workspace
from platforms.models import PlatformAccount
from schedules.engine import wakeup
from schedules.engine.work import LAST_PRIORITY
from schedules.services import following
from schedules.webhooks import catalogue, payloads, rules
from schedules.webhooks.collecting import CONSUMER, place
from schedules.webhooks.matching import FILTERS
from schedules.webhooks.models import Delivery, WebhookEndpoint
from schedules.webhooks.rules import DeliveryState, Disabled, EndpointState, Origin
from schedules.webhooks.sending import pending

MOST_ENDPOINTS = 50
MOST_CHOICES = 200
MOST_OF_A_FILTER = 200
MOST_HEADERS = 10
LONGEST_HEADER = 2000
MOST_REPLAYED = 5000
BATCH = 500
Which = Literal["failed", "all"]
WHICH: tuple[Which, ...] = ("failed", "all")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z")
# what the request itself has
_TAKEN = frozenset(
    {"host", "content-type", "content-length", "content-encoding", "transfer-encoding", "connection", "user-agent",
     "accept-encoding", "upgrade", "expect", "te", "trailer"}
)  # fmt: skip
_OPEN = (DeliveryState.PENDING, DeliveryState.RUNNING, DeliveryState.HELD, DeliveryState.DELIVERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPlan:
    """What a person enters. headers None: as they are; a header whose value is None keeps its value."""

    url: str
    event_types: Sequence[str]
    description: str = ""
    filters: Mapping[str, Sequence[str]] | None = None
    headers: Mapping[str, str | None] | None = None


@unit()
def create(*, workspace: Workspace, plan: EndpointPlan, actor: Actor, now: datetime) -> tuple[WebhookEndpoint, str]:
    """A new endpoint, and its signing secret: nobody sees that again. Raises Refused."""
    if WebhookEndpoint.objects.standing().filter(workspace=workspace).count() >= MOST_ENDPOINTS:
        words = _("A workspace has at most %(most)d webhooks. Delete one first.") % {"most": MOST_ENDPOINTS}
        raise Refused(Problem(field="url", message=words, code="too_many"))
    values = _checked(workspace, plan, stored={})
    _begin_to_listen(workspace)
    secret = signing.generate_secret()
    row = WebhookEndpoint(
        workspace=workspace, secrets={"secret": secret}, state=EndpointState.ACTIVE, state_at=now, since_at=now, created_at=now,
        **values,
    )  # fmt: skip
    row.save(force_insert=True)
    emit(_fact("webhook.created", row, actor, now, after=_shown(row)))
    return row, secret


@unit()
def update(
    *, endpoint: WebhookEndpoint, plan: EndpointPlan, version: int | None = None, actor: Actor, now: datetime
) -> WebhookEndpoint:
    """Another address, other events. What is on its way goes to the new address. Raises Refused, StaleVersion."""
    row = _locked(endpoint)
    if version is not None and version != row.version:
        words = _("Somebody changed this webhook meanwhile. Look at it again.")
        raise StaleVersion(Problem(field="version", message=words, code="stale"))
    values = _checked(row.workspace, plan, stored=row.headers if plan.headers is not None else {})
    if plan.headers is None:
        del values["headers"]
    old, before = {name: _plain(getattr(row, name)) for name in values}, _shown(row)
    if old == {name: _plain(value) for name, value in values.items()}:
        return row
    if values["url"] != row.url:
        # whatever was wrong with the old address says nothing of the new one
        row.failures, row.failing_since, row.open_until = 0, None, None
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
    row.save()
    after = _shown(row)
    changed = {name for name in after if after[name] != before[name]} | ({"headers"} & values.keys())
    emit(
        _fact(
            "webhook.changed", row, actor, now,
            before={name: before[name] for name in before if name in changed},
            after={name: after[name] for name in after if name in changed},
        )
    )  # fmt: skip
    return row


@unit()
def rotate(*, endpoint: WebhookEndpoint, actor: Actor, now: datetime) -> tuple[WebhookEndpoint, str]:
    """A new secret. For a day the old one signs as well, so that the receiver can be changed meanwhile."""
    row = _locked(endpoint)
    secret = signing.generate_secret()
    secrets = {"secret": secret}
    if row.secrets.is_readable() and "secret" in row.secrets:
        secrets["previous"] = row.secrets["secret"]
    row.secrets, row.previous_until = secrets, now + rules.PREVIOUS_SECRET_SIGNS
    row.version += 1
    row.save(update_fields=["secrets", "previous_until", "version"])
    after = {"previous_until": row.previous_until.isoformat()}
    emit(_fact("webhook.secret_rotated", row, actor, now, after=after))
    return row, secret


@unit()
def pause(*, endpoint: WebhookEndpoint, actor: Actor, now: datetime) -> WebhookEndpoint:
    """Nothing is sent from now on; what happens meanwhile is kept and sent when it goes on. Raises IllegalTransition."""
    row = _locked(endpoint)
    if row.state == EndpointState.PAUSED:
        return row
    if row.state == EndpointState.DISABLED:
        words = _("This webhook is switched off already. Resume it to use it again.")
        raise IllegalTransition(Problem(field="state", message=words, code="state"))
    _enter(row, EndpointState.PAUSED, "", now)
    mine = Delivery.objects.filter(endpoint=row).exclude(origin=Origin.TEST)
    pending(mine).update(state=DeliveryState.HELD, reason="paused")
    emit(_fact("webhook.paused", row, actor, now, before={"state": "active"}, after={"state": "paused"}))
    return row


@unit()
def resume(*, endpoint: WebhookEndpoint, actor: Actor, now: datetime) -> WebhookEndpoint:
    """It goes on, with a clean slate. What was held goes out now; of what happened while it was switched off nothing was kept."""
    row = _locked(endpoint)
    before = row.state
    if before == EndpointState.ACTIVE:
        return row
    if before == EndpointState.DISABLED:
        _begin_to_listen(row.workspace)
        row.since_at = now
    row.failures, row.failing_since, row.open_until = 0, None, None
    _enter(row, EndpointState.ACTIVE, "", now)
    release_held(now=now, endpoint=row)
    emit(_fact("webhook.resumed", row, actor, now, before={"state": before}, after={"state": "active"}))
    return row


def release_held(*, now: datetime, endpoint: WebhookEndpoint | None = None) -> int:
    """Let go what is held for an endpoint that is active: of this one, or of all (made while somebody resumed it)."""
    rows = Delivery.objects.filter(state=DeliveryState.HELD)
    mine = rows.filter(endpoint__state=EndpointState.ACTIVE) if endpoint is None else rows.filter(endpoint=endpoint)
    ids = list(mine.order_by("id").values_list("pk", flat=True)[:20_000])
    if not ids:
        return 0
    wakeup.announce()
    return Delivery.objects.filter(pk__in=ids, state=DeliveryState.HELD).update(
        state=DeliveryState.PENDING, reason="", run_at=now
    )


def disable(*, endpoint: WebhookEndpoint, reason: Disabled, now: datetime) -> None:
    """The engine's own: nobody is there. The caller has locked the row. What waits is cancelled, and can be replayed."""
    if endpoint.state == EndpointState.DISABLED or endpoint.deleted_at is not None:
        return
    before = endpoint.state
    _enter(endpoint, EndpointState.DISABLED, reason, now)
    mine = Delivery.objects.filter(endpoint=endpoint)
    end = {"state": DeliveryState.CANCELLED, "reason": "disabled", "finished_at": now}
    pending(mine).update(**end)
    mine.filter(state=DeliveryState.HELD).update(**end)
    emit(
        _fact(
            "webhook.disabled", endpoint, ENGINE, now, before={"state": before},
            after={"state": "disabled", "reason": str(reason), "message": _DISABLED[reason]},
        )
    )  # fmt: skip


_DISABLED = {
    Disabled.GONE: "Its receiver answered 410: nobody listens there any more.",
    Disabled.FAILING: "Nothing could be delivered to it for five days.",
}


@unit()
def delete(*, endpoint: WebhookEndpoint, actor: Actor, now: datetime) -> None:
    """Gone at once, with its secrets; its log is removed by and by."""
    row = _locked(endpoint)
    if row.deleted_at is not None:
        return
    row.deleted_at, row.secrets, row.headers = now, {}, {}
    row.save(update_fields=["deleted_at", "secrets", "headers"])
    pending(Delivery.objects.filter(endpoint=row)).update(
        state=DeliveryState.CANCELLED, reason="deleted", finished_at=now
    )
    emit(_fact("webhook.deleted", row, actor, now, before=_shown(row)))


@unit()
def test(*, endpoint: WebhookEndpoint, actor: Actor, now: datetime) -> Delivery:
    """Send `webhook.test` now: one try, whatever state the endpoint is in."""
    body = payloads.body_of(
        payloads.test_payload(
            public_id=endpoint.public_id, label=label_of(endpoint), workspace=str(endpoint.workspace.public_id),
            actor={"kind": actor.kind, "id": actor.id, "label": actor.label}, at=now,
        )
    )  # fmt: skip
    row = Delivery(
        endpoint=endpoint, event_id=f"evt_{uuid4().hex}", event_type=rules.TEST_EVENT, event_at=now, body=body,
        origin=Origin.TEST, run_at=now, priority=LAST_PRIORITY, created_at=now,
    )  # fmt: skip
    row.save(force_insert=True)
    wakeup.announce()
    return row


@unit()
def replay(*, delivery: Delivery, actor: Actor, now: datetime) -> Delivery:
    """Send it again, as it was, with the same id. Raises IllegalTransition while it is on its way, or the endpoint is off."""
    endpoint = _locked(delivery.endpoint)
    _can_be_sent(endpoint)
    if delivery.state in (DeliveryState.PENDING, DeliveryState.RUNNING):
        words = _("This is on its way already.")
        raise IllegalTransition(Problem(field="state", message=words, code="state"))
    row = _again(endpoint, delivery, now)
    row.save(force_insert=True)
    wakeup.announce()
    emit(_fact("webhook.replayed", endpoint, actor, now, after={"count": 1, "event_type": row.event_type}))
    return row


@unit()
def replay_range(
    *, endpoint: WebhookEndpoint, since: datetime, until: datetime, which: Which = "failed", actor: Actor, now: datetime
) -> int:
    """Send again what was made in [since, until), each event once, the oldest first. Returns how many; MOST_REPLAYED at most.

    which: `failed` is what was never delivered and is not on its way; `all` is everything. Raises IllegalTransition.
    """
    row = _locked(endpoint)
    _can_be_sent(row)
    found = _to_replay(row, since, until, which)[:MOST_REPLAYED]
    made = 0
    for start in range(0, len(found), BATCH):
        rows = Delivery.objects.filter(pk__in=found[start : start + BATCH]).order_by("id")
        made += len(Delivery.objects.bulk_create([_again(row, old, now) for old in rows]))
    if made:
        wakeup.announce()
        after = {"count": made, "which": which, "since": since.isoformat(), "until": until.isoformat()}
        emit(_fact("webhook.replayed", row, actor, now, after=after))
    return made


def replay_count(*, endpoint: WebhookEndpoint, since: datetime, until: datetime, which: Which) -> int:
    """How many events `replay_range` would send."""
    return len(_to_replay(endpoint, since, until, which)[: MOST_REPLAYED + 1])


def _to_replay(endpoint: WebhookEndpoint, since: datetime, until: datetime, which: Which) -> list[int]:
    """The first delivery of each event, by age."""
    mine = Delivery.objects.filter(endpoint=endpoint).exclude(origin=Origin.TEST)
    rows: QuerySet[Delivery] = mine.made_in(since, until)
    if which == "failed":
        well = mine.filter(event_id=OuterRef("event_id"), state__in=_OPEN)
        rows = rows.filter(state__in=(DeliveryState.FAILED, DeliveryState.CANCELLED)).filter(~Exists(well))
    firsts: dict[str, int] = {}
    for pk, event_id in rows.order_by("id").values_list("pk", "event_id").iterator(chunk_size=2000):
        firsts.setdefault(event_id, pk)
        if len(firsts) > MOST_REPLAYED:
            break
    return list(firsts.values())


def _again(endpoint: WebhookEndpoint, old: Delivery, now: datetime) -> Delivery:
    is_paused = endpoint.state == EndpointState.PAUSED
    return Delivery(
        endpoint=endpoint, event_id=old.event_id, event_type=old.event_type, event_at=old.event_at, body=old.body,
        origin=Origin.REPLAY, state=DeliveryState.HELD if is_paused else DeliveryState.PENDING,
        reason="paused" if is_paused else "", run_at=max(now, endpoint.open_until or now), priority=LAST_PRIORITY,
        serial_key=place(endpoint.pk, old.pk), created_at=now,
    )  # fmt: skip


def _can_be_sent(endpoint: WebhookEndpoint) -> None:
    if endpoint.deleted_at is not None or endpoint.state == EndpointState.DISABLED:
        words = _("This webhook is switched off. Resume it first.")
        raise IllegalTransition(Problem(field="state", message=words, code="state"))


@unit()
def tidy(*, now: datetime) -> str:
    """Let go what was held by a hair, forget secrets whose day is over, and remove one batch of what is old."""
    released = release_held(now=now)
    for row in WebhookEndpoint.objects.select_for_update().filter(previous_until__lte=now).order_by("id"):
        if row.secrets.is_readable():
            row.secrets = {name: value for name, value in row.secrets.items() if name != "previous"}
        row.previous_until = None
        row.save(update_fields=["secrets", "previous_until"])
    return f"{released} let go, {prune(now=now)} removed"


def prune(*, now: datetime) -> int:
    """Remove one batch of deliveries: old ones, and those of deleted endpoints; then such endpoints themselves."""
    gone = Delivery.objects.filter(endpoint__deleted_at__isnull=False).exclude(state=DeliveryState.RUNNING)
    old = Delivery.objects.filter(created_at__lt=now - retention.kept(rules.KEPT)).exclude(
        state__in=(DeliveryState.RUNNING, DeliveryState.PENDING)
    )
    ids = list(gone.values_list("pk", flat=True)[:BATCH]) + list(
        old.order_by("created_at", "id").values_list("pk", flat=True)[:BATCH]
    )
    Delivery.objects.filter(pk__in=ids).delete()
    left = Delivery.objects.filter(endpoint=OuterRef("pk"))
    WebhookEndpoint.objects.filter(deleted_at__isnull=False).filter(~Exists(left)).delete()
    return len(set(ids))


def label_of(endpoint: WebhookEndpoint) -> str:
    """Its description, or the host: the rest of an address may hold a secret."""
    return endpoint.description or urlsplit(endpoint.url).hostname or ""


def _begin_to_listen(workspace: Workspace) -> None:
    """Where nobody has listened, the history is not read up."""
    if not WebhookEndpoint.objects.listening().filter(workspace=workspace).exists():
        following.skip_to_end(CONSUMER, workspace.pk)


def _locked(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    found: WebhookEndpoint = (
        WebhookEndpoint.objects.select_for_update(of=("self",)).select_related("workspace").get(pk=endpoint.pk)
    )
    return found


def _enter(row: WebhookEndpoint, state: EndpointState, reason: str, now: datetime) -> None:
    row.state, row.state_reason, row.state_at, row.version = state, reason, now, row.version + 1
    row.save(
        update_fields=["state", "state_reason", "state_at", "since_at", "version", "failures", "failing_since", "open_until"]
    )  # fmt: skip


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _shown(row: WebhookEndpoint) -> dict[str, Any]:
    """For the history: without the address's path and query, and without the values of headers."""
    return {
        "host": urlsplit(row.url).hostname or "",
        "description": row.description,
        "event_types": list(row.event_types),
        "filters": {name: list(values) for name, values in row.filters.items()},
        "header_names": sorted(row.headers) if row.headers.is_readable() else [],
    }


def _fact(
    name: str,
    row: WebhookEndpoint,
    actor: Actor,
    now: datetime,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Fact:
    return Fact(
        name=name, at=now, actor=actor, workspace_id=row.workspace_id, object_type="webhook", object_id=str(row.public_id),
        object_label=label_of(row), before=before or {}, after=after or {},
    )  # fmt: skip


def _checked(workspace: Workspace, plan: EndpointPlan, *, stored: Mapping[str, str]) -> dict[str, Any]:
    """The columns of a plan. Raises Refused with every problem at its field."""
    problems: list[Problem] = []
    values = {
        "url": _address(plan.url.strip(), problems),
        "description": " ".join(plan.description.split())[:200],
        "event_types": _choices(plan.event_types, problems),
        "filters": _filters(workspace, plan.filters or {}, problems),
        "headers": _headers(plan.headers or {}, stored, problems),
    }
    if problems:
        raise Refused(problems)
    return values


def _address(url: str, problems: list[Problem]) -> str:
    allowed = Allowed.of(settings.OUTBOUND_ALLOW)
    try:
        parts = urlsplit(url)
        host, _port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if not host or parts.scheme not in ("http", "https") or len(url) > 2000 or not url.isprintable() or " " in url:
        _refuse(problems, "url", _("Enter an address that begins with https://."), "invalid")
        return url
    if "@" in parts.netloc:
        words = _("Leave name and password out of the address. Send them as a header.")
        _refuse(problems, "url", words, "invalid")
    if parts.fragment:
        _refuse(problems, "url", _("Leave out what stands behind the #: it is never sent."), "invalid")
    try:
        number: str | None = str(ipaddress.ip_address(host))
    except ValueError:
        number = None
    if number is not None and not allowed.is_allowed(host, number):
        words = _(
            "%(host)s is an address of a private network. If that is meant, name it in OUTBOUND_ALLOW on the server."
        )
        _refuse(problems, "url", words % {"host": host}, "private")
    elif parts.scheme == "http" and not (host in allowed.hosts or (number and allowed.is_allowed(host, number))):
        words = _("Use https://: anybody on the way could read what is sent over http.")
        _refuse(problems, "url", words, "insecure")
    return url


def _choices(names: Sequence[str], problems: list[Problem]) -> list[str]:
    chosen = list(dict.fromkeys(names))
    if not chosen:
        _refuse(problems, "event_types", _("Choose at least one event."), "required")
    if len(chosen) > MOST_CHOICES:
        words = _("Choose at most %(most)d events, or all of a kind, like job.*.") % {"most": MOST_CHOICES}
        _refuse(problems, "event_types", words, "too_many")
    for name in chosen[:MOST_CHOICES]:
        if not catalogue.is_known(name):
            near = catalogue.nearest(name)
            words = _("There is no event %(name)s.") % {"name": name[:64]}
            if near:
                words = f"{words} {_('Did you mean %(near)s?') % {'near': near}}"
            _refuse(problems, "event_types", words, "unknown")
    return chosen


def _filters(workspace: Workspace, given: Mapping[str, Sequence[str]], problems: list[Problem]) -> dict[str, list[str]]:
    found = {}
    for name, wanted in given.items():
        values = list(dict.fromkeys(str(value).strip() for value in wanted if str(value).strip()))
        if name not in FILTERS:
            words = _("There is no such filter. Known are %(known)s.") % {"known": ", ".join(FILTERS)}
            _refuse(problems, "filters", words, "unknown")
        elif len(values) > MOST_OF_A_FILTER or any(len(value) > 120 for value in values):
            words = _("A filter takes at most %(most)d words of at most 120 characters.") % {"most": MOST_OF_A_FILTER}
            _refuse(problems, name, words, "too_many")
        elif values:
            found[name] = values
    if "accounts" in found:
        found["accounts"] = _account_ids(workspace, found["accounts"], problems)
    return found


def _account_ids(workspace: Workspace, names: Sequence[str], problems: list[Problem]) -> list[str]:
    ids = set()
    for name in names:
        try:
            ids.add(UUID(name))
        except ValueError:
            pass
    mine = PlatformAccount.objects.filter(workspace=workspace, public_id__in=ids)
    found = {str(public_id) for public_id in mine.values_list("public_id", flat=True)}
    if len(found) != len(names):
        _refuse(problems, "accounts", _("One of these accounts is not in this workspace."), "not_found")
    return sorted(found)


def _headers(given: Mapping[str, str | None], stored: Mapping[str, str], problems: list[Problem]) -> dict[str, str]:
    kept = {name.lower(): value for name, value in stored.items()} if any(v is None for v in given.values()) else {}
    found: dict[str, str] = {}
    for name, value in given.items():
        if value is None:
            value = kept.get(name.lower())
        if not _HEADER_NAME.match(name) or name.lower() in _TAKEN or name.lower().startswith("webhook-"):
            words = _("%(name)s cannot be used as a header here.") % {"name": name[:100]}
            _refuse(problems, "headers", words, "invalid")
        elif not value or len(value) > LONGEST_HEADER or not (value.isascii() and value.isprintable()):
            words = _("Enter a value of plain characters for the header %(name)s.") % {"name": name}
            _refuse(problems, "headers", words, "invalid")
        else:
            found[name] = value
    if len({name.lower() for name in given}) != len(given) or len(given) > MOST_HEADERS:
        words = _("Give at most %(most)d headers, each name once.") % {"most": MOST_HEADERS}
        _refuse(problems, "headers", words, "too_many")
    return found


def _refuse(problems: list[Problem], field: str, message: str, code: str) -> None:
    problems.append(Problem(field=field, message=message, code=code))
