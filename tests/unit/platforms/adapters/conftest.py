"""What the tests of adapters share: loopback may be called, and pictures to send."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from platforms.contracts import MediaRef


@pytest.fixture(autouse=True)
def loopback_is_allowed(settings: Any) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]


@pytest.fixture
def picture(tmp_path: Path) -> Any:
    """`picture("red")`: a small PNG of that colour as adapters see it."""

    def made(colour: str, **values: Any) -> MediaRef:
        path = tmp_path / f"{colour}.png"
        Image.new("RGB", (40, 30), colour).save(path)
        given = {
            "url": f"https://here.test/{colour}", "mime": "image/png", "alt": f"A {colour} box", "size": path.stat().st_size,
            "checksum": f"sum-of-{colour}", "path": str(path), "name": f"{colour} box.png", "width": 40, "height": 30,
        }  # fmt: skip
        return MediaRef(**{**given, **values})

    return made
