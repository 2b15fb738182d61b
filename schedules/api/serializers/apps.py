"""Apps that act for people, and what people allowed them. A secret is shown by the answer that made it, and never again."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers

from alwrity_scheduler.oauth.models import App, Permission
from schedules.api.serializers.shapes import Answer, Input, Version, WorkspaceName, workspace_words
from schedules.api.serializers.shown import Shown


class ClientInput(Input):
    """A new app. `public`: it runs where it cannot keep a secret, and gets none."""

    workspace = serializers.CharField(required=False, max_length=60)
    name = serializers.CharField(max_length=80)
    website = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)
    redirect_uris = serializers.ListField(child=serializers.CharField(max_length=500), min_length=1, max_length=10)
    public = serializers.BooleanField(required=False, default=False)


class ClientChange(Input):
    echoed: ClassVar[frozenset[str]] = frozenset(
        {
            "id", "workspace", "client_id", "public", "secret_prefix", "timezone", "created_at", "created_at_local", "disabled_at",
            "disabled_at_local",
        }
    )  # fmt: skip

    version = Version()
    name = serializers.CharField(required=False, max_length=80)
    website = serializers.CharField(required=False, allow_blank=True, max_length=300)
    redirect_uris = serializers.ListField(
        child=serializers.CharField(max_length=500), required=False, min_length=1, max_length=10
    )


class AppShown(Shown):
    """An app that acts for people. `client_secret`: shown by the answer that made it alone; null where the app keeps none."""

    optional = frozenset({"client_secret"})

    id: UUID
    workspace: WorkspaceName
    name: str
    website: str
    client_id: str
    public: bool
    secret_prefix: str
    redirect_uris: list[str]
    version: int
    client_secret: str | None


class AppName(Shown):
    """An app as the people who allowed it see it."""

    name: str
    website: str
    client_id: str


class AppGrantShown(Shown):
    """What one allowed to an app, in one workspace."""

    id: UUID
    app: AppName
    workspace: WorkspaceName
    scopes: list[str]


class ClientAnswer(Answer):
    shown = AppShown
    times: ClassVar[tuple[str, ...]] = ("created_at", "disabled_at")

    def zone(self, row: App) -> str:
        return row.workspace.timezone

    def body(self, row: App) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "name": row.name,
            "website": row.website,
            "client_id": row.client_id,
            "public": row.client_type == App.CLIENT_PUBLIC,
            "secret_prefix": row.secret_prefix,
            "redirect_uris": row.redirect_uris.split(),
            "version": row.version,
        }


class PermissionAnswer(Answer):
    """What one allowed to an app: the app's name, never its addresses or ids of tokens."""

    shown = AppGrantShown
    times: ClassVar[tuple[str, ...]] = ("created_at", "last_used_at")

    def zone(self, row: Permission) -> str:
        return row.workspace.timezone

    def body(self, row: Permission) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "app": {"name": row.app.name, "website": row.app.website, "client_id": row.app.client_id},
            "workspace": workspace_words(row.workspace),
            "scopes": row.scopes,
        }
