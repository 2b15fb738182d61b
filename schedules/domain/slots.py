"""The next free time of a queue: posting times of the week on a zone's wall clock, less what is taken. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, time, timedelta

from schedules.domain.localtime import local_time
from schedules.domain.localtime import zone as zone_of

WEEKS = 26


def next_free(
    slots: Iterable[tuple[int, time]],
    *,
    zone: str,
    after: datetime,
    taken: Collection[datetime],
    apart: timedelta = timedelta(minutes=1),
) -> datetime | None:
    """The first slot (weekday 0 is Monday, wall-clock time) later than `after` at which nothing is taken; aware UTC.

    A time that is less than `apart` from a taken one counts as taken. A slot that the clocks skip that day is passed over. None:
    there are no slots, or none is free within half a year.
    """
    times, busy = sorted(set(slots)), sorted(taken)
    if not times:
        return None
    day = after.astimezone(zone_of(zone)).date()
    for _ in range(7 * WEEKS):
        for wall in (wall for weekday, wall in times if weekday == day.weekday()):
            moment = local_time(datetime.combine(day, wall), zone)
            at = moment.at.astimezone(UTC)
            if moment.shift != "gap" and at > after and not any(abs(at - other) < apart for other in busy):
                return at
        day += timedelta(days=1)
    return None
