"""Interactive figures. The only module that knows Plotly; it is imported when the first figure is asked for.

A figure holds no colour: the browser gives each trace the colour of its `meta`, from the page's own tokens.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

# What plotly.js writes into <style> elements, and nothing else, may stand in a page with a figure: an empty one for its
# tool bar, and that of its maps. A test watches both, since the second changes with Plotly's version.
STYLE_HASHES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='",
)
LANE_HEIGHT = 44
MARGINS = 118
LONGEST_LANE = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A span on a lane. `start` is a wall-clock time without a zone, as it is to be read; `words` are the lines of its label."""

    lane: str
    group: str
    start: datetime
    milliseconds: int
    words: tuple[str, ...]
    link: str


def spans(
    bars: Sequence[Bar], *, lanes: Mapping[str, str], groups: Mapping[str, str], time_title: str
) -> dict[str, Any]:
    """A Gantt-like figure as plotly.js takes it: one lane a key of `lanes`, one trace a group that occurs, times along x."""
    import plotly.graph_objects as plot  # type: ignore[import-untyped]

    traces = [
        _trace(plot, [bar for bar in bars if bar.group == group], group, title)
        for group, title in groups.items()
        if any(bar.group == group for bar in bars)
    ]
    keys = list(lanes)[::-1]  # the first lane is on top
    layout = {
        "template": "none",
        "barmode": "overlay",
        "bargap": 0.35,
        "height": MARGINS + LANE_HEIGHT * max(1, len(lanes)),
        "margin": {"l": 8, "r": 12, "t": 8, "b": 56},
        "xaxis": {"type": "date", "title": {"text": escape(time_title)}, "automargin": True},
        "yaxis": {
            "categoryorder": "array",
            "categoryarray": keys,
            "tickvals": keys,
            "ticktext": [_short(lanes[key]) for key in keys],
            "automargin": True,
            "fixedrange": True,
        },
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hovermode": "closest",
    }
    figure: dict[str, Any] = plot.Figure(data=traces, layout=layout).to_plotly_json()
    figure["layout"].pop("template", None)
    return figure


def _trace(plot: Any, bars: Sequence[Bar], group: str, title: str) -> Any:
    return plot.Bar(
        orientation="h",
        name=escape(title),
        meta=group,
        base=[bar.start.isoformat() for bar in bars],
        x=[bar.milliseconds for bar in bars],
        y=[bar.lane for bar in bars],
        customdata=[bar.link for bar in bars],
        text=["<br>".join(escape(line) for line in bar.words) for bar in bars],
        textposition="none",
        hovertemplate="%{text}<extra></extra>",
        # a call of a second in a week is thinner than a pixel: its edge keeps it in sight
        marker={"line": {"width": 3}},
    )


def _short(words: str) -> str:
    return escape(words if len(words) <= LONGEST_LANE else f"{words[: LONGEST_LANE - 1]}…")


def _script_path() -> Path:
    import plotly

    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


@lru_cache(maxsize=1)
def script_digest() -> str:
    """A short digest of the installed plotly.js, which stands in its address so that browsers keep it for ever."""
    return hashlib.sha256(_script_path().read_bytes()).hexdigest()[:12]


@lru_cache(maxsize=1)
def script_gzipped() -> bytes:
    """The installed plotly.js, compressed once a process."""
    return gzip.compress(_script_path().read_bytes(), compresslevel=6, mtime=0)


def script() -> bytes:
    return _script_path().read_bytes()
