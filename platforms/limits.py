"""How often an account may be called. Pure: no Django, no database, no clock.

A bucket of tokens in which each token comes back one period after it was taken. The common bucket, which drips
tokens back from the start, lets nearly twice its capacity through in the first period; a person who writes
"at most 10 an hour" means any hour, and so does a platform that bans for the eleventh.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

HOUR_SECONDS = 3_600
DAY_SECONDS = 86_400
_FINE_SECONDS = 0.001
_MAX_SLOTS = 1_000

Taken = tuple[tuple[float, int], ...]
"""What is out: (start of a slot in epoch seconds, tokens taken in it), oldest first. The state of a bucket."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """`capacity` tokens, refilled at `refill_per_second`: never more than `capacity` in any period of their quotient.

    Takes are kept by the millisecond; above 1,000 tokens by a thousandth of the period, so that the state stays small.
    """

    capacity: int
    refill_per_second: float

    @classmethod
    def per(cls, capacity: int, period_seconds: float) -> Bucket:
        return cls(capacity, capacity / period_seconds)

    @property
    def period_seconds(self) -> float:
        return self.capacity / self.refill_per_second

    @property
    def step_seconds(self) -> float:
        return _FINE_SECONDS if self.capacity <= _MAX_SLOTS else self.period_seconds / _MAX_SLOTS

    def left(self, state: Taken, now: datetime) -> int:
        """Tokens that can be taken at `now` (aware UTC)."""
        return max(0, self.capacity - sum(count for _, count in self._out(state, now.timestamp())))

    def take(self, state: Taken, now: datetime) -> tuple[Taken, float]:
        """(new state, 0.0) with a token taken, or (state, seconds to wait for one)."""
        moment = now.timestamp()
        out = self._out(state, moment)
        excess = sum(count for _, count in out) - self.capacity
        if excess < 0:
            return self._added(out, moment), 0.0
        for start, count in out:
            excess -= count
            if excess < 0:
                return state, max(self._back_at(start) - moment, _FINE_SECONDS)
        return state, self.period_seconds

    def give_back(self, state: Taken) -> Taken:
        """Undo the latest take: the call was not made."""
        if not state:
            return state
        start, count = state[-1]
        return state[:-1] if count == 1 else (*state[:-1], (start, count - 1))

    def at_most(self, state: Taken, left: int, now: datetime, reset_seconds: float) -> Taken:
        """The state in which no more than `left` tokens are to be had until `reset_seconds` from now: the platform has
        counted calls that we did not make."""
        excess = self.left(state, now) - max(0, left)
        if excess <= 0:
            return state
        start = now.timestamp() + min(reset_seconds, self.period_seconds) - self.period_seconds - self.step_seconds
        return tuple(sorted((*self._out(state, now.timestamp()), (start, excess))))

    def _back_at(self, start: float) -> float:
        return start + self.step_seconds + self.period_seconds

    def _out(self, state: Taken, moment: float) -> Taken:
        return tuple((start, count) for start, count in state if self._back_at(start) > moment)

    def _added(self, out: Taken, moment: float) -> Taken:
        slot = moment // self.step_seconds * self.step_seconds
        if out and out[-1][0] >= slot:  # the same slot, or a clock that went back
            return (*out[:-1], (out[-1][0], out[-1][1] + 1))
        return (*out, (slot, 1))
