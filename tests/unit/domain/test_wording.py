"""Rules in words: exactly what they do, or the expression itself."""

from datetime import datetime

import pytest

from schedules.domain.recurrence import EditAction, OccurrenceEdit, Recurrence, RuleKind, describe


def said(expression: str, **more: object) -> str:
    kind = RuleKind.RRULE if "=" in expression else RuleKind.CRON if expression else RuleKind.ONCE
    rule = Recurrence(
        kind=kind,
        expression=expression,
        timezone="Europe/Berlin",
        start_local=datetime(2026, 3, 2, 9, 0),  # a Monday
        **more,  # type: ignore[arg-type]
    )
    return describe(rule).removesuffix(", Europe/Berlin")


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "Once on 2 March 2026 at 09:00"),
        ("0 9 * * 1-5", "Every weekday at 09:00"),
        ("@daily", "Every day at 00:00"),
        ("*/15 9-17 * * 1-5", "Every 15 minutes from 09:00 to 17:45 on weekdays"),
        ("* * * * *", "Every minute"),
        ("*/5 * * * *", "Every 5 minutes"),
        ("0 * * * *", "Every hour"),
        ("5 * * * *", "Every hour at minute 5"),
        ("0 */2 * * *", "Every 2 hours"),
        ("30 */2 * * *", "Every 2 hours from 00:30 to 22:30"),
        ("7 9-17 * * *", "Every hour from 09:07 to 17:07"),
        ("0 9,12 * * sat,sun", "Every Saturday and Sunday at 09:00 and 12:00"),
        ("0 9 1,15 * *", "On the 1st and 15th of each month at 09:00"),
        ("0 9 L * *", "On the last day of each month at 09:00"),
        ("0 9 LW 3 *", "On the last weekday of March at 09:00"),
        ("0 9 15W * *", "On the weekday nearest the 15th of each month at 09:00"),
        ("0 9 * * 5L", "On the last Friday of each month at 09:00"),
        ("0 9 * * tue#2", "On the second Tuesday of each month at 09:00"),
        ("0 9 13 * 5", "On the 13th of each month and every Friday at 09:00"),
        ("0 0 1 1 *", "On the 1st of January at 00:00"),
        ("0 9 * 6-8 1", "Every Monday in June, July and August at 09:00"),
        # no short and true words: shown as written
        ("0 9 1-7 * */7", "0 9 1-7 * */7"),
        ("*/7 * * * *", "*/7 * * * *"),
        ("10-20 9 * * *", "10-20 9 * * *"),
        ("0 9 */2 * *", "0 9 */2 * *"),
        ("FREQ=DAILY;INTERVAL=3;COUNT=5", "Every 3 days at 09:00, 5 times"),
        ("FREQ=WEEKLY", "Every Monday at 09:00"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", "Every 2 weeks on Monday and Friday at 09:00"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "On the last Friday of each month at 09:00"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "On the last weekday of each month at 09:00"),
        ("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=1,-1", "Every 3 months on the 1st and last day at 09:00"),
        ("FREQ=YEARLY", "Every year on 2 March at 09:00"),
        ("FREQ=YEARLY;BYMONTH=4;BYDAY=1SU", "Every year on the first Sunday of April at 09:00"),
        ("FREQ=HOURLY;INTERVAL=3", "Every 3 hours from 2 March 2026 09:00 on"),
        ("FREQ=DAILY;UNTIL=20261231", "Every day at 09:00, until 31 December 2026"),
        ("FREQ=YEARLY;BYWEEKNO=20", "FREQ=YEARLY;BYWEEKNO=20"),
        ("FREQ=DAILY;BYMONTH=4;BYSECOND=30", "FREQ=DAILY;BYMONTH=4;BYSECOND=30"),
        ("RRULE:FREQ=DAILY\nEXDATE:20260401T090000", "Every day at 09:00, 1 left out"),
    ],
)
def test_a_rule_is_said_in_words(expression: str, words: str) -> None:
    assert said(expression) == words


def test_zone_bounds_and_edits_are_said_too() -> None:
    skip = OccurrenceEdit(nominal_local=datetime(2026, 3, 3, 9), action=EditAction.SKIP)

    words = said("0 9 * * *", limit=4, until_local=datetime(2026, 12, 31, 9), edits=(skip,))

    assert words == "Every day at 09:00, Europe/Berlin, 4 times, until 31 December 2026 09:00, 1 skipped"
