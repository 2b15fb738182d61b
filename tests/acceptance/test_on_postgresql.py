"""The same rules on PostgreSQL: the integration tests run once more, in a process with another DATABASE_URL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import POSTGRES_URL
from tests.installation import ROOT


@pytest.mark.postgres
@pytest.mark.processes
@pytest.mark.parametrize(
    "part", ["integration/schedules", "integration/workspaces", "integration/platforms", "integration/api", "rules"]
)
def test_the_integration_tests_pass_on_postgresql(part: str) -> None:
    """Each part has a database of its own, so that the parts can run beside each other. Tests with processes bring their own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    environment |= {"DATABASE_URL": POSTGRES_URL, "TEST_DATABASE_NAME": f"test_alwrity_{Path(part).name}"}

    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-n",
            "0",
            "-q",
            "-p",
            "no:cacheprovider",
            "--create-db",
            *(["-m", "not processes and not long and not benchmark"] if part == "rules" else []),
            # who may do what, and how rules are written, is asked of no database
            *(["--ignore", "tests/integration/api/test_access.py", "--ignore", "tests/integration/api/test_rules.py"]),
            f"tests/{part}",
        ],
        cwd=ROOT,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
