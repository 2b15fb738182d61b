"""`manage.py create_token --workspace W --role R --name N`, with --scopes, --networks, --expires-days: prints a new token once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.workspaces import services
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Role
from alwrity_scheduler.workspaces.scopes import SCOPES


class Command(BaseCommand):
    help = "Make an API token and print it once; only its digest is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", required=True, help="the workspace's slug, name or public id")
        parser.add_argument("--role", required=True, help=", ".join(Role))
        parser.add_argument("--name", required=True, help="what the token is for, as the list of tokens will show it")

        parser.add_argument(
            "--scopes", nargs="+", default=[], metavar="AREA:WAY", help=f"only these, of {', '.join(SCOPES)}"
        )
        parser.add_argument("--networks", nargs="+", default=[], help="works only from these, like 192.0.2.0/24")
        parser.add_argument("--expires-days", type=int, help="ends after so many days; without it never")

    def handle(self, *args: Any, workspace: str, role: str, name: str, **options: Any) -> None:
        days, now = options.get("expires_days"), clock.now()
        if days is not None and not 1 <= days <= 3650:
            raise CommandError("Give 1 to 3650 days.")
        rows = Workspace.objects.all()
        found = [row for row in rows if workspace in (row.slug, row.name, str(row.public_id))]
        if not found:
            known = ", ".join(row.slug for row in rows) or "none yet; run manage.py quickstart"
            raise CommandError(f"There is no workspace {workspace!r}. There are: {known}.")
        try:
            _, secret = services.create_token(
                workspace=found[0],
                name=name,
                role=role,
                actor=Actor(kind="command", label="create_token"),
                now=now,
                scopes=options.get("scopes") or (),
                networks=options.get("networks") or (),
                expires_at=now + timedelta(days=days) if days is not None else None,
            )
        except Refused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(secret)
