"""How long to wait before trying again (ENGINE R30): full jitter, as in AWS' "Exponential Backoff And Jitter" (2015). Pure."""

from __future__ import annotations

from datetime import timedelta

LEAST = timedelta(seconds=1)


def retry_delay(
    *, tries: int, base: timedelta, cap: timedelta, dice: float, retry_after: timedelta | None = None
) -> timedelta:
    """A random share of min(cap, base x 2^(tries-1)), never under a second, never before the platform's Retry-After.

    `tries` counts the calls made so far (1 after the first); `dice` is a random number in [0, 1).
    """
    # 2**40 is beyond any cap; the bound keeps a long history from overflowing timedelta.
    ceiling = min(cap, base * (1 << min(max(tries - 1, 0), 40))) if base else timedelta()
    delay = max(LEAST, ceiling * dice)
    return max(delay, retry_after) if retry_after is not None else delay
