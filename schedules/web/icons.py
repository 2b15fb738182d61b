"""The icons as one same-origin SVG sprite, built once a process from the `lucide` wheel, so that no icon file lives here."""

from __future__ import annotations

import hashlib
import re
import zipfile
from functools import lru_cache
from pathlib import Path

import lucide

# Our word -> lucide's name. An unknown name fails the first time the sprite is built, which a test does.
NAMES = {
    "today": "layout-dashboard",
    "schedules": "calendar-days",
    "jobs": "activity",
    "recovery": "life-buoy",
    "accounts": "plug",
    "people": "users",
    "settings": "settings",
    "admin": "database",
    "sandbox": "flask-conical",
    "calendar": "calendar-clock",
    "analytics": "chart-line",
    "bell": "bell",
    "health": "heart-pulse",
    "webhook": "webhook",
    "code": "code",
    "report": "chart-column",
    "timeline": "chart-gantt",
    "search": "search",
    "plus": "plus",
    "menu": "menu",
    "x": "x",
    "more": "ellipsis",
    "undo": "undo-2",
    "filter": "list-filter",
    "left": "chevron-left",
    "right": "chevron-right",
    "down": "chevron-down",
    "up": "chevron-up",
    "columns": "columns-3",
    "stop": "square",
    "grip": "grip-vertical",
    "hide": "eye-off",
    "cards": "layout-grid",
    "guide": "compass",
    "database": "server",
    "layers": "layers",
    "figures": "gauge",
    "sun": "sun",
    "moon": "moon",
    "auto": "sun-moon",
    "edit": "pencil",
    "clone": "copy-plus",
    "copy": "copy",
    "archive": "archive",
    "pause": "pause",
    "play": "play",
    "retry": "rotate-ccw",
    "cancel": "circle-slash",
    "now": "zap",
    "send": "send",
    "save": "save",
    "open": "external-link",
    "skip": "skip-forward",
    "move": "move",
    "split": "split",
    "trash": "trash-2",
    "upload": "upload",
    "folder": "folder",
    "folder-new": "folder-plus",
    "download": "download",
    "sound": "audio-lines",
    "link": "link",
    "language": "languages",
    "hash": "hash",
    "tag": "tag",
    "campaign": "flag",
    "info": "info",
    "warning": "triangle-alert",
    "error": "circle-x",
    "check": "check",
    "history": "history",
    "lock": "lock",
    "key": "key",
    "fingerprint": "fingerprint-pattern",
    "phone": "smartphone",
    "devices": "monitor-smartphone",
    "user": "user",
    "out": "log-out",
    "refresh": "refresh-cw",
    "repeat": "repeat",
    "globe": "globe",
    "workspace": "building-2",
    "power": "power",
    "inbox": "inbox",
    "help": "circle-question-mark",
    "keyboard": "keyboard",
    "shield": "shield",
    "arrow": "arrow-right",
    "smile": "smile",
    "heart": "heart",
    "thumb": "thumbs-up",
    "reply": "message-circle",
    "share": "share-2",
    "bookmark": "bookmark",
    "bold": "bold",
    "queue": "list-plus",
    "template": "notepad-text",
    "print": "printer",
    "st-draft": "circle-dashed",
    "st-review": "eye",
    "st-scheduled": "clock",
    "st-running": "loader-circle",
    "st-published": "circle-check",
    "st-paused": "circle-pause",
    "st-missed": "alarm-clock-off",
    "st-failed": "octagon-x",
    "st-unsure": "circle-question-mark",
    "st-blocked": "hand",
    "st-cancelled": "circle-slash",
    "st-archived": "archive",
    "st-replaced": "replace",
    "k-post": "message-square",
    "k-article": "file-text",
    "k-image": "image",
    "k-video": "video",
    "k-carousel": "images",
    "k-story": "gallery-vertical",
    "k-reel": "film",
    "k-thread": "messages-square",
    "k-newsletter": "mail",
}


@lru_cache(maxsize=1)
def sprite() -> tuple[bytes, str]:
    """The SVG and a short digest of it, which stands in its address so that browsers keep it for ever."""
    parts = ['<svg xmlns="http://www.w3.org/2000/svg">']
    with zipfile.ZipFile(Path(lucide.__file__).parent / "lucide.zip") as archive:
        for ours, theirs in NAMES.items():
            source = archive.read(f"{theirs}.svg").decode()
            match = re.search(r"<svg[^>]*>(.*)</svg>", source, re.DOTALL)
            if match is None:
                raise LookupError(f"the lucide icon {theirs!r} is no SVG")
            parts.append(
                f'<symbol id="{ours}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
                f'stroke-linecap="round" stroke-linejoin="round">{match.group(1).strip()}</symbol>'
            )
    data = re.sub(r">\s+<", "><", "".join([*parts, "</svg>"])).encode()
    return data, hashlib.sha256(data).hexdigest()[:12]
