"""One call of a hook, from the bytes that came to the answer: is it who it says, was it here before, what does it make?

What is made, and the memory of the message that made it, are one transaction: the same message twice, however close, makes one
post. A call that was refused made nothing, so the same message may come again and is looked at anew.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from alwrity_scheduler.core import signing
from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import Actor, unit
from alwrity_scheduler.core.hiding import hidden_value
from alwrity_scheduler.workspaces.models import validate_timezone
from platforms.models import PlatformAccount
from platforms.services.groups import expand
from schedules.inbound import mapping as maps
from schedules.inbound import services
from schedules.inbound.models import HookCall, InboundHook, Makes, Proof, When
from schedules.inbound.services import HookPlan
from schedules.models import Schedule
from schedules.services import approval, content, reviewing, slots
from schedules.services import schedules as schedule_service
from schedules.services.plans import ContentDraft, SchedulePlan, TargetPlan

MOST_BYTES = 256 * 1024
MOST_A_MINUTE = 60
REMEMBERED = timedelta(days=1)
LOGGED = 100  # calls of a hook that its log keeps
LONGEST_LOGGED = 2_000
LONGEST_ID = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One thing that was refused. path: from where in the call it came; empty where it did not come from there."""

    field: str
    path: str
    message: str
    code: str = "invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What is answered. status: 201 made, 200 the same again, 401, 410, 413, 422 or 429. made: what the answer says then."""

    status: int
    made: Mapping[str, Any] = field(default_factory=dict)
    detail: str = ""
    wrong: tuple[Wrong, ...] = ()
    retry_after_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a call asks for: the words, and where and when they go out. plan: none for a post without a time."""

    draft: ContentDraft
    plan: SchedulePlan | None = None
    queued: bool = False


def receive(
    *, hook: InboundHook, headers: Mapping[str, str], body: bytes, form: bool, request_id: str, now: datetime
) -> Result:
    """Take one call. headers: as they came, names in any case. form: the body is form fields and not JSON."""
    if HookCall.objects.filter(hook=hook, at__gt=now - timedelta(minutes=1)).count() >= MOST_A_MINUTE:
        detail = _("This hook takes %(most)s calls a minute. Send it again a little later.") % {"most": MOST_A_MINUTE}
        return Result(status=429, detail=detail, retry_after_seconds=60)
    lower = {name.lower(): value for name, value in headers.items()}
    result = _answer(hook, lower, body, form, request_id, now)
    services.called(hook=hook, now=now)
    return result


def _answer(
    hook: InboundHook, headers: Mapping[str, str], body: bytes, form: bool, request_id: str, now: datetime
) -> Result:
    if len(body) > MOST_BYTES:
        detail = _("A call may have %(most)s bytes at most.") % {"most": f"{MOST_BYTES:,}"}
        return _logged(hook, Result(status=413, detail=detail), "", now)
    if refusal := _not_proven(hook, headers, body, now):
        return _logged(hook, Result(status=401, detail=refusal), _cut(body), now)
    if not hook.is_on:
        return _logged(hook, Result(status=410, detail=_("This hook is switched off.")), _cut(body), now)
    try:
        data = _read(body, form=form)
        return _take(hook, data, headers, body, request_id, now)
    except Refused as error:
        mapping = hook.mapping
        wrong = tuple(
            Wrong(
                field=problem.field, path=maps.paths(mapping, problem.field), message=problem.message, code=problem.code
            )
            for problem in error.problems
        )
        detail = " ".join(dict.fromkeys(item.message for item in wrong))
        return _logged(hook, Result(status=422, detail=detail, wrong=wrong), _cut(body), now)


def _not_proven(hook: InboundHook, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Why the caller is not believed; empty when it is."""
    keys = [hook.secrets["key"]] if hook.secrets.is_readable() and "key" in hook.secrets else []
    if hook.old_until is not None and now < hook.old_until and keys and "old" in hook.secrets:
        keys.append(hook.secrets["old"])
    if hook.proof == Proof.HEADER:
        given = headers.get(hook.header.lower(), "")
        # all are compared, so that the time it takes says nothing
        fits = [hmac.compare_digest(given.encode(), key.encode()) for key in keys]
        return "" if any(fits) else _("The header %(name)s does not hold this hook's secret.") % {"name": hook.header}
    words = ""
    for key in keys:
        try:
            signing.verify(key, headers, body, now=now)
        except signing.BadSignature as error:
            words = words or str(error)
        else:
            return ""
    return _("The signature does not hold: %(why)s.") % {"why": words or "no secret is readable"}


