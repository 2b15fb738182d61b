"""The form of an inbound hook: what it makes, and for each field of a post a text with {places} of the call."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from platforms.models import AccountGroup, PlatformAccount
from schedules.inbound import mapping as maps
from schedules.inbound.models import InboundHook, Makes, Proof, When
from schedules.inbound.services import HookPlan
from schedules.web.account_forms import TellingForm, ticked

LABELS: dict[str, Any] = {
    "title": gettext_lazy("Title"),
    "text": gettext_lazy("Text"),
    "link": gettext_lazy("Link"),
    "hashtags": gettext_lazy("Hashtags"),
    "labels": gettext_lazy("Labels"),
    "campaign": gettext_lazy("Campaign"),
    "language": gettext_lazy("Language"),
    "notes": gettext_lazy("Notes"),
    "at": gettext_lazy("Time"),
    "timezone": gettext_lazy("Time zone"),
}
DEFAULT_HEADER = "X-Hook-Secret"
_ONE_PLACE = re.compile(r"^\{([^{}]+)\}$")


class HookForm(TellingForm):
    """Boxes of accounts and groups are drawn by the page. `sample`: what the other program sends, for trying."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    is_on = forms.BooleanField(required=False, label=gettext_lazy("Takes calls"))
    proof = forms.ChoiceField(choices=Proof.choices, label=gettext_lazy("How the caller shows that it may"))
    header = forms.CharField(
        required=False,
        max_length=60,
        label=gettext_lazy("Header"),
        help_text=gettext_lazy("Where the secret stands, when it is not signed."),
    )
    makes = forms.ChoiceField(choices=Makes.choices, label=gettext_lazy("A call makes"))
    is_active = forms.BooleanField(required=False, label=gettext_lazy("Goes out without anybody looking at it first"))
    when = forms.ChoiceField(choices=When.choices, label=gettext_lazy("It goes out"))
    delay_minutes = forms.IntegerField(required=False, label=gettext_lazy("Minutes after the call"))
    sample = forms.CharField(
        required=False,
        strip=False,
        label=gettext_lazy("A call to try it with"),
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "mono"}),
    )

    def __init__(
        self,
        data: Any,
        *,
        accounts: Sequence[PlatformAccount],
        groups: Sequence[AccountGroup],
        hook: InboundHook | None,
    ) -> None:
        super().__init__(data, initial=_initial(hook))
        for name in maps.TARGETS:
            widget = forms.Textarea(attrs={"rows": 3}) if name == "text" else forms.TextInput()
            self.fields[f"map-{name}"] = forms.CharField(
                required=False, strip=False, max_length=maps.LONGEST_TEXT, label=LABELS[name], widget=widget
            )
        for name, rows in (("accounts", accounts), ("groups", groups)):
            self.fields[name] = forms.MultipleChoiceField(
                required=False, choices=[(str(row.public_id), row.name) for row in rows]
            )
        self.names = {f"mapping.{name}": f"map-{name}" for name in maps.TARGETS} | {
            name: f"map-{name}" for name in maps.TARGETS
        }
        self._hook = hook

    @property
    def rows(self) -> list[forms.BoundField]:
        return [self[f"map-{name}"] for name in maps.TARGETS]

    def boxes(self, name: str) -> set[str]:
        if self.is_bound:
            return ticked(self, name)
        return set(getattr(self._hook, name)) if self._hook else set()

    def plan(self) -> HookPlan:
        given = self.cleaned_data
        found = {name: _source(given[f"map-{name}"]) for name in maps.TARGETS if given[f"map-{name}"].strip()}
        return HookPlan(
            **{name: given[name] for name in ("name", "is_on", "proof", "makes", "is_active", "when")},
            header=given["header"] or DEFAULT_HEADER,
            delay_minutes=given["delay_minutes"] or (0 if given["when"] == When.DELAY else 60),
            accounts=tuple(given["accounts"]),
            groups=tuple(given["groups"]),
            mapping=found,
        )

    def call(self) -> Any:
        """The sample as data; None, with words at the field, when it is no JSON."""
        try:
            return json.loads(self.cleaned_data["sample"])
        except (ValueError, RecursionError):
            self.add_error("sample", _("This is no JSON. Paste what the other program sends."))
            return None


def _initial(hook: InboundHook | None) -> dict[str, Any]:
    if hook is None:
        return {
            "is_on": True, "proof": Proof.SIGNATURE, "header": DEFAULT_HEADER, "makes": Makes.DRAFT, "when": When.AT,
            "delay_minutes": 60,
        }  # fmt: skip
    names = ("version", "name", "is_on", "proof", "header", "makes", "is_active", "when", "delay_minutes")
    shown = {name: getattr(hook, name) for name in names}
    return shown | {f"map-{name}": _written(source) for name, source in hook.mapping.items()}


def _source(text: str) -> Mapping[str, str]:
    one = _ONE_PLACE.match(text.strip())
    return {"path": one.group(1).strip()} if one else {"text": text}


def _written(source: Mapping[str, str]) -> str:
    return f"{{{source['path']}}}" if "path" in source else source.get("text", "")
