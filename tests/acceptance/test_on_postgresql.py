"""The same rules on PostgreSQL: the integration tests run once more, in a process with another DATABASE_URL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import POSTGRES_URL
from tests.installation import ROOT, migrated_postgres

# who may do what, how rules are written, what is done to files, and doors before services that the other parts ask of it
OF_NO_DATABASE = (
    "api/test_access", "api/test_account_groups_and_apps", "api/test_accounts", "api/test_afterwards", "api/test_backfill",
    "api/test_client", "api/test_connecting", "api/test_content", "api/test_every_endpoint", "api/test_fuzz",
    "api/test_imports", "api/test_library", "api/test_limited", "api/test_media", "api/test_members", "api/test_planning",
    "api/test_preflight", "api/test_readme", "api/test_reviewer", "api/test_reviews", "api/test_rules", "api/test_schema",
    "api/test_shelves", "api/test_slots", "api/test_tokens", "api/test_webhooks", "platforms/test_admin",
    "platforms/test_bucket", "platforms/test_fetching", "platforms/test_media", "platforms/test_newsletter_jobs",
    "platforms/test_renditions", "platforms/test_rotate_keys", "platforms/test_sandbox", "platforms/test_sending",
    "schedules/test_approval", "schedules/test_assembly", "schedules/test_chat_kills", "schedules/test_files_in_use",
    "schedules/test_forecast", "schedules/test_platforms_in_steps", "schedules/test_preflight",
)  # fmt: skip
# the pages whose reads are written for each database
PAGES = ("calendar",)

# starts a real server that the tests outside of this process use at the same time
OF_A_SERVER = (
    "tests/integration/platforms/test_signin.py::test_rotating_tokens_of_a_real_provider_survive_our_own_concurrency"
)


@pytest.mark.postgres
@pytest.mark.processes
@pytest.mark.parametrize(
    "part", ["integration/schedules", "integration/workspaces", "integration/platforms", "integration/api", "rules"]
)
def test_the_integration_tests_pass_on_postgresql(part: str) -> None:
    """Each part has a database of its own, so that the parts can run beside each other. Tests with processes bring their own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    environment |= {
        "DATABASE_URL": POSTGRES_URL,
        "TEST_DATABASE_NAME": f"test_alwrity_{Path(part).name}",
        "TEST_DATABASE_TEMPLATE": migrated_postgres(POSTGRES_URL),
    }

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
            *(f"--ignore=tests/integration/{name}.py" for name in OF_NO_DATABASE),
            f"--deselect={OF_A_SERVER}",
            f"tests/{part}",
            *([f"tests/integration/web/test_{page}.py" for page in PAGES] if part == "integration/workspaces" else []),
        ],
        cwd=ROOT,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
