"""Versions of a content and back to one; templates and hashtag groups."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.workspaces.roles import Action
from schedules.api.serializers.content import ContentAnswer, draft
from schedules.api.serializers.library import (
    HashtagsAnswer,
    HashtagsChange,
    NewHashtags,
    NewTemplate,
    RestoreInput,
    TemplateAnswer,
    TemplateChange,
    VersionAnswer,
)
from schedules.api.serializers.shapes import Input
from schedules.api.views.door import PAGING, Door, Row, Rows
from schedules.models import ContentItem, ContentTemplate, ContentVersion, HashtagGroup
from schedules.services import library
from schedules.services import schedules as schedule_service


def _content(user: Any, public_id: UUID) -> ContentItem:
    rows = ContentItem.objects.visible_to(user).select_related("workspace", "campaign", "created_by")
    row: ContentItem = get_object_or_404(rows.prefetch_related("variants", "media_links__asset"), public_id=public_id)
    return row


class Versions(Door):
    """What the content said, the newest version first."""

    serializer_class = VersionAnswer

    def known_names(self) -> frozenset[str]:
        return PAGING

    def get(self, request: Request, public_id: UUID) -> Response:
        content = _content(request.user, public_id)
        rows = ContentVersion.objects.filter(content=content).select_related("content__workspace")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class Restore(Door):
    """The content says again what it said in that version, as a new version."""

    serializer_class = ContentAnswer

    def current(self) -> ContentItem:
        """What an `If-Match` is about."""
        return _content(self.request.user, self.kwargs["public_id"])

    def post(self, request: Request, public_id: UUID, number: int) -> Response:
        content = _content(request.user, public_id)
        self.require(Action.WRITE, content.workspace)
        get_object_or_404(ContentVersion, content=content, number=number)
        given = self.read(RestoreInput)
        schedule_service.restore_version(
            content=content, number=number, version=given["version"], actor=self.actor, now=self.now
        )
        return self.answer(_content(request.user, public_id))


class _Shelf(Rows):
    """A list of the workspace's own things, by name."""

    model: ClassVar[Any]
    new: ClassVar[type[Input]]
    address: ClassVar[str]

    def known_names(self) -> frozenset[str]:
        return PAGING | {"workspace"}

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model.objects.visible_to(self.request.user).select_related("workspace")
        return rows

    def post(self, request: Request) -> Response:
        given = self.read(self.new)
        workspace = self.workspace_of(given.get("workspace"))
        self.require(Action.WRITE, workspace)
        made = self.make(workspace, given)
        where = reverse(f"api:{self.address}", args=[made.public_id])
        return self.answer(made, status=201, headers={"Location": where})

    def make(self, workspace: Any, given: dict[str, Any]) -> Any:
        raise NotImplementedError


class _Thing(Row):
    model: ClassVar[Any]
    change: ClassVar[type[Input]]

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model.objects.visible_to(self.request.user).select_related("workspace")
        return rows

    def patch(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        self.require(Action.WRITE, row.workspace)
        library.change(row=row, changes=self.read(self.change), actor=self.actor, now=self.now)
        return self.answer(self.find(public_id))

    def delete(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        self.require(Action.WRITE, row.workspace)
        library.delete(row=row, actor=self.actor, now=self.now)
        return Response(status=204)


class TemplateList(_Shelf):
    serializer_class, model, new, address = TemplateAnswer, ContentTemplate, NewTemplate, "template"

    def make(self, workspace: Any, given: dict[str, Any]) -> ContentTemplate:
        return library.save_template(
            workspace=workspace,
            name=given["name"],
            draft=draft(given["content"]),
            actor=self.actor,
            now=self.now,
            person=self.person,
        )


class TemplateDetail(_Thing):
    serializer_class, model, change = TemplateAnswer, ContentTemplate, TemplateChange


class HashtagGroupList(_Shelf):
    serializer_class, model, new, address = HashtagsAnswer, HashtagGroup, NewHashtags, "hashtag_group"

    def make(self, workspace: Any, given: dict[str, Any]) -> HashtagGroup:
        return library.save_hashtags(
            workspace=workspace,
            name=given["name"],
            hashtags=tuple(given["hashtags"]),
            actor=self.actor,
            now=self.now,
        )


class HashtagGroupDetail(_Thing):
    serializer_class, model, change = HashtagsAnswer, HashtagGroup, HashtagsChange
