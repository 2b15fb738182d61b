"""`manage.py retention`: how long each kind of thing is kept here."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from alwrity_scheduler.core import retention


class Command(BaseCommand):
    help = "Show how long each kind of thing is kept. RETENTION_DAYS changes it, like RETENTION_DAYS='attempts:90'."

    def handle(self, *args: Any, **options: Any) -> None:
        width = max(len(name) for name in retention.kinds)
        for name, kind in retention.kinds.items():
            note = f" (at least {kind.least}: {kind.why})" if kind.why else ""
            self.stdout.write(f"{name:<{width}}  {retention.days(name):>5} days  {kind.what}{note}")
