"""Servers of the harness' own, in its folder and on free ports: it never touches a server that others use."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

from tests.installation import RedisServer

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/bin")


class Missing(Exception):
    """This machine lacks a program that the configuration needs."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def postgres_program(name: str) -> str:
    """The newest installed one; the servers' programs are often not in PATH."""
    found = [str(path) for place in PLACES for path in sorted(Path("/").glob(f"{place[1:]}/{name}"), reverse=True)]
    found += [path] if (path := shutil.which(name)) else []
    if not found:
        raise Missing(f"{name} is not installed: PostgreSQL's server programs are needed (apt install postgresql).")
    return found[0]


class Postgres:
    """A cluster made by initdb, run as `postgres` where we are root (which PostgreSQL refuses to run as).

    fsync is off: the harness kills processes, not the machine, and what a killed server wrote is in the page cache.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder / "cluster", free_port()
        self.folder.mkdir()
        self._as = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        if self._as:
            shutil.chown(self.folder, "postgres", "postgres")
            for parent in (folder, *folder.parents):
                if str(parent) in ("/", "/tmp"):
                    break
                parent.chmod(parent.stat().st_mode | 0o011)
        self._run(postgres_program("initdb"), "-D", str(self.folder), "-U", "postgres", "-A", "trust", "--no-sync")
        with (self.folder / "postgresql.conf").open("a") as file:
            file.write(
                f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n"
                "max_connections = 200\nshared_buffers = 64MB\nlog_min_messages = fatal\n"
            )
        self.start()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def _run(self, *words: str) -> None:
        done = subprocess.run(
            [*self._as, *words], cwd="/", text=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{words[0]} failed: {done.stderr}")

    def _control(self, *words: str) -> None:
        self._run(postgres_program("pg_ctl"), "-D", str(self.folder), "-l", str(self.folder / "log"), "-w", *words)

    def start(self) -> None:
        self._control("start")

    def restart(self, mode: str) -> None:
        """`fast` tells clients good-bye, `immediate` is a crash with recovery afterwards."""
        self._control("restart", "-m", mode)

    def cut(self, share: float) -> int:
        """End so large a share of all connections, chosen by chance. Returns how many."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
            rows = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND random() < %s",
                [share],
            ).fetchall()
        return len(rows)

    def close(self) -> None:
        self._control("stop", "-m", "immediate")


class Redis(RedisServer):
    """A redis-server that forgets everything at `flush` and at `restart`."""

    def __init__(self, folder: Path) -> None:
        if not shutil.which("redis-server"):
            raise Missing("redis-server is not installed (apt install redis-server).")
        super().__init__(folder)

    def flush(self) -> None:
        self.call("FLUSHALL")

    def restart(self) -> None:
        self.close()
        self.start()
