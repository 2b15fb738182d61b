"""Versions, templates and hashtag groups, in and out."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers

from schedules.api.serializers.content import ContentInput
from schedules.api.serializers.shapes import Answer, Input, Version, Words, WorkspaceName, workspace_words
from schedules.api.serializers.shown import Shown
from schedules.models import ContentTemplate, ContentVersion, HashtagGroup

ECHOED = frozenset({"id", "workspace", "timezone", "created_at", "created_at_local", "updated_at", "updated_at_local"})


class RestoreInput(Input):
    version = Version()


class NewTemplate(Input):
    """content: what a post from this template begins with."""

    workspace = serializers.CharField(required=False, max_length=60)
    name = serializers.CharField(max_length=120)
    content = ContentInput()


class TemplateChange(Input):
    echoed: ClassVar[frozenset[str]] = ECHOED | {"content"}
    name = serializers.CharField(max_length=120, required=False)


class NewHashtags(Input):
    workspace = serializers.CharField(required=False, max_length=60)
    name = serializers.CharField(max_length=120)
    hashtags = Words(required=True)


class HashtagsChange(Input):
    echoed: ClassVar[frozenset[str]] = ECHOED
    name = serializers.CharField(max_length=120, required=False)
    hashtags = Words()


class ContentVersionShown(Shown):
    """What a content said in that version."""

    number: int
    author: str
    content: dict[str, Any]


class TemplateShown(Shown):
    """What a post from it begins with."""

    id: UUID
    workspace: WorkspaceName
    name: str
    content: dict[str, Any]


class HashtagGroupShown(Shown):
    """Hashtags that are put in together."""

    id: UUID
    workspace: WorkspaceName
    name: str
    hashtags: list[str]


class VersionAnswer(Answer):
    """Wants content and its workspace joined."""

    shown = ContentVersionShown
    times: ClassVar[tuple[str, ...]] = ("at",)

    def zone(self, row: ContentVersion) -> str:
        return row.content.workspace.timezone

    def body(self, row: ContentVersion) -> dict[str, Any]:
        return {"number": row.number, "author": row.author, "content": row.snapshot}


class TemplateAnswer(Answer):
    shown = TemplateShown
    times: ClassVar[tuple[str, ...]] = ("created_at", "updated_at")

    def zone(self, row: ContentTemplate) -> str:
        return row.workspace.timezone

    def body(self, row: ContentTemplate) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "name": row.name,
            "content": row.snapshot,
        }


class HashtagsAnswer(Answer):
    shown = HashtagGroupShown
    times: ClassVar[tuple[str, ...]] = ("created_at", "updated_at")

    def zone(self, row: HashtagGroup) -> str:
        return row.workspace.timezone

    def body(self, row: HashtagGroup) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "name": row.name,
            "hashtags": row.hashtags,
        }
