"""What the admin classes of this project share: visible rows only, read-only history, and verbs that call services row by row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.core.looking import LookOnlyAdmin
from alwrity_scheduler.workspaces.access import actor_of, can
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action

MOST_REASONS = 5
HTTPS_LINKS: dict[Any, dict[str, Any]] = {models.URLField: {"assume_scheme": "https"}}


class VisibleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows only the rows of the person's workspaces."""

    formfield_overrides = HTTPS_LINKS
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: Any = super().get_queryset(request)
        if hasattr(found, "visible_to"):
            found = found.visible_to(request.user)
        visible: QuerySet[Any] = found
        return visible


class ReadOnlyAdmin(LookOnlyAdmin, VisibleAdmin):
    """Services are the only writers: here one looks, filters, searches and uses the verbs."""


class NamedBlanksFilter(admin.AllValuesFieldListFilter):
    """The values that occur, the empty one under a name, since a link needs words."""

    def choices(self, changelist: Any) -> Any:
        for choice in super().choices(changelist):
            yield choice | {"display": choice["display"] or "(none)"}


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]
    formfield_overrides = HTTPS_LINKS
    template = "admin/readonly_inline.html"
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def open_link(url: str) -> SafeString:
    return format_html('<a href="{}">Open in the product</a>', url)


def each(
    model_admin: admin.ModelAdmin[Any],
    request: HttpRequest,
    rows: QuerySet[Any],
    call: Callable[[Any, Actor, Any], Any],
    *,
    done: str,
    action: Action = Action.OPERATE,
    workspace_of: Callable[[Any], Workspace] = lambda row: row.workspace,
) -> None:
    """Call the service for every chosen row; say how many worked, and why the others did not."""
    actor, now = actor_of(request), clock.now()
    worked, reasons = 0, []
    for row in rows:
        if not can(request.user, action, workspace_of(row)):
            reasons.append(_("%(row)s: your role may not do that.") % {"row": row})
            continue
        try:
            call(row, actor, now)
            worked += 1
        except Refused as error:
            reasons.append(f"{row}: {' '.join(problem.message for problem in error.problems)}")
    if worked:
        model_admin.message_user(request, f"{done}: {worked}.", messages.SUCCESS)
    if reasons:
        shown = " ".join(reasons[:MOST_REASONS]) + (
            f" … and {len(reasons) - MOST_REASONS} more." if len(reasons) > MOST_REASONS else ""
        )
        model_admin.message_user(
            request, _("Not changed: %(n)s. %(reasons)s") % {"n": len(reasons), "reasons": shown}, messages.WARNING
        )
