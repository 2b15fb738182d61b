"""`manage.py forget_second_factors NAME`: for who lost the telephone and the recovery codes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.signin.services import forget_second_factors
from alwrity_scheduler.workspaces.models import User


class Command(BaseCommand):
    help = "Take a person's second steps away (app, keys, recovery codes) and sign them out everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        person = User.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f"There is nobody with the user name {username}.")
        actor = Actor(kind="command", label="forget_second_factors")
        count = forget_second_factors(person=person, actor=actor, now=clock.now())
        self.stdout.write(
            f"{count} second steps of {username} were taken away; they sign in with their password alone."
        )
