"""What a peer's module does when it is run, and the two jobs that every peer runs."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any


def answer(functions: dict[str, Any]) -> None:
    """Call the function that the command line names and print what it returns as the last line, as JSON."""
    values = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    result = functions[sys.argv[1]](**values)
    print(json.dumps(result))


def nothing(number: int) -> None:
    from tests.benchmarks.marks import mark

    mark(number)


def post(key: str) -> None:
    """Call the recorder, as the product's http platform does."""
    import httpx

    with httpx.Client(trust_env=False) as client:
        client.post(f"{os.environ['RECORDER']}/publish", json={"text": key}, headers={"Idempotency-Key": key})


def milliseconds(look: Callable[[], object], looks: int) -> dict[str, float]:
    """Median and worst of `looks` calls, after a few to warm up."""
    for _ in range(5):
        look()
    times = []
    for _ in range(looks):
        began = time.perf_counter()
        look()
        times.append((time.perf_counter() - began) * 1000)
    return {"median": statistics.median(times), "worst": max(times)}


def setup_django() -> None:
    import django

    django.setup()


def migrate() -> None:
    from django.core.management import call_command

    setup_django()
    call_command("migrate", verbosity=0)


def execute(*statements: str) -> None:
    """SQL on Django's connection, one statement after the other."""
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def times(first: float, count: int, every: float) -> list[Any]:
    """`count` aware datetimes from `first` (seconds since 1970) on, `every` seconds apart."""
    from datetime import UTC, datetime

    return [datetime.fromtimestamp(first + number * every, tz=UTC) for number in range(count)]
