"""The delivering kind of work: signed, sent once a claim, tried again over a day, and never in the way of a post.

At least once: a try that was cut off between request and answer is made again, with the same id. What endpoints come to is decided
here: how long they wait, when only a probe goes, and when nobody is told any more. Locks are taken in one order: an endpoint before
its deliveries, and of those only what no claimer holds.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db.models import F, Q, QuerySet

from alwrity_scheduler.core import clock, signing
from alwrity_scheduler.core.events import unit
from alwrity_scheduler.core.hiding import HIDDEN, hidden, hidden_value
from alwrity_scheduler.core.secrets import CannotDecrypt
from platforms import rates
from schedules.engine.work import Claim, WorkKind, WorkRow
from schedules.webhooks import rules
from schedules.webhooks.models import Delivery, DeliveryAttempt, WebhookEndpoint
from schedules.webhooks.rules import CALL_SECONDS, DeliveryState, Disabled, Ending, EndpointState, Origin

AGENT = "ALwrity-Webhooks/1.0"
MARGIN_SECONDS = 5.0
PROBE_LASTS = timedelta(seconds=CALL_SECONDS + 2 * MARGIN_SECONDS)
MOVED_AT_ONCE = 5000
LARGEST_ANSWER = 1024 * 1024
dice = random.SystemRandom()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverTask:
    """What is to be sent. No secrets: they could not be read. `start_by` in monotonic seconds: later the lease would not last."""

    endpoint_id: int
    delivery_id: int
    attempt_id: int
    url: str = field(repr=False)
    event_id: str
    body: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    start_by: float
    marks: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one try came to. sent: the headers as they may be shown."""

    ending: Ending
    at: datetime
    milliseconds: int = 0
    status: int | None = None
    message: str = ""
    retry_after: timedelta | None = None
    sent: Mapping[str, str] = field(default_factory=dict)
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    answer_body: str = ""


class NotSent:
    """The call was not made."""


class DeliverKind(WorkKind):
    name: ClassVar[str] = "deliver"
    model: ClassVar[type[WorkRow]] = Delivery
    most_a_claim: ClassVar[int] = 50
    share: ClassVar[float] = 0.25

    def arm(self, claims: Sequence[Claim], now: datetime) -> list[tuple[Claim, Any]]:
        rows = Delivery.objects.select_related("endpoint").in_bulk([claim.id for claim in claims])
        sorting = _Sorting(now)
        going = [(claim, row) for claim in claims if sorting.lets_go(row := rows[claim.id])]
        sorting.put_away({row.pk for _, row in going})
        attempts = DeliveryAttempt.objects.bulk_create(
            [DeliveryAttempt(delivery_id=row.pk, no=row.tries + 1, at=now) for _, row in going]
        )
        return [
            (claim, _task(claim, row, attempt.pk, now)) for (claim, row), attempt in zip(going, attempts, strict=True)
        ]

    def ids(self, task: DeliverTask) -> dict[str, Any]:
        return {"delivery": task.delivery_id, "endpoint": task.endpoint_id}

    def perform(self, task: DeliverTask) -> Outcome | NotSent:
        return NotSent() if clock.monotonic() > task.start_by else send(task)

    def finish(self, results: Sequence[tuple[Claim, Any, Any]], now: datetime) -> None:
        with unit():
            for claim, task, result in sorted(results, key=lambda item: (item[1].endpoint_id, item[0].id)):
                if isinstance(result, NotSent):
                    _put_back(claim, task)
                else:
                    _settle(claim, task, result, now)

    def release(self, claims: Sequence[tuple[Claim, Any]], now: datetime) -> None:
        with unit():
            for claim, task in claims:
                _put_back(claim, task)

    def rescue(self, now: datetime, *, dead_workers: Sequence[str] = ()) -> int:
        """Whether the receiver had it is not known, so it is sent again: with the same id, by which the receiver can tell."""
        lost = Q(lease_until__lt=now) | Q(worker__in=dead_workers)
        with unit():
            ids = list(Delivery.objects.filter(lost, state=DeliveryState.RUNNING).values_list("pk", flat=True))
            if not ids:
                return 0
            words = "The scheduler stopped before the answer came."
            cut_off = DeliveryAttempt.objects.filter(delivery_id__in=ids, ending="")
            cut_off.update(ending=Ending.INTERRUPTED, message=words)
            running = Delivery.objects.filter(lost, pk__in=ids, state=DeliveryState.RUNNING)
            return running.update(state=DeliveryState.PENDING, lease_until=None, run_at=now)


