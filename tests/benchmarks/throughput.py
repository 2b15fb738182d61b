"""How many due no-op jobs a second, ours and its peers in one interleaved run.

    uv run --group bench python -m tests.benchmarks.throughput [--jobs 20000 --rounds 3 --only ours-pg,procrastinate-50]

Every contender has its jobs in its store before its worker starts; the time runs from the first execution to the last, so
that no one's start counts. Ours writes attempts, outcomes and the chained history, and all of it is checked after each
round. The contenders that the targets name run in every round, the others in the first; those that need minutes for
20,000 jobs get 2,000 (`--slow-jobs`), which flatters them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.benchmarks import ground, ours, race
from tests.benchmarks.marks import Marks
from tests.benchmarks.peers import roster
from tests.benchmarks.peers.roster import Peer
from tests.benchmarks.race import Contender, Figures, Race

MAIN = (roster.PROCRASTINATE, roster.CELERY_PREFORK)
OTHERS = (
    roster.CELERY_LATE, roster.CELERY_THREADS, roster.PROCRASTINATE_10, roster.TASKS, roster.Q2_TUNED, roster.Q2,
    roster.APSCHEDULER,
)  # fmt: skip


def of_peer(peer: Peer, jobs: int) -> Any:
    def measure(folder: Path) -> Figures:
        marks = Marks(folder)
        with peer.standing(folder, **marks.environment) as known:
            peer.call(known, "enqueue", count=jobs)
            with peer.working(known, folder) as watched:
                ground.wait_until(lambda: marks.count() >= jobs, ground.LONGEST, f"{jobs} jobs", *watched)
            first, last = marks.span(jobs)
        return {"jobs/s": jobs / (last - first), "seconds": last - first, "jobs": jobs}

    return measure


def contenders(jobs: int, slow_jobs: int) -> list[Contender]:
    def given(peer: Peer) -> int:
        return min(jobs, slow_jobs) if peer.is_slow else jobs

    return [
        *ours.contenders(jobs),
        *(Contender(peer.name, of_peer(peer, given(peer))) for peer in MAIN),
        *(Contender(peer.name, of_peer(peer, given(peer)), most_rounds=1) for peer in OTHERS),
    ]


def check(race_: Race) -> list[dict[str, object]]:
    """Ours on PostgreSQL against 4 x procrastinate and 1.5 x Celery with Redis; SQLite against PostgreSQL. Medians."""
    rate = {name: race_.median(name, "jobs/s") for name in race_.rounds}
    postgres, sqlite = rate.get("ours-pg"), rate.get("ours-sqlite")
    checks = []
    for peer, factor in ((roster.PROCRASTINATE.name, 4.0), (roster.CELERY_PREFORK.name, 1.5)):
        other = rate.get(peer)
        checks.append((f"ours-pg / {peer}", postgres / other if postgres and other else None, factor, True))
        checks.append((f"ours-sqlite / {peer}", sqlite / other if sqlite and other else None, factor, True))
    checks.append(("ours-sqlite / ours-pg", sqlite / postgres if sqlite and postgres else None, 1.0, True))
    return race.targets(checks)


def main() -> None:
    parser = race.options("Jobs a second over many due no-op jobs.", rounds=3)
    parser.add_argument("--jobs", type=int, default=0, help="due jobs (default 20,000; quick 1,000)")
    parser.add_argument("--slow-jobs", type=int, default=0, help="due jobs for slow peers (default 2,000; quick 300)")
    asked = parser.parse_args()
    jobs = asked.jobs or (1000 if asked.quick else 20_000)
    slow_jobs = asked.slow_jobs or (300 if asked.quick else 2000)
    facts = race.machine()
    result = race.run(
        "throughput", race.chosen(contenders(jobs, slow_jobs), asked.only), rounds=1 if asked.quick else asked.rounds,
        settings={"jobs": jobs, "slow_jobs": slow_jobs},
    )  # fmt: skip
    race.report(result, facts, check, asked.out)


if __name__ == "__main__":
    main()
