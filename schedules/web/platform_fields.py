"""What one platform gets instead, as fields of the composer: the words with their "same as main" switch, and the adapter's own.

Names: `own-<platform>-<field>` switches a field's own words on, `variant-<platform>-<field>` holds them,
`option-<platform>-<name>` is one of the adapter's `post_fields`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from platforms.base import Adapter, FieldSpec, HasPostOptions
from platforms.contracts import AccountRef
from platforms.errors import AdapterMissing
from platforms.registry import adapter_for
from schedules.services.plans import VariantDraft
from schedules.web.locale import said

SPLIT = re.compile(r"[\s,]+")
OWN = ("text", "title", "link", "hashtags")
_LABELS = {
    "text": gettext_lazy("Text"),
    "title": gettext_lazy("Title"),
    "link": gettext_lazy("Link"),
    "hashtags": gettext_lazy("Hashtags"),
}


# what `platforms.text.threads` reads for every platform that takes threads
NUMBERED = FieldSpec(
    name="number_parts",
    label=gettext_noop("Number the posts of the thread"),
    help=gettext_noop("1/3, 2/3, 3/3 at their ends."),
    kind="bool",
    default=False,
)


def field_of(spec: FieldSpec, *, required: bool) -> forms.Field:
    """The form field for an adapter's field."""
    common: dict[str, Any] = {"label": said(spec.label), "help_text": said(spec.help), "required": required}
    if spec.secret:
        hidden = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
        return forms.CharField(widget=hidden, max_length=4000, **common)
    if spec.kind == "bool":
        return forms.BooleanField(initial=bool(spec.default), **(common | {"required": False}))
    common["initial"] = spec.default
    if spec.kind == "number":
        return forms.FloatField(widget=forms.NumberInput(attrs={"step": "any"}), **common)
    if spec.kind == "choice":
        return forms.ChoiceField(choices=[(value, said(words)) for value, words in spec.choices], **common)
    if spec.kind == "url":
        return forms.CharField(widget=forms.URLInput, max_length=2000, **common)
    if spec.kind == "long_text":
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), max_length=20_000, **common)
    return forms.CharField(max_length=4000, **common)


def value_of(value: Any) -> Any:
    """A field's value as it is stored: a whole number stays a whole number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def post_fields(platform: str) -> tuple[FieldSpec, ...]:
    """What the platform's adapter asks of a post besides its words and files."""
    try:
        adapter: Adapter = adapter_for(platform)
    except AdapterMissing:
        return ()
    asked = tuple(adapter.post_fields) if isinstance(adapter, HasPostOptions) else ()
    if _has_threads(adapter) and all(spec.name != NUMBERED.name for spec in asked):
        asked += (NUMBERED,)
    return asked


def _has_threads(adapter: Adapter) -> bool:
    """Does the platform take threads? That does not depend on the account, so one without credentials will do."""
    nobody = AccountRef(id=0, public_id="", platform=adapter.key, name="", handle="", timezone="UTC")
    try:
        return adapter.capabilities(nobody).threads
    except (LookupError, TypeError, ValueError):
        return False


def fields(platform: str) -> dict[str, forms.Field]:
    """All fields of one platform, by their names in the form."""
    made: dict[str, forms.Field] = {}
    for name in OWN:
        made[f"own-{platform}-{name}"] = forms.BooleanField(required=False, label=_("Different here"))
        made[f"variant-{platform}-{name}"] = _own_field(name)
    for spec in post_fields(platform):
        # a draft may lack it; whoever publishes is told by the adapter's own check
        made[f"option-{platform}-{spec.name}"] = field_of(spec, required=False)
    return made


def _own_field(name: str) -> forms.Field:
    label = _LABELS[name]
    if name == "text":
        area = forms.Textarea(attrs={"rows": 5})
        return forms.CharField(required=False, strip=False, max_length=200_000, label=label, widget=area)
    if name == "link":
        return forms.CharField(required=False, max_length=2000, label=label, widget=forms.URLInput)
    return forms.CharField(required=False, max_length=300 if name == "title" else 1000, label=label)


def initial(variants: Iterable[VariantDraft]) -> dict[str, Any]:
    """Stored variants as the form shows them."""
    found: dict[str, Any] = {}
    for item in variants:
        for name in OWN:
            value = getattr(item, name)
            if value is not None:
                found[f"own-{item.platform}-{name}"] = True
                tags = name == "hashtags"
                found[f"variant-{item.platform}-{name}"] = " ".join(f"#{tag}" for tag in value) if tags else value
        found |= {f"option-{item.platform}-{name}": value for name, value in item.options.items()}
    return found


def variant(platform: str, data: Mapping[str, Any], stored: VariantDraft | None) -> VariantDraft | None:
    """What was typed for one platform; None when it is the same as the main post in everything. An option that the adapter does not
    ask for (any more) stays as it was stored."""
    words: dict[str, Any] = {}
    for name in OWN:
        if data.get(f"own-{platform}-{name}"):
            typed = str(data.get(f"variant-{platform}-{name}") or "").replace("\r\n", "\n").strip()
            words[name] = tuple(filter(None, SPLIT.split(typed))) if name == "hashtags" else typed
    specs = post_fields(platform)
    options = dict(stored.options) if stored else {}
    for spec in specs:
        value = value_of(data.get(f"option-{platform}-{spec.name}"))
        options.pop(spec.name, None)
        if value not in (None, "", spec.default) and not (spec.kind == "bool" and bool(spec.default) == value):
            options[spec.name] = value
    return VariantDraft(platform=platform, options=options, **words) if words or options else None


@dataclass(frozen=True, slots=True)
class Own:
    """One field that may be different: its switch and its words."""

    name: str
    switch: forms.BoundField
    words: forms.BoundField
    is_different: bool


@dataclass(frozen=True, slots=True)
class Tab:
    """One platform's part of the composer. idle: no account of it is chosen."""

    platform: str
    owns: Sequence[Own]
    options: Sequence[forms.BoundField]
    idle: bool
    is_open: bool
    names: Sequence[str]


def tab(form: Any, platform: str, *, idle: bool, is_open: bool) -> Tab:
    owns = [
        Own(
            name,
            form[f"own-{platform}-{name}"],
            form[f"variant-{platform}-{name}"],
            form[f"own-{platform}-{name}"].value() in (True, "True", "on"),
        )
        for name in OWN
    ]
    options = [form[f"option-{platform}-{spec.name}"] for spec in post_fields(platform)]
    names = [*(own.words.name for own in owns), *(field.name for field in options)]
    return Tab(platform, owns, options, idle, is_open, names)
