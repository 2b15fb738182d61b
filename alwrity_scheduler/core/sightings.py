"""What is seen of attempts to get in: sign-ins, refusals, uses of tokens. A fact is what changed; a sighting is what was tried.

Whoever lets people in tells; who keeps the log registers above (`subscribe`). A listener must be quick; one that fails is
logged and never stops a request.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alwrity_scheduler.core import clock

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """kind in dotted past tense (`sign_in.failed`, `token.refused`); who: a name that may be nobody's. No secrets."""

    kind: str
    at: datetime
    who: str = ""
    user_id: int | None = None
    token_id: int | None = None
    workspace_id: int | None = None
    address: str = ""
    agent: str = ""
    request_id: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


Listener = Callable[[Sighting], None]
_listeners: list[Listener] = []


def subscribe(listener: Listener) -> None:
    """Called from wiring only."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(sighting: Sighting) -> None:
    for listener in _listeners:
        try:
            listener(sighting)
        except Exception:
            # the edge: a log that cannot be written must not lock people out
            logger.exception("A sighting was not kept.", extra={"action": "sighting_lost"})


def tell_request(kind: str, request: Any, *, at: datetime, **values: Any) -> None:
    """The same with address, agent and request id taken from the request."""
    tell(
        Sighting(
            kind=kind, at=at, address=address_of(request), agent=request.META.get("HTTP_USER_AGENT", "")[:200],
            request_id=str(getattr(request, "id", "")), **values,
        )
    )  # fmt: skip


def refused(request: Any, error: Any) -> None:
    """Somebody known asked for what their role or token may not."""
    user = getattr(request, "user", None)
    if request is None or user is None or not getattr(user, "is_authenticated", False):
        return
    token = getattr(user, "api_token", None)
    tell_request(
        "access.refused", request, at=clock.now(), who=user.get_username(),
        user_id=user.pk if isinstance(user.pk, int) else None, token_id=getattr(token, "pk", None),
        workspace_id=getattr(token, "workspace_id", None),
        details={"path": request.path[:200], "method": request.method, "code": error.problems[0].code},
    )  # fmt: skip


def address_of(request: Any) -> str:
    """Where a request came from. Behind a proxy (`BEHIND_PROXY`) the last address that the proxy added."""
    from django.conf import settings

    if getattr(settings, "BEHIND_PROXY", False):
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        if forwarded:
            return str(forwarded)[:45]
    return str(request.META.get("REMOTE_ADDR") or "")[:45]
