"""The forms of the media library: what it is narrowed by, a file's words, a folder's name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from platforms.models import MediaKind
from schedules.reads.media import FolderRow
from schedules.web.forms import RefusableForm

SHOWN = (
    ("", gettext_lazy("All files")),
    ("unused", gettext_lazy("In no post")),
    ("no_alt", gettext_lazy("Without alternative text")),
)
ORDERS = (
    ("", gettext_lazy("Newest first")),
    ("oldest", gettext_lazy("Oldest first")),
    ("name", gettext_lazy("By name")),
    ("largest", gettext_lazy("Largest first")),
)


def folder_choices(folders: Sequence[FolderRow]) -> list[tuple[str, str]]:
    return [(str(row.folder.public_id), row.label) for row in folders]


class LibraryFilter(forms.Form):
    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Search"))
    folder = forms.ChoiceField(required=False, label=gettext_lazy("Folder"))
    kind = forms.ChoiceField(required=False, label=gettext_lazy("Kind"))
    show = forms.ChoiceField(required=False, label=gettext_lazy("Show"), choices=SHOWN)
    sort = forms.ChoiceField(required=False, label=gettext_lazy("Order"), choices=ORDERS)

    def __init__(self, data: Any, *, folders: Sequence[FolderRow]) -> None:
        super().__init__(data)
        places = [("", _("All folders")), ("none", _("In no folder")), *folder_choices(folders)]
        self.fields["folder"].choices = places  # type: ignore[attr-defined]
        kinds = [("", _("All kinds")), *((kind.value, str(kind.label)) for kind in MediaKind)]
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]

    def wanted(self) -> dict[str, str]:
        """What is asked for; an impossible wish counts as none."""
        self.full_clean()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}


class _InFolder(RefusableForm):
    def __init__(self, *args: Any, folders: Sequence[FolderRow], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = {str(row.folder.public_id): row.folder for row in folders}
        name = "folder" if "folder" in self.fields else "parent"
        places = [("", self.nowhere), *folder_choices(self.offered(folders))]
        self.fields[name].choices = places  # type: ignore[attr-defined]

    nowhere: Any = gettext_lazy("No folder")

    def offered(self, folders: Sequence[FolderRow]) -> Sequence[FolderRow]:
        return folders


class AssetForm(_InFolder):
    name = forms.CharField(max_length=200, label=gettext_lazy("Name"))
    alt_text = forms.CharField(
        required=False,
        max_length=1500,
        label=gettext_lazy("Alternative text"),
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": 1500}),
        help_text=gettext_lazy("What it shows, in a sentence, for people who cannot see it."),
    )
    folder = forms.ChoiceField(required=False, label=gettext_lazy("Folder"))

    def changes(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {**given, "folder": self.rows.get(given["folder"])}


class FolderForm(_InFolder):
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    parent = forms.ChoiceField(required=False, label=gettext_lazy("In"))
    nowhere = gettext_lazy("The library")

    def offered(self, folders: Sequence[FolderRow]) -> Sequence[FolderRow]:
        return [row for row in folders if row.depth == 0]

    def place(self) -> Any:
        return self.rows.get(self.cleaned_data["parent"])
