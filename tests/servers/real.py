"""Real servers to publish to, from `../shared/servers`: started once a process, stopped at its end.

Tests of one server belong to one xdist group, so that it runs once: `pytest.mark.xdist_group("wordpress")`.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import signal
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
    _bring_along(name)
    stop(name)  # one that a killed run left behind knows of that run's posts
    started = subprocess.run(
        ["bash", str(SERVERS / name / "start.sh")], env=environment, capture_output=True, text=True, timeout=900
    )
    if started.returncode:
        raise RuntimeError(f"{name} did not start: {started.stderr[-2000:]}")
    atexit.register(stop, name)
    found: dict[str, Any] = json.loads(started.stdout)
    return found


# Debian packages that a server unpacks into a folder of its own: apt does not download what the machine has installed already, and
# mariadb-admin has moved between packages.
PACKAGES = {
    "wordpress": ("mariadb-server-core", "mariadb-client-core", "mariadb-client", "libjs-underscore", "libjs-cropper",
                  "libjs-prototype", "libjs-scriptaculous", "php-getid3")
}  # fmt: skip


def _bring_along(name: str) -> None:
    """Copy the packages' files into the server's folder, once: from the machine, where they are installed, else from Debian."""
    root, done = SCRATCH / f"debroot-{name}", SCRATCH / f"debroot-{name}.copied"
    if name not in PACKAGES or done.exists():
        return
    for package in PACKAGES[name]:
        listed = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True)
        if listed.returncode:
            _unpack(package, root)
        for path in map(Path, listed.stdout.splitlines() if listed.returncode == 0 else []):
            if path.is_file() or path.is_symlink():
                target = root / path.relative_to("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                if not target.exists():
                    shutil.copy2(path, target, follow_symlinks=False)
    done.touch()


def _unpack(package: str, root: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["apt-get", "download", package], cwd=folder, capture_output=True)
        for file in Path(folder).glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(file), str(root)], capture_output=True)


def stop(name: str) -> None:
    """End the server, with the workers that its processes have started since."""
    listed = SCRATCH / "run" / name / "pids"
    known = [line.split()[0] for line in listed.read_text().splitlines()] if listed.exists() else []
    workers = {child: _started(child) for pid in known for child in _children(pid)}
    subprocess.run(
        ["bash", str(SERVERS / name / "stop.sh")], env={**os.environ, "PLAT": str(SCRATCH)}, capture_output=True
    )
    for pid, started in workers.items():
        if started and _started(pid) == started:
            os.kill(int(pid), signal.SIGKILL)


def _children(pid: str) -> list[str]:
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []


def _started(pid: str) -> str:
    """When a process began, in ticks: with its id, a process's name for ever. Empty when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
