"""What the API's lists cost at the server: milliseconds (median, 95 of 100), queries, bytes. Django's test client on PostgreSQL.

    uv run python -m tests.benchmarks.lists [--jobs 1000000 --rounds 20 --only jobs --database postgres://…]

A workspace with 300,000 posts and the rest of the jobs as runs of one rule, a million facts in the history, and a second workspace
with ten posts of long ago. Asked as a token of each, and as a person who is in both. `cpu ms` is the process's own time. With
`--database` that database is used, and kept for the next time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

POSTS = 300_000
ACCOUNTS = 30
LISTS = (
    "jobs/",
    "jobs/?state=failed",
    "jobs/?state=pending",
    "jobs/?state=pending,failed&platform=sandbox",
    "jobs/?account={account}",
    "jobs/?ordering=scheduled",
    "jobs/?ordering=-scheduled",
    "jobs/?since={since}&until={until}",
    "jobs/?q=read",
    "jobs/?schedule={schedule}",
    "jobs/?schedule={schedule}&state=failed",
    "jobs/?content_type=post",
    "jobs/?error_class=rejected",
    "schedules/",
    "schedules/?state=active",
    "schedules/?account={account}",
    "schedules/?q=number",
    "content/",
    "content/?ordering=created",
    "content/?q=nothing-has-this",
    "accounts/",
    "media/",
    "audit/",
    "audit/?object_type=job",
    "recovery/",
    "reviews/",
    "calendar/?since={since}&until={until}",
    "account-groups/",
    "milestones/",
    "templates/",
    "events/",
    "webhooks/",
    "conflicts/?since={since}&until={until}",
    "security/events/",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", default="", help="lists whose address holds these words")
    parser.add_argument("--database", default="")
    asked = parser.parse_args()
    from tests.benchmarks.ground import fresh_postgres

    with nullcontext(asked.database) if asked.database else fresh_postgres() as url:
        _start(url)
        from schedules.models import Job

        if not Job.objects.exists():
            seed(asked.jobs)
        print(f"{Job.objects.count():,} jobs")
        for who, caller in callers().items():
            for address in LISTS:
                if asked.only in address:
                    print(measured(who, caller, address, asked.rounds), flush=True)
        from django.db import connection

        connection.close()


def _start(url: str) -> None:
    os.environ.update(
        DATABASE_URL=url,
        DJANGO_SETTINGS_MODULE="tests.settings",
        DEBUG="0",
        API_RATE_LIMIT="0",
        DATABASE_CONN_MAX_AGE="600",
    )
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.ALLOWED_HOSTS = ["*"]
    call_command("migrate", verbosity=0)


def seed(jobs: int) -> None:
    from django.db import connection
    from django.utils import timezone

    from alwrity_scheduler.workspaces import services as workspaces
    from alwrity_scheduler.workspaces.models import User
    from schedules.models import AuditChain, AuditLog
    from tests.benchmarks import seeding
    from tests.people import ACTOR, make_account, make_schedule

    now = timezone.now()
    posts = min(POSTS, jobs // 3)
    schedule = seeding.team(accounts=ACCOUNTS, platform="sandbox")
    seeding.posts(schedule, count=posts, accounts=ACCOUNTS, first=now, every_seconds=120)
    rest = (jobs - posts) // 2
    # in the order in which they come about: what is long over was made first
    seeding.crowd(pending=0, finished=rest)
    seeding.crowd(pending=rest, finished=0)
    small = workspaces.create_workspace(
        name="Small", slug="small", timezone="UTC", owner=User.objects.create_user("sam"), actor=ACTOR, now=now
    )
    place = make_account(small, now, name="Their place")
    for number in range(10):
        at = (now + timedelta(days=1 + number)).replace(tzinfo=None)
        make_schedule(small, [place], now, text=f"Small {number}", start_local=at)
    with connection.cursor() as cursor:
        # the oldest of all: a list by id would have to pass over everybody else's to find them
        cursor.execute("UPDATE schedules_job SET id = -id WHERE workspace_id = %s", [small.pk])
    fact = AuditLog.objects.filter(chain=schedule.workspace_id, object_type="schedule").order_by("seq")[0]
    end = AuditChain.objects.get(pk=schedule.workspace_id)
    seeding.copies(fact, jobs, {"seq": f"{end.length} + n", "object_id": "'o' || (n % 100000)"})
    AuditChain.objects.filter(pk=end.pk).update(length=end.length + jobs)
    seeding.settle()


def callers() -> dict[str, Any]:
    from django.test import Client
    from django.utils import timezone

    from alwrity_scheduler.workspaces import services as workspaces
    from alwrity_scheduler.workspaces.models import User, Workspace
    from tests.people import ACTOR

    now, found = timezone.now(), {}
    for slug in ("team", "small"):
        _, secret = workspaces.create_token(
            workspace=Workspace.objects.get(slug=slug), name="bench", role="owner", actor=ACTOR, now=now
        )
        found[f"token of {slug}"] = Client(headers={"Authorization": f"Bearer {secret}"})
    both = User.objects.filter(username="both").first() or User.objects.create_user("both")
    for room in Workspace.objects.all():
        workspaces.set_role(workspace=room, user=both, role="manager", actor=ACTOR, now=now)
    found["person in both"] = Client()
    found["person in both"].force_login(both)
    return found


def measured(who: str, caller: Any, address: str, rounds: int) -> str:
    from django.db import connection
    from django.utils import timezone

    from platforms.models import PlatformAccount
    from schedules.models import Schedule

    now = timezone.now()
    account = PlatformAccount.objects.filter(workspace__slug="team").order_by("id")[3]
    busy = Schedule.objects.filter(workspace__slug="team").order_by("id")[0]
    filled = "/api/v1/" + address.format(
        account=account.public_id, schedule=busy.public_id,
        since=f"{now + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}", until=f"{now + timedelta(days=3):%Y-%m-%dT%H:%M:%SZ}",
    )  # fmt: skip
    if who == "person in both" and address.startswith(("calendar", "conflicts")):
        filled += "&workspace=team"
    queries: list[str] = []
    with connection.execute_wrapper(lambda run, sql, *rest: (queries.append(sql), run(sql, *rest))[1]):
        response = caller.get(filled)
    if response.status_code != 200:
        return f"| {who} | {address} | {response.status_code} |"
    walls, used = [], []
    for _ in range(rounds):
        began, cpu = time.perf_counter(), time.process_time()
        caller.get(filled)
        walls.append(1000 * (time.perf_counter() - began))
        used.append(1000 * (time.process_time() - cpu))
    late = quantiles(walls, n=20)[-1] if rounds > 1 else walls[0]
    rows = len(json.loads(response.content).get("results", []))
    kilobytes = len(response.content) / 1000
    return (
        f"| {who} | {address} | {median(walls):.1f} ms | {late:.1f} | {median(used):.1f} cpu | {len(queries)} queries | "
        f"{rows} rows | {kilobytes:.0f} KB |"
    )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main()
