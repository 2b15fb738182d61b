"""10,000 next times of a common rule against cronsim and python-dateutil, interleaved in one run."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from statistics import median
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from dateutil.rrule import rrulestr

from schedules.domain.next_runs import next_times
from schedules.domain.recurrence import Recurrence, RuleKind, occurrences

EXPRESSION = "*/15 9-17 * * 1-5"
SAME_AS_RRULE = "FREQ=MINUTELY;INTERVAL=15;BYDAY=MO,TU,WE,TH,FR;BYHOUR=9,10,11,12,13,14,15,16,17"
BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 1, 1)
COUNT, ROUNDS = 10_000, 5


def our_occurrences(kind: RuleKind, expression: str) -> list[datetime]:
    rule = Recurrence(kind=kind, expression=expression, timezone="Europe/Berlin", start_local=START)
    return [one.fires_at for one in occurrences(rule, start=datetime(2025, 12, 31, tzinfo=UTC), count=COUNT)]


def our_next_runs() -> list[str]:
    asked = {"cron": EXPRESSION, "timezone": "Europe/Berlin", "start": START.isoformat(), "count": COUNT}
    return next_times(asked)


def cronsims() -> list[datetime]:
    return list(islice(CronSim(EXPRESSION, START.replace(tzinfo=BERLIN)), COUNT))


def dateutils() -> list[datetime]:
    times = islice(rrulestr(SAME_AS_RRULE, dtstart=START), COUNT)
    return [time.replace(tzinfo=BERLIN) for time in times]


@pytest.mark.benchmark
def test_ten_thousand_times_take_at_most_half_as_long_as_cronsim() -> None:
    contenders: dict[str, Callable[[], object]] = {
        "ours, cron": lambda: our_occurrences(RuleKind.CRON, EXPRESSION),
        "ours, RRULE": lambda: our_occurrences(RuleKind.RRULE, SAME_AS_RRULE),
        "ours, next_runs": our_next_runs,
        "cronsim": cronsims,
        "dateutil": dateutils,
    }
    assert our_occurrences(RuleKind.CRON, EXPRESSION) == [time.astimezone(UTC) for time in cronsims()]

    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, contender in contenders.items():
            began = perf_counter()
            contender()
            taken[name].append((perf_counter() - began) * 1000)

    milliseconds = {name: median(times) for name, times in taken.items()}
    for name, value in milliseconds.items():
        print(f"{name:16} {value:8.1f} ms   {value / milliseconds['cronsim']:.3f} of cronsim's time")
    assert milliseconds["ours, cron"] <= 0.5 * milliseconds["cronsim"]
    assert milliseconds["ours, next_runs"] <= 0.5 * milliseconds["cronsim"]
