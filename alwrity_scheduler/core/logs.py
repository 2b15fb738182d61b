"""One log line an event: time, level, stable machine name, ids, message."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "request",
    "server_time",
    "status_code",
    "taskName",
}


class LineFormatter(logging.Formatter):
    """`2026-11-22T19:00:00.123Z INFO schedules.engine job_completed job=… Published to …`"""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        extra = {key: value for key, value in vars(record).items() if key not in _PLAIN}
        action = extra.pop("action", "")
        words = [at, record.levelname, record.name, action, *(f"{key}={value}" for key, value in extra.items())]
        line = " ".join(word for word in words if word) + " " + record.getMessage().replace("\n", "\\n")
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line
