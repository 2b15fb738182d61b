"""`manage.py quickstart`: from an empty folder to a running product. A second run changes nothing that exists.

The data folder and its keys are made before Django starts, by alwrity_scheduler.bootstrap.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.workspaces.models import User
from schedules.engine.loop import Loop
from schedules.models import Job
from schedules.services import demo

ACTOR = Actor(kind="command", label="quickstart")
RESTART_PAUSE_SECONDS = 2.0
ONCE_PATIENCE = timedelta(seconds=20)


class Command(BaseCommand):
    help = "Prepare the data folder, the database, an administrator and a demo workspace; then serve and publish until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="prepare only")
        parser.add_argument(
            "--once", action="store_true", help="prepare, publish what is due, say what was published, and end"
        )
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="the port to listen on (default 8000)")

    def handle(self, *args: Any, no_serve: bool, once: bool, host: str, port: int, **options: Any) -> None:
        serve = not (no_serve or once)
        if serve:
            _require_free(host, port)
        self._prepare()
        if once:
            self._publish_once()
        elif serve:
            self._serve(host, port)
        else:
            self.stdout.write("Everything is prepared. Start with: uv run manage.py quickstart")

    def _prepare(self) -> None:
        try:
            call_command("migrate", verbosity=0, interactive=False)
        except DatabaseError as error:
            name = settings.DATABASES["default"]["NAME"]
            raise CommandError(
                f"The database {name} cannot be prepared ({str(error).strip()}): check DATABASE_URL."
            ) from error
        owner = self._administrator()
        made = demo.make(owner=owner, timezone=owner.timezone, actor=ACTOR, now=clock.database_now())
        if made:
            self.stdout.write(
                f'The workspace "{made.name}" has two sandbox accounts and four posts; the first goes out in a few seconds.'
            )

    def _administrator(self) -> User:
        """The first superuser, made if there is none; the password comes from the environment or is printed this once."""
        people = User.objects
        found: User | None = people.filter(is_superuser=True).order_by("id").first()
        if found is not None:
            return found
        name = os.environ.get("ALWRITY_ADMIN_USER", "admin")
        given = os.environ.get("ALWRITY_ADMIN_PASSWORD", "")
        password = given or secrets.token_urlsafe(12)
        owner: User = people.create_superuser(
            name, os.environ.get("ALWRITY_ADMIN_EMAIL", ""), password, timezone=_machine_zone()
        )
        if given:
            self.stdout.write(f"Administrator {name}, with the password from ALWRITY_ADMIN_PASSWORD.")
        else:
            self.stdout.write(f"Administrator {name}, password {password}   (shown this once: write it down)")
        return owner

    def _publish_once(self) -> None:
        """Publish what is due, and what the fresh demo has due within seconds; exit 0 only if something was published."""
        began = clock.database_now()
        waited = (
            Job.objects.pending()
            .filter(run_at__gt=began, run_at__lte=began + ONCE_PATIENCE)
            .order_by("-run_at")
            .first()
        )
        if waited is not None:
            time.sleep(max(0.0, (waited.run_at - clock.database_now()).total_seconds()))
        Loop(threads=settings.ENGINE["threads"], lease=timedelta(seconds=settings.ENGINE["lease_seconds"])).drain()
        ended = Job.objects.filter(finished_at__gte=began).select_related("account").order_by("finished_at", "id")
        published = 0
        for job in ended:
            published += job.state == "completed"
            self.stdout.write(f"{job.state} {job.account.handle} {job.remote_url or job.error_message}")
        if not published:
            raise CommandError(
                "Nothing was published: nothing is due. See manage.py runscheduler for the running scheduler."
            )

    def _serve(self, host: str, port: int) -> None:
        call_command("collectstatic", verbosity=0, interactive=False)
        # a fresh interpreter, so that the settings see the collected files
        command = [sys.executable, "-m", "alwrity_scheduler.serve", "--host", host, "--port", str(port)]
        environment = {**os.environ, "PUBLIC_URL": os.environ.get("PUBLIC_URL") or f"http://{_shown(host)}:{port}"}
        processes = {
            "web server": _Child(command, environment),
            "scheduler": _Child([sys.executable, "manage.py", "runscheduler"], environment),
        }
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        self.stdout.write(
            f"\nOpen {environment['PUBLIC_URL']}/ and sign in. Write a post under New post; watch it under Jobs.\n"
            "Web server and scheduler run until Ctrl-C; starting again goes on where this ended.\n"
        )
        self.stdout.flush()
        _watch(processes, stopping, self.stderr.write)
        for child in processes.values():
            child.stop()
        self.stdout.write("Stopped.")


class _Child:
    """A process of ours that is started again when it ends by itself."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.command, self.environment = command, environment
        self.start()

    def start(self) -> None:
        # its own session: Ctrl-C reaches the parent alone, which then stops its children in order
        self.process = subprocess.Popen(  # noqa: S603 - our own command line
            self.command, env=self.environment, cwd=settings.BASE_DIR, start_new_session=True
        )

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(settings.ENGINE["stop_seconds"] + 5)
        except subprocess.TimeoutExpired:
            self.process.kill()


def _watch(processes: dict[str, _Child], stopping: threading.Event, say: Callable[[str], object]) -> None:
    while not stopping.wait(0.3):
        for name, child in processes.items():
            code = child.process.poll()
            if code is not None:
                say(f"The {name} ended (exit code {code}); starting it again.")
                stopping.wait(RESTART_PAUSE_SECONDS)
                child.start()


def _require_free(host: str, port: int) -> None:
    if not 1 <= port <= 65_535:
        raise CommandError(f"{port} is not a port: give a number from 1 to 65535 with --port.")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} on {host} cannot be used ({error.strerror}): "
                f"stop what uses it, or choose another one with --port {port + 1}."
            ) from error


def _shown(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104


def _machine_zone() -> str:
    """The machine's zone where it can be known, else UTC; a person changes it under Settings."""
    from tzlocal import get_localzone_name

    try:
        name = get_localzone_name() or "UTC"
    except Exception:
        # tzlocal raises what it likes on odd machines; the zone is only a first guess
        return "UTC"
    import zoneinfo

    return name if name in zoneinfo.available_timezones() else "UTC"
