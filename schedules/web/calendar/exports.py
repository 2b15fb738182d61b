"""The calendar's events as files: iCalendar (RFC 5545) and CSV. Pure."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from io import StringIO

from django.utils.translation import gettext as _

from schedules.reads.calendar import Event
from schedules.reads.exports import Said
from schedules.reads.exports import icalendar as ical
from schedules.reads.spreadsheet import BYTE_ORDER_MARK, cell
from schedules.web.calendar.markup import LOOKS, event_url
from schedules.web.templatetags.ui import platform_name


def icalendar(events: Iterable[Event], *, name: str, now: datetime, site: str) -> bytes:
    """The events as a calendar, in the reader's language. `site`: our address, for links."""
    said = Said(look=lambda look: str(LOOKS[look][1]), platform=platform_name, url=event_url, untitled=_("Untitled"))
    return b"".join(ical(events, name=name, now=now, site=site, said=said))


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
