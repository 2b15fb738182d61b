"""What holds for every rule: checked against minute-by-minute searching, cronsim and python-dateutil."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim
from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from schedules.domain.recurrence import (
    EditAction,
    OccurrenceEdit,
    Recurrence,
    RuleKind,
    RuleProblem,
    RuleRefused,
    occurrences,
    split_at,
    validate,
)

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",  # midnight exists twice
    "America/Santiago",  # midnight does not exist
    "Australia/Lord_Howe",  # half an hour
    "America/St_Johns",
    "Africa/Casablanca",  # four changes in some years
    "Asia/Kathmandu",
    "Pacific/Apia",
)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])

zones = st.sampled_from(ZONES)
starts = st.datetimes(datetime(2020, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(second=0, microsecond=0))


def fields(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    # Not 5-5: with a step cronsim reads that as 5 to the end.
    span = st.sets(number, min_size=2, max_size=2).map(lambda pair: f"{min(pair)}-{max(pair)}")
    stepped = st.tuples(st.one_of(st.just("*"), span), st.integers(1, 9)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    lists = st.lists(number, min_size=1, max_size=3).map(lambda numbers: ",".join(map(str, numbers)))
    return st.one_of(st.just("*"), lists, span, stepped)


crons = st.tuples(fields(0, 59), fields(0, 23), fields(1, 31), fields(1, 12), fields(0, 7)).map(" ".join)
# Rules on which python-dateutil and RFC 5545 agree: no BYWEEKNO without BYDAY, no BYSETPOS within weeks.
day_parts = {
    "YEARLY": ["", ";BYMONTH=2,7", ";BYMONTH=3;BYMONTHDAY=-1,15", ";BYDAY=2MO,-1FR", ";BYYEARDAY=-1,60,366"],
    "MONTHLY": [
        "",
        ";BYMONTHDAY=31,-2",
        ";BYDAY=1TU,-1SU",
        ";BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1,2",
        ";BYMONTH=2,12",
    ],
    "WEEKLY": ["", ";BYDAY=MO,FR", ";BYDAY=SU,TU;WKST=SU", ";BYMONTH=1,3"],
    "DAILY": ["", ";BYDAY=SA", ";BYMONTHDAY=29,-1", ";BYMONTH=2"],
    "HOURLY": ["", ";BYHOUR=2,14", ";BYDAY=MO"],
    "MINUTELY": ["", ";BYHOUR=3;BYMINUTE=0,30", ";BYMINUTE=7"],
}
rrules = st.sampled_from(sorted(day_parts)).flatmap(
    lambda freq: st.tuples(
        st.just(f"FREQ={freq}"),
        st.integers(1, 5).map(lambda interval: f";INTERVAL={interval}"),
        st.sampled_from(day_parts[freq]),
        st.sampled_from(
            ["", ";COUNT=7", ";BYMINUTE=15,45"] if freq not in ("HOURLY", "MINUTELY") else ["", ";COUNT=7"]
        ),
    ).map("".join)
)


def cron_rule(expression: str, timezone: str, start: datetime) -> Recurrence:
    rule = Recurrence(kind=RuleKind.CRON, expression=expression, timezone=timezone, start_local=start)
    _assume_fires(rule)
    return rule


def calendar_rule(expression: str, timezone: str, start: datetime) -> Recurrence:
    rule = Recurrence(kind=RuleKind.RRULE, expression=expression, timezone=timezone, start_local=start)
    _assume_fires(rule)
    return rule


def _assume_fires(rule: Recurrence) -> None:
    try:
        validate(rule)
    except RuleRefused:
        assume(False)


@FEW
@given(crons, starts)
def test_cron_finds_what_searching_every_minute_finds(expression: str, start: datetime) -> None:
    rule = cron_rule(expression, "UTC", start)
    wanted = [_numbers(part, *bounds) for part, bounds in zip(expression.split(), BOUNDS, strict=True)]
    end = start + timedelta(days=15)

    searched, minute = [], start
    while minute < end:
        if _matches(minute, wanted, expression.split()):
            searched.append(minute.replace(tzinfo=UTC))
        minute += timedelta(minutes=1)

    found = occurrences(rule, start=start.replace(tzinfo=UTC), end=end.replace(tzinfo=UTC))
    assert [one.fires_at for one in found] == searched


BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def _numbers(part: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for term in part.split(","):
        span, _, step = term.partition("/")
        first, _, last = span.partition("-") if span != "*" else (str(low), "-", str(high))
        found.update(range(int(first), int(last or first) + 1, int(step or 1)))
    return found


def _matches(minute: datetime, wanted: list[set[int]], parts: list[str]) -> bool:
    if minute.minute not in wanted[0] or minute.hour not in wanted[1] or minute.month not in wanted[3]:
        return False
    by_day = minute.day in wanted[2]
    by_weekday = minute.isoweekday() in wanted[4] or minute.isoweekday() % 7 in wanted[4]
    both = parts[2].startswith("*") or parts[4].startswith("*")
    return (by_day and by_weekday) if both else (by_day or by_weekday)


@FEW
@given(crons, zones, st.sampled_from(["2026-03-28", "2026-10-24", "2026-04-04", "2026-09-05", "2026-11-01"]))
def test_cron_meets_changes_of_clocks_as_cronsim_does(expression: str, timezone: str, day: str) -> None:
    start = datetime.fromisoformat(day)
    rule = cron_rule(expression, timezone, start - timedelta(days=1))
    aware = start.replace(tzinfo=ZoneInfo(timezone))

    theirs = [time.astimezone(UTC) for time in islice(CronSim(expression, aware), 40)]

    after = aware.astimezone(UTC) + timedelta(microseconds=1)
    assert [one.fires_at for one in occurrences(rule, start=after, count=len(theirs))] == theirs


@FEW
@given(rrules, starts)
def test_calendar_rules_agree_with_dateutil_on_the_wall_clock(expression: str, start: datetime) -> None:
    rule = calendar_rule(expression, "UTC", start)

    theirs = list(islice(rrulestr(expression, dtstart=start), 40))

    found = occurrences(rule, start=datetime(2019, 1, 1, tzinfo=UTC), count=40)
    assert [one.nominal_local for one in found] == theirs


@FEW
@given(st.one_of(crons, rrules), zones, starts)
def test_times_come_in_order_and_no_instant_twice(expression: str, timezone: str, start: datetime) -> None:
    rule = (calendar_rule if "=" in expression else cron_rule)(expression, timezone, start)

    times = [one.fires_at for one in occurrences(rule, start=datetime(2020, 1, 1, tzinfo=UTC), count=500)]

    assert times == sorted(set(times))


@FEW
@given(st.one_of(crons, rrules), zones, starts, st.integers(0, 2_000), st.integers(1, 400))
def test_a_window_is_a_piece_of_the_whole(
    expression: str, timezone: str, start: datetime, offset_hours: int, length_hours: int
) -> None:
    rule = (calendar_rule if "=" in expression else cron_rule)(expression, timezone, start)
    first = start.replace(tzinfo=UTC) + timedelta(hours=offset_hours)
    last = first + timedelta(hours=length_hours)

    whole = occurrences(rule, start=datetime(2019, 1, 1, tzinfo=UTC), end=last)

    assert list(occurrences(rule, start=first, end=last)) == [one for one in whole if one.fires_at >= first]


@FEW
@given(st.one_of(crons, rrules), zones, starts, st.integers(1, 30))
def test_both_halves_of_a_cut_rule_fire_as_the_whole(
    expression: str, timezone: str, start: datetime, position: int
) -> None:
    rule = (calendar_rule if "=" in expression else cron_rule)(expression, timezone, start)
    whole = list(occurrences(rule, start=datetime(2019, 1, 1, tzinfo=UTC), count=60))
    assume(len(whole) > position)
    cut = whole[position].nominal_local.replace(fold=0)
    assume(cut > whole[0].nominal_local.replace(fold=0))

    first, second = split_at(rule, cut)

    horizon = whole[-1].fires_at + timedelta(microseconds=1)
    halves = [
        one.fires_at
        for half in (first, second)
        for one in occurrences(half, start=datetime(2019, 1, 1, tzinfo=UTC), end=horizon)
    ]
    assert sorted(halves) == [one.fires_at for one in whole]


@FEW
@given(st.one_of(crons, rrules), zones, starts, st.integers(0, 19), st.integers(-200, 200))
def test_a_moved_occurrence_fires_at_its_new_time_and_only_there(
    expression: str, timezone: str, start: datetime, position: int, by_hours: int
) -> None:
    rule = (calendar_rule if "=" in expression else cron_rule)(expression, timezone, start)
    whole = list(occurrences(rule, start=datetime(2019, 1, 1, tzinfo=UTC), count=20))
    assume(len(whole) > position)
    chosen = whole[position]
    target = chosen.nominal_local.replace(fold=0) + timedelta(hours=by_hours, minutes=1, seconds=1)
    edit = OccurrenceEdit(nominal_local=chosen.nominal_local, action=EditAction.MOVE, moved_to_local=target)
    edited = Recurrence(
        kind=rule.kind,
        expression=expression,
        timezone=timezone,
        start_local=start,
        edits=(edit,),
    )

    end = whole[-1].fires_at + timedelta(days=30)
    found = list(occurrences(edited, start=datetime(2019, 1, 1, tzinfo=UTC), end=end))

    nominals = [one.nominal_at for one in occurrences(rule, start=datetime(2019, 1, 1, tzinfo=UTC), end=end)]
    assert sorted(one.nominal_at for one in found) == nominals
    assert [one.nominal_at for one in found if one.edited] == [chosen.nominal_at]
    assert [one.fires_at for one in found] == sorted(one.fires_at for one in found)


@settings(max_examples=300, deadline=None)
@given(st.text("0123456789*/-,#?LWlw monfrJAN@%¹", max_size=24))
def test_any_text_is_a_rule_or_a_refusal_with_a_reason(text: str) -> None:
    for kind in (RuleKind.CRON, RuleKind.RRULE):
        rule = Recurrence(kind=kind, expression=text, timezone="UTC", start_local=datetime(2026, 1, 1))
        assert all(problem.field and problem.message for problem in _problems(rule))


def _problems(rule: Recurrence) -> tuple[RuleProblem, ...]:
    try:
        validate(rule)
    except RuleRefused as refusal:
        return refusal.problems
    return ()
