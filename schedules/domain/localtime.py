"""Wall clock to instant: what a local time means where clocks are put forward or back.

Used by `recurrence` for every kind of rule. Three readings exist, because cron and RFC 5545 differ on
purpose:

* FIXED    Debian cron(8), jobs at a fixed time: in a gap once, right after it; of two equal times the first.
           A jump of more than three hours is a correction of the clock: what it left out is not made up for.
* ELAPSED  jobs that run all the time (`*` in the hour or minute, an hourly rule): each real slot, so both
of two
           equal times fire and times that do not exist are left out.
* WALL     RFC 5545 section 3.3.5: in a gap the offset from before it counts (02:30 becomes 03:30); the
first of two.

No clock is read here.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from schedules.domain.refusals import refused
from schedules.domain.speech import gettext as _

ONE_DAY = timedelta(days=1)
# What a rule may name: Python's calendar ends with 9999, and an instant can lie a day after its local time.
FIRST_YEAR, LAST_YEAR = 1900, 9998
LARGEST_HANDLED_GAP = timedelta(hours=3)
_LAST_MIDNIGHT = datetime(9999, 12, 31)  # noqa: DTZ001 - naive on purpose

# The midnight of a local day and, in order, how long after it (on the wall clock) something is due.
DayBatch = tuple[datetime, Iterable[timedelta]]

# A wall-clock time (naive), the instant it stands for (aware UTC) and its shift: "", "gap" or "fold". A
# plain tuple, because ten thousand of them are made for one look at a calendar.
Nominal = tuple[datetime, datetime, str]


class Reading(StrEnum):
    FIXED = "fixed"
    ELAPSED = "elapsed"
    WALL = "wall"


@dataclass(frozen=True, slots=True)
class LocalMoment:
    """`at` is aware UTC; `effective_local` is what a clock in the zone shows then (naive)."""

    at: datetime
    shift: str
    effective_local: datetime


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name; raises RuleRefused for a name that is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        pass
    raise refused("timezone", _("%(name)r is no IANA time zone; write one such as 'Europe/Berlin'") % {"name": name})


def local_time(naive: datetime, timezone: str, fold: int = 0) -> LocalMoment:
    """A single wall-clock time as an instant (rule R9).

    A time inside a gap is accepted and moved on by the size of the gap; of two equal times it is the first,
    unless `fold` is 1.
    """
    where = zone(timezone)
    before, after = _offsets(naive, where)
    if before == after:
        return LocalMoment(_instant(naive, before), "", naive.replace(fold=0))
    if before < after:
        return LocalMoment(_instant(naive, before), "gap", naive.replace(fold=0) + (after - before))
    return LocalMoment(_instant(naive, after if fold else before), "fold", naive.replace(fold=1 if fold else 0))


def wall_clock(at: datetime, where: ZoneInfo) -> datetime:
    """What a clock in the zone shows at that instant: naive, `fold` set in the second of two equal hours."""
    return at.astimezone(where).replace(tzinfo=None)


def localise(batches: Iterable[DayBatch], where: ZoneInfo, reading: Reading) -> Iterator[Nominal]:
    """Instants of wall-clock times that come day by day: ordered by instant, no instant twice.

    A day that ends with the offset it began with costs one look into the zone; only the others are taken
    apart. Ends quietly where Python's calendar ends.
    """
    held: list[Nominal] = []
    try:
        for midnight, offsets in batches:
            today = _offset(midnight, where)
            next_midnight = midnight + ONE_DAY if midnight < _LAST_MIDNIGHT else midnight
            # fold=1: a repeated hour can reach over midnight, and then its first pass still has the old
            # offset.
            if today == _offset(next_midnight.replace(fold=1), where) and not held:
                utc_midnight = (midnight - today).replace(tzinfo=UTC)
                for offset in offsets:
                    yield (midnight + offset, utc_midnight + offset, "")
                continue
            for offset in offsets:
                found = _read(midnight + offset, where, reading)
                # Shifted times come out of order (02:30 fires at 03:30, after 03:00), across midnight too.
                # They are held until one that is not shifted lies behind them all: from there wall order is
                # real order.
                if held and found and not found[0][2] and found[0][1] > max(at for _, at, _ in held):
                    yield from _in_order(held)
                    held = []
                if held or (found and found[0][2]):
                    held.extend(found)
                else:
                    yield from found
    except OverflowError:
        pass
    yield from _in_order(held)


def _in_order(held: list[Nominal]) -> Iterator[Nominal]:
    """Ordered by instant; where several share one, the one whose wall-clock time exists speaks for them."""
    last: datetime | None = None
    for nominal in sorted(held, key=lambda one: (one[1], one[2] != "")):
        if nominal[1] != last:
            yield nominal
        last = nominal[1]


def _read(local: datetime, where: ZoneInfo, reading: Reading) -> list[Nominal]:
    before, after = _offsets(local, where)
    if before == after:
        return [(local, _instant(local, before), "")]
    if before > after:
        first = (local, _instant(local, before), "fold")
        if reading is not Reading.ELAPSED:
            return [first]
        return [first, (local.replace(fold=1), _instant(local, after), "fold")]
    if reading is Reading.WALL:
        return [(local, _instant(local, before), "gap")]
    if reading is Reading.ELAPSED or after - before > LARGEST_HANDLED_GAP:
        return []
    return [(local, _change_between(_instant(local, after), _instant(local, before), where), "gap")]


def _change_between(earlier: datetime, later: datetime, where: ZoneInfo) -> datetime:
    """The first instant with the new offset, in (earlier, later]; changes fall on whole seconds."""
    old_offset = earlier.astimezone(where).utcoffset()
    low, high = math.floor(earlier.timestamp()), math.floor(later.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, where).utcoffset() == old_offset:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)


def _offset(local: datetime, where: ZoneInfo) -> timedelta:
    offset = local.replace(tzinfo=where).utcoffset()
    assert offset is not None
    return offset


def _offsets(local: datetime, where: ZoneInfo) -> tuple[timedelta, timedelta]:
    """The offsets before and after a change, for a time it touches; elsewhere the same twice (PEP 495)."""
    return _offset(local.replace(fold=0), where), _offset(local.replace(fold=1), where)


def _instant(local: datetime, offset: timedelta) -> datetime:
    return (local.replace(fold=0) - offset).replace(tzinfo=UTC)
