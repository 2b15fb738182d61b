"""Would this publish now, and does this content fit? Both look and change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import PlatformAccount
from schedules.api.serializers.content import draft, draft_of
from schedules.api.serializers.preflight import (
    CheckInput,
    ContentCheckShown,
    PreflightInput,
    PreflightShown,
    check_words,
    preflight_words,
    targets_of,
)
from schedules.api.views.door import Door
from schedules.models import ContentItem, Schedule
from schedules.reads import preflight
from schedules.services.plans import ContentDraft, TargetPlan


class Looks(Door):
    def asked_for(self, given: Mapping[str, Any]) -> tuple[Workspace, ContentDraft, list[TargetPlan]]:
        workspace = self.workspace_of(given.get("workspace"))
        self.require(Action.VIEW, workspace)
        return workspace, self._draft(given["content"], workspace), self._targets(given["accounts"], workspace)

    def _draft(self, given: Mapping[str, Any], workspace: Workspace) -> ContentDraft:
        if "id" not in given:
            return draft(given)
        rows = ContentItem.objects.visible_to(self.request.user).select_related("campaign")
        found = (
            rows.filter(workspace=workspace, public_id=given["id"])
            .prefetch_related("variants", "media_links__asset")
            .first()
        )
        if found is None:
            words = "There is no content of this id in this workspace."
            raise Refused(Problem(field="content.id", message=words, code="not_found"))
        return draft_of(found)

    def _targets(self, given: list[Mapping[str, Any]], workspace: Workspace) -> list[TargetPlan]:
        wanted = targets_of(given)
        ids = [UUID(target.account_id) for target in wanted]
        rows = PlatformAccount.objects.within(workspace).filter(public_id__in=ids)
        there = {str(name) for name in rows.values_list("public_id", flat=True)}
        problems = [
            Problem(
                field=f"accounts.{place}.id", message="There is no such account in this workspace.", code="not_found"
            )
            for place, target in enumerate(wanted)
            if target.account_id not in there
        ]
        if problems:
            raise Refused(problems)
        return wanted


class PreflightNow(Looks):
    """Would this publish now, on each account, and why not: of a stored schedule, or of content and accounts. Changes nothing."""

    answers: ClassVar[dict[str, Any]] = {"post": PreflightShown}

    writes: ClassVar[bool] = False

    def post(self, request: Request) -> Response:
        given = self.read(PreflightInput)
        if "schedule" not in given:
            workspace, content, targets = self.asked_for(given)
            return self._answer(preflight.of_draft(workspace, content, targets, now=self.now))
        row: Schedule = get_object_or_404(Schedule.objects.visible_to(request.user), public_id=given["schedule"])
        return self._answer(preflight.of_schedule(row, now=self.now))

    def _answer(self, found: preflight.Preflight) -> Response:
        return Response(preflight_words(found, self.own_zone))


class ContentCheck(Looks):
    """What each account's platform would refuse of the content, or not do as meant. Stores nothing."""

    answers: ClassVar[dict[str, Any]] = {"post": ContentCheckShown}

    writes: ClassVar[bool] = False

    def post(self, request: Request) -> Response:
        workspace, content, targets = self.asked_for(self.read(CheckInput))
        return Response(check_words(preflight.check_content(workspace, content, targets, now=self.now)))
