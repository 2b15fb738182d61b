"""The benchmarks work: ours at small sizes. What must stand written is asserted, and the plan of a look, never a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import lateness, ours, planning, poll

VENDORS = [pytest.param("postgresql", marks=pytest.mark.postgres), "sqlite"]
pytestmark = [pytest.mark.benchmark, pytest.mark.processes]


@pytest.mark.parametrize("vendor", VENDORS)
def test_due_posts_all_go_out_once_with_their_attempts_and_history(vendor: str, tmp_path: Path) -> None:
    assert ours.throughput(vendor, jobs=300)(tmp_path)["jobs/s"] > 0


@pytest.mark.parametrize("vendor", VENDORS)
def test_r14_a_look_that_finds_nothing_goes_by_its_index(vendor: str, tmp_path: Path) -> None:
    assert poll.of_ours(vendor, 20_000)(tmp_path)["by its index"] == 1.0


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_rule_is_planned_to_the_horizon(vendor: str, tmp_path: Path) -> None:
    assert planning.of_ours(vendor, 100)(tmp_path)["jobs"] == 960


@pytest.mark.parametrize("vendor", VENDORS)
def test_r13_posts_arrive_beside_a_crowd_and_never_early(vendor: str, tmp_path: Path) -> None:
    assert lateness.of_ours(vendor, 1000, 20, 2.0)(tmp_path)["p50 ms"] >= 0
