"""When a sign-in is renewed, and what happens when that fails. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

SHARE = 0.2
LEAST = timedelta(minutes=10)
MOST = timedelta(hours=24)
# A call that was under way while the sign-in was renewed still carried the old one.
IN_FLIGHT = timedelta(seconds=60)
# A new sign-in that is refused this soon was not refused for its age: a person must look.
YOUNG = timedelta(minutes=5)


def refresh_at(expires_at: datetime, now: datetime) -> datetime:
    """A fifth of the lifetime before it ends, but 10 minutes to a day; half-way through what lives shorter than that."""
    lifetime = expires_at - now
    lead = min(max(lifetime * SHARE, LEAST), MOST)
    return expires_at - lead if lead < lifetime else now + max(lifetime, timedelta()) / 2
