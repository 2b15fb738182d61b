"""Apps and their tokens, to be looked at. The toolkit registers its models with these classes; nothing is written here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from alwrity_scheduler.core.looking import LookOnlyAdmin
from alwrity_scheduler.oauth.models import Permission


class _Look(LookOnlyAdmin):
    """`room`: the path to the workspace. Digests are not shown."""

    room = "permission__workspace"
    exclude = ["token", "token_checksum", "client_secret", "code", "code_digest", "code_challenge"]
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        from alwrity_scheduler.workspaces.querysets import visible_workspace_ids

        ids = visible_workspace_ids(request.user)
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows if ids is None else rows.filter(**{f"{self.room}__in": ids})


class AppAdmin(_Look):
    room = "workspace"
    list_display = ["name", "workspace", "client_type", "client_id", "created_at", "disabled_at"]
    list_filter = ["client_type", "workspace"]
    list_select_related = ["workspace"]
    search_fields = ["name", "client_id"]
    date_hierarchy = "created_at"


class TokenAdmin(_Look):
    list_display = ["id", "application", "user", "created"]
    list_filter = ["application"]
    list_select_related = ["application", "user"]
    date_hierarchy = "created"


class EmptyAdmin(_Look):
    """Kinds that are never made."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return admin.ModelAdmin.get_queryset(self, request).none()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Permission)
class PermissionAdmin(_Look):
    room = "workspace"
    list_display = ["app", "user", "workspace", "created_at", "last_used_at"]
    list_filter = ["workspace", "app"]
    list_select_related = ["app", "user", "workspace"]
    search_fields = ["app__name", "user__username"]
    date_hierarchy = "created_at"
