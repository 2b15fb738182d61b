"""`manage.py runscheduler`: the scheduler loop, until SIGTERM or Ctrl-C. Several may run at once."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from alwrity_scheduler.core.checks import WITHOUT_PAGES
from schedules.engine import embedded, wakeup
from schedules.engine.loop import Loop

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Publish what is due, at its second. --once publishes what is due now and ends."
    requires_system_checks = WITHOUT_PAGES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="publish what is due, print what was done, and end")
        parser.add_argument(
            "--status", action="store_true", help="print how the engine is doing, and end; exit code 1 with an alarm"
        )
        parser.add_argument("--json", action="store_true", help="with --status: the answer of /api/v1/status/")
        parser.add_argument("--threads", type=int, default=settings.ENGINE["threads"], help="calls in flight at once")

    def handle(self, *args: Any, once: bool, status: bool, threads: int, **options: Any) -> None:
        if threads < 1:
            raise CommandError("--threads must be at least 1.")
        if options["json"] and not status:
            raise CommandError("--json belongs to --status.")
        try:
            if status:
                self._tell(as_json=options["json"])
                return
            loop = Loop(threads=threads, lease=timedelta(seconds=settings.ENGINE["lease_seconds"]))
            if once:
                self.stdout.write(str(loop.drain()))
                return
            self._run(loop)
        except DatabaseError as error:
            raise CommandError(
                f"The database is not ready ({str(error).strip()}): run manage.py migrate, or manage.py quickstart."
            ) from error

    def _tell(self, *, as_json: bool) -> None:
        """The engine's figures; exit code 1 while an alarm is on, so that a script or a cron job can ask."""
        from alwrity_scheduler.core import clock
        from schedules.management.status_text import text
        from schedules.reads.engine import installation_status

        found = installation_status(now=clock.database_now())
        if as_json:
            from schedules.api.serializers.system import status_words

            self.stdout.write(json.dumps(status_words(found, "UTC"), indent=2))
        else:
            self.stdout.write(text(found))
        if found.alarms:
            sys.exit(1)

    def _run(self, loop: Loop) -> None:
        from alwrity_scheduler.core import clock
        from schedules.engine import duties

        duties.ensure_rows(clock.database_now())
        _stop_on_signals(loop)
        listener = wakeup.Listener(loop.wake)
        listener.start()
        scheduler = embedded.Embedded(loop)
        scheduler.start()
        self.stdout.write(
            f"Scheduler {loop.heart.name} is running with {loop.dispatcher.threads} threads. Ctrl-C stops it."
        )
        self.stdout.flush()
        try:
            loop.run(stop_seconds=settings.ENGINE["stop_seconds"])
        finally:
            listener.stop()
            scheduler.stop()
        self.stdout.write("Scheduler stopped.")
        self.stdout.flush()
        # threads still waiting for a slow platform must not keep the process: their attempts are left to the lease (R37)
        sys.stdout.flush()
        if loop.dispatcher.in_flight():
            os._exit(0)


def _stop_on_signals(loop: Loop) -> None:
    """The first signal stops in good order, the second at once."""

    def on_signal(number: int, frame: object) -> None:
        if loop.stopping:
            os._exit(0)
        logger.info("Stopping: waiting for calls under way.", extra={"action": "stopping"})
        loop.stop()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