class _Sorting:
    """Which of the claimed rows go now, and where the others are put. Runs in the claiming transaction."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._waiting: dict[int, datetime] = {}
        self._away: dict[tuple[DeliveryState, str], list[int]] = {}

    def lets_go(self, row: Delivery) -> bool:
        endpoint = row.endpoint
        if endpoint.deleted_at is not None:
            return self._put(row, DeliveryState.CANCELLED, "deleted")
        if row.origin == Origin.TEST:
            # somebody wants to know, whatever state the endpoint is in
            return True
        if endpoint.state == EndpointState.PAUSED:
            return self._put(row, DeliveryState.HELD, "paused")
        if endpoint.state == EndpointState.DISABLED:
            return self._put(row, DeliveryState.CANCELLED, "disabled")
        if endpoint.pk not in self._waiting and self._may_go(endpoint):
            return True
        self._waiting.setdefault(endpoint.pk, endpoint.open_until or self._now + PROBE_LASTS)
        return False

    def _put(self, row: Delivery, state: DeliveryState, reason: str) -> bool:
        self._away.setdefault((state, reason), []).append(row.pk)
        return False

    def _may_go(self, endpoint: WebhookEndpoint) -> bool:
        if endpoint.open_until is not None and endpoint.open_until > self._now:
            return False
        if endpoint.failures < rules.BREAKS_AT:
            return True
        # one goes to see; the others wait until it is known what it came to, or until it should have been
        until = self._now + PROBE_LASTS
        mine = WebhookEndpoint.objects.filter(pk=endpoint.pk).filter(Q(open_until=None) | Q(open_until__lte=self._now))
        is_probe = bool(mine.update(open_until=until))
        self._waiting[endpoint.pk] = until
        return is_probe

    def put_away(self, going: Collection[int]) -> None:
        for (state, reason), ids in self._away.items():
            finished_at = self._now if state == DeliveryState.CANCELLED else None
            Delivery.objects.filter(pk__in=ids).update(state=state, reason=reason, finished_at=finished_at)
        for endpoint_id, until in self._waiting.items():
            due = Delivery.objects.filter(endpoint_id=endpoint_id, run_at__lte=self._now).exclude(pk__in=going)
            # all that is due at once, or it would come here row by row
            pending(due.exclude(origin=Origin.TEST)).update(run_at=until)


def pending(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Those of the rows that wait, as a list of ids that no other claimer holds: to be changed together."""
    free = rows.filter(state=DeliveryState.PENDING).select_for_update(skip_locked=True).order_by("id")
    ids = list(free.values_list("pk", flat=True)[:MOVED_AT_ONCE])
    return Delivery.objects.filter(pk__in=ids, state=DeliveryState.PENDING)


def _task(claim: Claim, row: Delivery, attempt_id: int, now: datetime) -> DeliverTask:
    endpoint = row.endpoint
    try:
        secrets, headers = tuple(signing_secrets(endpoint, now)), dict(endpoint.headers)
    except CannotDecrypt:
        secrets, headers = (), {}
    left = (claim.lease_until - now).total_seconds() - MARGIN_SECONDS - CALL_SECONDS
    return DeliverTask(
        endpoint_id=endpoint.pk, delivery_id=row.pk, attempt_id=attempt_id, url=endpoint.url, event_id=row.event_id, body=row.body,
        secrets=secrets, headers=headers, start_by=claim.read_at + left,
        marks={"tries": row.tries + 1, "first_tried_at": row.first_tried_at or now},
    )  # fmt: skip


