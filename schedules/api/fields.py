"""`?fields=id,state,content.title`: only what is asked for of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alwrity_scheduler.core.errors import Problem, Refused

MOST = 50


def wanted_of(text: str) -> list[list[str]]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or len(names) > MOST:
        raise Refused(Problem(field="fields", message=f"Name 1 to {MOST} fields, separated by commas.", code="invalid"))
    return [name.split(".") for name in names]


def pick(rows: Sequence[Mapping[str, Any]], text: str) -> list[dict[str, Any]]:
    """The named parts of each row, in the rows' own order of names. A name that no row has is refused."""
    wanted = wanted_of(text)
    if rows and (unknown := [path for path in wanted if not any(_has(row, path) for row in rows)]):
        known = ", ".join(rows[0])
        raise Refused(
            [
                Problem(
                    field="fields", message=f"There is no field {'.'.join(path)}. Known are {known}.", code="unknown"
                )
                for path in unknown
            ]
        )
    return [_picked(row, wanted) for row in rows]


def _has(row: Any, path: Sequence[str]) -> bool:
    if not path:
        return True
    if isinstance(row, list):
        return not row or any(_has(item, path) for item in row)
    if not isinstance(row, Mapping):
        # what may be null has no inner names to be checked
        return row is None
    return path[0] in row and _has(row[path[0]], path[1:])


def _picked(row: Any, wanted: Sequence[Sequence[str]]) -> Any:
    if isinstance(row, list):
        return [_picked(item, wanted) for item in row]
    if not isinstance(row, Mapping):
        return row
    found: dict[str, Any] = {}
    for name, value in row.items():
        inner = [path[1:] for path in wanted if path[0] == name]
        if inner:
            found[name] = value if [] in inner else _picked(value, inner)
    return found