def _read(body: bytes, *, form: bool) -> Any:
    try:
        text = body.decode()
        if form:
            found = parse_qs(text, keep_blank_values=True, max_num_fields=500)
            return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(Problem(field="body", message=_("This is no JSON: %(why)s.") % {"why": error})) from error
    if not isinstance(data, dict | list):
        raise Refused(Problem(field="body", message=_("Send a JSON object or a list.")))
    return data


@unit()
def _take(
    hook: InboundHook, data: Any, headers: Mapping[str, str], body: bytes, request_id: str, now: datetime
) -> Result:
    message_id = headers.get("webhook-id") or headers.get("idempotency-key") or ""
    if len(message_id) > LONGEST_ID or not message_id.isprintable():
        words = _("The message's id may have %(most)s characters at most.") % {"most": LONGEST_ID}
        raise Refused(Problem(field="webhook-id", message=words))
    call = HookCall(hook=hook, at=now, message_id=message_id, status=201, body=_cut(body))
    try:
        # first of all: of two at once, the second waits here for what the first one makes
        with transaction.atomic():
            call.save()
    except IntegrityError:
        known = HookCall.objects.get(hook=hook, message_id=message_id)
        return Result(status=200, made=known.answer)
    actor = Actor(kind="hook", id=str(hook.public_id), label=hook.name, request_id=request_id)
    call.answer = make(hook, understood(services.plan_of(hook), hook, data, now), actor=actor, now=now)
    call.words = call.answer["state"]
    call.save(update_fields=["answer", "words"])
    return Result(status=201, made=call.answer)


def understood(plan: HookPlan, hook: InboundHook, data: Any, now: datetime) -> Made:
    """What this call asks for. Writes nothing. Refused names each target field; `hook` gives workspace only."""
    values, troubles = maps.filled(plan.mapping, data)
    if troubles:
        raise Refused(Problem(field=item.field, message=_why(item), code=item.code) for item in troubles)
    words: dict[str, Any] = {name: tuple(found) if name in maps.LISTS else found for name, found in values.items()}
    draft = ContentDraft(**{name: found for name, found in words.items() if name not in maps.TIMES})
    content.check_content(draft)
    if plan.makes != Makes.SCHEDULE:
        return Made(draft=draft)
    accounts = _accounts(plan, hook)
    zone = _zone(values.get("timezone", ""), hook.workspace.timezone)
    targets = tuple(TargetPlan(account_id=str(row.public_id)) for row in accounts)
    at = now if plan.when == When.QUEUE else now + timedelta(minutes=plan.delay_minutes)
    local = _local(values.get("at", ""), zone) if plan.when == When.AT else at.astimezone(ZoneInfo(zone))
    wanted = SchedulePlan(
        rule_kind="once", timezone=zone, start_local=local.replace(tzinfo=None, fold=0, microsecond=0),
        start_fold=local.fold, targets=targets,
    )  # fmt: skip
    if plan.when == When.QUEUE:
        return Made(draft=draft, plan=_in_queue(wanted, accounts, zone, now), queued=True)
    return Made(draft=draft, plan=wanted)


