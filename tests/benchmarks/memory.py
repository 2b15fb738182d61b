"""Memory and processor time of an idle scheduler and of a busy one, next to idle peers.

    uv run --group bench python -m tests.benchmarks.memory [--seconds 60 --peers-seconds 20 --only idle-ours-pg]

Memory is the resident set of all its processes (what they share counts once: PSS); the processor is in per cent of one core.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks import ground, ours, race
from tests.benchmarks.marks import Marks
from tests.benchmarks.peers import roster
from tests.benchmarks.peers.roster import Peer
from tests.benchmarks.race import Contender, Figures, Race

SETTLING = 8.0  # seconds after the start that do not count
PEERS = (roster.CELERY_BEAT, roster.PROCRASTINATE, roster.Q2, roster.TASKS, roster.APSCHEDULER)


def family(process: Any) -> list[Any]:
    import psutil

    parent = psutil.Process(process.pid)
    return [parent, *parent.children(recursive=True)]


def megabytes(processes: Sequence[Any]) -> float:
    return sum(one.memory_full_info().pss for one in processes) / 1e6


def processor(processes: Sequence[Any]) -> float:
    """Seconds of processor time so far."""
    return sum(one.cpu_times().user + one.cpu_times().system for one in processes)


def idle(watched: Sequence[Any], seconds: float) -> Figures:
    time.sleep(SETTLING)
    processes = [one for process, _ in watched for one in family(process)]
    began, before = time.monotonic(), processor(processes)
    time.sleep(seconds)
    used = (processor(processes) - before) / (time.monotonic() - began)
    return {"MB": megabytes(processes), "% of a core": used * 100, "processes": len(processes)}


def idle_ours(vendor: str, seconds: float) -> Callable[[Path], Figures]:
    def measure(folder: Path) -> Figures:
        with ours.installation(folder, vendor) as made, ours.scheduler(made) as watched:
            return idle([watched], seconds)

    return measure


def busy_ours(vendor: str, jobs: int) -> Callable[[Path], Figures]:
    """The most memory while it works through `jobs` due posts, looked at ten times a second."""

    def measure(folder: Path) -> Figures:
        marks = Marks(folder)
        with ours.installation(folder, vendor, **marks.environment) as made:
            ours.inside(made, "due", count=jobs, accounts=min(ours.ACCOUNTS, jobs))
            with ours.scheduler(made) as watched:
                ground.wait_until(lambda: marks.count(), 60, "the first post", watched)
                processes, most = family(watched[0]), 0.0
                began, before = time.monotonic(), processor(processes)
                while marks.count() < jobs and time.monotonic() - began < ground.LONGEST:
                    most = max(most, megabytes(processes))
                    time.sleep(0.1)
                used = (processor(processes) - before) / (time.monotonic() - began)
                most = max(most, megabytes(processes))
        return {"MB": most, "% of a core": used * 100, "processes": len(processes)}

    return measure


def idle_peer(peer: Peer, seconds: float) -> Callable[[Path], Figures]:
    def measure(folder: Path) -> Figures:
        with peer.standing(folder) as known, peer.working(known, folder) as watched:
            return idle(watched, seconds)

    return measure


def contenders(seconds: float, peers_seconds: float, jobs: int) -> list[Contender]:
    made = [Contender(f"idle-ours-{short}", idle_ours(vendor, seconds)) for short, vendor in ours.VENDORS.items()]
    made += [Contender(f"busy-ours-{short}", busy_ours(vendor, jobs)) for short, vendor in ours.VENDORS.items()]
    return made + [Contender(f"idle-{peer.name}", idle_peer(peer, peers_seconds)) for peer in PEERS]


def check(race_: Race) -> list[dict[str, object]]:
    checks = []
    for name in ("idle-ours-pg", "idle-ours-sqlite"):
        checks.append((f"{name}: % of a core", race_.median(name, "% of a core"), 1.0, False))
        checks.append((f"{name}: MB", race_.median(name, "MB"), 120.0, False))
    return race.targets(checks)


def main() -> None:
    parser = race.options("Memory and processor time, idle and busy.", rounds=1)
    parser.add_argument("--seconds", type=float, default=0, help="how long ours is watched (default 60; quick 5)")
    parser.add_argument("--peers-seconds", type=float, default=0, help="how long peers are (default 20; quick 3)")
    parser.add_argument("--jobs", type=int, default=0, help="due posts of the busy one (default 10,000; quick 500)")
    asked = parser.parse_args()
    seconds, peers_seconds = (
        asked.seconds or (5 if asked.quick else 60),
        asked.peers_seconds or (3 if asked.quick else 20),
    )
    jobs = asked.jobs or (500 if asked.quick else 10_000)
    facts = race.machine()
    result = race.run(
        "memory", race.chosen(contenders(seconds, peers_seconds, jobs), asked.only),
        rounds=1 if asked.quick else asked.rounds,
        settings={"seconds": seconds, "peers_seconds": peers_seconds, "jobs": jobs},
    )  # fmt: skip
    race.report(result, facts, check, asked.out)


if __name__ == "__main__":
    main()
