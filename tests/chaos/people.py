"""The people of the campaign, in a process inside the installation: one feeds posts, one settles what only a person can,
one watches how long anything runs. They act through the product's services and carry on when the database fails them.

Lines of JSON. argv: the settings. in: "stop" (no more posts), "report FILE", "end". out: one status twice a second.
"""

from __future__ import annotations

import json
import os
import random
import select
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.chaos import HOSTS, skew

# kind of account -> share of the accounts
KINDS = {"looks": 10, "replays": 4, "accepts": 4, "blind": 4, "accepts blind": 2}
PATIENCE_SECONDS = 5.0  # a person looks at the platform no sooner than this after the outcome became unclear
BATCH_SECONDS = 0.1


def options_of(kind: str, recorder: str, number: int) -> dict[str, Any]:
    """The account's settings: what its platform can do, and whether its outcomes can be looked up."""
    recorder = recorder.replace("127.0.0.1", f"127.0.0.{1 + number % HOSTS}")
    path = "/replays" if kind == "replays" else "/accepts" if kind.startswith("accepts") else ""
    options: dict[str, Any] = {"publish_url": f"{recorder}/publish{path}", "poll_hosts": "127.0.0.1"}
    if kind in ("looks", "accepts"):
        options["lookup_url"] = f"{recorder}/lookup"
    if kind == "replays":
        options["endpoint_replays"] = True
    return options


class Feeder:
    """Posts that are due at once or soon, on one to three accounts each, until there are `jobs` of them."""

    def __init__(self, recorder: str, jobs: int, rate: float, seed: int) -> None:
        from alwrity_scheduler.core import clock
        from alwrity_scheduler.core.events import unit
        from alwrity_scheduler.workspaces import services as workspaces
        from alwrity_scheduler.workspaces.models import User
        from tests.people import ACTOR, make_account

        self.jobs, self.rate, self.dice = jobs, rate, random.Random(seed)
        self.fed = 0
        self.acknowledged: list[str] = []
        self.began = time.monotonic()
        now = clock.database_now()
        with unit():
            owner = User.objects.create_user("ana")
            self.room = workspaces.create_workspace(
                name="Team", slug="team", timezone="UTC", owner=owner, actor=ACTOR, now=now
            )
            self.places = [
                make_account(self.room, now, name=f"{kind} {n}", platform="http", options=options_of(kind, recorder, n))
                for kind, count in KINDS.items()
                for n in range(count)
            ]

    def feed(self) -> None:
        """What the rate wants by now, at most a batch."""
        wanted = min(self.jobs, int((time.monotonic() - self.began) * self.rate) + 1)
        until = time.monotonic() + BATCH_SECONDS
        while self.fed < wanted and time.monotonic() < until:
            places = self.dice.sample(self.places, self.dice.choice((1, 1, 1, 1, 2, 3)))
            soon = self.dice.choice((0.0, 0.0, 0.0, self.dice.random() * 3))
            self.fed += len(places)
            self._one(places, soon)

    def _one(self, places: list[Any], soon: float) -> None:
        from datetime import timedelta

        from alwrity_scheduler.core import clock
        from tests.people import make_schedule

        now = clock.database_now()
        at = (now + timedelta(seconds=soon)).replace(tzinfo=None)
        schedule = make_schedule(
            self.room, places, now, text=f"Post {self.fed}", start_local=at,
            max_attempts=50, retry_base_seconds=1, retry_cap_seconds=4,
        )  # fmt: skip
        self.acknowledged.append(str(schedule.public_id))


