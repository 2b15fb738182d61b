"""How the person of this request wants times and dates written: kept beside the active zone and language, for filters and
services that are not handed the person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Wishes:
    """`hour_cycle` is h12, h23 or empty, `week_start` 0 (Monday) to 6 or None; empty and None: as the language has it."""

    hour_cycle: str = ""
    week_start: int | None = None


_NONE = Wishes()
_current: ContextVar[Wishes] = ContextVar("wishes", default=_NONE)


def current() -> Wishes:
    return _current.get()


def wishes_of(person: Any) -> Wishes:
    """Of a person, or of nobody in particular (somebody who is not signed in, a token)."""
    return Wishes(getattr(person, "hour_cycle", ""), getattr(person, "week_start", None))


@contextmanager
def override(person: Any) -> Iterator[None]:
    token = _current.set(wishes_of(person))
    try:
        yield
    finally:
        _current.reset(token)
