"""Log lines: both shapes, the ids bound to a thread, and that secrets stay out."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from alwrity_scheduler.core import logs
from alwrity_scheduler.core.hiding import hidden

ROOT = Path(__file__).resolve().parents[3]


def record(message: str, *args: object, exc_info: object = None, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("schedules.engine", logging.INFO, "x.py", 1, message, args, exc_info)  # type: ignore[arg-type]
    made.created = 1_795_449_600.5  # 23 November 2026, 16:00:00.5 UTC
    vars(made).update(extra)
    return made


def as_json(made: logging.LogRecord) -> dict[str, object]:
    line = logs.JsonFormatter().format(made)
    assert "\n" not in line
    found: dict[str, object] = json.loads(line)
    return found


def test_a_line_for_people():
    with logs.bound(job="j1"):
        line = logs.LineFormatter().format(record("Published %s", "it", action="job_completed", row=7))

    assert line == "2026-11-23T16:00:00.500Z INFO schedules.engine job_completed job=j1 row=7 Published it"


def test_a_line_for_machines_is_one_object():
    with logs.bound(job="j1", attempt=3):
        found = as_json(record("Two\nlines", action="job_completed"))

    assert found == {
        "time": "2026-11-23T16:00:00.500Z",
        "level": "INFO",
        "logger": "schedules.engine",
        "action": "job_completed",
        "job": "j1",
        "attempt": 3,
        "message": "Two\nlines",
    }


def test_an_exception_stands_in_its_own_field():
    try:
        raise ValueError("no")
    except ValueError:
        found = as_json(record("Failed", exc_info=sys.exc_info()))

    assert str(found["exception"]).endswith("ValueError: no")


def test_ids_nest_and_end_with_their_block(monkeypatch):
    monkeypatch.setitem(logs.always, "worker", "w1")
    with logs.bound(job="outer", account="a"):
        with logs.bound(job="inner"):
            inner = logs.ids()
        outer = logs.ids()

    assert inner == {"worker": "w1", "job": "inner", "account": "a"}
    assert outer == {"worker": "w1", "job": "outer", "account": "a"}
    assert logs.ids() == {"worker": "w1"}


def test_ids_of_one_thread_are_not_those_of_another():
    seen: list[dict[str, object]] = []
    with logs.bound(job="mine"):
        other = Thread(target=lambda: seen.append(logs.ids()))
        other.start()
        other.join()

    assert "job" not in seen[0]


def test_an_extra_cannot_take_the_place_of_the_message():
    found = as_json(record("Real", level="FAKE"))

    assert (found["level"], found["message"]) == ("INFO", "Real")


# text, what must be gone
SECRETS = (
    ("GET /x Authorization: Bearer abc.def-123", "abc.def"),
    ("token alw_Zm9vYmFyYmF6 was used", "Zm9v"),
    ("signing with whsec_MfKQ9r8GKYqrTwjUPD", "MfKQ"),
    ("https://x.test/cb?code=1&access_token=tok12345&y=2", "tok12345"),
    ('answer {"client_secret": "abcdefgh", "id": 1}', "abcdefgh"),
    ("connecting to postgres://ana:pa55word@db/x", "pa55word"),
    ("password=hunter2 for ana", "hunter2"),
)


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_no_secret_goes_into_a_line(text, secret):
    try:
        raise RuntimeError(text)
    except RuntimeError:
        made = record("Said %s", text, exc_info=sys.exc_info(), note=text)

    lines = logs.LineFormatter().format(made), logs.JsonFormatter().format(made)

    assert [secret in line for line in lines] == [False, False]
    assert all("[hidden]" in line for line in lines)


def test_a_field_named_like_a_secret_is_hidden_and_a_number_is_not():
    found = as_json(record("x", refresh_token="r-1", cookie=b"c", lease_token=4))

    assert (found["refresh_token"], found["cookie"], found["lease_token"]) == ("[hidden]", "[hidden]", 4)


def test_ordinary_words_stay():
    text = "The token of Harbour is renewed; https://x.test/a?b=1 answered 200."

    assert hidden(text) == text


FOREIGN = ("waitress", "uvicorn.error", "celery.worker", "django.request", "schedules.engine")
PROGRAM = f"""
import logging
for name in {FOREIGN[:3]}:
    logging.getLogger(name.split(".")[0]).addHandler(logging.StreamHandler())  # as uvicorn and Celery do before us
import django
django.setup()
for name in {FOREIGN}:
    logging.getLogger(name).warning("hello")
"""


def test_servers_and_celery_write_the_same_shape_once(tmp_path):
    environment = {
        **os.environ,
        "ALWRITY_DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "alwrity_scheduler.settings",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "INFO",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, text=True, capture_output=True, check=True
    )

    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["logger"], line["message"]) for line in lines] == [(name, "hello") for name in FOREIGN]
