"""How late a post arrives at its platform on an idle machine, with nothing, 100,000 and 1,000,000 others pending.

    uv run --group bench python -m tests.benchmarks.lateness [--pending 0,100000,1000000 --posts 300 --seconds 30]

Every contender calls the same recording HTTP server, whose arrival times count; due times are spread evenly. One contender
runs at a time. Peers get the sizes in `--peers-pending` (0 and 100,000), Celery's ETA only 0: it holds all of them in memory.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.benchmarks import ground, ours, race
from tests.benchmarks.peers import roster
from tests.benchmarks.peers.roster import Peer
from tests.benchmarks.race import Contender, Figures, Race
from tests.installation import Recorder, closing

PEERS = (
    roster.PROCRASTINATE, roster.CELERY_BEAT, roster.APSCHEDULER, roster.TASKS, roster.Q2
)  # fmt: skip
SETTLING, DELAY = 4.0, 12.0  # seconds until a worker is idle; until the first post, so that all of them stand by then


def arrivals(recorder: Recorder) -> dict[str, float]:
    """key -> seconds since 1970; the first arrival counts."""
    with urlopen(f"{recorder.url}/log") as answer:
        found: dict[str, float] = {}
        for entry in json.load(answer)["arrivals"]:
            found.setdefault(entry["key"], entry["at"])
    return found


def figures(came: dict[str, float], due: dict[str, float]) -> Figures:
    """Milliseconds; nothing may come early."""
    late = sorted((came[key] - at) * 1000 for key, at in due.items())
    assert late[0] >= 0, f"a post came {-late[0]:.1f} ms early"
    return {"p50 ms": late[len(late) // 2], "p99 ms": late[int(len(late) * 0.99)], "max ms": late[-1]}


def wait_for_all(recorder: Recorder, posts: int, seconds: float, watched: Sequence[Any]) -> None:
    time.sleep(seconds)  # not a look before: the machine is to be idle
    ground.wait_until(lambda: time.sleep(0.5) or len(arrivals(recorder)) >= posts, 90, f"{posts} posts", *watched)


def of_ours(vendor: str, pending: int, posts: int, seconds: float) -> Callable[[Path], Figures]:
    def measure(folder: Path) -> Figures:
        recorder = Recorder(folder)
        with closing(recorder), ours.installation(folder, vendor) as made:
            ours.inside(made, "people_wait", accounts=50, recorder=recorder.url)
            if pending:
                ours.inside(made, "crowd", pending=pending, finished=0)
            with ours.scheduler(made) as watched:
                time.sleep(SETTLING)
                stood = ours.inside(made, "spread", count=posts, seconds=seconds, delay=DELAY)
                assert stood["now"] < stood["first"], "the posts were due before they stood"
                wait_for_all(recorder, posts, stood["first"] - time.time() + seconds + 1, [watched])
            return figures(arrivals(recorder), ours.inside(made, "due_times"))

    return measure


def of_peer(peer: Peer, pending: int, posts: int, seconds: float) -> Callable[[Path], Figures]:
    def measure(folder: Path) -> Figures:
        recorder = Recorder(folder)
        with closing(recorder), peer.standing(folder, RECORDER=recorder.url) as known:
            if pending:
                peer.call(known, "crowd", pending=pending, finished=0)
            every, first = seconds / posts, 0.0
            if peer.is_blind:
                first = store(peer, known, DELAY + SETTLING, posts, every)
            with peer.working(known, folder) as watched:
                time.sleep(SETTLING)
                first = first or store(peer, known, DELAY, posts, every)
                wait_for_all(recorder, posts, first - time.time() + seconds + 1, watched)
            return figures(arrivals(recorder), {f"k{number}": first + number * every for number in range(posts)})

    return measure


def store(peer: Peer, known: dict[str, str], delay: float, posts: int, every: float) -> float:
    """The peer's posts, the first `delay` seconds from now; returns its time."""
    first = time.time() + delay
    peer.call(known, "posts", first=first, count=posts, every=every)
    assert time.time() < first, "the posts were due before they stood"
    return first


def contenders(pending: list[int], of_peers: list[int], posts: int, seconds: float) -> list[Contender]:
    made = [
        Contender(f"ours-{short}@{size}", of_ours(vendor, size, posts, seconds))
        for size in pending
        for short, vendor in ours.VENDORS.items()
    ]
    made += [
        Contender(f"{peer.name}@{size}", of_peer(peer, size, posts, seconds)) for size in of_peers for peer in PEERS
    ]
    eta = roster.CELERY_THREADS
    return [*made, Contender(f"{eta.name}-eta@0", of_peer(eta, 0, posts, seconds))]


def check(race_: Race) -> list[dict[str, object]]:
    mine = [name for name in race_.rounds if name.startswith("ours")]
    return race.targets([(f"{name}: p99 ms", race_.median(name, "p99 ms"), 25.0, False) for name in mine])


def main() -> None:
    parser = race.options("Lateness of posts at their platform.", rounds=1)
    parser.add_argument("--pending", default="", help="sizes for ours (default 0,100000,1000000; quick 0,1000)")
    parser.add_argument("--peers-pending", default="", help="sizes for the peers (default 0,100000; quick 0)")
    parser.add_argument("--posts", type=int, default=0, help="posts of each contender (default 300; quick 50)")
    parser.add_argument("--seconds", type=float, default=0, help="over which they are spread (default 30; quick 5)")
    asked = parser.parse_args()
    pending = sizes(asked.pending or ("0,1000" if asked.quick else "0,100000,1000000"))
    of_peers = sizes(asked.peers_pending or ("0" if asked.quick else "0,100000"))
    posts, seconds = asked.posts or (50 if asked.quick else 300), asked.seconds or (5.0 if asked.quick else 30.0)
    facts = race.machine()
    result = race.run(
        "lateness", race.chosen(contenders(pending, of_peers, posts, seconds), asked.only),
        rounds=1 if asked.quick else asked.rounds, settings={"posts": posts, "seconds": seconds},
    )  # fmt: skip
    race.report(result, facts, check, asked.out)


def sizes(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    main()
