"""The same rules on PostgreSQL: the integration tests run once more, in a process with another DATABASE_URL."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import POSTGRES_URL
from tests.installation import ROOT


@pytest.mark.postgres
@pytest.mark.processes
@pytest.mark.parametrize("part", ["schedules", "workspaces", "platforms", "api"])
def test_the_integration_tests_pass_on_postgresql(part: str) -> None:
    """Each part has a database of its own, so that the parts can run beside each other."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    environment |= {"DATABASE_URL": POSTGRES_URL, "TEST_DATABASE_NAME": f"test_alwrity_{part}"}

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
            f"tests/integration/{part}",
        ],
        cwd=ROOT,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
