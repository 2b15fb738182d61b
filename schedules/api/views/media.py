"""The media library: files are listed, uploaded or fetched, described, moved and deleted; folders are kept."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import MediaAsset, MediaFolder
from platforms.services import fetching, folders
from platforms.services import media as service
from schedules.api.serializers.media import (
    FolderAnswer,
    FolderChange,
    MediaAnswer,
    MediaChange,
    MediaUses,
    NewFolder,
    NewMedia,
    use_words,
)
from schedules.api.views.door import Door, Row, Rows
from schedules.filters import MediaFilter
from schedules.reads.media import uses_of

_FORM_BYTES = 1024 * 1024  # what a multipart form has beside its file


def _folder(workspace: Workspace, wanted: UUID | None, field: str = "folder") -> MediaFolder | None:
    if wanted is None:
        return None
    found = MediaFolder.objects.filter(workspace=workspace, public_id=wanted).select_related("parent").first()
    if found is None:
        raise Refused(Problem(field=field, message="There is no such folder in this workspace.", code="not_found"))
    return found


class _Media(Door):
    serializer_class = MediaAnswer

    def get_queryset(self) -> QuerySet[Any]:
        visible: QuerySet[Any] = MediaAsset.objects.visible_to(self.request.user)
        return visible.select_related("workspace", "folder")


class MediaList(_Media, Rows):
    # a file may be fetched from its address
    reaches_out: ClassVar[bool] = True
    filterset_class: ClassVar[Any] = MediaFilter
    parser_classes = (JSONParser, MultiPartParser)

    def most_bytes(self) -> int:
        if (self.request.content_type or "").startswith("multipart/"):
            return int(settings.MEDIA_MAX_BYTES) + _FORM_BYTES
        return super().most_bytes()

    def post(self, request: Request) -> Response:
        """Keep a file. The same content again answers with the file that is there already."""
        given = self.read(NewMedia)
        workspace = self.workspace_of(given.get("workspace"))
        self.require(Action.WRITE, workspace)
        words: dict[str, Any] = {
            "workspace": workspace, "alt_text": given.get("alt_text", ""), "folder": _folder(workspace, given.get("folder")),
            "created_by": self.person, "actor": self.actor, "now": self.now,
        }  # fmt: skip
        name = given.get("name", "")
        if "url" in given:
            made = fetching.store_from_url(url=given["url"], name=name, **words)
        else:
            made = service.store_upload(file=given["file"], name=name or given["file"].name or "file", **words)
        where = reverse("api:media", args=[made.public_id])
        return self.answer(self.find(made.public_id), status=201, headers={"Location": where})


class MediaRow(_Media, Row):
    def patch(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        self.require(Action.WRITE, row.workspace)
        changes = dict(self.read(MediaChange))
        if "folder" in changes:
            changes["folder"] = _folder(row.workspace, changes["folder"])
        service.edit(asset=row, changes=changes, actor=self.actor, now=self.now)
        return self.answer(self.find(public_id))

    def delete(self, request: Request, public_id: UUID) -> Response:
        """Delete it; refused (409) while a post shows it. It can be brought back for a week."""
        row = self.find(public_id)
        self.require(Action.WRITE, row.workspace)
        service.delete(assets=[row], actor=self.actor, now=self.now)
        return Response(status=204)


class MediaUsage(_Media):
    answers: ClassVar[dict[str, Any]] = {"get": MediaUses}

    def get(self, request: Request, public_id: UUID) -> Response:
        """The posts that show it, the newest first."""
        return Response({"results": [use_words(use) for use in uses_of(self.find(public_id), reader=request.user)]})


class MediaRestore(_Media):
    def get_queryset(self) -> QuerySet[Any]:
        return MediaAsset.every.visible_to(self.request.user).select_related("workspace", "folder")

    def post(self, request: Request, public_id: UUID) -> Response:
        """Bring a deleted file back."""
        row = self.find(public_id)
        self.require(Action.WRITE, row.workspace)
        service.restore(assets=[row], actor=self.actor, now=self.now)
        return self.answer(self.find(public_id))


class _Folders(Door):
    serializer_class = FolderAnswer

    def get_queryset(self) -> QuerySet[Any]:
        return MediaFolder.objects.visible_to(self.request.user).select_related("workspace", "parent")


class FolderList(_Folders, Rows):
    def known_names(self) -> frozenset[str]:
        return frozenset({"cursor", "page_size", "workspace"})

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset

    def post(self, request: Request) -> Response:
        given = self.read(NewFolder)
        workspace = self.workspace_of(given.get("workspace"))
        self.require(Action.WRITE, workspace)
        parent = _folder(workspace, given.get("parent"), "parent")
        made = folders.create(workspace=workspace, name=given["name"], parent=parent, actor=self.actor, now=self.now)
        where = reverse("api:media_folder", args=[made.public_id])
        return self.answer(self.find(made.public_id), status=201, headers={"Location": where})


class FolderRow(_Folders, Row):
    def patch(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        self.require(Action.WRITE, row.workspace)
        given = self.read(FolderChange)
        parent = _folder(row.workspace, given["parent"], "parent") if "parent" in given else ""
        folders.change(folder=row, name=given.get("name"), parent=parent, actor=self.actor, now=self.now)
        return self.answer(self.find(public_id))

    def delete(self, request: Request, public_id: UUID) -> Response:
        """Remove it: its files go to the folder above, or into none; the folders in it go too."""
        row = self.find(public_id)
        self.require(Action.WRITE, row.workspace)
        folders.remove(folder=row, actor=self.actor, now=self.now)
        return Response(status=204)
