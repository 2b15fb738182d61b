"""One race: contenders as values, rounds interleaved, a table for people and JSON for machines.

A contender's `measure` gets a folder of its own for each round and answers figures (name -> number). All contenders run
round one, then all run round two: what else the machine does then meets every one of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from tests.installation import ROOT

Figures = dict[str, float]
PACKAGES = (
    "django", "psycopg", "apscheduler", "django-apscheduler", "celery", "django-celery-beat", "redis", "procrastinate",
    "django-q2", "django-tasks", "django-tasks-db", "cronsim", "python-dateutil",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contender:
    """Who runs, and how: `measure(folder)` prepares, runs, and cleans up after itself. `most_rounds` 0 is all."""

    name: str
    measure: Callable[[Path], Figures]
    most_rounds: int = 0


@dataclass(slots=True)
class Race:
    """What came out: `rounds` holds one Figures for each round that a contender finished, `failures` why it did not."""

    name: str
    settings: dict[str, object]
    rounds: dict[str, list[Figures]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def median(self, contender: str, figure: str) -> float | None:
        """The middle of the rounds, or None where the contender has no such figure."""
        found = [one[figure] for one in self.rounds.get(contender, []) if figure in one]
        return median(found) if found else None


def run(name: str, contenders: Sequence[Contender], *, rounds: int, settings: dict[str, object]) -> Race:
    """Each contender once a round. One that fails is told and left out of the later rounds; the others go on."""
    # a stopped benchmark takes its databases and processes with it, as one that is interrupted does
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    race = Race(name, settings)
    for number in range(1, rounds + 1):
        for contender in contenders:
            if contender.name in race.failures or number > (contender.most_rounds or rounds):
                continue
            began = time.monotonic()
            folder = Path(tempfile.mkdtemp(prefix="alwrity-bench-"))
            try:
                figures = contender.measure(folder)
            except Exception as error:
                race.failures[contender.name] = " ".join(f"{type(error).__name__}: {error}".split())[-600:]
                print(f"  {contender.name} failed: {race.failures[contender.name]}", flush=True)
                continue
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            race.rounds.setdefault(contender.name, []).append(figures)
            told = ", ".join(f"{key} {shown(value)}" for key, value in figures.items())
            print(f"  round {number}, {contender.name}: {told} ({time.monotonic() - began:.0f} s)", flush=True)
    return race


def shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(race: Race) -> str:
    """Markdown: a row for each contender, a column for each figure; median (lowest - highest) of the rounds."""
    names = list(dict.fromkeys(name for found in race.rounds.values() for one in found for name in one))
    lines = ["| contender | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for contender, found in race.rounds.items():
        cells = []
        for name in names:
            values = [one[name] for one in found if name in one]
            spread = f" ({shown(min(values))} - {shown(max(values))})" if len(values) > 1 else ""
            cells.append(shown(race.median(contender, name)) + spread)
        lines.append(f"| {contender} | " + " | ".join(cells) + " |")
    lines += [f"| {contender} | failed: {why} |" for contender, why in race.failures.items()]
    return "\n".join(lines)


def targets(checks: Sequence[tuple[str, float | None, float, bool]]) -> list[dict[str, object]]:
    """(what, figure, target, is_at_least): says which hold. A figure of None was not measured and holds nothing."""
    told: list[dict[str, object]] = []
    for what, figure, target, is_at_least in checks:
        reached = None if figure is None else (figure >= target if is_at_least else figure <= target)
        told.append({"what": what, "figure": figure, "target": target, "reached": reached})
        word = {None: "not measured", True: "reached", False: "NOT reached"}[reached]
        print(f"{what}: {shown(figure)}, target {'>=' if is_at_least else '<='} {shown(target)}: {word}")
    return told


def machine() -> dict[str, object]:
    """Facts that a figure means nothing without."""
    return {
        "cpus": os.cpu_count(), "cpu": _cpu(), "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "system": f"{platform.system()} {platform.release()}", "python": platform.python_version(),
        "load_before": os.getloadavg()[0], "commit": _commit(), "versions": _versions(),
    }  # fmt: skip


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _versions() -> dict[str, str]:
    import sqlite3

    found = {"sqlite": sqlite3.sqlite_version}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def options(description: str, *, rounds: int) -> argparse.ArgumentParser:
    """What every benchmark can be told."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds, help=f"interleaved rounds (default {rounds})")
    parser.add_argument("--only", default="", help="contenders by name, with commas between; default all")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it works, figures mean little")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "benchmarks", help="folder for the JSON file")
    return parser


def chosen(contenders: Sequence[Contender], only: str) -> list[Contender]:
    """Those named in `only`, all where it is empty. Ends the program on a name nobody has."""
    wanted = [name.strip() for name in only.split(",") if name.strip()]
    known = [contender.name for contender in contenders]
    if unknown := set(wanted) - set(known):
        sys.exit(f"No contender is called {', '.join(sorted(unknown))}. There are: {', '.join(known)}")
    return [contender for contender in contenders if not wanted or contender.name in wanted]


def report(race: Race, facts: dict[str, object], check: Callable[[Race], list[dict[str, object]]], out: Path) -> None:
    """The table and the targets to stdout, and everything to `out/<name>.json`."""
    print(f"\n{race.name}: {race.settings}\n\n{table(race)}\n")
    told = check(race)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{race.name}.json"
    content = {
        "name": race.name, "settings": race.settings, "machine": facts, "rounds": race.rounds,
        "medians": {who: {key: race.median(who, key) for key in found[0]} for who, found in race.rounds.items()},
        "failures": race.failures, "targets": told,
    }  # fmt: skip
    path.write_text(json.dumps(content, indent=2, default=str) + "\n")
    print(f"written to {path}")
