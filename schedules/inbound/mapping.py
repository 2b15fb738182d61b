"""From what came in to the fields of a post: dotted paths and texts with {places}. Pure; nothing is evaluated.

A path is names and positions with dots between: `data.title`, `items.0.text`. A `?` at its end lets it be missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_PARTS, LONGEST_PATH, LONGEST_TEXT, LONGEST_VALUE = 12, 200, 2_000, 100_000
_PLACE = re.compile(r"\{([^{}]*)\}")
# what a hook can fill -> what it is called
TEXTS = ("title", "text", "link", "campaign", "language", "notes")
LISTS = ("hashtags", "labels")
TIMES = ("at", "timezone")
TARGETS = (*TEXTS, *LISTS, *TIMES)

Source = Mapping[str, str]  # {"path": …} or {"text": …}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What cannot be taken: for which field, from where in what came, and why (a code of `WORDS` in the services)."""

    field: str
    path: str
    code: str


class _Missing(Exception):
    def __init__(self, path: str, code: str) -> None:
        super().__init__(path)
        self.path, self.code = path, code


def is_path(text: str) -> bool:
    parts = text.removesuffix("?").split(".")
    return len(text) <= LONGEST_PATH and len(parts) <= MOST_PARTS and all(parts) and not set(text) & set("{}\n\r\x00")


def wrong_places(text: str) -> list[str]:
    """The places of a text that are no paths."""
    return [place for place in _PLACE.findall(text) if not is_path(place)]


def look_up(data: Any, path: str) -> Any:
    """What stands at the path. Raises LookupError where nothing does."""
    for part in path.removesuffix("?").split("."):
        if isinstance(data, Mapping) and part in data:
            data = data[part]
        elif isinstance(data, Sequence) and not isinstance(data, str) and part.isascii() and part.isdecimal():
            data = data[int(part[:9])]
        else:
            raise LookupError(part)
    return data


def filled(mapping: Mapping[str, Source], data: Any) -> tuple[dict[str, Any], list[Trouble]]:
    """(field -> text, or a list of words; what went wrong). Empty values are left out."""
    values: dict[str, Any] = {}
    troubles: list[Trouble] = []
    for field, source in mapping.items():
        try:
            value = _words(data, source) if field in LISTS else _text(data, source)
        except _Missing as error:
            troubles.append(Trouble(field, error.path, error.code))
            continue
        if value:
            values[field] = value
    return values, troubles


def paths(mapping: Mapping[str, Source], field: str) -> str:
    """Where a field comes from, for people: its path, or the paths in its text."""
    source = mapping.get(field, {})
    return source.get("path", "").removesuffix("?") or ", ".join(
        place.removesuffix("?") for place in _PLACE.findall(source.get("text", ""))
    )


def known_paths(data: Any, most: int = 60) -> list[str]:
    """Every path of what came, in its order: to choose from."""
    found: list[str] = []
    for path in _walk(data, "", 0):
        found.append(path)
        if len(found) >= most:
            break
    return found


def _walk(data: Any, above: str, depth: int) -> Iterator[str]:
    if depth >= MOST_PARTS:
        return
    if isinstance(data, Mapping):
        for name, inner in data.items():
            yield from _walk(inner, f"{above}.{name}".lstrip("."), depth + 1)
    elif isinstance(data, list) and data:
        yield from _walk(data[0], f"{above}.0".lstrip("."), depth + 1)
    elif above and is_path(above):
        yield above


def _text(data: Any, source: Source) -> str:
    if "path" in source:
        return _plain(data, source["path"])
    return _PLACE.sub(lambda place: _plain(data, place.group(1)), source.get("text", ""))


def _words(data: Any, source: Source) -> list[str]:
    """A list as it is; a text by its spaces and commas."""
    if "path" in source:
        try:
            value = look_up(data, source["path"])
        except LookupError:
            value = _nothing(source["path"])
        if isinstance(value, list):
            return [_one(item, source["path"]) for item in value if item not in (None, "")]
    return [word for word in re.split(r"[\s,]+", _text(data, source)) if word]


def _plain(data: Any, path: str) -> str:
    try:
        value = look_up(data, path)
    except LookupError:
        value = _nothing(path)
    return "" if value is None and path.endswith("?") else _one(value, path)


def _nothing(path: str) -> str:
    if path.endswith("?"):
        return ""
    raise _Missing(path, "missing")


def _one(value: Any, path: str) -> str:
    path = path.removesuffix("?")
    if value is None:
        raise _Missing(path, "missing")
    if isinstance(value, Mapping | list):
        raise _Missing(path, "not_text")
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) > LONGEST_VALUE:
        raise _Missing(path, "too_long")
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _Missing(path, "characters")
    return text
