"""Histograms that fit in one JSON field: counts by upper bound and a sum, as Prometheus has them. No clock, no database."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from math import inf
from typing import Any

# Upper bounds in seconds; the last bucket has none.
LATENESS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 60.0, 600.0)
PASSES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)


class Histogram:
    """How often something took how many seconds. `counts` are per bucket, not cumulative; the last one is above all bounds."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.sum += seconds

    @property
    def count(self) -> int:
        return sum(self.counts)

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """(upper bound in seconds, observations not above it), ending with infinity and all of them."""
        return zip((*self.bounds, inf), accumulate(self.counts), strict=True)

    def quantile(self, share: float) -> float | None:
        """The estimate that Prometheus' histogram_quantile gives: linear in a bucket, the last bound above it. None if empty."""
        wanted = share * self.count
        below, lower = 0, 0.0
        if not self.count:
            return None
        for upper, running in self.cumulative():
            if running >= wanted and running > below:
                return lower if upper == inf else lower + (upper - lower) * (wanted - below) / (running - below)
            below, lower = running, upper
        return lower

    def as_json(self) -> dict[str, Any]:
        return {"bounds": list(self.bounds), "counts": list(self.counts), "sum": round(self.sum, 6)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], bounds: tuple[float, ...]) -> Histogram:
        """What another process wrote. One that is not in `bounds`' shape (an older release's) reads as empty."""
        found = cls(bounds)
        counts = stored.get("counts")
        if tuple(stored.get("bounds", ())) == bounds and counts and len(counts) == len(found.counts):
            found.counts, found.sum = [int(count) for count in counts], float(stored.get("sum", 0.0))
        return found

    @classmethod
    def merged(cls, parts: Iterable[Histogram], bounds: tuple[float, ...]) -> Histogram:
        """All observations of `parts`, which have these bounds, in one."""
        whole = cls(bounds)
        for part in parts:
            whole.counts = [mine + theirs for mine, theirs in zip(whole.counts, part.counts, strict=True)]
            whole.sum += part.sum
        return whole
