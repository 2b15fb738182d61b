"""Conformance rows that lie beside the repository (`../shared/platforms`), where they are there. They carry others' licences."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

SHARED = Path(__file__).resolve().parents[5] / "shared" / "platforms"


@cache
def _file(name: str) -> dict[str, Any]:
    path = SHARED / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def rows(name: str, part: str) -> list[Any]:
    """One list of a file; empty where the file is not there."""
    return list(_file(name).get(part, []))
