"""Files of the library and their folders, in and out."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers

from platforms.models import MediaAsset, MediaFolder, MediaKind
from platforms.services.media import media_url
from schedules.api.serializers.shapes import Answer, Input, Text, WorkspaceName, either, id_or_object, workspace_words
from schedules.api.serializers.shown import Shown, Url
from schedules.domain.states import ScheduleState
from schedules.reads.media import Use


class FolderId(serializers.UUIDField):
    """A folder by its id, or as the object in which an answer shows it."""

    takes_objects = True
    written: ClassVar[dict[str, Any]] = id_or_object("folder")

    def to_internal_value(self, data: Any) -> Any:
        wanted: Any = data.get("id") if isinstance(data, dict) else data
        return super().to_internal_value(wanted)


class NewMedia(Input):
    """A file to be kept: `file` of a multipart form, or `url` for one that is fetched."""

    file = serializers.FileField(required=False, allow_empty_file=True, max_length=None)
    url = serializers.URLField(required=False, max_length=2000)
    name = Text(max_length=200)
    alt_text = Text(max_length=1500)
    folder = FolderId(required=False, allow_null=True)
    workspace = serializers.CharField(required=False, max_length=60)

    @staticmethod
    def as_schema(schema: dict[str, Any]) -> dict[str, Any]:
        return {**schema, **either("file", "url")}

    @staticmethod
    def as_json(schema: dict[str, Any]) -> dict[str, Any]:
        """Without a file: that needs a form."""
        parts = {name: part for name, part in schema["properties"].items() if name != "file"}
        return {"type": "object", "properties": parts, "required": ["url"], "additionalProperties": False}

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if ("file" in given) == ("url" in given):
            raise serializers.ValidationError({"file": "Send either a file (multipart/form-data) or a url."})
        return given


class MediaChange(Input):
    name = serializers.CharField(required=False, max_length=200)
    alt_text = Text(max_length=1500)
    folder = FolderId(required=False, allow_null=True)


class NewFolder(Input):
    name = serializers.CharField(max_length=80)
    parent = FolderId(required=False, allow_null=True)  # type: ignore[assignment]
    workspace = serializers.CharField(required=False, max_length=60)


class FolderChange(Input):
    name = serializers.CharField(required=False, max_length=80)
    parent = FolderId(required=False, allow_null=True)  # type: ignore[assignment]


def folder_words(folder: MediaFolder | None) -> dict[str, Any] | None:
    return None if folder is None else {"id": str(folder.public_id), "name": folder.name}


class FolderName(Shown):
    id: UUID
    name: str


class MediaFile(Shown):
    """A file of the library. `url` works without signing in until its link expires."""

    id: UUID
    workspace: WorkspaceName
    name: str
    kind: MediaKind
    type: str
    size: int
    width: int | None
    height: int | None
    seconds: float | None
    animated: bool
    details: dict[str, Any]
    alt_text: str
    folder: FolderName | None
    checksum: str
    url: Url


class FolderShown(Shown):
    """A folder of the library, two levels deep at most."""

    id: UUID
    workspace: WorkspaceName
    name: str
    parent: FolderName | None


class UsingContent(Shown):
    id: UUID
    title: str


class UsingSchedule(Shown):
    id: UUID
    state: ScheduleState


class MediaUse(Shown):
    """One post that shows the file."""

    content: UsingContent
    schedule: UsingSchedule | None


class MediaUses(Shown):
    """The newest first."""

    results: list[MediaUse]


class MediaAnswer(Answer):
    """`url` works without signing in until its link expires. Sides in pixels, size in bytes, `seconds` null where nobody knows."""

    shown = MediaFile
    times: ClassVar[tuple[str, ...]] = ("created_at",)

    def zone(self, row: Any) -> str:
        return str(row.workspace.timezone)

    def body(self, row: MediaAsset) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "name": row.original_name,
            "kind": row.kind,
            "type": row.mime,
            "size": row.size,
            "width": row.width,
            "height": row.height,
            "seconds": row.duration_seconds,
            "animated": row.animated,
            "details": {name: value for name, value in row.details.items() if name not in ("poster", "unread")},
            "alt_text": row.alt_text,
            "folder": folder_words(row.folder),
            "checksum": row.checksum,
            "url": media_url(row, self.context["now"]),
        }


class FolderAnswer(Answer):
    shown = FolderShown
    times: ClassVar[tuple[str, ...]] = ("created_at",)

    def zone(self, row: Any) -> str:
        return str(row.workspace.timezone)

    def body(self, row: MediaFolder) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "name": row.name,
            "parent": folder_words(row.parent),
        }


def use_words(use: Use) -> dict[str, Any]:
    """One post that shows a file."""
    schedule = use.schedule
    return {
        "content": {"id": str(use.content.public_id), "title": str(use.content)},
        "schedule": None if schedule is None else {"id": str(schedule.public_id), "state": schedule.state},
    }
