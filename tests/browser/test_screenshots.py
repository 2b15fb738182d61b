"""The command that takes the house's screenshots works: two pages of it, as anybody would run it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PIL import Image

from tests.installation import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.xdist_group("browser")]


def test_two_pages_are_taken_and_a_page_that_is_not_there_is_named(tmp_path):
    def run(*words):
        command = [sys.executable, "-m", "tests.screenshots", str(tmp_path / "shots"), *words]
        return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)

    done = run("--only", "notifications,accounts", "--width", "phone", "--theme", "dark", "--posts", "40")
    assert done.returncode == 0, done.stderr
    assert "2 pictures in" in done.stdout
    assert "answered" not in done.stdout
    for page in ("notifications", "accounts"):
        picture = Image.open(tmp_path / "shots" / f"{page}-phone-dark.png").convert("L")
        assert picture.width == 390
        assert picture.height > 1500  # there is much to see
        assert picture.resize((1, 1)).getpixel((0, 0)) < 100  # and it is dark

    wrong = run("--only", "nothing")
    assert wrong.returncode == 2
    assert "There is no page nothing" in wrong.stderr
