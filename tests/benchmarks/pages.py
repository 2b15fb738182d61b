"""What the pages that hold many posts cost at the server: milliseconds, queries, bytes. Django's test client on SQLite.

    uv run python -m tests.benchmarks.pages [--posts 100000 --month 2000 --rounds 12 --folder DIR]

A workspace with `--posts` posts in the year 2026, `--month` of them in December, and twenty rules; the reader is in Berlin and
it is 15 December. Each address is asked once to warm up, then `--rounds` times; the median counts. `cpu ms` is the process's own
time: what remains of the figure on a machine that others use too. With `--folder` the database stays there and is used again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any

NOW = datetime(2026, 12, 15, 9, 30, tzinfo=UTC)
ACCOUNTS = 24
PLATFORMS = ("linkedin", "x", "instagram", "facebook", "mastodon", "bluesky")
TITLES = (
    "Weekly tips",
    "Case study",
    "Product update",
    "Hiring post",
    "Behind the scenes",
    "Webinar reminder",
    "Changelog",
    "Customer story",
)
ADDRESSES = {
    "month": "/app/calendar/?view=month&date=2026-12-01",
    "week": "/app/calendar/?view=week&date=2026-12-15",
    "day": "/app/calendar/?view=day&date=2026-12-15",
    "day by account": "/app/calendar/?view=day&date=2026-12-15&by=account",
    "drawer": "/app/calendar/day/?date=2026-12-15",
    "year": "/app/calendar/?view=year&date=2026-12-15",
    "year, one account's platform": "/app/calendar/?view=year&date=2026-12-15&platform=x",
    "timeline week": "/app/timeline/?zoom=week&date=2026-12-15",
    "timeline month": "/app/timeline/?zoom=month&date=2026-12-15",
    "list": "/app/schedules/",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=100_000)
    parser.add_argument("--month", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", default="", help="addresses whose name holds these words")
    parser.add_argument("--seed-only", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        _start(folder)
        if not _seeded():
            seed(posts=asked.posts, month=asked.month)
        if not asked.seed_only:
            figures = {
                name: figure
                for name, address in ADDRESSES.items()
                if asked.only in name and (figure := measured(address, asked.rounds))
            }
            print(_table(figures))
            print(json.dumps(figures))


def _start(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(ALWRITY_DATA_DIR=str(folder), DJANGO_SETTINGS_MODULE="alwrity_scheduler.settings", DEBUG="0")
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.ALLOWED_HOSTS, settings.SECRET_KEY = ["*"], "of a benchmark" * 4
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)


def _seeded() -> bool:
    from schedules.models import Job

    return Job.objects.exists()


def seed(*, posts: int, month: int) -> None:
    """The rows: one of each is made by the product's services, the rest by the database from it."""
    from platforms.models import PlatformAccount
    from schedules.models import Campaign, Job
    from tests.benchmarks.seeding import copies, settle, words
    from tests.people import make_account, make_people, make_schedule

    people = make_people(NOW)
    room = people.workspace
    account = make_account(room, NOW, name="Place 0", min_spacing_seconds=900)
    model = make_schedule(room, [account], NOW, text="Post", start_local=NOW.replace(hour=12, tzinfo=None))
    for number in range(20):
        make_schedule(
            room, [account], NOW, text=f"Rule {number}", rule_kind="rrule", timezone="Europe/Berlin",
            expression="FREQ=DAILY" if number < 4 else "FREQ=WEEKLY", start_local=datetime(2026, 12, 1 + number, 7, 15),
        )  # fmt: skip
    copies(account, ACCOUNTS - 1, {"name": words("Place "), "handle": words("place-")}, numbered_from=account.pk)
    for number, row in enumerate(PlatformAccount.objects.order_by("pk")):
        PlatformAccount.objects.filter(pk=row.pk).update(platform=PLATFORMS[number % len(PLATFORMS)])
    campaigns = Campaign.objects.bulk_create(
        Campaign(workspace=room, name=f"Campaign {number}", created_at=NOW) for number in range(10)
    )
    days = max(1, (date(2026, 12, 1) - date(2026, 1, 1)).days)
    past = posts - month
    _posts(model, past, datetime(2026, 1, 1, tzinfo=UTC), f"(n - 1) * {days * 86_400 / max(1, past)}", campaigns[0].pk)
    hours = "6 * 3600 + (n * 104729) % (15 * 3600)"
    _posts(
        model,
        month,
        datetime(2026, 12, 1, tzinfo=UTC),
        f"(n * 7919 % 31) * 86400 + ({hours}) / 300 * 300",
        campaigns[0].pk,
    )
    Job.objects.filter(schedule=model).delete()
    settle()


