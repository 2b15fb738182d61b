"""What the signed-in person was told. Notifications belong to people, so a token has none."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import NotAllowed, Problem
from alwrity_scheduler.workspaces.models import User
from schedules.api.serializers.notifications import NoticeAnswer, NoticeFilter, NotificationsRead, ReadAllInput
from schedules.api.serializers.shapes import Empty
from schedules.api.views.door import Door, Row, Rows
from schedules.notifications import services
from schedules.notifications.models import Notice
from schedules.notifications.rules import Kind


class _Notices(Door):
    serializer_class = NoticeAnswer

    def reader(self) -> User:
        """The person who reads. Raises NotAllowed for a token."""
        if self.person is None:
            words = "Notifications belong to people. Ask as a signed-in person."
            raise NotAllowed(Problem(field="token", message=words, code="not_allowed"))
        return self.person

    def get_queryset(self) -> QuerySet[Any]:
        return Notice.objects.visible_to(self.reader()).select_related("workspace")


class NoticeList(_Notices, Rows):
    filterset_class: ClassVar[Any] = NoticeFilter


class NoticeRow(_Notices, Row):
    pass


class NoticeRead(_Notices):
    def post(self, request: Request, public_id: UUID) -> Response:
        """Mark it as read; doing it again changes nothing."""
        row = self.find(public_id)
        self.read(Empty)
        services.read(notice=row, now=self.now)
        return self.answer(self.find(public_id))


class NoticeReadAll(_Notices):
    answers: ClassVar[dict[str, Any]] = {"post": NotificationsRead}

    def post(self, request: Request) -> Response:
        """Mark as read everything in a workspace, or everything of a `kind` there."""
        person, given = self.reader(), self.read(ReadAllInput)
        workspace = self.workspace_of(given.get("workspace"))
        kind = Kind(given["kind"]) if given.get("kind") else None
        number = services.read_all(person=person, workspace=workspace, kind=kind, now=self.now)
        return Response({"read": number})
