"""The list of schedules as a file: CSV for spreadsheets, or JSON. Written while it is read, so its length does not matter."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from schedules.reads import listing
from schedules.reads.exports import schedule_row
from schedules.reads.listing import TOGETHER
from schedules.reads.spreadsheet import BYTE_ORDER_MARK, cell

KINDS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def response(ids: Sequence[int], kind: str, *, now: datetime) -> StreamingHttpResponse:
    """The schedules of those ids, in that order, as a file to be saved. `kind` is one of KINDS."""
    parts = _parts(ids, now=now, zone=timezone.get_current_timezone(), language=translation.get_language())
    body = _csv(parts) if kind == "csv" else _json(parts)
    answer = StreamingHttpResponse(body, content_type=KINDS[kind])
    answer["Content-Disposition"] = f'attachment; filename="schedules-{timezone.localtime(now):%Y-%m-%d}.{kind}"'
    answer["Cache-Control"] = "no-store"
    return answer


def _parts(
    ids: Sequence[int], *, now: datetime, zone: tzinfo, language: str | None
) -> Iterator[tuple[list[str], list[dict[str, Any]]]]:
    """Headings and rows, part by part. The answer is written when the request's own zone and language are over, so each part
    brings them back."""
    left = iter(ids)
    first = True
    while (part := list(islice(left, TOGETHER))) or first:
        first = False
        with timezone.override(zone), translation.override(language):
            yield _headings(), [schedule_row(item, zone) for item in listing.listed(part, now=now)]


def _headings() -> list[str]:
    return [
        _("Id"), _("Status"), _("Title"), _("Text"), _("Accounts"), _("Platforms"), _("Type"), _("Campaign"), _("Labels"),
        _("Tags"), _("When"), _("Time zone"), _("Next run (UTC)"), _("Next run (your time)"), _("Priority"), _("Owner"),
        _("Last result"), _("Created (UTC)"),
    ]  # fmt: skip


def _csv(parts: Iterator[tuple[list[str], list[dict[str, Any]]]]) -> Iterator[str]:
    first = True
    for headings, rows in parts:
        page = io.StringIO()
        write = csv.writer(page).writerow
        if first:
            page.write(BYTE_ORDER_MARK)
            write(headings)
            first = False
        for row in rows:
            write([cell(value) for value in row.values()])
        yield page.getvalue()


def _json(parts: Iterator[tuple[list[str], list[dict[str, Any]]]]) -> Iterator[str]:
    yield "["
    comma = ""
    for _head, rows in parts:
        for row in rows:
            yield comma + json.dumps(row, ensure_ascii=False)
            comma = ",\n"
    yield "]\n"
