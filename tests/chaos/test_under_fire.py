"""A short campaign on each configuration (ENGINE R18, R19, R25, R26, R37, R38, R43). The long one is a command: README.md."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos import campaign, machines
from tests.chaos.campaign import Plan
from tests.chaos.verdict import complaints


def survives(plan: Plan) -> campaign.Outcome:
    try:
        outcome = campaign.run(plan)
    except machines.Missing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
    assert outcome.ok, complaints(outcome)
    return outcome


@pytest.mark.processes
def test_r25_no_post_is_lost_or_doubled_under_fire_on_sqlite():
    outcome = survives(Plan(database="sqlite", kills=15, rate=8, seed=5))

    assert outcome.report["counts"]["kills"] >= 15
    assert outcome.histogram["1"] == len(outcome.report["jobs"]) > 10


@pytest.mark.long  # tests/acceptance kills on this configuration each time
@pytest.mark.processes
def test_r25_no_post_is_lost_or_doubled_under_fire_on_postgresql():
    outcome = survives(Plan(database="postgres", kills=15, rate=8, seed=6))

    assert outcome.report["counts"]["restarts"] >= 1
    assert outcome.histogram["1"] == len(outcome.report["jobs"]) > 10


@pytest.mark.long  # tests/acceptance kills on this configuration each time
@pytest.mark.processes
def test_r25_r38_no_post_is_lost_or_doubled_under_fire_on_the_distributed_engine():
    outcome = survives(Plan(engine="distributed", database="postgres", kills=10, rate=8, seed=7))

    assert outcome.report["counts"]["flushes"] >= 1
    assert outcome.histogram["1"] == len(outcome.report["jobs"]) > 5


@pytest.mark.long  # tests/rules freezes one, once, each time
@pytest.mark.processes
def test_r26_a_worker_that_was_frozen_beyond_its_lease_doubles_nothing(tmp_path: Path):
    plan = Plan(database="sqlite", kills=26, rate=8, pace=0.5, seed=8, faults=("stop",), folder=tmp_path)

    assert survives(plan).report["counts"]["stops"] >= 1