def signing_secrets(endpoint: WebhookEndpoint, now: datetime) -> Iterator[str]:
    """The secret, and for a while after a rotation the one before it. Raises CannotDecrypt."""
    yield endpoint.secrets["secret"]
    if endpoint.previous_until is not None and endpoint.previous_until > now and "previous" in endpoint.secrets:
        yield endpoint.secrets["previous"]


def send(task: DeliverTask) -> Outcome:
    """One signed POST, and what came of it. Never raises for what a receiver does."""
    from alwrity_scheduler.core import http  # brings the HTTP client, which a process can start without

    at = clock.now()
    if not task.secrets:
        words = "Its secret cannot be decrypted. Put the key back into ENCRYPTION_KEYS, or rotate the secret."
        return Outcome(ending=Ending.SECRET_UNREADABLE, at=at, message=words)
    body = task.body.encode()
    signed = signing.headers(task.secrets, task.event_id, at, body)
    plain = {"Content-Type": "application/json", "User-Agent": AGENT}
    sent = {**plain, **_shown_signature(signed), **dict.fromkeys(task.headers, HIDDEN)}
    began = clock.monotonic()
    try:
        answer = http.request(
            "POST", task.url, headers={**task.headers, **plain, **signed}, content=body, timeout=CALL_SECONDS,
            max_bytes=LARGEST_ANSWER,
        )  # fmt: skip
    except http.OutboundError as error:
        ending = _ending_of_error(error)
        took = _since(began)
        return Outcome(ending=ending, at=at, milliseconds=took, message=_clean(str(error))[:300], sent=sent)
    wait = rates.retry_after(answer.headers.get("retry-after", ""), at)
    ending = rules.ending_of(answer.status)
    return Outcome(
        ending=ending, at=at, milliseconds=_since(began), status=answer.status, message=_words(ending, answer.status), sent=sent,
        retry_after=None if wait is None else timedelta(seconds=wait),
        answer_headers={name: str(hidden_value(name, _clean(value[:500]))) for name, value in list(answer.headers.items())[:40]},
        answer_body=_clean(answer.body[: rules.MOST_ANSWER_BYTES].decode("utf-8", "replace")),
    )  # fmt: skip


def _shown_signature(signed: Mapping[str, str]) -> dict[str, str]:
    """Enough to tell two apart, not enough to be used."""
    short = " ".join(f"{one[:9]}…" for one in signed["webhook-signature"].split())
    return {**signed, "webhook-signature": short}


def _since(began: float) -> int:
    return int((clock.monotonic() - began) * 1000)


def _clean(text: str) -> str:
    return hidden(text.replace("\x00", "\N{REPLACEMENT CHARACTER}"))


def _ending_of_error(error: Exception) -> Ending:
    import httpx

    from alwrity_scheduler.core import http

    if isinstance(error, http.AddressRefused):
        return Ending.ADDRESS_REFUSED
    if isinstance(error, http.NotSent):
        return Ending.UNREACHABLE
    return Ending.TIMEOUT if isinstance(error.__cause__, httpx.TimeoutException) else Ending.BROKEN


def _words(ending: Ending, status: int) -> str:
    match ending:
        case Ending.DELIVERED:
            return ""
        case Ending.REDIRECTED:
            return f"It answered {status}, a redirect. Redirects are not followed: enter the address it leads to."
        case Ending.GONE:
            return "It answered 410: nobody listens there any more."
        case Ending.SLOW_DOWN:
            return f"It answered {status}: too much, or not now."
        case _:
            return f"It answered {status}. Only 2xx is taken for delivered."


def _put_back(claim: Claim, task: DeliverTask) -> None:
    """Nothing was sent, so it was no try."""
    if _mine(claim).update(state=DeliveryState.PENDING, lease_until=None, tries=F("tries") - 1):
        DeliveryAttempt.objects.filter(pk=task.attempt_id, ending="").delete()


