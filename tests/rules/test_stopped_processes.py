"""R26, R37, R38 with real schedulers: frozen beyond the lease, stopped in good order, and stopped twice. The chaos harness does
it by the thousand; here it is done once each.
"""

from __future__ import annotations

import signal
import threading
import time

import pytest

from tests.installation import Recorder, wait_for
from tests.rules.inside import Nursery

pytestmark = [
    pytest.mark.processes,
    pytest.mark.xdist_group("nursery"),
    pytest.mark.parametrize("_nursery", ["sqlite"], indirect=True),
]


def states(nursery: Nursery) -> dict[str, int]:
    told: dict[str, int] = nursery.ask("states")
    return told


def test_r26_r38_a_scheduler_frozen_beyond_its_lease_makes_no_second_post_and_overwrites_nothing(
    nursery: Nursery, recorder: Recorder
) -> None:
    """Two schedulers on one database; the first is stopped during its call, and goes on when the second has settled it."""
    nursery.ask("seed_posts", posts=1, recorder=recorder.url)
    frozen = nursery.installation.start_scheduler()
    wait_for(recorder.posts, 60, "the call")
    frozen.send_signal(signal.SIGSTOP)
    try:
        second = nursery.installation.start_scheduler()
        wait_for(lambda: states(nursery) == {"completed": 1}, 60, "the second scheduler to settle it")
    finally:
        frozen.send_signal(signal.SIGCONT)
    for process in (frozen, second):
        process.terminate()
        assert process.wait(40) == 0

    assert list(recorder.posts().values()) == [1]
    told = nursery.ask("evidence")
    assert list(told["keys"].values()) == ["completed"]
    assert told["open_attempts"] == 0


def test_r37_a_scheduler_that_is_asked_to_stop_waits_for_its_call_writes_the_result_and_ends_well(
    nursery: Nursery, recorder: Recorder
) -> None:
    nursery.ask("seed_posts", posts=3, recorder=recorder.url)
    process = nursery.installation.start_scheduler()
    wait_for(recorder.posts, 60, "the call")

    process.terminate()

    assert process.wait(40) == 0
    # the account's other posts were not begun, and nothing is left claimed
    assert states(nursery) == {"completed": 1, "pending": 2}
    assert len(recorder.posts()) == 1


def test_r37_asked_twice_it_ends_at_once_and_the_call_under_way_is_settled_by_the_next(
    nursery: Nursery, recorder: Recorder
) -> None:
    nursery.ask("seed_posts", posts=1, recorder=recorder.url)
    process = nursery.installation.start_scheduler()
    wait_for(recorder.posts, 60, "the call")

    process.terminate()
    threading.Event().wait(0.05)
    began = time.monotonic()
    process.terminate()
    assert process.wait(40) == 0
    ended = time.monotonic() - began
    left = states(nursery)
    following = nursery.installation.start_scheduler()
    wait_for(lambda: states(nursery) == {"completed": 1}, 60, "the next scheduler to settle it")
    following.terminate()
    assert following.wait(40) == 0

    assert ended < 10  # and not the time a call may take
    assert left == {"running": 1}
    assert list(recorder.posts().values()) == [1]
