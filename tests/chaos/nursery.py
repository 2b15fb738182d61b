"""Raises schedulers by fork: Django is imported once, so a new one stands milliseconds after its forerunner was killed.

A process of its own without threads and without a database connection. It speaks lines of JSON:
in: {"point": …, "nth": …} to start one (point may be empty); out: {"born": pid} and {"died": pid, "status": …}.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import select
import signal
import sys
from typing import Any

LOOK_SECONDS = 0.01


def be_a_scheduler(order: dict[str, Any]) -> None:
    """In the child: run what `manage.py runscheduler` runs, signals and threads and all, and end with its exit code."""
    from django.core.management import call_command

    from tests.chaos import points

    faulthandler.register(signal.SIGUSR1, all_threads=True)
    os.setpgid(0, 0)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    if order.get("point"):
        points.arm(order["point"], int(order["nth"]))
    try:
        call_command("runscheduler")
    except SystemExit as end:
        os._exit(int(end.code or 0))
    except BaseException as error:
        # a database that is down ends a real scheduler too, and whoever watches it starts it again
        os.write(2, f"scheduler {os.getpid()} ended: {type(error).__name__}: {error}\n".encode()[:500])
        os._exit(1)
    os._exit(0)


def tell(**words: Any) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def bury() -> set[int]:
    """Reap the dead at once: a zombie still has its number, so nobody could be sure that it is dead."""
    buried: set[int] = set()
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return buried
        if not pid:
            return buried
        buried.add(pid)
        tell(died=pid, status=status)


def orders() -> list[dict[str, Any]] | None:
    """What came in within LOOK_SECONDS; None when the harness is gone."""
    ready, _, _ = select.select([0], [], [], LOOK_SECONDS)
    if not ready:
        return []
    data = os.read(0, 65536)
    return [json.loads(line) for line in data.splitlines()] if data else None


def main() -> None:
    import django

    from tests.chaos import skew

    django.setup()
    skew.install()
    __import__("schedules.management.commands.runscheduler")
    children: set[int] = set()
    tell(ready=True)
    while (found := orders()) is not None:
        for order in found:
            pid = os.fork()
            if pid == 0:
                be_a_scheduler(order)
            children.add(pid)
            tell(born=pid)
        children -= bury()
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
