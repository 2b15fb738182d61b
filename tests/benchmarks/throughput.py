"""How many due no-op jobs a second, ours and its peers in one interleaved run.

    uv run --group bench python -m tests.benchmarks.throughput [--jobs 20000 --rounds 3 --only ours-pg,procrastinate-50]

Every contender has its jobs in its store before its worker starts; the time runs from the first execution to the last.
Ours writes attempts, outcomes and the chained history, and all of it is checked after each round.
"""

from __future__ import annotations

from tests.benchmarks import ours, race

FASTEST_OF_CELERY = ("celery-prefork", "celery-prefork-late")


def main() -> None:
    parser = race.options("Jobs a second over many due no-op jobs.", rounds=3)
    parser.add_argument("--jobs", type=int, default=0, help="due jobs for each contender (default 20,000; quick 1,000)")
    asked = parser.parse_args()
    jobs = asked.jobs or (1000 if asked.quick else 20_000)
    facts = race.machine()
    contenders = race.chosen(ours.contenders(jobs), asked.only)
    result = race.run("throughput", contenders, rounds=1 if asked.quick else asked.rounds, settings={"jobs": jobs})
    race.report(result, facts, [], asked.out)


if __name__ == "__main__":
    main()