def _posts(model: Any, count: int, first: datetime, step: str, campaign: int) -> None:
    from django.db.models import Max

    from schedules.models import ContentItem, Occurrence, Schedule
    from tests.benchmarks.seeding import copies, moment

    base = {row: row.objects.aggregate(top=Max("pk"))["top"] for row in (ContentItem, Schedule, Occurrence)}
    target, job = model.targets.get(), model.jobs.order_by("id")[0]
    at, on = moment(first, step), f"{target.account_id} + n % {ACCOUNTS}"
    local = f"strftime('%Y-%m-%dT%H:%M:%S', {at})"
    title = (
        "CASE n % 8 " + " ".join(f"WHEN {place} THEN '{words} '" for place, words in enumerate(TITLES)) + " END || n"
    )
    content = {"title": title, "campaign_id": f"CASE WHEN n % 3 = 0 THEN NULL ELSE {campaign} + n % 10 END"}
    copies(model.content, count, content, numbered_from=base[ContentItem])
    long_planned = {"planned_until": f"'{datetime(2027, 6, 1):%Y-%m-%d %H:%M:%S}'", "start_local": local}
    schedule = {"content_id": f"{base[ContentItem]} + n", **long_planned}
    copies(model, count, schedule, numbered_from=base[Schedule])
    of_schedule = {"schedule_id": f"{base[Schedule]} + n"}
    copies(target, count, {**of_schedule, "account_id": on})
    copies(job.occurrence, count, {**of_schedule, "nominal_at": at, "fires_at": at}, numbered_from=base[Occurrence])
    is_past = f"{at} < '{NOW:%Y-%m-%d %H:%M:%S}'"
    changes = {
        **of_schedule, "occurrence_id": f"{base[Occurrence]} + n", "account_id": on, "serial_key": on, "scheduled_for": at,
        "run_at": at, "remote_id": f"CASE WHEN {is_past} THEN 'r' || n ELSE '' END",
        "state": f"CASE WHEN NOT ({is_past}) THEN 'pending' WHEN n % 60 = 7 THEN 'failed' WHEN n % 90 = 8 THEN 'missed' "
        "ELSE 'completed' END",
        "finished_at": f"CASE WHEN {is_past} THEN {at} END",
    }  # fmt: skip
    copies(job, count, changes)


def measured(address: str, rounds: int) -> dict[str, float] | None:
    """Of the whole page and of the part that htmx asks for; None where there is no such page."""
    from django.db import connection
    from django.test import Client

    from alwrity_scheduler.core import clock
    from alwrity_scheduler.workspaces.models import User

    clock.now = lambda: NOW
    client = Client()
    client.force_login(User.objects.get(username="ana"))
    figures: dict[str, float] = {}
    for kind, headers in (("page", {}), ("part", {"HX-Request": "true"})):
        queries: list[str] = []
        with connection.execute_wrapper(lambda run, sql, *rest, seen=queries: (seen.append(sql), run(sql, *rest))[1]):
            response = client.get(address, headers=headers)
        if response.status_code == 404:
            return None
        assert response.status_code == 200, f"{address}: {response.status_code}"
        times = []
        for _round in range(rounds):
            began, used = time.perf_counter(), time.process_time()
            client.get(address, headers=headers)
            times.append((1000 * (time.perf_counter() - began), 1000 * (time.process_time() - used)))
        figures |= {
            f"{kind} ms": round(median(wall for wall, _used in times), 1),
            f"{kind} cpu ms": round(median(used for _wall, used in times), 1),
            f"{kind} queries": len(queries),
            f"{kind} KB": round(len(response.content) / 1000, 1),
        }
    figures["events"] = response.content.count(b'class="ev ')
    return figures


def _table(figures: dict[str, dict[str, float]]) -> str:
    heads = (
        "page ms",
        "page cpu ms",
        "page queries",
        "page KB",
        "part ms",
        "part cpu ms",
        "part queries",
        "part KB",
        "events",
    )
    lines = [f"| page | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    lines += [f"| {name} | {' | '.join(f'{row[head]:g}' for head in heads)} |" for name, row in figures.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main()
