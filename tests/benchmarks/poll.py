"""What one look for due work costs that finds none: with little in the table, and with a million pending and a million finished.

    uv run --group bench python -m tests.benchmarks.poll [--size 1000000 --rounds 1 --only ours-pg,ours-sqlite]

Ours is the engine's own claim; peers run the query that their worker runs at each look, on the same PostgreSQL.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.benchmarks import ours, race
from tests.benchmarks.peers import roster
from tests.benchmarks.peers.roster import Peer
from tests.benchmarks.race import Contender, Figures, Race

SMALL, LOOKS = 1000, 500
PEERS = (roster.PROCRASTINATE, roster.TASKS, roster.Q2, roster.APSCHEDULER)


def figures(small: dict[str, Any], large: dict[str, Any]) -> Figures:
    return {
        "ms at 1k": small["median"], "ms at full size": large["median"], "ratio": large["median"] / small["median"],
        "worst ms at full size": large["worst"],
    }  # fmt: skip


def of_ours(vendor: str, size: int) -> Any:
    def measure(folder: Path) -> Figures:
        with ours.installation(folder, vendor) as made:
            ours.inside(made, "people_wait", accounts=ours.ACCOUNTS, recorder="http://127.0.0.1")
            ours.inside(made, "crowd", pending=SMALL, finished=SMALL)
            small = ours.inside(made, "poll", looks=LOOKS)
            ours.inside(made, "crowd", pending=size - SMALL, finished=size - SMALL)
            large = ours.inside(made, "poll", looks=LOOKS)
        if not large["by_index"]:
            print("  a query of the look does not go by its index:", *large["plans"], sep="\n    ")
        return {**figures(small, large), "by its index": float(large["by_index"])}

    return measure


def of_peer(peer: Peer, size: int) -> Any:
    def measure(folder: Path) -> Figures:
        with peer.standing(folder) as known:
            peer.call(known, "crowd", pending=SMALL, finished=SMALL)
            small = peer.call(known, "poll", looks=LOOKS)
        with peer.standing(folder) as known:
            peer.call(known, "crowd", pending=size, finished=size)
            large = peer.call(known, "poll", looks=40)
        return figures(small, large)

    return measure


def contenders(size: int) -> list[Contender]:
    mine = [Contender(f"ours-{short}", of_ours(vendor, size)) for short, vendor in ours.VENDORS.items()]
    return mine + [Contender(peer.name, of_peer(peer, size)) for peer in PEERS]


def check(race_: Race) -> list[dict[str, object]]:
    return race.targets(
        [(f"{name}: full size / 1k", race_.median(name, "ratio"), 1.2, False) for name in ("ours-pg", "ours-sqlite")]
    )


def main() -> None:
    parser = race.options("One look that finds nothing due.", rounds=1)
    parser.add_argument(
        "--size", type=int, default=0, help="pending, and finished, jobs (default 1,000,000; quick 20,000)"
    )
    asked = parser.parse_args()
    size = asked.size or (20_000 if asked.quick else 1_000_000)
    facts = race.machine()
    result = race.run(
        "poll", race.chosen(contenders(size), asked.only), rounds=1 if asked.quick else asked.rounds,
        settings={"pending": size, "finished": size, "looks": LOOKS},
    )  # fmt: skip
    race.report(result, facts, check, asked.out)


if __name__ == "__main__":
    main()
