"""Content: list, make, look at, replace (PUT) and change in part (PATCH)."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.workspaces.roles import Action
from schedules.api.serializers.content import ContentAnswer, ContentChange, NewContent, draft, draft_of
from schedules.api.views.door import Door, Row, Rows
from schedules.filters import ContentFilter
from schedules.models import ContentItem
from schedules.services import content as content_service
from schedules.services import schedules as schedule_service
from schedules.services.plans import ContentDraft


class _Content(Door):
    serializer_class = ContentAnswer

    def get_queryset(self) -> QuerySet[Any]:
        rows = ContentItem.objects.visible_to(self.request.user)
        return rows.select_related("workspace", "campaign", "created_by").prefetch_related(
            "variants", "media_links__asset"
        )


class ContentList(_Content, Rows):
    filterset_class: ClassVar[Any] = ContentFilter

    def post(self, request: Request) -> Response:
        given = self.read(NewContent)
        workspace = self.workspace_of(given.get("workspace"))
        self.require(Action.WRITE, workspace)
        made = content_service.create_content(
            workspace=workspace, draft=draft(given), actor=self.actor, now=self.now, person=self.person
        )
        where = reverse("api:content", args=[made.public_id])
        return self.answer(self.find(made.public_id), status=201, headers={"Location": where})


class ContentDetail(_Content, Row):
    def put(self, request: Request, public_id: UUID) -> Response:
        """Replace it: what is left out becomes empty."""
        return self._change(self.find(public_id), None)

    def patch(self, request: Request, public_id: UUID) -> Response:
        """Change what is given; the rest stays."""
        row = self.find(public_id)
        return self._change(row, draft_of(row))

    def _change(self, row: ContentItem, onto: ContentDraft | None) -> Response:
        self.require(Action.WRITE, row.workspace)
        given = self.read(ContentChange, instance=row)
        schedule_service.edit_content(
            content=row, draft=draft(given, onto), version=given["version"], actor=self.actor, now=self.now
        )
        return self.answer(self.find(row.public_id))
