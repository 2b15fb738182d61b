"""A stranger's first minute: one command on an empty folder, and clear sentences where it cannot work."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from tests.installation import ROOT, Installation, closing, migrated_sqlite, wait_for

pytestmark = pytest.mark.processes


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Installation]:
    """A data folder that does not exist yet, and no keys in the environment."""
    installation = Installation(tmp_path / "data", PUBLIC_URL="")
    for name in ("SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_URL", "PUBLIC_URL"):
        del installation.environment[name]
    with closing(installation):
        yield installation


@pytest.fixture
def migrated(empty: Installation) -> Installation:
    """The same with a database that has its tables and nothing in them: the minute in which they are made is looked at once."""
    empty.folder.mkdir(mode=0o700)
    shutil.copyfile(migrated_sqlite(), empty.folder / "db.sqlite3")
    return empty


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_once_publishes_the_first_posts_says_where_and_fails_when_nothing_was_published(empty: Installation):
    done = empty.manage("quickstart", "--once")

    lines = [line for line in done.stdout.splitlines() if line.startswith("completed ")]
    assert len(lines) == 2
    assert all(
        re.fullmatch(r"completed northwind-(news|coffee) http://127\.0\.0\.1:8000/sandbox/\S+/", line) for line in lines
    )
    assert stat.S_IMODE(empty.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((empty.folder / "keys.env").stat().st_mode) == 0o600

    again = empty.manage("quickstart", "--once", check=False)

    assert again.returncode != 0
    assert "Nothing was published: nothing is due" in again.stderr


def test_a_second_run_changes_nothing_that_exists(migrated: Installation):
    first = migrated.manage("quickstart", "--no-serve")
    keys, counts = (migrated.folder / "keys.env").read_text(), migrated.inside("counts")

    second = migrated.manage("quickstart", "--no-serve")

    assert "password" in first.stdout
    assert "password" not in second.stdout
    assert (migrated.folder / "keys.env").read_text() == keys
    assert migrated.inside("counts") == counts


def test_a_busy_port_is_one_clear_sentence_and_nothing_is_made(empty: Installation):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]

        done = empty.manage("quickstart", "--port", str(port), check=False)

    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 cannot be used" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (empty.folder / "db.sqlite3").exists()


def test_a_folder_that_cannot_be_written_is_one_clear_sentence(empty: Installation, tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")
    empty.environment["ALWRITY_DATA_DIR"] = str(tmp_path / "file" / "data")

    done = empty.manage("quickstart", "--no-serve", check=False)

    assert done.returncode == 1
    assert re.fullmatch(
        r"The data folder \S+ cannot be written \(.+\): give this user .+ in ALWRITY_DATA_DIR\.", done.stderr.strip()
    )


def test_an_old_python_is_one_clear_sentence():
    code = (
        "import sys; sys.version_info = (3, 9, 2); from alwrity_scheduler import bootstrap; bootstrap.require_python()"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("This product needs Python 3.11 or newer, and this is Python 3.9")


def test_it_serves_signs_in_shows_the_published_post_and_stops_on_ctrl_c(migrated: Installation):
    migrated.environment["ALWRITY_ADMIN_PASSWORD"] = "correct horse battery"
    port = free_port()
    log = (migrated.folder.parent / "log").open("wb")
    with log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "quickstart", "--port", str(port)],
            cwd=ROOT, env=migrated.environment, stdout=log, stderr=log, preexec_fn=os.setpgrp,
        )  # fmt: skip
    migrated.processes.append(process)
    browser = build_opener(HTTPCookieProcessor(jar := CookieJar()))
    base = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return browser.open(f"{base}/healthz", timeout=2).status == 200
        except OSError:
            return False

    wait_for(answers, 60, "the web server")
    wait_for(lambda: migrated.inside("states").get("completed") == 2, 40, "the first posts", pause=1)
    url = migrated.inside("remote_urls")[0]
    assert url.startswith(base)
    browser.open(f"{base}/login/")
    token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
    form = {"login": "admin", "password": "correct horse battery", "csrfmiddlewaretoken": token}
    printed = (migrated.folder.parent / "log").read_text()
    assert "ALWRITY_ADMIN_PASSWORD" in printed
    assert "correct horse battery" not in printed
    page = browser.open(f"{base}/login/", urlencode(form).encode()).read().decode()
    assert "/static/css/" in page
    assert browser.open(base + re.search(r'/static/css/[^"]+', page).group()).status == 200
    assert "Hello from our new content calendar" in browser.open(url).read().decode()
    with pytest.raises(HTTPError, match="404"):
        browser.open(f"{base}/no/such/page/")

    process.send_signal(signal.SIGINT)
    assert process.wait(45) == 0
    assert "Traceback" not in (migrated.folder.parent / "log").read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_r37_a_stopped_scheduler_leaves_nothing_running_and_exits_with_zero(tmp_path: Path, number: int):
    installation = Installation(tmp_path)
    with closing(installation):
        installation.migrate()
        process = installation.start_scheduler()
        wait_for(lambda: "is running with" in installation.log(), 30, "the scheduler")

        process.send_signal(number)

        assert process.wait(35) == 0
        assert "Scheduler stopped." in installation.log()