class Reference:
    """The person at the recovery desk: asks the platform, then says "it is there" or "publish again"."""

    def __init__(self, recorder: str) -> None:
        self.recorder = recorder
        self.waiting: dict[tuple[int, int], float] = {}
        self.settled: Counter[str] = Counter()

    def settle(self) -> None:
        from schedules.models import Job

        unclear = Job.objects.filter(state="unconfirmed").exclude(check_row__state__in=["pending", "running"])
        seen = {(job.pk, job.lease_token): job for job in unclear.order_by("id")[:200]}
        now = time.monotonic()
        self.waiting = {mark: self.waiting.get(mark, now) for mark in seen}
        for mark, since in self.waiting.items():
            if now - since >= PATIENCE_SECONDS:
                self._one(seen[mark])

    def _one(self, job: Any) -> None:
        from alwrity_scheduler.core import clock
        from alwrity_scheduler.core.errors import IllegalTransition
        from schedules.services import jobs
        from tests.people import ACTOR

        try:
            with urlopen(f"{self.recorder}/lookup/{job.idempotency_key}", timeout=5) as answer:
                url = json.load(answer)["url"]
        except HTTPError:
            url = ""
        except OSError:
            return  # no answer: look again later
        try:
            if url:
                jobs.confirm(job=job, remote_url=url, actor=ACTOR, now=clock.database_now())
            else:
                jobs.publish_again(job=job, actor=ACTOR, now=clock.database_now())
        except IllegalTransition:
            return  # the engine found out in the meantime
        self.settled["confirmed" if url else "published again"] += 1


class Watch(threading.Thread):
    """How long any one claim has been running, by this process' own steady clock."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.longest: dict[str, float] = {"job": 0.0, "check": 0.0}
        self.which: dict[str, int] = {"job": 0, "check": 0}
        self._since: dict[tuple[str, int, int], float] = {}

    def run(self) -> None:
        from django.db import Error, connections

        while True:
            try:
                self._look()
            except Error:
                connections.close_all()
            time.sleep(0.2)

    def _look(self) -> None:
        from schedules.models import Job, JobCheck

        found = [
            (name, *row)
            for name, model in (("job", Job), ("check", JobCheck))
            for row in model.objects.filter(state="running").order_by().values_list("pk", "lease_token")
        ]
        now = time.monotonic()
        self._since = {mark: self._since.get(mark, now) for mark in found}
        for (name, pk, _), since in self._since.items():
            if now - since > self.longest[name]:
                self.longest[name], self.which[name] = now - since, pk


class Field:
    """All of them, and their conversation with the harness."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.feeder = Feeder(settings["recorder"], settings["jobs"], settings["rate"], settings["seed"])
        self.reference = Reference(settings["recorder"])
        self.watch = Watch()
        self.watch.start()
        self.failures = 0
        self.ending = False

    def run(self) -> None:
        from django.db import Error, connections

        told = 0.0
        while not self.ending:
            try:
                self.feeder.feed()
                if time.monotonic() - told >= 0.5:
                    told = time.monotonic()
                    self.reference.settle()
                    self.tell()
                self.hear(0.02)
            except Error:
                self.failures += 1
                connections.close_all()
                time.sleep(0.1)

    def tell(self) -> None:
        from schedules.models import Job

        status = {
            "fed": self.feeder.fed, "states": dict(Counter(Job.objects.order_by().values_list("state", flat=True))),
            "longest": self.watch.longest, "settled": dict(self.reference.settled), "failures": self.failures,
        }  # fmt: skip
        os.write(1, (json.dumps(status) + "\n").encode())

    def hear(self, seconds: float) -> None:
        ready, _, _ = select.select([0], [], [], seconds)
        data = os.read(0, 65536) if ready else None
        if data == b"":
            self.ending = True
        for line in (data or b"").decode().splitlines():
            word, _, rest = line.partition(" ")
            if word == "stop":
                self.feeder.jobs = self.feeder.fed
            elif word == "report":
                from tests.chaos import evidence

                found = evidence.gather(self.feeder.acknowledged)
                found |= {"fed": self.feeder.fed, "longest": self.watch.longest, "which": self.watch.which}
                found |= {"settled": dict(self.reference.settled), "failures": self.failures}
                Path(rest).write_text(json.dumps(found, default=str))
            elif word == "end":
                self.ending = True


if __name__ == "__main__":
    import django

    django.setup()
    skew.install()
    Field(json.loads(sys.argv[1])).run()
