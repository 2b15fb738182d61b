"""What a token may be narrowed to: an area and whether it only reads. Pure, one table. A scope never gives more than the role."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# area -> what it holds, for the pages where scopes are chosen
AREAS: dict[str, str] = {
    "content": "posts' words, versions, templates and hashtags",
    "media": "the media library",
    "schedules": "schedules, their times, the calendar, milestones, slots and conflicts",
    "jobs": "jobs, the recovery desk and posts that are out",
    "reviews": "approval",
    "accounts": "platform accounts, groups and sign-in apps",
    "analytics": "figures and reports",
    "notifications": "what a person is told",
    "webhooks": "outgoing webhooks and inbound hooks",
    "events": "the history and its live stream",
    "workspace": "workspaces, members, invitations and tokens",
}
SCOPES: tuple[str, ...] = tuple(f"{area}:{way}" for area in AREAS for way in ("read", "write"))


def needed(area: str, *, writes: bool) -> str:
    return f"{area}:{'write' if writes else 'read'}"


def covers(scopes: Iterable[str] | None, area: str, *, writes: bool) -> bool:
    """Do these scopes hold what is asked for? None is no narrowing; writing holds reading of the same area."""
    if scopes is None:
        return True
    held = set(scopes)
    return f"{area}:write" in held or (not writes and f"{area}:read" in held)


def scopes_of(user: Any) -> frozenset[str] | None:
    """The scopes of whoever asks: of a token, or of an app that acts for a person; None where nothing narrows."""
    scopes = getattr(user, "scopes", None)
    return None if scopes is None else frozenset(scopes)