def make(hook: InboundHook, asked: Made, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """Make it, with an author's rights: where approval is asked for, the post waits for it. Returns what the answer says."""
    if asked.plan is None:
        row = content.create_content(workspace=hook.workspace, draft=asked.draft, actor=actor, now=now)
        return {"content": str(row.public_id), "schedule": None, "state": "draft"}
    try:
        with unit():
            made = _schedule(hook, asked, "active" if hook.is_active else "draft", actor, now)
    except Refused as error:
        if {problem.code for problem in error.problems} != {reviewing.needs_approval().code}:
            raise
        made = _schedule(hook, replace(asked, queued=False), "draft", actor, now)
        approval.submit(schedule=made, actor=actor, now=now)
    made.refresh_from_db()
    return {
        "content": str(made.content.public_id),
        "schedule": str(made.public_id),
        "state": made.state,
        "at": made.start_local.replace(tzinfo=ZoneInfo(made.timezone), fold=made.start_fold)
        .astimezone(UTC)
        .isoformat(),
        "timezone": made.timezone,
    }


def _schedule(hook: InboundHook, asked: Made, state: str, actor: Actor, now: datetime) -> Schedule:
    assert asked.plan is not None
    if asked.queued and state == "active":
        return slots.add_to_queue(workspace=hook.workspace, draft=asked.draft, plan=asked.plan, actor=actor, now=now)[0]
    return schedule_service.create_schedule(
        workspace=hook.workspace, content=asked.draft, plan=asked.plan, state=state, actor=actor, now=now
    )


def _accounts(plan: HookPlan, hook: InboundHook) -> list[PlatformAccount]:
    named = list(PlatformAccount.objects.filter(workspace=hook.workspace, public_id__in=plan.accounts).order_by("id"))
    more = expand(workspace=hook.workspace, group_ids=[UUID(item) for item in plan.groups])
    return list({row.pk: row for row in [*named, *more]}.values())


def _in_queue(plan: SchedulePlan, accounts: list[PlatformAccount], zone: str, now: datetime) -> SchedulePlan:
    """The earliest free time of the accounts: what a draft is given, and what the preview shows."""
    found = [at for at in (slots.next_slot(row, now=now) for row in accounts) if at is not None]
    if len(found) != len(accounts):
        missing = ", ".join(row.name for row in accounts if slots.next_slot(row, now=now) is None)
        words = _("No free posting time on: %(names)s. Give the accounts posting times, or let the call say the time.")
        raise Refused(Problem(field="accounts", message=words % {"names": missing}, code="no_slot"))
    local = min(found).astimezone(ZoneInfo(zone))
    return replace(plan, start_local=local.replace(tzinfo=None, fold=0), start_fold=local.fold)


def _zone(given: str, home: str) -> str:
    if not given:
        return home
    try:
        validate_timezone(given)
    except Exception as error:
        words = _("%(zone)s is not a time zone; send one like Europe/Berlin.") % {"zone": given[:80]}
        raise Refused(Problem(field="timezone", message=words)) from error
    return given


def _local(text: str, zone: str) -> datetime:
    """ISO 8601 with an offset, or without one on the zone's wall clock; or seconds since 1970. As wall clock of the zone."""
    try:
        if text.removeprefix("-").isdecimal():
            at = datetime.fromtimestamp(int(text), tz=UTC)
        else:
            at = datetime.fromisoformat(text.strip())
        return at.astimezone(ZoneInfo(zone)) if at.tzinfo else at
    except (ValueError, OverflowError, OSError) as error:
        words = _("%(given)s is not a time; send one like 2026-12-01T09:00:00 or 2026-12-01T09:00:00+01:00.")
        raise Refused(Problem(field="at", message=words % {"given": f"“{text[:60]}”"})) from error


def _why(trouble: maps.Trouble) -> str:
    words = {
        "missing": _("The call has no %(path)s. Write %(path)s? where it may be missing."),
        "not_text": _("%(path)s is an object or a list, and no text. Go on to what is in it, like %(path)s.name."),
        "too_long": _("%(path)s is too long."),
        "characters": _("%(path)s holds characters that cannot be stored."),
    }[trouble.code]
    return words % {"path": trouble.path}


def _logged(hook: InboundHook, result: Result, body: str, now: datetime) -> Result:
    HookCall.objects.create(
        hook=hook, at=now, status=result.status, words=result.detail[:500], body=body,
        answer={"errors": [{"field": item.field, "path": item.path, "message": item.message} for item in result.wrong]},
    )  # fmt: skip
    return result


def _cut(body: bytes) -> str:
    """The beginning of what came, for the log: without what looks like a secret."""
    text = body[: 16 * LONGEST_LOGGED].decode(errors="replace").replace("\x00", "")
    try:
        text = json.dumps(_masked(json.loads(body.decode())), ensure_ascii=False, indent=1).replace("\\u0000", "")
    except (ValueError, RecursionError):
        text = str(hidden_value("body", text))
    return text[:LONGEST_LOGGED].encode(errors="replace").decode()


def _masked(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _masked(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, name) for inner in value]
    return hidden_value(name, value) if isinstance(value, str) else value


def tidy(*, now: datetime, most: int = 500) -> int:
    """Forget what is older than a day and no longer in a hook's log. Returns how many calls went."""
    gone = 0
    for hook in InboundHook.objects.filter(calls__at__lt=now - REMEMBERED).distinct().order_by("id")[:most]:
        kept = hook.calls.order_by("-id").values_list("id", flat=True)[LOGGED - 1 : LOGGED].first()
        if kept is not None:
            gone += hook.calls.filter(id__lt=kept, at__lt=now - REMEMBERED).delete()[0]
    return gone
