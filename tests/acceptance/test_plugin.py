"""A platform from another package: installed beside the product, found by its entry point, and published to."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.installation import ROOT, Installation, closing

pytestmark = pytest.mark.processes
EXAMPLE = ROOT / "tests" / "plugin_example"
# what a person does in the product, in one process: connect an account, schedule a post, let the engine publish it
STORY = """
import json, sys
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from platforms.registry import adapters
from schedules.models import Job
from schedules.services import afterwards
from tests.conftest import NOW
from tests.engine import run_due
from tests.people import ACTOR, make_account, make_people, make_schedule

from schedules.events import consumers

[reader] = [consumers.Feeder(found, "here") for found in consumers.installed()]
reader.round()
room = make_people(NOW).workspace
account = make_account(room, NOW, platform="noticeboard", options={"folder": sys.argv[1]})
job = Job.objects.get(schedule=make_schedule(room, [account], NOW, text="Hello from outside"))
run_due(NOW)
job.refresh_from_db()
reader.round()
print(json.dumps({
    "module": type(adapters.get("noticeboard")).__module__, "state": job.state, "id": job.remote_id,
    "abilities": sorted(afterwards.abilities(job)), "heard": sys.modules["alwrity_noticeboard"].HEARD,
}))
"""


def install(target: Path) -> None:
    """By uv, which needs no network for a package of this kind; by hand where there is no uv: an entry point is a text file."""
    if uv := shutil.which("uv"):
        command = [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--target", str(target), str(EXAMPLE)]
        subprocess.run(command, check=True, capture_output=True, cwd=target.parent)
        return
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    shutil.copytree(EXAMPLE / "alwrity_noticeboard", target / "alwrity_noticeboard")
    information = target / f"alwrity_noticeboard-{project['version']}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = [
        f"[{group}]\n{name} = {value}\n"
        for group, found in project["entry-points"].items()
        for name, value in found.items()
    ]
    (information / "entry_points.txt").write_text("".join(lines))


@pytest.mark.parametrize("by", ["uv", "hand"])
def test_an_installed_package_adds_a_platform(tmp_path, by, monkeypatch):
    if by == "hand":
        monkeypatch.setattr(shutil, "which", lambda name: None)
    target, board = tmp_path / "site", tmp_path / "board"
    target.mkdir()
    board.mkdir()
    install(target)
    assert (target / "alwrity_noticeboard" / "__init__.py").exists()
    if by == "hand":
        found = subprocess.run(
            [sys.executable, "-c", "from importlib.metadata import entry_points; print(*entry_points(group='alwrity.platforms'))"],
            env={"PYTHONPATH": str(target)}, text=True, capture_output=True, check=True,
        ).stdout  # fmt: skip
        assert "alwrity_noticeboard:NoticeboardAdapter" in found
        return

    installation = Installation(tmp_path / "data", PYTHONPATH=f"{target}:{ROOT}")
    installation.folder.mkdir()
    with closing(installation):
        done = subprocess.run(
            [sys.executable, "-c", STORY, str(board)],
            cwd=ROOT, env=installation.environment, text=True, capture_output=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["module"], told["state"], told["abilities"]) == (
        "alwrity_noticeboard",
        "completed",
        ["delete", "edit"],
    )
    # and what it reads of events: that the post is out
    assert told["heard"] == [["job.completed", "completed"]]
    assert (board / told["id"]).read_text() == "A title\n\nHello from outside\n"
