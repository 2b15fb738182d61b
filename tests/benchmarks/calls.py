"""Many calls in flight to a platform that takes its time: threads, as the engine makes them, or one event loop?

    uv run --group bench python -m tests.benchmarks.calls [--calls 2000 --delay-ms 200]

Each contender is a process of its own and POSTs to the same recording server. Threads go through `core.http`, with its
address guard and deadlines, as adapters do; the event loop through httpx' own client, which has neither.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import ground, race
from tests.benchmarks.race import Contender, Figures
from tests.installation import Installation, Recorder, closing


def contender(way: str, at_once: int, calls: int, delay_ms: int) -> Contender:
    def measure(folder: Path) -> Figures:
        recorder = Recorder(folder, "--delay-ms", str(delay_ms))
        values = {"way": way, "at_once": at_once, "calls": calls, "url": f"{recorder.url}/publish"}
        with closing(recorder):
            words = ground.python("tests.benchmarks.calls", "inside", json.dumps(values))
            figures: Figures = json.loads(ground.done(words, Installation(folder).environment))
            assert len(recorder.posts()) == calls
        return figures

    return Contender(f"{way}-{at_once}", measure)


def inside(*, way: str, at_once: int, calls: int, url: str) -> Figures:
    """Calls a second, and milliseconds of processor time a call."""
    run: Callable[[int, int, str], None] = {"threads": by_threads, "async": by_event_loop}[way]
    run(at_once, at_once, url)  # connections and imports
    began, before = time.perf_counter(), time.process_time()
    run(at_once, calls - at_once, url)
    seconds, used = time.perf_counter() - began, time.process_time() - before
    return {"calls/s": (calls - at_once) / seconds, "processor ms a call": used / (calls - at_once) * 1000}


def by_threads(at_once: int, calls: int, url: str) -> None:
    import uuid
    from concurrent.futures import ThreadPoolExecutor

    from alwrity_scheduler.core import http

    def call(number: int) -> int:
        return http.request(
            "POST", url, json={"n": number}, headers={"Idempotency-Key": str(uuid.uuid4())}, timeout=30
        ).status

    with ThreadPoolExecutor(at_once) as pool:
        assert set(pool.map(call, range(calls))) == {201}


def by_event_loop(at_once: int, calls: int, url: str) -> None:
    import asyncio
    import uuid

    import httpx

    async def all_of_them() -> None:
        slots = asyncio.Semaphore(at_once)
        limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once, keepalive_expiry=1.0)
        async with httpx.AsyncClient(limits=limits, timeout=30, trust_env=False) as client:

            async def call(number: int) -> None:
                async with slots:
                    answer = await client.post(url, json={"n": number}, headers={"Idempotency-Key": str(uuid.uuid4())})
                    assert answer.status_code == 201

            await asyncio.gather(*(call(number) for number in range(calls)))

    asyncio.run(all_of_them())


def main() -> None:
    parser = race.options("Threads or an event loop for calls that take their time.", rounds=2)
    parser.add_argument("--calls", type=int, default=0, help="calls of each (default 3,000; quick 600)")
    parser.add_argument("--delay-ms", type=int, default=200, help="how long the platform takes")
    asked = parser.parse_args()
    calls = asked.calls or (600 if asked.quick else 3000)
    ways = [("threads", 16), ("threads", 64), ("threads", 128), ("async", 64), ("async", 128)]
    contenders = [contender(way, at_once, calls, asked.delay_ms) for way, at_once in ways]
    facts = race.machine()
    result = race.run(
        "calls", race.chosen(contenders, asked.only), rounds=1 if asked.quick else asked.rounds,
        settings={"calls": calls, "delay_ms": asked.delay_ms},
    )  # fmt: skip
    race.report(result, facts, lambda _: [], asked.out)


if __name__ == "__main__":
    if sys.argv[1:2] == ["inside"]:
        import django

        django.setup()
        print(json.dumps(inside(**json.loads(sys.argv[2]))))
    else:
        main()
