"""People, workspaces, memberships and tokens, for administrators. What a service writes goes through that service."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces import invitations, services
from alwrity_scheduler.workspaces.access import actor_of, can
from alwrity_scheduler.workspaces.models import ApiToken, Invitation, Membership, User, Workspace
from alwrity_scheduler.workspaces.roles import Action


class _VisibleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Only what the person may see; nothing is deleted here, because history points to it."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: Any = super().get_queryset(request)
        visible: QuerySet[Any] = found.visible_to(request.user)
        return visible

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    template = "admin/readonly_inline.html"
    extra = 0
    fields = ["user", "workspace", "role", "created_at"]
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    list_display = ["username", "email", "first_name", "last_name", "timezone", "is_staff", "is_active", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser", "memberships__workspace", "memberships__role"]
    date_hierarchy = "date_joined"
    filter_horizontal = []
    inlines = [MembershipInline]
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "timezone")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ["last_login", "date_joined"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: Any = super().get_queryset(request)
        visible: QuerySet[Any] = found.visible_to(request.user)
        return visible

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [MembershipInline] if obj else []


@admin.register(Workspace)
class WorkspaceAdmin(_VisibleAdmin):
    """A new workspace gets the person who makes it as its owner. An existing one is paused and resumed by the actions."""

    list_display = ["name", "slug", "timezone", "paused_at", "created_at"]
    list_filter = ["timezone"]
    search_fields = ["name", "slug"]
    date_hierarchy = "created_at"
    fields = ["name", "slug", "timezone"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [MembershipInline]
    actions = ["pause", "resume"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [MembershipInline] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["name"]}

    def save_model(self, request: HttpRequest, obj: Workspace, form: Any, change: bool) -> None:
        made = services.create_workspace(
            name=obj.name,
            slug=obj.slug,
            timezone=obj.timezone,
            owner=request.user,  # type: ignore[arg-type]
            actor=actor_of(request),
            now=clock.now(),
        )
        obj.__dict__.update(made.__dict__)

    @admin.action(description="Pause the selected workspaces", permissions=["view"])
    def pause(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self._set_paused(request, rows, paused=True)

    @admin.action(description="Resume the selected workspaces", permissions=["view"])
    def resume(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self._set_paused(request, rows, paused=False)

    def _set_paused(self, request: HttpRequest, rows: QuerySet[Any], *, paused: bool) -> None:
        allowed = [row for row in rows if can(request.user, Action.ACCOUNTS, row)]
        for row in allowed:
            services.set_workspace_paused(workspace=row, paused=paused, actor=actor_of(request), now=clock.now())
        self.message_user(request, f"{'Paused' if paused else 'Resumed'}: {len(allowed)}.")
        if len(allowed) < len(rows):
            self.message_user(
                request, f"Not changed, because your role may not: {len(rows) - len(allowed)}.", messages.WARNING
            )


@admin.register(Membership)
class MembershipAdmin(_VisibleAdmin):
    list_display = ["user", "workspace", "role", "is_limited", "created_at"]
    list_filter = ["role", "is_limited", "workspace"]
    list_select_related = ["user", "workspace"]
    search_fields = ["user__username", "workspace__name"]
    date_hierarchy = "created_at"
    fields = ["workspace", "user", "role"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["workspace", "user"] if obj else []

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        try:
            made = services.set_role(
                workspace=obj.workspace, user=obj.user, role=obj.role, actor=actor_of(request), now=clock.now()
            )
        except Refused as error:
            messages.set_level(request, messages.ERROR)
            self.message_user(request, " ".join(problem.message for problem in error.problems), messages.ERROR)
            return
        obj.__dict__.update(made.__dict__)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A form for those who manage members; the list for whoever may see it."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or can(request.user, Action.MEMBERS, obj.workspace))


@admin.register(ApiToken)
class ApiTokenAdmin(_VisibleAdmin):
    """Tokens are made in the product, where the secret can be shown once; here they are looked through and revoked."""

    list_display = [
        "name", "prefix", "role", "is_limited", "workspace", "created_at", "expires_at", "last_used_at", "last_used_from",
        "revoked_at",
    ]  # fmt: skip
    list_filter = ["role", "is_limited", "workspace", "revoked_at"]
    list_select_related = ["workspace"]
    search_fields = ["name", "prefix"]
    date_hierarchy = "created_at"
    exclude = ["digest"]
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Revoke the selected tokens", permissions=["view"])
    def revoke(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        allowed = [row for row in rows.select_related("workspace") if can(request.user, Action.MEMBERS, row.workspace)]
        for row in allowed:
            services.revoke_token(token=row, actor=actor_of(request), now=clock.now())
        self.message_user(request, f"Revoked: {len(allowed)}.")
        if len(allowed) < len(rows):
            self.message_user(
                request, f"Not changed, because your role may not: {len(rows) - len(allowed)}.", messages.WARNING
            )


@admin.register(Invitation)
class InvitationAdmin(_VisibleAdmin):
    """Invitations are made in the product, where a link can be shown once; here they are looked through and taken back."""

    list_display = [
        "email",
        "role",
        "workspace",
        "invited_by",
        "created_at",
        "sent_at",
        "expires_at",
        "accepted_at",
        "revoked_at",
    ]
    list_filter = ["role", "workspace", "accepted_at", "revoked_at"]
    list_select_related = ["workspace", "invited_by"]
    search_fields = ["email"]
    date_hierarchy = "created_at"
    exclude = ["digest"]
    actions = ["take_back"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Take the selected invitations back", permissions=["view"])
    def take_back(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        found = rows.select_related("workspace").filter(accepted_at=None, revoked_at=None)
        allowed = [row for row in found if can(request.user, Action.MEMBERS, row.workspace)]
        for row in allowed:
            invitations.take_back(invitation=row, actor=actor_of(request), now=clock.now())
        self.message_user(request, f"Taken back: {len(allowed)}.")
        if len(allowed) < len(rows):
            self.message_user(request, f"Not changed: {len(rows) - len(allowed)}.", messages.WARNING)
