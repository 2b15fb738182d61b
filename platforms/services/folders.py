"""Folders of the media library: made, renamed, moved, removed. Two levels; removing one never removes a file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import Workspace
from platforms.models import MediaAsset, MediaFolder


@unit()
def create(
    *, workspace: Workspace, name: str, parent: MediaFolder | None = None, actor: Actor, now: datetime
) -> MediaFolder:
    """Make a folder, in another one or in none. Refused (`name`, `parent`) when the name is taken there or the parent is inside
    one itself."""
    Workspace.objects.select_for_update().get(pk=workspace.pk)  # two of one name must not arise at once
    plain = _checked(workspace, name, parent, None)
    made = MediaFolder.objects.create(workspace=workspace, parent=parent, name=plain, created_at=now)
    emit(_fact("folder.created", made, actor, now, after=_words(made)))
    return made


@unit()
def change(
    *, folder: MediaFolder, name: str | None = None, parent: MediaFolder | str | None = "", actor: Actor, now: datetime
) -> MediaFolder:
    """Rename a folder (`name`), or put it elsewhere (`parent`: a folder, or None for none; "" leaves it). Its files stay in it."""
    Workspace.objects.select_for_update().get(pk=folder.workspace_id)
    row = MediaFolder.objects.select_related("parent").get(pk=folder.pk)
    before = _words(row)
    target = row.parent if isinstance(parent, str) else parent
    row.name = _checked(row.workspace, row.name if name is None else name, target, row)
    row.parent = target
    after = _words(row)
    if after != before:
        row.save(update_fields=["name", "parent"])
        emit(_fact("folder.changed", row, actor, now, before=before, after=after))
    return row


@unit()
def remove(*, folder: MediaFolder, actor: Actor, now: datetime) -> int:
    """Remove a folder. Its files, and those of the folders in it, go to the folder above, or into none; the folders in it go too.
    Returns how many files moved."""
    Workspace.objects.select_for_update().get(pk=folder.workspace_id)
    row = MediaFolder.objects.select_related("parent").get(pk=folder.pk)
    inside = list(MediaFolder.objects.filter(parent=row).values_list("pk", flat=True))
    files = MediaAsset.every.filter(folder_id__in=[row.pk, *inside])
    shown = files.filter(deleted_at=None).count()
    files.update(folder=row.parent)
    words, label, public_id = _words(row), row.name, row.public_id
    MediaFolder.objects.filter(pk__in=inside).delete()
    row.delete()
    row.public_id, row.name = public_id, label
    emit(_fact("folder.removed", row, actor, now, before=words, after={"files_moved": shown}))
    return shown


def _checked(workspace: Workspace, name: str, parent: MediaFolder | None, row: MediaFolder | None) -> str:
    """The name as it is stored. Raises Refused."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    if not plain:
        raise Refused(Problem(field="name", message=_("Give the folder a name."), code="required"))
    if len(plain) > 80:
        raise Refused(Problem(field="name", message=_("Write at most 80 characters."), code="too_long"))
    if parent is not None:
        _check_place(workspace, parent, row)
    same = MediaFolder.objects.filter(workspace=workspace, parent=parent, name__iexact=plain)
    if (same.exclude(pk=row.pk) if row else same).exists():
        raise Refused(Problem(field="name", message=_("There is a folder of this name here already."), code="taken"))
    return plain


def _check_place(workspace: Workspace, parent: MediaFolder, row: MediaFolder | None) -> None:
    words = ""
    if parent.workspace_id != workspace.pk:
        words = _("There is no such folder in this workspace.")
    elif parent.parent_id is not None:
        words = _("Folders go two levels deep: choose one that is in no other folder.")
    elif row is not None and parent.pk == row.pk:
        words = _("A folder cannot be in itself.")
    elif row is not None and row.folders.exists():
        words = _("This folder holds folders itself, so it cannot go into another one.")
    if words:
        raise Refused(Problem(field="parent", message=words, code="place"))


def _words(folder: MediaFolder) -> dict[str, Any]:
    return {"name": folder.name, "parent": folder.parent.name if folder.parent else ""}


def _fact(
    name: str, folder: MediaFolder, actor: Actor, now: datetime, *, before: dict[str, Any] | None = None, after: dict[str, Any]
) -> Fact:  # fmt: skip
    return Fact(
        name=name, at=now, actor=actor, object_type="media_folder", object_id=str(folder.public_id), object_label=folder.name,
        workspace_id=folder.workspace_id, before=before or {}, after=after,
    )  # fmt: skip
