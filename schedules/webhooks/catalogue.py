"""The names of events that can be chosen, each with a sentence: those of `events.catalogue` that belong to a workspace."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from schedules.events import catalogue
from schedules.webhooks.rules import EVERYTHING

TITLES: dict[str, str | Promise] = {
    "job": _("Posts on their way"),
    "schedule": _("Schedules"),
    "content": _("Content"),
    "review": _("Approval"),
    "account": _("Accounts"),
    "account_group": _("Account groups"),
    "sign_in_app": _("Sign-in apps"),
    "circuit": _("Platforms that do not answer"),
    "media": _("Media"),
    "folder": _("Media folders"),
    "template": _("Templates"),
    "hashtags": _("Hashtag groups"),
    "milestone": _("Milestones"),
    "bulk": _("Many at once"),
    "workspace": _("Workspace"),
    "member": _("Members"),
    "token": _("API tokens"),
    "webhook": _("Webhooks"),
    "hook": _("Inbound hooks"),
    "app": _("Apps"),
    "campaign": _("Campaigns"),
    "invitation": _("Invitations"),
}


@dataclass(frozen=True, slots=True)
class Group:
    """The events of one kind of thing: `job.*`."""

    key: str
    title: str
    types: tuple[tuple[str, str], ...]

    @property
    def all(self) -> str:
        return f"{self.key}.*"


# they belong to the whole installation, and so to no workspace's webhook
NOBODYS = ("engine.",)


def types() -> dict[str, str]:
    """Name -> sentence in the active language, by name."""
    return {kind.name: str(kind.sentence) for kind in catalogue.types() if not kind.name.startswith(NOBODYS)}


def groups() -> list[Group]:
    """All events by the thing they are about; those that most ask for come first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, sentence in types().items():
        found.setdefault(name.partition(".")[0], []).append((name, sentence))
    order = list(TITLES)
    keys = sorted(found, key=lambda key: (order.index(key) if key in TITLES else len(order), key))
    return [Group(key, str(TITLES.get(key, key)), tuple(found[key])) for key in keys]


def is_known(choice: str) -> bool:
    """`job.completed`, `job.*` or `*`."""
    known = types()
    if choice == EVERYTHING or choice in known:
        return True
    return choice.endswith(".*") and any(name.startswith(choice[:-1]) for name in known)


def nearest(choice: str) -> str:
    """What may have been meant; empty where nothing is near."""
    names = types()
    known = [*names, *sorted({f"{name.partition('.')[0]}.*" for name in names})]
    return next(iter(difflib.get_close_matches(choice, known, n=1)), "")
