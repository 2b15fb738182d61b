"""Between the composer's words ("weekly on Monday") and the rule that is stored, both ways."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from schedules.web import locale

CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WEEKDAYS = tuple(
    zip(
        CODES,
        (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")),
        strict=True,
    )
)


def weekdays() -> list[tuple[str, Any]]:
    """The choices in the order of the person's week."""
    first = locale.first_weekday()
    return [*WEEKDAYS[first:], *WEEKDAYS[:first]]


REPEATS = (
    ("daily", _("Every day")),
    ("weekdays", _("Monday to Friday")),
    ("weekly", _("Weekly on chosen days")),
    ("monthly_day", _("Monthly on a day")),
    ("monthly_nth", _("Monthly on a weekday")),
    ("cron", _("By a cron expression")),
    ("rrule", _("By a rule (RFC 5545)")),
)
MONTH_DAYS = (*((str(number), str(number)) for number in range(1, 32)), ("-1", _("last day")))
NTHS = (("1", _("first")), ("2", _("second")), ("3", _("third")), ("4", _("fourth")), ("-1", _("last")))
WORKING_DAYS = "MO,TU,WE,TH,FR"

_DAILY = re.compile(r"FREQ=DAILY(?:;INTERVAL=(\d{1,3}))?")
_WEEKLY = re.compile(
    r"FREQ=WEEKLY(?:;INTERVAL=(\d{1,3}))?;BYDAY=((?:MO|TU|WE|TH|FR|SA|SU)(?:,(?:MO|TU|WE|TH|FR|SA|SU))*)"
)
_MONTHLY_DAY = re.compile(r"FREQ=MONTHLY(?:;INTERVAL=(\d{1,3}))?;BYMONTHDAY=(-1|[1-9]|[12]\d|3[01])")
_MONTHLY_NTH = re.compile(r"FREQ=MONTHLY(?:;INTERVAL=(\d{1,3}))?;BYDAY=(-1|[1-4])(MO|TU|WE|TH|FR|SA|SU)")


def expression(data: Mapping[str, Any], start: datetime) -> tuple[str, str]:
    """The rule's kind and text for what the person chose; days left empty are the start's own."""
    repeat = data.get("repeat") or "daily"
    if repeat == "cron":
        return "cron", data["cron"].strip()
    if repeat == "rrule":
        return "rrule", data["rrule"].strip()
    every = data.get("interval") or 1
    step = f";INTERVAL={every}" if every > 1 else ""
    if repeat == "weekdays":
        return "rrule", f"FREQ=WEEKLY;BYDAY={WORKING_DAYS}"
    if repeat == "weekly":
        days = [code for code in CODES if code in data.get("weekdays", ())] or [CODES[start.weekday()]]
        return "rrule", f"FREQ=WEEKLY{step};BYDAY={','.join(days)}"
    if repeat == "monthly_day":
        return "rrule", f"FREQ=MONTHLY{step};BYMONTHDAY={data.get('month_day') or start.day}"
    if repeat == "monthly_nth":
        return (
            "rrule",
            f"FREQ=MONTHLY{step};BYDAY={data.get('nth') or 1}{data.get('nth_day') or CODES[start.weekday()]}",
        )
    return "rrule", f"FREQ=DAILY{step}"


def fields_of(kind: str, text: str, start: datetime) -> dict[str, Any]:
    """The composer's fields for a stored rule: in words where the words can say it, as it is written otherwise."""
    if kind == "once":
        return {"when": "once"}
    if kind == "cron":
        return {"when": "repeat", "repeat": "cron", "cron": text}
    if found := _DAILY.fullmatch(text):
        return {"when": "repeat", "repeat": "daily", "interval": int(found[1] or 1)}
    if found := _WEEKLY.fullmatch(text):
        if found[2] == WORKING_DAYS and not found[1]:
            return {"when": "repeat", "repeat": "weekdays"}
        return {"when": "repeat", "repeat": "weekly", "interval": int(found[1] or 1), "weekdays": found[2].split(",")}
    if found := _MONTHLY_DAY.fullmatch(text):
        return {"when": "repeat", "repeat": "monthly_day", "interval": int(found[1] or 1), "month_day": found[2]}
    if found := _MONTHLY_NTH.fullmatch(text):
        return {
            "when": "repeat",
            "repeat": "monthly_nth",
            "interval": int(found[1] or 1),
            "nth": found[2],
            "nth_day": found[3],
        }
    return {"when": "repeat", "repeat": "rrule", "rrule": text}
