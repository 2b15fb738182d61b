"""Sandbox posts for operators: to look at, and to remove."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from platforms.adapters.sandbox.models import SandboxPost
from platforms.admin import VisibleFilter


@admin.register(SandboxPost)
class SandboxPostAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("remote_id", "account", "title", "content_type", "posted_at", "likes", "removed_at")
    list_filter = ("content_type", ("removed_at", admin.EmptyFieldListFilter), ("account", VisibleFilter))
    list_select_related = ("account",)
    search_fields = ("remote_id", "key", "title", "text")
    date_hierarchy = "posted_at"
    readonly_fields = tuple(field.name for field in SandboxPost._meta.fields if field.name != "removed_at")

    def get_queryset(self, request: HttpRequest) -> Any:
        return SandboxPost.objects.visible_to(request.user).select_related("account")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