def _settle(claim: Claim, task: DeliverTask, outcome: Outcome, now: datetime) -> None:
    DeliveryAttempt.objects.filter(pk=task.attempt_id, ending="").update(
        ending=outcome.ending, at=outcome.at, duration_ms=outcome.milliseconds, status=outcome.status, message=outcome.message,
        request_headers=dict(outcome.sent), answer_headers=dict(outcome.answer_headers), answer_body=outcome.answer_body,
    )  # fmt: skip
    if outcome.ending == Ending.DELIVERED:
        _taken(task.endpoint_id, now)
        _mine(claim).update(
            state=DeliveryState.DELIVERED,
            lease_until=None,
            finished_at=now,
            last_status=outcome.status,
            last_message="",
        )
        return
    endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=task.endpoint_id).first()
    row = _mine(claim).first()
    if endpoint is None or row is None:
        return
    _not_taken(endpoint, row, outcome, now)
    _mine(claim).update(
        lease_until=None, last_status=outcome.status, last_message=outcome.message, **_next(endpoint, row, outcome, now)
    )


def _taken(endpoint_id: int, now: datetime) -> None:
    """The receiver is there: what waited for it goes on. Costs no lock while all is well."""
    rows = WebhookEndpoint.objects.select_for_update()
    endpoint = rows.filter(Q(failures__gt=0) | Q(failing_since__isnull=False), pk=endpoint_id).first()
    if endpoint is None:
        return
    was_open = endpoint.failures >= rules.BREAKS_AT
    endpoint.failures, endpoint.failing_since = 0, None
    if was_open:
        endpoint.open_until = None
    endpoint.save(update_fields=["failures", "failing_since", "open_until"])
    if was_open:
        pending(Delivery.objects.filter(endpoint_id=endpoint_id, run_at__gt=now)).update(run_at=now)


def _not_taken(endpoint: WebhookEndpoint, row: Delivery, outcome: Outcome, now: datetime) -> None:
    """What the failure means for the endpoint. It is locked."""
    from schedules.webhooks import services

    if outcome.ending == Ending.GONE:
        services.disable(endpoint=endpoint, reason=Disabled.GONE, now=now)
        return
    if row.origin == Origin.TEST:
        return
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    waits = [endpoint.open_until or now]
    if outcome.ending == Ending.SLOW_DOWN:
        asked = outcome.retry_after or timedelta()
        waits.append(now + max(rules.SLOW_PAUSE, min(asked, rules.LONGEST_RETRY_AFTER)))
    if endpoint.failures >= rules.BREAKS_AT:
        # the probe's own wait was until its answer at the latest
        waits[0] = now
        waits.append(now + rules.probe_after(endpoint.failures))
    endpoint.open_until = max(waits) if max(waits) > now else endpoint.open_until
    endpoint.save(update_fields=["failures", "failing_since", "open_until"])
    if endpoint.failures >= rules.BREAKS_AT and now - endpoint.failing_since >= rules.DISABLED_AFTER:
        services.disable(endpoint=endpoint, reason=Disabled.FAILING, now=now)


def _next(endpoint: WebhookEndpoint, row: Delivery, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """Where the delivery goes from here."""
    if row.origin == Origin.TEST:
        return {"state": DeliveryState.FAILED, "finished_at": now, "reason": "test"}
    if endpoint.deleted_at is not None:
        return {"state": DeliveryState.CANCELLED, "finished_at": now, "reason": "deleted"}
    if endpoint.state == EndpointState.DISABLED:
        return {"state": DeliveryState.CANCELLED, "finished_at": now, "reason": "disabled"}
    if rules.is_over(tries=row.tries, since_first=now - (row.first_tried_at or now)):
        return {"state": DeliveryState.FAILED, "finished_at": now, "reason": "exhausted"}
    wait = rules.pause_after(row.tries, dice=dice.random(), retry_after=outcome.retry_after)
    return {"state": DeliveryState.PENDING, "run_at": max(now + wait, endpoint.open_until or now)}


def _mine(claim: Claim) -> QuerySet[Delivery]:
    found: QuerySet[Delivery] = Delivery.objects.filter(
        pk=claim.id, state=DeliveryState.RUNNING, lease_token=claim.token
    )
    return found
