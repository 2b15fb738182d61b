"""`uv run python -m tests.fuzz [--examples 200] [--seed 1] [--database-url postgres://…] [-- more words for schemathesis]`

Makes a database of its own with the scenery, starts a server on it that reaches no other machine, and lets schemathesis run all
its checks against every operation with an owner's token. Ends with its exit code. The database at `--database-url` must be empty
and may be thrown away.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.installation import ROOT, Installation, closing, wait_for

HERE = Path(__file__).parent
# what the scenery has none of
MORE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("tokens", {"name": "spare", "role": "viewer"}),
    ("invitations", {"email": "jo@example.com", "role": "viewer"}),
    ("webhooks", {"url": "https://example.com/taken", "event_types": ["job.*"]}),
)


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Property tests of the API.")
    parser.add_argument("--examples", type=int, default=200, help="a number of examples an operation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database-url", default="", help="SQLite in a folder of its own where none is given")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    parser.add_argument("--port", type=int, default=0)
    ours, theirs = parser.parse_known_args(words)
    theirs = [word for word in theirs if word != "--"]
    with tempfile.TemporaryDirectory(prefix="alwrity-fuzz-") as folder:
        stand = Installation(
            Path(folder), ours.database_url, OUTBOUND_ALLOW="", API_RATE_LIMIT="0", API_RATE_LIMIT_ANONYMOUS="0",
            STREAM_MOST="0",  # a stream says what is new and ends: whoever waited for each to end would wait for hours
            LOG_LEVEL="ERROR",
        )  # fmt: skip
        with closing(stand):
            return _run(stand, ours, theirs)


def _run(stand: Installation, ours: argparse.Namespace, theirs: list[str]) -> int:
    stand.migrate()
    (stand.folder / "static").mkdir(exist_ok=True)
    made = _inside(stand)
    port = ours.port or _free_port()
    stand.start("-m", "alwrity_scheduler.serve", "--port", str(port))
    schema = f"http://127.0.0.1:{port}/api/v1/schema/"
    wait_for(lambda: _answers(schema), 60, "the server to answer", pause=0.2)
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"),
        "run", schema, "--url", f"http://127.0.0.1:{port}", "--checks", "all", "--max-examples", str(ours.examples),
        "--seed", str(ours.seed), "--phases", ours.phases, "--workers", str(ours.workers), "--continue-on-failure",
        "--header", f"Authorization: Bearer {made['token']}", *theirs,
    ]  # fmt: skip
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", "FUZZ_THINGS": json.dumps(made["things"])}
    code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    if log := stand.log():
        (ROOT / "test-output").mkdir(exist_ok=True)
        (ROOT / "test-output" / "fuzz-server.log").write_text(log)
        print("What the server logged is in test-output/fuzz-server.log.")
    return code


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=20) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _inside(stand: Installation) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--fill"], cwd=ROOT, env=stand.environment, text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def fill() -> dict[str, Any]:
    """What runs inside the installation: the scenery, an owner's token, and the ids of what there is, by collection."""
    import django

    django.setup()
    from rest_framework.test import APIClient

    from alwrity_scheduler.core import clock
    from alwrity_scheduler.workspaces import services as workspaces
    from tests import scenery
    from tests.people import ACTOR

    made = scenery.make(clock.now(), a_month=40)
    token, secret = workspaces.create_token(
        workspace=made.workspace, name="fuzz", role="owner", actor=ACTOR, now=clock.now()
    )
    client = APIClient(headers={"host": "127.0.0.1"})
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    for path, body in MORE:
        client.post(f"/api/v1/{path}/", body, format="json")
    found = things(client)
    # revoked by a request of its own, it would be refused from then on
    found["tokens"].remove(str(token.public_id))
    return {"token": secret, "things": found}


def things(client: Any) -> dict[str, list[str]]:
    """The first ids of every list of the API that takes nothing."""
    from schedules.api.schema import whole

    found = {}
    for path, methods in whole()["paths"].items():
        if "{" in path or not methods.get("get", {}).get("operationId", "").endswith("_list"):
            continue
        answer = client.get(path, {"page_size": 25})
        rows = answer.json()["results"] if answer.status_code == 200 else []
        if names := [row["id"] for row in rows if isinstance(row.get("id"), str)]:
            found[path.removeprefix("/api/v1/").strip("/")] = names
    assert found, "no list of the API answered"
    return found


if __name__ == "__main__":
    if sys.argv[1:] == ["--fill"]:
        print(json.dumps(fill()))
        sys.exit(0)
    sys.exit(main(sys.argv[1:]))
