"""The calendar's events as files: iCalendar (RFC 5545) and CSV. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from io import StringIO

from django.utils.translation import gettext as _

from schedules.reads.calendar import Event
from schedules.web.calendar.markup import LOOKS, event_url
from schedules.web.spreadsheet import BYTE_ORDER_MARK, cell
from schedules.web.templatetags.ui import platform_name

LONGEST_LINE = 75  # octets, without the line break
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_STATUS = {"draft": "TENTATIVE", "review": "TENTATIVE", "paused": "TENTATIVE", "cancelled": "CANCELLED"}


def icalendar(events: Iterable[Event], *, name: str, now: datetime, site: str) -> bytes:
    """One VEVENT for each event, a point in time in UTC. Its UID is made of the event's key: it stays when the post is moved, and
    changes once, when a time of a rule becomes a job of its own. `site`: our address, for links."""
    host = re.sub(r"^https?://", "", site)
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//ALwrity//Content Scheduler//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(name)}",
    ]  # fmt: skip
    for event in events:
        status = str(LOOKS[event.look][1])
        about = f"{status} · {platform_name(event.platform)} · {event.account}"
        lines += [
            "BEGIN:VEVENT",
            f"UID:{event.key}@{host}",
            f"DTSTAMP:{_stamp(now)}",
            f"DTSTART:{_stamp(event.at)}",
            f"SUMMARY:{_text(event.title or _('Untitled'))}",
            f"DESCRIPTION:{_text(about)}",
            f"LOCATION:{_text(f'{platform_name(event.platform)} {event.account}')}",
            *([f"CATEGORIES:{_text(event.campaign)}"] if event.campaign else []),
            f"STATUS:{_STATUS.get(event.look, 'CONFIRMED')}",
            f"SEQUENCE:{event.version}",
            "TRANSP:TRANSPARENT",
            f"URL:{site}{event_url(event.key)}",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(folded(line) for line in lines)


def folded(line: str) -> bytes:
    """The line with its breaks: at most 75 octets each, never within a character; a line that goes on begins with a space."""
    parts, part, room = [], b"", LONGEST_LINE
    for character in line:
        octets = character.encode()
        if len(part) + len(octets) > room:
            parts.append(part)
            part, room = b"", LONGEST_LINE - 1
        part += octets
    parts.append(part)
    return b"\r\n ".join(parts) + b"\r\n"


def _text(value: str) -> str:
    plain = _CONTROL.sub("", value).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return plain.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def table(events: Iterable[Event], *, zone: str, site: str) -> bytes:
    """CSV in UTF-8 with a mark for spreadsheets; times are wall-clock times of `zone`, with UTC beside them."""
    columns: Sequence[tuple[str, Callable[[Event], str]]] = (
        (_("Date"), lambda event: f"{event.at:%Y-%m-%d}"),
        (_("Time"), lambda event: f"{event.at:%H:%M}"),
        (_("Time zone"), lambda event: zone),
        ("UTC", lambda event: f"{event.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"),
        (_("Status"), lambda event: str(LOOKS[event.look][1])),
        (_("Title"), lambda event: event.title),
        (_("Platform"), lambda event: platform_name(event.platform)),
        (_("Account"), lambda event: event.account),
        (_("Type"), lambda event: event.content_type),
        (_("Campaign"), lambda event: event.campaign),
        (_("Repeats"), lambda event: _("yes") if event.recurring else ""),
        (_("Conflict with"), lambda event: f"{event.near.at:%Y-%m-%d %H:%M} {event.near.title}" if event.near else ""),
        (_("Address"), lambda event: f"{site}{event_url(event.key)}"),
    )
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow([title for title, _value in columns])
    writer.writerows([cell(value(event)) for _title, value in columns] for event in events)
    return (BYTE_ORDER_MARK + file.getvalue()).encode()
