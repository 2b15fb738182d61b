"""Writes static/css/grid.css: placement as classes, so that no element needs a style of its own (the policy is `'self'`).

python -m schedules.web.timeline.grid
"""

from __future__ import annotations

from pathlib import Path

PATH = Path(__file__).resolve().parents[3] / "static" / "css" / "grid.css"
COLUMNS = 384  # a month of 31 days in steps of two hours, and room for a post at its end
ROWS = 7


def css() -> str:
    lines = ["/* Written by schedules/web/timeline/grid.py: x is where, w how wide, l in which row. */"]
    lines += [f".x{n}{{grid-column-start:{n}}}" for n in range(1, COLUMNS + 1)]
    lines += [f".w{n}{{grid-column-end:span {n}}}" for n in range(1, COLUMNS + 1)]
    lines += [f".l{n}{{grid-row:{n}}}" for n in range(1, ROWS + 1)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PATH.write_text(css())
