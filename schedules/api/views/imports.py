"""Posts from elsewhere: tried out, made, taken back."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import PlatformAccount
from schedules.api.serializers import imports as words
from schedules.api.views.connecting import OfWorkspace
from schedules.api.views.door import Door
from schedules.services import imports


class Import(Door):
    """POST of rows. A dry run says row by row what would not do; then, with `"dry_run": false`, the good ones are made.

    All of one import carry its label: `GET /schedules/?label=…` lists them, and `…/undo/` takes back what nobody has touched.
    """

    area: ClassVar[str] = "schedules"
    answers: ClassVar[dict[str, Any]] = {"post": {200: words.ImportShown, 201: words.ImportShown}}

    def most_bytes(self) -> int:
        return max(super().most_bytes(), 4_000_000)

    def post(self, request: Request) -> Response:
        given = self.read(words.ImportInput)
        workspace = self.workspace_of(given["workspace"])
        self.require(Action.WRITE, workspace)
        zone = given["timezone"] or workspace.timezone
        accounts = PlatformAccount.objects.visible_to(request.user).filter(workspace=workspace)
        rows = words.entries(given["rows"], accounts.defer("credentials"), zone=zone, now=self.now)
        trial = given["dry_run"]
        label = imports.new_label(self.now)
        found = imports.run(
            workspace=workspace,
            entries=rows,
            label=label,
            state=given["state"],
            trial=trial,
            actor=self.actor,
            now=self.now,
            person=self.person,
        )
        fits = sum(1 for item in found if not item.problems)
        body: dict[str, Any] = {
            "id": None if trial else label,
            "dry_run": trial,
            "row_count": len(found),
            "fits_count": fits,
            "refused_count": len(found) - fits,
            "results": [words.outcome_words(number, item) for number, item in enumerate(found, start=1)],
        }
        return Response(body, status=200 if trial or not fits else 201)


class ImportUndo(Door):
    """POST: archive what the import made and nobody has touched. It can be asked for again."""

    area: ClassVar[str] = "schedules"
    answers: ClassVar[dict[str, Any]] = {"post": words.ImportTakenBack}

    def post(self, request: Request, label: str) -> Response:
        given = self.read(OfWorkspace)
        workspace = self._where(label, given["workspace"])
        self.require(Action.WRITE, workspace)
        undone = imports.undo(workspace=workspace, label=label, actor=self.actor, now=self.now)
        return Response(
            {
                "id": label,
                "archived": [str(row.public_id) for row in undone.archived],
                "touched": [str(row.public_id) for row in undone.touched],
                "content_kept": [str(row.public_id) for row in undone.kept],
            }
        )

    def _where(self, label: str, named: str | None) -> Workspace:
        workspace = self.workspace_of(named)
        # no label has a NUL, which PostgreSQL would not even compare
        if not label.startswith(imports.PREFIX) or "\0" in label or not imports.made_by(workspace, label):
            raise Http404
        return workspace
