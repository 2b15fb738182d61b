"""Local times where clocks change: one-off times (R9), and the three readings of a rule."""

from datetime import UTC, datetime, timedelta

import pytest

from schedules.domain.localtime import Reading, local_time, localise, zone
from schedules.domain.refusals import RuleRefused


@pytest.mark.parametrize(
    ("naive", "timezone", "fold", "at", "shift", "effective"),
    [
        ("2026-03-28T02:30", "Europe/Berlin", 0, "2026-03-28T01:30", "", "2026-03-28T02:30"),
        # gap: accepted, moved on by its size; fold means nothing there
        ("2026-03-29T02:30", "Europe/Berlin", 0, "2026-03-29T01:30", "gap", "2026-03-29T03:30"),
        ("2026-03-29T02:30", "Europe/Berlin", 1, "2026-03-29T01:30", "gap", "2026-03-29T03:30"),
        # fold: the first, on request the second
        ("2026-10-25T02:30", "Europe/Berlin", 0, "2026-10-25T00:30", "fold", "2026-10-25T02:30"),
        ("2026-10-25T02:30", "Europe/Berlin", 1, "2026-10-25T01:30", "fold", "2026-10-25T02:30"),
        # half an hour
        ("2026-10-04T02:15", "Australia/Lord_Howe", 0, "2026-10-03T15:45", "gap", "2026-10-04T02:45"),
        # midnight that does not exist, in the spring of the southern half
        ("2026-09-06T00:00", "America/Santiago", 0, "2026-09-06T04:00", "gap", "2026-09-06T01:00"),
        # a day that does not exist
        ("2011-12-30T09:00", "Pacific/Apia", 0, "2011-12-30T19:00", "gap", "2011-12-31T09:00"),
        ("2026-12-31T23:59", "UTC", 0, "2026-12-31T23:59", "", "2026-12-31T23:59"),
    ],
)
def test_a_single_local_time_is_accepted_wherever_it_falls(
    naive: str, timezone: str, fold: int, at: str, shift: str, effective: str
) -> None:
    moment = local_time(datetime.fromisoformat(naive), timezone, fold)

    assert moment.at == datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert (moment.shift, moment.effective_local) == (shift, datetime.fromisoformat(effective))


@pytest.mark.parametrize("name", ["Mars/Olympus", "Europe", "../../etc/passwd", "", "\0", "Europe/Berlin "])
def test_a_name_that_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(RuleRefused, match="timezone: "):
        zone(name)


def fires(day: datetime, hours: list[float], timezone: str, reading: Reading) -> list[str]:
    batches = [(day, [timedelta(hours=hour) for hour in hours])]
    return [f"{at:%d %H:%M} {shift}".rstrip() for _, at, shift in localise(batches, zone(timezone), reading)]


def test_a_gap_as_cron_as_elapsed_time_and_as_the_calendar_standard_read_it() -> None:
    day, hours = datetime(2026, 3, 29), [1.5, 2.25, 2.5, 3, 3.5, 4]

    fixed = fires(day, hours, "Europe/Berlin", Reading.FIXED)
    elapsed = fires(day, hours, "Europe/Berlin", Reading.ELAPSED)
    wall = fires(day, hours, "Europe/Berlin", Reading.WALL)

    assert fixed == [
        "29 00:30",
        "29 01:00",
        "29 01:30",
        "29 02:00",
    ]  # 02:15 and 02:30 fall onto the real 03:00
    assert elapsed == ["29 00:30", "29 01:00", "29 01:30", "29 02:00"]
    assert wall == ["29 00:30", "29 01:00", "29 01:15 gap", "29 01:30", "29 02:00"]


def test_a_fold_fires_once_unless_time_itself_is_followed() -> None:
    day, hours = datetime(2026, 10, 25), [1.5, 2, 2.5, 3]

    fixed = fires(day, hours, "Europe/Berlin", Reading.FIXED)
    elapsed = fires(day, hours, "Europe/Berlin", Reading.ELAPSED)

    assert fixed == ["24 23:30", "25 00:00 fold", "25 00:30 fold", "25 02:00"]
    assert elapsed == [
        "24 23:30",
        "25 00:00 fold",
        "25 00:30 fold",
        "25 01:00 fold",
        "25 01:30 fold",
        "25 02:00",
    ]


def test_a_fold_across_midnight_keeps_real_order() -> None:
    # St John's until 2011: at 00:01 clocks went back to 23:01 of the day before.
    batches = [
        (datetime(2010, 11, 6), [timedelta(hours=23), timedelta(hours=23.5)]),
        (datetime(2010, 11, 7), [timedelta(0), timedelta(hours=0.5)]),
    ]

    times = localise(batches, zone("America/St_Johns"), Reading.ELAPSED)

    shown = [f"{local:%d %H:%M}+{local.fold} = {at:%H:%M}" for local, at, _ in times]
    assert shown == [
        "06 23:00+0 = 01:30",
        "06 23:30+0 = 02:00",
        "07 00:00+0 = 02:30",
        "06 23:30+1 = 03:00",
        "07 00:00+1 = 03:30",
        "07 00:30+0 = 04:00",
    ]


def test_a_day_that_was_left_out_is_not_made_up_for_by_cron() -> None:
    # cron(8): a jump of more than three hours is a correction of the clock. Samoa had no 30 December 2011.
    batches = [(datetime(2011, 12, day), [timedelta(hours=9)]) for day in (29, 30, 31)]

    fixed = [f"{local:%d %H:%M}" for local, _, _ in localise(batches, zone("Pacific/Apia"), Reading.FIXED)]
    wall = [f"{local:%d %H:%M}" for local, _, _ in localise(batches, zone("Pacific/Apia"), Reading.WALL)]

    assert fixed == ["29 09:00", "31 09:00"]
    assert wall == ["29 09:00", "31 09:00"]  # +24 h falls onto the real 31st


def test_three_hours_are_still_a_change_of_clocks() -> None:
    # Casey station went from UTC+8 to UTC+11 at 00:01 on 4 October 2020.
    batches = [(datetime(2020, 10, 4), [timedelta(hours=2), timedelta(hours=9)])]

    times = list(localise(batches, zone("Antarctica/Casey"), Reading.FIXED))

    assert [f"{at:%d %H:%M} {shift}".rstrip() for _, at, shift in times] == ["03 16:01 gap", "03 22:00"]
