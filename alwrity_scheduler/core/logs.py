"""Log lines of two shapes, for people and for machines, with the ids of whatever is being done. Secrets are left out.

`with bound(job=…):` gives every line written inside it, by whomever, these ids; they follow the thread (a contextvar).
"""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar, Token
from datetime import UTC, datetime
from typing import Any

from alwrity_scheduler.core.hiding import hidden, hidden_value

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "request",
    "server_time",
    "status_code",
    "taskName",
    "color_message",
}
always: dict[str, Any] = {}  # ids of the whole process, such as the worker's name
_bound: ContextVar[dict[str, Any] | None] = ContextVar("log_ids", default=None)


class bound:  # noqa: N801 - reads as a verb where it is used
    """Context manager: ids for every log line of this thread, on top of those that are bound already."""

    __slots__ = ("_ids", "_token")

    def __init__(self, **ids: Any) -> None:
        self._ids = ids

    def __enter__(self) -> None:
        self._token: Token[dict[str, Any] | None] = _bound.set({**(_bound.get() or {}), **self._ids})

    def __exit__(self, *_: object) -> None:
        _bound.reset(self._token)


def ids() -> dict[str, Any]:
    """What is bound here and now."""
    return {**always, **(_bound.get() or {})}


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    extra = {key: value for key, value in vars(record).items() if key not in _PLAIN}
    return {key: hidden_value(key, value) for key, value in {**ids(), **extra}.items()}


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, tz=UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class LineFormatter(logging.Formatter):
    """`2026-11-22T19:00:00.123Z INFO schedules.engine job_completed job=… Published to …`"""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(record)
        action = str(fields.pop("action", ""))
        pairs = [f"{key}={value}".replace("\n", "\\n") for key, value in fields.items()]
        words = [_time(record), record.levelname, record.name, action, *pairs]
        line = " ".join(word for word in words if word) + " " + hidden(record.getMessage()).replace("\n", "\\n")
        if record.exc_info:
            line += "\n" + hidden(self.formatException(record.exc_info))
        return line


class JsonFormatter(logging.Formatter):
    """One object a line: time, level, logger, action, the ids beside them, message, and exception where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(record)
        known = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "action": str(fields.pop("action", "")),
        }
        line = {**known, **fields, **known, "message": hidden(record.getMessage())}
        if record.exc_info:
            line["exception"] = hidden(self.formatException(record.exc_info))
        return json.dumps(line, default=str, ensure_ascii=False)
