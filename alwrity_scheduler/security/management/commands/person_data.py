"""`manage.py person_data export NAME` prints what is held of a person; `erase NAME --yes` deletes the person."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.security import persons
from alwrity_scheduler.workspaces.models import User


class Command(BaseCommand):
    help = "Export a person's data as JSON, or erase the person."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["export", "erase"])
        parser.add_argument("name", help="the user name")
        parser.add_argument("--yes", action="store_true", help="erase without asking")

    def handle(self, *args: Any, verb: str, name: str, yes: bool, **options: Any) -> None:
        person = User.objects.filter(username=name).first()
        if person is None:
            raise CommandError(f"There is no person of the user name {name!r}.")
        if verb == "export":
            self.stdout.write(json.dumps(persons.export(person=person, now=clock.now()), indent=2, ensure_ascii=False))
            return
        if not yes and input(f"Erase {name}? What they wrote for a team stays, without their name. [y/N] ") != "y":
            raise CommandError("Nothing was erased.")
        try:
            instead = persons.erase(person=person, actor=Actor(kind="command", label="person_data"), now=clock.now())
        except Refused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Erased. In the history the name is {instead} now.")
