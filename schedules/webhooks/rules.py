"""When a delivery is tried again, what an answer means, and which events an endpoint wants. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum


class EndpointState(StrEnum):
    ACTIVE = "active"
    # by a person: what happens meanwhile waits
    PAUSED = "paused"
    # by the engine: what happens meanwhile is not kept
    DISABLED = "disabled"


class DeliveryState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    # its endpoint is paused
    HELD = "held"


class Origin(StrEnum):
    """Why there is a delivery."""

    EVENT = "event"
    TEST = "test"
    REPLAY = "replay"


class Ending(StrEnum):
    """What one attempt came to."""

    DELIVERED = "delivered"
    # an answer that says no
    REFUSED = "refused"
    # the receiver asks for less, or is overloaded
    SLOW_DOWN = "slow_down"
    # 410: nobody wants these any more
    GONE = "gone"
    REDIRECTED = "redirected"
    TIMEOUT = "timeout"
    # no whole answer
    BROKEN = "broken"
    UNREACHABLE = "unreachable"
    ADDRESS_REFUSED = "address_refused"
    # this process ended between request and answer
    INTERRUPTED = "interrupted"
    # the secret or a header cannot be decrypted
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - the name of an ending


class Disabled(StrEnum):
    GONE = "gone"
    FAILING = "failing"


# pauses after the first try, the second, …: ten tries in 23 h 36 min and a little jitter
PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (5, 60, 300, 1800, 3600, 7200, 14_400, 28_800, 28_800)
)  # fmt: skip
TRIES = len(PAUSES) + 1
# no delivery is given up sooner after its first try, however often its endpoint came and went
GIVE_UP_AFTER = timedelta(hours=23, minutes=30)
JITTER = 0.1
SLOW_DOWN = frozenset({429, 502, 503, 504})
SLOW_PAUSE = timedelta(seconds=30)
LONGEST_RETRY_AFTER = timedelta(hours=12)
# so many failures in a row, whatever was sent, and everything else waits until a probe is taken
BREAKS_AT = 5
PROBE_EVERY, PROBE_AT_LEAST_EVERY = timedelta(seconds=30), timedelta(minutes=5)
DISABLED_AFTER = timedelta(days=5)
PREVIOUS_SECRET_SIGNS = timedelta(hours=24)
KEPT = "webhook deliveries"  # the name of the kind in `core.retention`
KEPT_DAYS = 30
AT_ONCE = 4
MOST_BYTES = 20_000
MOST_ANSWER_BYTES = 4096
CALL_SECONDS = 20.0
TEST_EVENT = "webhook.test"
_NAME = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)+\Z", re.ASCII)
_GROUP = re.compile(r"[a-z0-9_]+\.\*\Z", re.ASCII)
EVERYTHING = "*"


def is_choice(name: str) -> bool:
    """`job.completed`, `job.*` or `*`."""
    return name == EVERYTHING or bool(_NAME.match(name) or _GROUP.match(name))


def wants(choices: Iterable[str], event_type: str) -> bool:
    """Do these choices hold the event? No choice holds none."""
    group = f"{event_type.partition('.')[0]}.*"
    return any(choice in (EVERYTHING, group, event_type) for choice in choices)


def ending_of(status: int) -> Ending:
    """What a whole answer means. Only 2xx is taken; a redirect is not followed (Standard Webhooks 1.0, section on delivery)."""
    if 200 <= status < 300:
        return Ending.DELIVERED
    if 300 <= status < 400:
        return Ending.REDIRECTED
    if status == 410:
        return Ending.GONE
    return Ending.SLOW_DOWN if status in SLOW_DOWN else Ending.REFUSED


def pause_after(tries: int, *, dice: float, retry_after: timedelta | None = None) -> timedelta:
    """How long to wait after `tries` tries (1 after the first). `dice`: a random number in [0, 1)."""
    pause = PAUSES[min(max(tries, 1), len(PAUSES)) - 1] * (1 + JITTER * dice)
    return pause if retry_after is None else max(pause, min(retry_after, LONGEST_RETRY_AFTER))


def is_over(*, tries: int, since_first: timedelta) -> bool:
    """Is it given up? Only after all tries and a day."""
    return tries >= TRIES and since_first >= GIVE_UP_AFTER


def probe_after(failures: int) -> timedelta:
    """How long everything waits before one is let through to see."""
    doublings = min(max(failures - BREAKS_AT, 0), 10)
    return min(PROBE_EVERY * (1 << doublings), PROBE_AT_LEAST_EVERY)
