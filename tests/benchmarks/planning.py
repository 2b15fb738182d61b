"""Planning 10,000 recurring schedules over 48 hours, next to procrastinate deferring as many jobs.

    uv run --group bench python -m tests.benchmarks.planning [--schedules 10000 --rounds 2 --only ours-pg]

Ours reads rules in three time zones (cron and RRULE, hourly to daily), expands them, and writes occurrences and jobs through
`extend_horizon`, as the running scheduler does. procrastinate gets the number of jobs only, with nothing to expand: by
`batch_defer`, 1,000 in one call, and by the plain `defer`, of which it gets a tenth; its seconds are for as many as ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.benchmarks import ours, race
from tests.benchmarks.peers import roster
from tests.benchmarks.race import Contender, Figures, Race

HOURS = 48


def of_ours(vendor: str, schedules: int) -> Any:
    def measure(folder: Path) -> Figures:
        with ours.installation(folder, vendor) as made:
            jobs = ours.inside(made, "recurring", count=schedules, accounts=min(ours.ACCOUNTS, schedules))
            planned = ours.inside(made, "plan")
        assert planned["jobs"] == jobs, f"{planned['jobs']} jobs, and the rules have {jobs} times"
        seconds = planned["seconds"]
        return {
            "seconds": seconds,
            "jobs": jobs,
            "jobs/s": jobs / seconds,
            "longest transaction ms": planned["longest"],
        }

    return measure


def of_procrastinate(jobs: int, batch: int) -> Any:
    measured = jobs if batch > 1 else max(1, jobs // 10)

    def measure(folder: Path) -> Figures:
        with roster.PROCRASTINATE.standing(folder) as known:
            seconds = roster.PROCRASTINATE.call(known, "defer_seconds", count=measured, batch=batch)
        return {"seconds": seconds * jobs / measured, "jobs": jobs, "jobs/s": measured / seconds}

    return measure


def contenders(schedules: int) -> list[Contender]:
    jobs = expected_jobs(schedules)
    return [
        Contender("ours-pg", of_ours("postgresql", schedules)),
        Contender("ours-sqlite", of_ours("sqlite", schedules)),
        Contender("procrastinate-batch-defer", of_procrastinate(jobs, 1000)),
        Contender("procrastinate-defer", of_procrastinate(jobs, 1), most_rounds=1),
    ]


def expected_jobs(schedules: int) -> int:
    """How many times the mix of rules has in 48 hours."""
    from tests.benchmarks.seeding import RULES

    return sum(RULES[number % len(RULES)][2] for number in range(schedules))


def check(race_: Race) -> list[dict[str, object]]:
    checks = []
    for name in ("ours-pg", "ours-sqlite"):
        for peer in ("procrastinate-batch-defer", "procrastinate-defer"):
            mine, other = race_.median(name, "seconds"), race_.median(peer, "seconds")
            checks.append((f"time of {name} / {peer}", mine / other if mine and other else None, 1.0, False))
    return race.targets(checks)


def main() -> None:
    parser = race.options("Planning recurring schedules over 48 hours.", rounds=2)
    parser.add_argument("--schedules", type=int, default=0, help="how many (default 10,000; quick 500)")
    asked = parser.parse_args()
    schedules = asked.schedules or (500 if asked.quick else 10_000)
    facts = race.machine()
    result = race.run(
        "planning", race.chosen(contenders(schedules), asked.only), rounds=1 if asked.quick else asked.rounds,
        settings={"schedules": schedules, "hours": HOURS, "jobs": expected_jobs(schedules)},
    )  # fmt: skip
    race.report(result, facts, check, asked.out)


if __name__ == "__main__":
    main()
