"""What the palette finds: what was chosen lately, pages, verbs, posts and accounts, in that order, only what this person may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.urls import NoReverseMatch, Resolver404, ResolverMatch, resolve, reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from alwrity_scheduler.workspaces.models import Workspace
from platforms.models import PlatformAccount
from schedules.models import Schedule
from schedules.web.context import Shell
from schedules.web.templatetags.ui import SCHEDULE_SIGNS

MOST_A_KIND = 8
MOST_RECENT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A link; with `verb` a POST to `url` (carrying `name=value`); with `opens` a dialog of the page.

    `also`: other words it is found by, in lower case. `mark`: its id in the list.
    """

    title: str | Promise
    icon: str
    url: str = ""
    note: str | Promise = ""
    verb: bool = False
    name: str = ""
    value: str = ""
    opens: str = ""
    also: str = ""
    mark: str = ""

    def is_called(self, wanted: str) -> bool:
        """Each typed word begins or stands in the title or in the words beside it."""
        said = f"{self.title} {self.also}".lower()
        return all(word in said for word in wanted.lower().split())


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    rows: Sequence[Row]


def find(shell: Shell, workspace: Workspace, wanted: str, recent: Iterable[str]) -> list[Group]:
    """At most three queries: posts, accounts, and what was chosen lately of both."""
    pages = [
        Row(title=link.title, icon=link.icon, url=link.url) for group in shell.navigation for link in group.entries
    ]
    groups: list[tuple[str, Iterable[Row]]] = []
    if not wanted:
        groups.append((_("Recent"), _recent(workspace, pages, recent)))
    groups.append((_("Pages"), [row for row in pages if row.is_called(wanted)]))
    groups.append((_("Do"), [row for row in _verbs(shell, workspace) if row.is_called(wanted)]))
    if wanted:
        groups += [(_("Posts"), _posts(workspace, wanted)), (_("Accounts"), _accounts(workspace, wanted))]
    return list(_marked(groups))


def _marked(groups: Iterable[tuple[str, Iterable[Row]]]) -> Iterator[Group]:
    number = 0
    for title, rows in groups:
        shown = [replace(row, mark=f"found-{number + place}") for place, row in enumerate(rows)]
        number += len(shown)
        if shown:
            yield Group(title, shown)


def _post(row: Schedule) -> Row:
    return Row(
        title=str(row),
        icon=f"k-{row.content.content_type}",
        url=reverse("web:schedule", args=[row.public_id]),
        note=SCHEDULE_SIGNS[row.state][2],  # type: ignore[index]
    )


def _account(row: PlatformAccount) -> Row:
    return Row(title=row.name, icon="accounts", url=reverse("web:account", args=[row.public_id]), note=_("Account"))


def _posts(workspace: Workspace, wanted: str) -> list[Row]:
    called = Q(content__title__icontains=wanted) | Q(content__text__icontains=wanted)
    rows = Schedule.objects.within(workspace).filter(called).select_related("content")
    return [_post(row) for row in rows.order_by("-created_at", "-id")[:MOST_A_KIND]]


def _accounts(workspace: Workspace, wanted: str) -> list[Row]:
    rows = PlatformAccount.objects.within(workspace).filter(name__icontains=wanted).order_by("name", "id")
    return [_account(row) for row in rows.defer("credentials", "options")[:MOST_A_KIND]]


def _recent(workspace: Workspace, pages: Iterable[Row], addresses: Iterable[str]) -> list[Row]:
    """The browser only remembers addresses; what they are called, and whether they are there still, is looked up."""
    wanted = [address[:200] for address in addresses][:MOST_RECENT]
    known = {row.url: row for row in pages}
    posts, accounts = _ids(wanted, "schedule"), _ids(wanted, "account")
    if posts:
        rows = Schedule.objects.within(workspace).filter(public_id__in=posts).select_related("content")
        known |= {found.url: found for found in map(_post, rows)}
    if accounts:
        named = PlatformAccount.objects.within(workspace).filter(public_id__in=accounts)
        known |= {found.url: found for found in map(_account, named.defer("credentials", "options"))}
    return [known[address] for address in dict.fromkeys(wanted) if address in known]


def _ids(addresses: Iterable[str], name: str) -> list[UUID]:
    found = []
    for address in addresses:
        try:
            match: ResolverMatch = resolve(address)
        except Resolver404:
            continue
        if match.view_name == f"web:{name}":
            found.append(match.kwargs["public_id"])
    return found


def _link(title: str, icon: str, name: str, *, query: str = "", also: str = "") -> Iterator[Row]:
    """Left out where the page does not exist."""
    try:
        yield Row(title=title, icon=icon, url=reverse(name) + query, also=also)
    except NoReverseMatch:
        return


def _choice(field: str, value: str, title: str, icon: str, also: str = "") -> Row:
    return Row(title=title, icon=icon, verb=True, url=reverse("web:choose", args=[field, value]), also=also)


def _verbs(shell: Shell, workspace: Workspace) -> Iterator[Row]:
    if shell.may.write:
        yield from _link(_("New post"), "plus", "web:schedule_new")
    if shell.may.operate:
        yield from _link(_("Retry failed posts…"), "retry", "web:recovery", query="?cause=failed")
    yield from _link(_("Export the calendar"), "download", "web:calendar_export", query="?format=ics", also="ics")
    yield from _switches(shell, workspace)
    for room in shell.workspaces:
        if room.pk != workspace.pk:
            yield Row(
                title=_("Switch to the workspace %(name)s") % {"name": room.name}, icon="workspace", verb=True,
                url=reverse("web:switch_workspace"), name="workspace", value=str(room.public_id),
            )  # fmt: skip
    yield _choice("theme", "dark", _("Colours: dark"), "moon", "theme")
    yield _choice("theme", "light", _("Colours: light"), "sun", "theme")
    yield _choice("theme", "auto", _("Colours: as the device"), "auto", "theme")
    for code, name in shell.languages:
        if code != get_language():
            yield _choice("language", code, _("Language: %(name)s") % {"name": name}, "language", f"language {code}")
    yield Row(title=_("Keyboard shortcuts"), icon="keyboard", opens="keys")
    yield from _link(_("Settings"), "settings", "web:settings")
    yield Row(title=_("Sign out"), icon="out", verb=True, url=reverse("logout"))


def _switches(shell: Shell, workspace: Workspace) -> Iterator[Row]:
    """What holds publishing and lets it go on. Holding everything is left to its page, which asks first."""
    if shell.may.everything and shell.paused and shell.paused.everything:
        yield Row(title=_("Resume everything"), icon="play", verb=True, url=reverse("web:resume_everything"))
    if not shell.may.accounts:
        return
    names: dict[str, Any] = {"name": workspace.name}
    if workspace.paused_at:
        title, icon, url = _("Resume the workspace %(name)s") % names, "play", reverse("web:resume_workspace")
    else:
        title, icon, url = _("Pause the workspace %(name)s") % names, "pause", reverse("web:pause_workspace")
    yield Row(title=title, icon=icon, verb=True, url=url)
