"""Real servers to publish to, from `../shared/servers`: started once a process, stopped at its end.

Tests of one server belong to one xdist group, so that it runs once: `pytest.mark.xdist_group("wordpress")`.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

SERVERS = Path(__file__).resolve().parents[2].parent / "shared" / "servers"
# installed once, kept between runs
SCRATCH = Path(os.environ.get("ALWRITY_SERVERS") or Path(tempfile.gettempdir()) / f"alwrity-servers-{os.getuid()}")


def missing(name: str) -> str:
    """Why the server cannot be started here; empty when it can."""
    return "" if (SERVERS / name / "start.sh").exists() else f"../shared/servers/{name} is not here"


@functools.lru_cache
def start(name: str, *settings: tuple[str, str]) -> dict[str, Any]:
    """Address and credentials of the running server, as its start.sh prints them. `settings` are environment variables."""
    environment = {**os.environ, "PLAT": str(SCRATCH), **dict(settings)}
    SCRATCH.mkdir(parents=True, exist_ok=True)
    started = subprocess.run(
        ["bash", str(SERVERS / name / "start.sh")], env=environment, capture_output=True, text=True, timeout=300
    )
    if started.returncode:
        raise RuntimeError(f"{name} did not start: {started.stderr[-2000:]}")
    atexit.register(stop, name)
    found: dict[str, Any] = json.loads(started.stdout)
    return found


def stop(name: str) -> None:
    subprocess.run(
        ["bash", str(SERVERS / name / "stop.sh")], env={**os.environ, "PLAT": str(SCRATCH)}, capture_output=True
    )
