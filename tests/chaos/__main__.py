"""`uv run python -m tests.chaos`: campaigns against the engine. README.md in this folder tells what it does and proves."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.chaos import campaign, machines
from tests.chaos.campaign import FAULTS, Plan
from tests.chaos.verdict import Outcome, complaints, table

EVERYTHING = (("embedded", "sqlite"), ("embedded", "postgres"), ("distributed", "postgres"))


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    pairs = EVERYTHING if options.all else ((options.engine, options.database or _usual_database(options.engine)),)
    outcomes: list[Outcome] = []
    for engine, database in pairs:
        plan = Plan(
            engine=engine, database=database, kills=options.kills, jobs=options.jobs, rate=options.rate, pace=options.pace,
            seed=options.seed, minutes=options.minutes, faults=tuple(options.only.split(",")), lease=options.lease,
            folder=options.folder,
        )  # fmt: skip
        print(f"{plan.name}: {plan.kills} kills, seed {plan.seed}, faults {', '.join(plan.faults)}", flush=True)
        try:
            outcomes.append(campaign.run(plan))
        except machines.Missing as error:
            print(error, file=sys.stderr)
            return 2
    print(f"\n{table(outcomes)}\n")
    for outcome in outcomes:
        if not outcome.ok:
            print(complaints(outcome))
    if options.json:
        _write(options.json, outcomes)
    return 0 if all(outcome.ok for outcome in outcomes) else 1


def _usual_database(engine: str) -> str:
    return "postgres" if engine == "distributed" else "sqlite"


def _write(path: Path, outcomes: list[Outcome]) -> None:
    told = [
        {
            "name": outcome.name, "ok": outcome.ok, "posts per job": dict(outcome.histogram),
            "faults": [asdict(fault) for fault in outcome.faults], "platform's faults": outcome.platform["faults"],
            **{name: value for name, value in outcome.report.items() if name not in ("jobs", "histories", "offsets")},
            "jobs": len(outcome.report["jobs"]),
        }
        for outcome in outcomes
    ]  # fmt: skip
    path.write_text(json.dumps(told, indent=2))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Publish under fire; 0 lost, 0 doubled.")
    parser.add_argument("--all", action="store_true", help="embedded on SQLite and PostgreSQL, then distributed")
    parser.add_argument("--engine", choices=("embedded", "distributed"), default="embedded")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=0, help="posts on accounts; 0: as many as the kills take time for")
    parser.add_argument("--rate", type=float, default=8.0, help="jobs a second")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds between two kills, on average")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60.0, help="of fire, at most")
    parser.add_argument("--only", default=",".join(FAULTS), help="some of " + ",".join(FAULTS))
    parser.add_argument("--lease", type=int, default=8, help="ENGINE_LEASE_SECONDS")
    parser.add_argument("--folder", type=Path, help="keep everything here (default: a temporary folder)")
    parser.add_argument("--json", type=Path, help="write the table as JSON too")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
