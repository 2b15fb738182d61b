""" "This and following": two rules that together fire as the one did."""

from datetime import UTC, datetime

import pytest

from schedules.domain.recurrence import (
    EditAction,
    OccurrenceEdit,
    Recurrence,
    RuleKind,
    RuleRefused,
    occurrences,
    split_at,
)

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)


def rule(expression: str, start: datetime = datetime(2026, 1, 5, 9), **more: object) -> Recurrence:
    return Recurrence(
        kind=RuleKind.RRULE if "=" in expression else RuleKind.CRON,
        expression=expression,
        timezone="Europe/Berlin",
        start_local=start,
        **more,  # type: ignore[arg-type]
    )


def fires(of: Recurrence) -> list[datetime]:
    return [one.fires_at for one in occurrences(of, start=START, end=END)]


@pytest.mark.parametrize(
    ("whole", "cut"),
    [
        (rule("0 9 * * 1-5"), datetime(2026, 3, 4, 9)),
        (rule("0 9 * * *", limit=50), datetime(2026, 2, 1, 9)),
        (rule("30 2 * * *"), datetime(2026, 3, 29, 2, 30)),  # in the gap
        (
            rule("*/30 * * * *", until_local=datetime(2026, 11, 1)),
            datetime(2026, 10, 25, 2, 30),
        ),  # in the fold
        (rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR"), datetime(2026, 1, 9, 9)),  # in the middle of its week
        (rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU"), datetime(2026, 2, 3, 9)),
        (rule("FREQ=MONTHLY;BYDAY=MO,WE,FR;BYSETPOS=2,-1"), datetime(2026, 5, 29, 9)),
        (rule("FREQ=DAILY;COUNT=20"), datetime(2026, 1, 15, 9)),
        (rule("FREQ=DAILY;UNTIL=20260301T080000Z"), datetime(2026, 2, 1, 9)),
        (rule("FREQ=HOURLY;INTERVAL=7"), datetime(2026, 1, 6, 6)),
        (rule("RRULE:FREQ=WEEKLY;COUNT=9\nRDATE:20260107T170000,20260311T170000"), datetime(2026, 2, 2, 9)),
        (rule("RRULE:FREQ=WEEKLY;COUNT=9\nRDATE:20260107T170000"), datetime(2026, 1, 7, 17)),  # at an RDATE
        (
            rule("RRULE:FREQ=DAILY;COUNT=30\nEXDATE:20260110T080000Z\nEXDATE;VALUE=DATE:20260125", limit=25),
            datetime(2026, 1, 20, 9),
        ),
        (rule("RRULE:FREQ=DAILY;COUNT=30\nEXRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3"), datetime(2026, 1, 15, 9)),
        (rule("RRULE:FREQ=WEEKLY;COUNT=2\nRRULE:FREQ=DAILY;COUNT=30"), datetime(2026, 1, 28, 9)),
    ],
)
def test_the_halves_fire_as_the_whole(whole: Recurrence, cut: datetime) -> None:
    first, second = split_at(whole, cut)

    # sorted: a cut inside a repeated hour goes by the wall clock
    assert sorted(fires(first) + fires(second)) == fires(whole)
    assert max(one.nominal_local for one in occurrences(first, start=START, end=END)) < cut
    assert next(occurrences(second, start=START)).nominal_local == cut


def test_counts_are_shared_out() -> None:
    first, second = split_at(rule("FREQ=DAILY;COUNT=20", limit=12), datetime(2026, 1, 15, 9))

    assert (first.expression, first.limit) == ("FREQ=DAILY;COUNT=10", 10)
    assert (second.expression, second.limit) == ("FREQ=DAILY;COUNT=10", 2)
    assert first.until_local == datetime(2026, 1, 14, 9)
    assert second.start_local == datetime(2026, 1, 15, 9)


def test_edits_go_to_the_half_of_their_nominal_time() -> None:
    early = OccurrenceEdit(
        nominal_local=datetime(2026, 1, 6, 9),
        action=EditAction.MOVE,
        moved_to_local=datetime(2026, 2, 6, 10),  # beyond the cut, and still of the first half
    )
    late = OccurrenceEdit(nominal_local=datetime(2026, 1, 20, 9), action=EditAction.SKIP)
    whole = rule("0 9 * * *", edits=(early, late))

    first, second = split_at(whole, datetime(2026, 1, 15, 9))

    assert (first.edits, second.edits) == ((early,), (late,))
    assert sorted(fires(first) + fires(second)) == fires(whole)


@pytest.mark.parametrize(
    ("whole", "cut", "message"),
    [
        (rule("0 9 * * *"), datetime(2026, 1, 7, 10), "2026-01-07 10:00 is no occurrence of this schedule"),
        (rule("0 9 * * *"), datetime(2026, 1, 5, 9), "is the first occurrence"),
        (
            rule("RRULE:FREQ=DAILY;INTERVAL=2\nRRULE:FREQ=DAILY;INTERVAL=3"),
            datetime(2026, 1, 7, 9),
            "its rules count from their common start",
        ),
        (
            # without BYDAY the weekday left out is that of DTSTART, and the cut would change it
            rule("RRULE:FREQ=DAILY;COUNT=30\nEXRULE:FREQ=WEEKLY;COUNT=3"),
            datetime(2026, 1, 15, 9),
            "its rules count from their common start",
        ),
        (
            Recurrence(kind=RuleKind.ONCE, timezone="UTC", start_local=datetime(2026, 1, 5, 9)),
            datetime(2026, 1, 5, 9),
            "a single time has nothing that follows",
        ),
    ],
)
def test_a_cut_that_would_change_times_is_refused(whole: Recurrence, cut: datetime, message: str) -> None:
    with pytest.raises(RuleRefused, match=message):
        split_at(whole, cut)
