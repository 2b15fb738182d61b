"""`manage.py next_runs`: when does a rule fire next? Asks `schedules.domain.next_runs`; needs no database."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from alwrity_scheduler.core import clock
from schedules.domain.next_runs import DEFAULT_COUNT, answer_line, next_times
from schedules.domain.refusals import RuleRefused


class Command(BaseCommand):
    help = "Print the next times of a cron expression or a recurrence rule, or answer questions as JSON lines."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--cron", help="a cron expression of five fields, or an alias such as @daily")
        what.add_argument("--rrule", help="FREQ=... or a block of RRULE, RDATE and EXDATE lines")
        what.add_argument("--stdin", action="store_true", help="read JSON lines, answer one JSON line each")
        parser.add_argument("--tz", help="an IANA time zone; without one the times are taken as they are")
        parser.add_argument("--start", help="cron: times after this one; rrule: DTSTART (default: now)")
        parser.add_argument("--count", type=int, default=DEFAULT_COUNT, help="how many times (%(default)s)")
        parser.add_argument("--inclusive", action="store_true", help="cron: a time equal to --start counts too")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["stdin"]:
            self._answer_stdin()
            return
        asked = {name: options[name] for name in ("cron", "rrule", "tz", "start", "count", "inclusive")}
        try:
            times = next_times(asked, clock.now())
        except RuleRefused as refusal:
            raise CommandError(str(refusal), returncode=2) from refusal
        for time in times:
            self.stdout.write(time)

    def _answer_stdin(self) -> None:
        """Bytes, so that one line that is not UTF-8 spoils only its own answer."""
        for line in sys.stdin.buffer:
            if line.strip():
                self.stdout.write(answer_line(line, clock.now()))
                self.stdout.flush()
