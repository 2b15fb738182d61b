"""The scopes in words for people, and the toolkit's view of them. The list itself is `workspaces.scopes`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from oauth2_provider.scopes import BaseScopes

from alwrity_scheduler.workspaces.scopes import AREAS, SCOPES

AREA_WORDS: dict[str, str | Promise] = {
    "content": _("Posts: their words, versions, templates and hashtags"),
    "media": _("The media library"),
    "schedules": _("Schedules, times, the calendar, slots and conflicts"),
    "jobs": _("Publishing: jobs, the recovery desk, posts that are out"),
    "reviews": _("Approval"),
    "accounts": _("Platform accounts, groups and sign-in apps"),
    "analytics": _("Figures and reports"),
    "notifications": _("What you are told"),
    "webhooks": _("Webhooks and inbound hooks"),
    "events": _("The history and its live stream"),
    "workspace": _("The workspace, its members, tokens and apps"),
}


@dataclass(frozen=True, slots=True)
class Area:
    """One area asked for. `writes`: to read and to change; else only to read."""

    name: str
    words: str | Promise
    writes: bool


def grouped(scopes: Iterable[str]) -> list[Area]:
    """By area, in the order of `AREAS`; writing holds reading."""
    held = set(scopes)
    return [
        Area(area, AREA_WORDS[area], f"{area}:write" in held)
        for area in AREAS
        if held & {f"{area}:read", f"{area}:write"}
    ]


class Scopes(BaseScopes):
    """No scope is given that was not asked for."""

    def get_all_scopes(self) -> dict[str, Any]:
        return {scope: AREA_WORDS[scope.partition(":")[0]] for scope in SCOPES}

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        return list(SCOPES)

    def get_default_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        return []
