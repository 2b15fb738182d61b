"""The plan of the house, kept: imports, the clock, migrations, checks, pins, and what must never be in the repository."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("alwrity_scheduler", "platforms", "schedules")
SOURCES = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *words], cwd=ROOT, text=True, capture_output=True, check=False)


def test_the_import_contracts_hold():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_finds_nothing():
    assert (done := run("ruff", "check", ".")).returncode == 0, done.stdout


def test_ruff_would_format_nothing():
    assert (done := run("ruff", "format", "--check", ".")).returncode == 0, done.stdout


def test_only_the_clock_reads_the_clock():
    """`time.sleep` and `perf_counter` are no readings of the date; ids carry a time of their own."""
    allowed = {"alwrity_scheduler/core/clock.py", "alwrity_scheduler/core/ids.py"}
    readings = re.compile(
        r"\b(timezone\.now\(|datetime\.now\(|datetime\.utcnow\(|date\.today\(|time\.time\(|time_ns\()"
    )
    found = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if str(path.relative_to(ROOT)) not in allowed and readings.search(path.read_text())
    ]
    assert found == []


def test_functions_have_types_and_no_module_is_homeless():
    homeless = {"utils.py", "helpers.py", "common.py", "manager.py"}
    assert [str(path) for path in SOURCES if path.name in homeless] == []
    untyped = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.returns is None
    ]
    assert untyped == []


@pytest.mark.django_db
def test_migrations_are_complete_and_checks_are_silent():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    call_command("check", fail_level="WARNING")


def test_constraints_and_pyproject_pin_the_same_versions_without_addresses():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert project["tool"]["uv"]["constraint-dependencies"] == pins
    assert not [pin for pin in pins if "://" in pin or "@" in pin]


def test_no_registry_host_and_no_machine_path_is_in_the_repository():
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, text=True, capture_output=True, check=True).stdout.split()
    forbidden = re.compile(r"index-url|files\.pythonhosted|pypi\.org/simple|/root/|/home/\w+/")
    found = [
        name
        for name in files
        if (ROOT / name).is_file() and not name.endswith((".png", ".ico")) and name != "tests/architecture/test_house_rules.py"
        and forbidden.search((ROOT / name).read_text(errors="ignore"))
    ]  # fmt: skip
    assert found == []
