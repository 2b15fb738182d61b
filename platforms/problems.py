"""A thing that is wrong with a post, and what of a post is looked at. Pure; `platforms.validation` finds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentProblem:
    """One thing wrong with one field. An error keeps the post from being sent, a warning does not."""

    code: str
    severity: Severity
    field: str
    message: str
    remedy: str


class MediaLike(Protocol):
    @property
    def mime(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def alt(self) -> str: ...
    @property
    def width(self) -> int | None: ...
    @property
    def height(self) -> int | None: ...
    @property
    def seconds(self) -> float | None: ...
    @property
    def animated(self) -> bool: ...


class ContentLike(Protocol):
    """What is asked of a Publication, a draft or a form's cleaned data."""

    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def link(self) -> str: ...
    @property
    def hashtags(self) -> Sequence[str]: ...
    @property
    def media(self) -> Sequence[MediaLike]: ...
    @property
    def content_type(self) -> str: ...
    @property
    def options(self) -> Mapping[str, Any]: ...


def error(code: str, field: str, message: str, remedy: str) -> ContentProblem:
    return ContentProblem(code=code, severity="error", field=field, message=message, remedy=remedy)


def warning(code: str, field: str, message: str, remedy: str) -> ContentProblem:
    return ContentProblem(code=code, severity="warning", field=field, message=message, remedy=remedy)
