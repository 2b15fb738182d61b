"""`manage.py verify_audit`: finds a changed or missing row of the audit log."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from schedules.models import AuditLog
from schedules.services import audit


class Command(BaseCommand):
    help = "Walk the audit log's hash chains and report every changed or missing row. Exit code 1 if there is one."

    def handle(self, *args: Any, **options: Any) -> None:
        breaks = 0
        for found in audit.verify():
            breaks += 1
            self.stdout.write(f"chain {found.chain}, row {found.seq}: {found.message}")
        if breaks:
            raise CommandError(f"The audit log does not hold in {breaks} place{'s' if breaks > 1 else ''}.")
        self.stdout.write(f"The audit log holds: {AuditLog.objects.count()} rows.")
