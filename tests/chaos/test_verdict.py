"""The judge must see what went wrong: each kind of fault, from the two stories that show it."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from tests.chaos.points import POINTS
from tests.chaos.verdict import judge, table

JOB = {
    "id": 1, "idempotency_key": "k", "state": "completed", "reason": "", "remote_id": "p1", "remote_url": "http://x/p1",
    "scheduled_for": 100.0, "account__name": "looks 0", "attempt_count": 1,
}  # fmt: skip
REPORT: dict[str, Any] = {
    "jobs": [JOB], "forgotten": [], "open": [], "early": [], "breaks": [], "bad exits": [], "offsets": [[0.0, 0.0]],
    "longest": {"job": 3.0, "check": 0.0}, "which": {"job": 1, "check": 0}, "counts": {"kills": 1}, "settled": {},
    "lost workers": 0, "attempts": {"publish": {"published": 1}, "check": {}}, "audit rows": 1, "fire seconds": 1.0,
    "settle seconds": 1.0,
}  # fmt: skip
PLATFORM = {"posts": {"k": ["p1"]}, "arrivals": {"k": [100.5]}, "faults": {}}


def words(report: dict[str, Any] | None = None, platform: dict[str, Any] | None = None) -> list[str]:
    outcome = judge("a run", REPORT | (report or {}), PLATFORM | (platform or {}), lease=8)
    return [fault.what.partition(":")[0] for fault in outcome.faults]


def test_one_post_for_each_job_is_what_it_must_be():
    assert words() == []


def test_lost_doubled_and_wrongly_told_posts_are_seen():
    assert words(platform={"posts": {"k": ["p1", "p2"]}}) == ["DOUBLED"]
    assert words(platform={"posts": {}}) == ["LOST"]
    assert words({"jobs": [JOB | {"state": "failed", "reason": "exhausted"}]}, {"posts": {}}) == ["LOST"]
    assert words({"jobs": [JOB | {"state": "unconfirmed"}]}) == ["NOT ENDED"]
    assert words({"jobs": [JOB | {"remote_id": "p7"}]}) == ["WRONG"]
    assert words(platform={"posts": {"k": ["p1"], "other": ["p2"]}}) == ["UNKNOWN"]


def test_what_a_person_confirmed_by_its_address_is_the_same_post():
    assert words({"jobs": [JOB | {"remote_id": "http://127.0.0.1:9/posts/p1"}]}) == []


def test_a_post_that_arrived_early_is_seen_unless_the_clock_said_otherwise():
    early = {"arrivals": {"k": [99.9]}}

    assert words(platform=early) == ["EARLY"]
    assert words({"offsets": [[0.0, 0.0], [98.0, 3600.0]]}, early) == []
    assert words({"offsets": [[0.0, 0.0], [50.0, 3600.0], [60.0, 0.0]]}, early) == ["EARLY"]


def test_what_is_open_forgotten_broken_or_stuck_is_seen():
    assert words({"open": [1]}) == ["OPEN"]
    assert words({"forgotten": ["s"]}) == ["FORGOTTEN"]
    assert words({"breaks": ["row 3 is missing"]}) == ["AUDIT"]
    assert words({"bad exits": ["forked 1 ended with 1"]}) == ["EXIT"]
    assert words({"longest": {"job": 38.1, "check": 0.0}}) == ["STUCK"]


def test_the_table_tells_posts_per_job():
    lines = table([judge("a run", REPORT, PLATFORM, lease=8)]).splitlines()

    assert "  with 1 posts                            1" in lines
    assert lines[-1].split() == ["verdict", "0", "lost,", "0", "doubled"]


@pytest.mark.parametrize("point", POINTS)
def test_each_place_of_death_exists(point):
    module, dotted, when = POINTS[point]
    place: Any = importlib.import_module(module)
    for name in dotted.split("."):
        place = getattr(place, name)

    assert callable(place)
    assert when in ("before", "after")
