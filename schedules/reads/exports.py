"""Lists as files, written while they are read: rows by plain names for machines, and the text of CSV, JSON and iCalendar.

The pages say the same in a person's language and zone (`web.listing_export`, `web.views.jobs_many`, `web.calendar.exports`).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Any

from schedules.models import Job
from schedules.reads import executions, listing
from schedules.reads.calendar import Event
from schedules.reads.listing import ListedSchedule
from schedules.reads.spreadsheet import BYTE_ORDER_MARK, cell

TOGETHER = 500  # rows read at once
LONGEST_LINE = 75  # octets of a line of iCalendar, without the line break
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "ics": "text/calendar; charset=utf-8",
}
Row = dict[str, Any]


def utc(at: datetime | None) -> str | None:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else None


# ---- rows


def schedules(ids: Iterable[int], *, now: datetime, zone: tzinfo) -> Iterator[Row]:
    """The schedules of those numbers, in that order."""
    return (schedule_row(item, zone) for item in listing.everything(ids, now=now))


def schedule_row(item: ListedSchedule, zone: tzinfo) -> Row:
    schedule, content = item.schedule, item.schedule.content
    targets = list(schedule.targets.all())
    return {
        "id": str(schedule.public_id),
        "state": schedule.state,
        "title": content.title,
        "text": content.text,
        "accounts": [target.account.name for target in targets],
        "platforms": sorted({target.account.platform for target in targets}),
        "content_type": content.content_type,
        "campaign": content.campaign.name if content.campaign else "",
        "labels": content.labels,
        "tags": schedule.tags,
        "description": item.words,
        "timezone": schedule.timezone,
        "next_run_at": utc(item.next_at),
        "next_run_at_local": item.next_at.astimezone(zone).isoformat() if item.next_at else None,
        "priority": schedule.priority,
        "owner": schedule.created_by.get_username() if schedule.created_by else "",
        "last_result": item.last.state if item.last else "",
        "created_at": utc(schedule.created_at),
    }


def jobs(ids: Iterable[int], *, now: datetime) -> Iterator[Row]:
    left = iter(ids)
    while part := list(islice(left, TOGETHER)):
        found = Job.objects.with_names().in_bulk(part)
        for line in executions.lines([found[key] for key in part if key in found], now):
            yield _job_row(line)


def _job_row(line: executions.Line) -> Row:
    job = line.job
    return {
        "id": str(job.public_id),
        "state": job.state,
        "title": str(job.schedule.content),
        "schedule": str(job.schedule.public_id),
        "account": job.account.name,
        "platform": job.account.platform,
        "content_type": job.schedule.content.content_type,
        "scheduled_for": utc(job.scheduled_for),
        "started_at": utc(job.started_at),
        "finished_at": utc(job.finished_at),
        "took_seconds": None if line.took is None else round(line.took.total_seconds(), 3),
        "attempt_count": job.attempt_count,
        "next_attempt_at": utc(line.next_at),
        "reason": job.reason,
        "error_class": job.error_class,
        "message": job.error_message,
        "remote_id": job.remote_id,
        "remote_url": job.remote_url,
    }


def events(found: Iterable[Event]) -> Iterator[Row]:
    for event in found:
        yield {
            "key": event.key,
            "at": utc(event.at),
            "at_local": event.at.isoformat(),
            "look": event.look,
            "title": event.title,
            "platform": event.platform,
            "account": event.account,
            "content_type": event.content_type,
            "campaign": event.campaign,
            "recurring": event.recurring,
            "conflicts_with": event.near.key if event.near else None,
        }


# ---- files


def as_csv(rows: Iterable[Row], heads: Sequence[str]) -> Iterator[str]:
    """A heading of the rows' names, then each row."""
    yield BYTE_ORDER_MARK + _line(heads)
    for row in rows:
        yield _line([cell(row[name]) for name in heads])


def _line(values: Sequence[str]) -> str:
    held = io.StringIO()
    csv.writer(held).writerow(values)
    return held.getvalue()


def as_json(rows: Iterable[Row]) -> Iterator[str]:
    yield "["
    comma = ""
    for row in rows:
        yield comma + json.dumps(row, ensure_ascii=False)
        comma = ",\n"
    yield "]\n"


# ---- iCalendar (RFC 5545)

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_STATUS = {"draft": "TENTATIVE", "review": "TENTATIVE", "paused": "TENTATIVE", "cancelled": "CANCELLED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How an event is called: its state, its platform, its title where it has none; and where it is shown."""

    look: Callable[[str], str]
    platform: Callable[[str], str]
    url: Callable[[str], str]
    untitled: str


def icalendar(found: Iterable[Event], *, name: str, now: datetime, site: str, said: Said) -> Iterator[bytes]:
    """One VEVENT for each event, a point in time in UTC. Its UID is made of the event's key: it stays when the post is moved, and
    changes once, when a time of a rule becomes a job of its own. `site`: our address, for links."""
    host = re.sub(r"^https?://", "", site)
    yield from _folded(
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//ALwrity//Content Scheduler//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(name)}",
    )  # fmt: skip
    for event in found:
        platform = said.platform(event.platform)
        yield from _folded(
            "BEGIN:VEVENT",
            f"UID:{event.key}@{host}",
            f"DTSTAMP:{_stamp(now)}",
            f"DTSTART:{_stamp(event.at)}",
            f"SUMMARY:{_text(event.title or said.untitled)}",
            f"DESCRIPTION:{_text(f'{said.look(event.look)} · {platform} · {event.account}')}",
            f"LOCATION:{_text(f'{platform} {event.account}')}",
            *([f"CATEGORIES:{_text(event.campaign)}"] if event.campaign else []),
            f"STATUS:{_STATUS.get(event.look, 'CONFIRMED')}",
            f"SEQUENCE:{event.version}",
            "TRANSP:TRANSPARENT",
            f"URL:{site}{said.url(event.key)}",
            "END:VEVENT",
        )
    yield from _folded("END:VCALENDAR")


def _folded(*lines: str) -> Iterator[bytes]:
    return (folded(line) for line in lines)


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
