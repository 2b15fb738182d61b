"""How much one caller may ask for: a number of requests a minute, counted in the cache that all web processes share.

Headers as most clients know them (`RateLimit-Limit`, `-Remaining`, `-Reset`; IETF draft "RateLimit header fields for HTTP", 07),
with the policy beside them. `API_RATE_LIMIT` requests a minute for each token, app or person, `API_RATE_LIMIT_ANONYMOUS` for
each address that says nothing of itself; 0 is no limit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.views import APIView

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.sightings import address_of

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Budget:
    """limit: requests a window. reset: whole seconds until the window ends."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
            "RateLimit-Policy": f"{self.limit};w={WINDOW_SECONDS}",
        }


def caller_of(request: Any) -> str:
    """`token:<id>`, `app:<id>:<person>:<workspace>`, `user:<id>`, or `address:<where from>` of somebody unknown."""
    user = request.user
    token = getattr(user, "api_token", None)
    if token is not None:
        return f"token:{token.pk}"
    app = getattr(user, "application", None)
    if app is not None:
        return f"app:{app.pk}:{user.pk}:{user.delegated_workspace_id}"
    if getattr(user, "is_authenticated", False):
        return f"user:{user.pk}"
    return f"address:{address_of(request)}"


def take(request: Any, *, now: datetime) -> Budget | None:
    """Take one request out of the caller's budget; None where there is no limit. Raises Throttled when nothing is left."""
    caller = caller_of(request)
    limit = settings.API_RATE_LIMIT_ANONYMOUS if caller.startswith("address:") else settings.API_RATE_LIMIT
    if not limit:
        return None
    window = int(now.timestamp()) // WINDOW_SECONDS
    reset = max(1, math.ceil((window + 1) * WINDOW_SECONDS - now.timestamp()))
    key = f"api-rate:{caller}:{window}"
    cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
    try:
        used = cache.incr(key)
    except ValueError:
        # it fell out of the cache between the two
        used = 1
    budget = Budget(limit, max(0, limit - used), reset)
    request.budget = budget
    if used > limit:
        raise exceptions.Throttled(wait=reset)
    return budget


class Paced(APIView):
    """A view that takes each request, whatever it asks for, out of its caller's budget, and says in the headers what is left."""

    now: datetime

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.now = clock.now()
        super().initial(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        """Whoever cannot say who they are has a small budget by address, so that guessing ends."""
        try:
            super().perform_authentication(request)
        except exceptions.AuthenticationFailed:
            take(request, now=self.now)
            raise
        if not request.user.is_authenticated:
            take(request, now=self.now)

    def check_throttles(self, request: Request) -> None:
        if request.user.is_authenticated:
            take(request, now=self.now)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        budget = getattr(request, "budget", None)
        if budget is not None:
            for name, value in budget.headers().items():
                response.headers[name] = value
        return response
