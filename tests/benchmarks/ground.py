"""What contenders stand on: databases, a Redis and processes of their own, gone when the contender is done."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import POSTGRES_URL
from tests.installation import ROOT

LONGEST = 900.0  # seconds that anything here may take


@contextmanager
def fresh_postgres() -> Iterator[str]:
    """The URL of an empty database."""
    import psycopg

    name = f"alwrity_bench_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{POSTGRES_URL.rsplit('/', 1)[0]}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
            # what was written must not be flushed during the next contender's run
            connection.execute("CHECKPOINT")


@contextmanager
def own_redis(folder: Path) -> Iterator[str]:
    """The URL of a redis-server with nothing in it."""
    port = free_port()
    words = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with running(words, {}, folder / "redis.log"):
        wait_until(lambda: _answers(port), 20, "redis-server to answer")
        yield f"redis://127.0.0.1:{port}/0"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def environment(**values: str) -> dict[str, str]:
    """The machine's environment without this process' test settings, and with the repository on the path."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV", "DJANGO_"))}
    return {**own, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", **values}


@contextmanager
def running(words: Sequence[str], values: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process until the block ends: SIGTERM, and SIGKILL where that is not heard. Its words go to `log`."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            words, cwd=ROOT, env=environment(**values), stdout=file, stderr=file, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


def done(words: Sequence[str], values: dict[str, str]) -> str:
    """Run to the end and return what it printed. Raises RuntimeError with its complaint."""
    result = subprocess.run(
        words, cwd=ROOT, env=environment(**values), text=True, capture_output=True, check=False, timeout=LONGEST
    )
    if result.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {result.returncode}: {result.stderr[-2000:]}")
    return result.stdout


def python(*words: str) -> list[str]:
    return [sys.executable, "-m", *words]


def wait_until(condition: Callable[[], Any], seconds: float, what: str, *watched: tuple[Any, Path]) -> None:
    """Look every 20 ms. Raises RuntimeError after `seconds`, or when a `watched` (process, log) has ended."""
    until = time.monotonic() + seconds
    while not condition():
        for process, log in watched:
            if process.poll() is not None:
                raise RuntimeError(f"the process ended while waiting for {what}: {log.read_text()[-2000:]}")
        if time.monotonic() > until:
            tails = " ".join(log.read_text()[-1500:] for _, log in watched)
            raise RuntimeError(f"waited {seconds:.0f} s for {what}. {tails}")
        time.sleep(0.02)
