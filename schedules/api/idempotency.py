"""`Idempotency-Key`: a POST sent again with the same key does nothing again and gets the first answer.

After the IETF draft "The Idempotency-Key HTTP Header Field" (07): 422 when a key comes back with another request, 409 while the
first is being worked on. The answer is stored in the transaction of the work itself: either both are there or neither is. Where the
work reaches other machines, which no transaction takes back, the key says afterwards that nobody knows. A refusal changes nothing
and is not kept, so that the same key can be used for the mended request. Keys are kept for a day, and belong to one caller.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core import retention
from alwrity_scheduler.core.errors import Problem, Refused
from schedules.models import IdempotencyKey

# longer than any request may take: only a process that died holds a key for so long
HELD = timedelta(seconds=90)
_KEY = re.compile(r"^[\x21-\x7e]{1,255}$")
# of an answer, what is sent again with it
_HEADERS = ("Location", "ETag")


class InFlight(Refused):
    """The same key is being worked on."""

    status = 409
    retry_after = 1


class OutcomeUnknown(Refused):
    """The work may have been done, or half of it."""

    status = 409


class Reused(Refused):
    """The key was sent with another request."""

    status = 422


def key_of(request: Request) -> str:
    """The key as sent, or nothing. Refused when it is none."""
    if "Idempotency-Key" not in request.headers:
        return ""
    key: str = request.headers["Idempotency-Key"]
    # the draft writes it as a quoted string; most clients do not
    if len(key) > 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not _KEY.match(key):
        raise Refused(
            Problem(
                field="Idempotency-Key",
                message="Send 1 to 255 visible ASCII characters without spaces, like a UUID.",
                code="malformed",
            )
        )
    return key


def fingerprint(request: Request) -> str:
    """SHA-256 of method, address, query and body. Files count with their contents."""
    found = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if (request.content_type or "").startswith("multipart/"):
        parts: Any = request.data
        for name in sorted(parts):
            for value in parts.getlist(name):
                found.update(f"{name}=".encode())
                if hasattr(value, "chunks"):
                    for piece in value.chunks():
                        found.update(piece)
                    value.seek(0)
                else:
                    found.update(str(value).encode("utf-8", "surrogatepass"))
    else:
        found.update(request._request.body)
    return found.hexdigest()


def once(
    request: Request, *, caller: str, key: str, now: datetime, reaches_out: bool, work: Callable[[], Response]
) -> Response:
    """The answer of `work`, which is done once for this caller and key."""
    holder = secrets.token_hex(16)
    row = _hold(caller, key, fingerprint(request), holder, now, reaches_out)
    if row.status:
        return _again(row)
    mine = IdempotencyKey.objects.filter(pk=row.pk, holder=holder, status=0)
    try:
        if reaches_out:
            response = work()
            _keep(mine, response)
            return response
        with transaction.atomic():
            response = work()
            if not _keep(mine, response):
                # another took over, because this one took too long: what was done here is taken back
                raise _in_flight(key)
        return response
    except BaseException:
        mine.delete()
        raise


def _hold(caller: str, key: str, wanted: str, holder: str, now: datetime, reaches_out: bool) -> IdempotencyKey:
    """The row of this key: ours to work on, or answered already. Refused in all other cases."""
    rows = IdempotencyKey.objects.filter(caller=caller, key=key)
    new = IdempotencyKey(
        caller=caller, key=key, fingerprint=wanted, holder=holder, held_until=now + HELD, reaches_out=reaches_out,
        created_at=now,
    )  # fmt: skip
    with transaction.atomic():
        rows.filter(created_at__lt=now - retention.kept("idempotency keys")).delete()
        IdempotencyKey.objects.bulk_create([new], ignore_conflicts=True)
        # between the two, whoever held it may have been refused and have let it go
        row = rows.first()
    if row is None:
        raise _in_flight(key)
    if row.holder == holder or (row.status and row.fingerprint == wanted):
        return row
    if row.fingerprint != wanted:
        raise Reused(
            Problem(
                field="Idempotency-Key",
                message="This key was sent with another request. Send a new key with each new request.",
                code="idempotency_key_reused",
            )
        )
    if row.held_until is not None and row.held_until > now:
        raise _in_flight(key)
    if row.reaches_out:
        raise OutcomeUnknown(
            Problem(
                field="Idempotency-Key",
                message="The first request with this key ended before it was answered, and it may have reached another "
                "service. Look at what it was about, then send a new key if it is still to be done.",
                code="idempotency_outcome_unknown",
            )
        )
    if not rows.filter(holder=row.holder, status=0).update(holder=holder, held_until=now + HELD):
        raise _in_flight(key)
    row.holder = holder
    return row


def _in_flight(key: str) -> InFlight:
    return InFlight(
        Problem(
            field="Idempotency-Key",
            message="The first request with this key is still being worked on. Ask again in a second.",
            code="idempotency_in_flight",
        )
    )


def _keep(mine: Any, response: Response) -> int:
    body = JSONRenderer().render(response.data).decode() if response.data is not None else ""
    kept: int = mine.update(
        status=response.status_code,
        headers={name: response.headers[name] for name in _HEADERS if name in response.headers},
        body=IdempotencyKey(body={"json": body}).body,
        held_until=None,
    )
    return kept


def _again(row: IdempotencyKey) -> Response:
    body = row.body["json"]
    headers = {**row.headers, "Idempotency-Replayed": "true"}
    return Response(json.loads(body) if body else None, status=row.status, headers=headers)
