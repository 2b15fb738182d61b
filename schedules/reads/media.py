"""What the library shows: files with their uses, folders as a tree, and what the picker offers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Prefetch, Q
from django.utils.translation import gettext as _

from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.querysets import is_limited
from platforms.models import MediaAsset, MediaFolder
from platforms.services.media import media_path_of
from schedules.models import ComposerDraft, ContentItem, ContentMedia, ContentTemplate, Schedule

OFFERED = 24  # files that the picker shows beside the chosen ones
SORTS = {
    "": ("-created_at", "-id"),
    "oldest": ("created_at", "id"),
    "name": ("original_name", "id"),
    "largest": ("-size", "-id"),
}


@dataclass(frozen=True, slots=True)
class Use:
    """One post that shows the file; `schedule` is None for content that is not scheduled."""

    content: ContentItem
    schedule: Schedule | None


@dataclass(frozen=True, slots=True)
class FolderRow:
    """A folder in its place: `depth` 0 or 1, `label` as a path, `count` of the files in it."""

    folder: MediaFolder
    depth: int
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class MediaChoice:
    asset: MediaAsset
    checked: bool

    @property
    def url(self) -> str:
        """The address of the file itself, for people who are signed in."""
        return media_path_of(self.asset)


def used() -> Exists:
    """For annotations and filters: does any content show the file?"""
    return Exists(ContentMedia.objects.filter(asset=OuterRef("pk")))


def uses_of(asset: MediaAsset, *, reader: Any = None) -> list[Use]:
    """The posts that show a file, the newest first; those of them that the reader sees, where that is less."""
    content, schedules = ContentItem.objects.filter(media_links__asset=asset), Schedule.objects.all()
    if is_limited(reader):
        content, schedules = content.visible_to(reader), schedules.visible_to(reader)
    content = content.distinct().order_by("-created_at", "-id")
    found = []
    for item in content.prefetch_related(Prefetch("schedules", schedules)):
        of_it = sorted(item.schedules.all(), key=lambda row: row.pk, reverse=True)
        found += [Use(item, schedule) for schedule in of_it] or [Use(item, None)]
    return found


def names_of_users(ids: Collection[int]) -> Mapping[int, Sequence[str]]:
    """The posts that show these files, by the file's id: what `platforms.services.media` asks before it deletes."""
    found: dict[int, list[str]] = {}
    for link in ContentMedia.objects.filter(asset_id__in=ids).select_related("content").order_by("-content_id", "id"):
        found.setdefault(link.asset_id, []).append(str(link.content)[:60])
    return {pk: list(dict.fromkeys(names)) for pk, names in found.items()}


def names_in_the_composer(ids: Collection[int]) -> Mapping[int, Sequence[str]]:
    """The templates and unsaved drafts that name these files. A draft's words are the writer's own, so it is not called by them."""
    files = {str(row.public_id): row for row in MediaAsset.every.filter(pk__in=ids)}
    rooms = {row.workspace_id for row in files.values()}
    found: dict[int, list[str]] = {}
    for template in ContentTemplate.objects.filter(workspace__in=rooms).order_by("name", "id"):
        for named in set(template.snapshot.get("media", ())) & files.keys():
            found.setdefault(files[named].pk, []).append(_("the template “%(name)s”") % {"name": template.name})
    for draft in ComposerDraft.objects.filter(workspace__in=rooms, discarded_at=None).order_by("id"):
        for named in set(draft.data.get("media", ())) & files.keys():
            found.setdefault(files[named].pk, []).append(_("a draft that is being written"))
    return found


def folders_of(workspace: Workspace) -> list[FolderRow]:
    """All folders, each followed by those in it."""
    rows = MediaFolder.objects.filter(workspace=workspace).annotate(
        files=Count("assets", filter=Q(assets__deleted_at=None))
    )
    inside: dict[int | None, list[Any]] = {}
    for row in rows.order_by("name", "id"):
        inside.setdefault(row.parent_id, []).append(row)
    found = []
    for top in inside.get(None, []):
        found.append(FolderRow(top, 0, top.name, top.files))
        found += [FolderRow(row, 1, f"{top.name} / {row.name}", row.files) for row in inside.get(top.pk, [])]
    return found


def choices(workspace: Workspace, chosen: Iterable[str], words: str = "") -> list[MediaChoice]:
    """The chosen files in their order, then the newest others, of those whose name or description holds the words."""
    wanted = [str(item) for item in chosen]
    there = MediaAsset.objects.filter(workspace=workspace)
    by_id = {str(row.public_id): row for row in there.filter(public_id__in=wanted)} if wanted else {}
    rows = [by_id[item] for item in dict.fromkeys(wanted) if item in by_id]
    others = there.about(words) if words else there
    others = others.exclude(pk__in=[row.pk for row in rows]).order_by("-created_at", "-id")[:OFFERED]
    return [MediaChoice(row, True) for row in rows] + [MediaChoice(row, False) for row in others]
