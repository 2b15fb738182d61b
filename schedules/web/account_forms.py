"""Forms of the account pages: an account, a sign-in, what to connect, a sign-in app, a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from platforms.models import PlatformAccount
from platforms.services.accounts import UTM_NAMES
from platforms.services.apps import SignInPlatform
from schedules.web.forms import RefusableForm
from schedules.web.locale import said
from schedules.web.platform_fields import SPLIT


class TellingForm(RefusableForm):
    """A form that lists its problems for `shell/_problems.html`."""

    def problems(self) -> list[tuple[str, str, str]]:
        if not self.is_bound:
            return []
        found = [("", "", str(words)) for words in self.non_field_errors()]
        found += [
            (name, str(field.label or ""), str(words))
            for name, field in self.fields.items()
            for words in self.errors.get(name, ())
        ]
        return found


def ticked(form: forms.Form, name: str) -> set[str]:
    """The boxes of this name that came with the form; none where nothing came."""
    data: Any = form.data
    return set(data.getlist(name)) if form.is_bound else set()


def spec_field(spec: Any, *, required: bool) -> forms.Field:
    """The field for one FieldSpec of an adapter."""
    common: dict[str, Any] = {"label": said(spec.label), "help_text": said(spec.help), "required": required}
    if spec.secret:
        widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
        return forms.CharField(widget=widget, max_length=4000, **common)
    if spec.kind == "bool":
        return forms.BooleanField(**(common | {"required": False}))
    if spec.kind == "number":
        return forms.FloatField(initial=spec.default, widget=forms.NumberInput(attrs={"step": "any"}), **common)
    if spec.kind == "choice":
        return forms.ChoiceField(
            choices=[(value, said(words)) for value, words in spec.choices], initial=spec.default, **common
        )
    if spec.kind == "url":
        return forms.CharField(initial=spec.default, widget=forms.URLInput, max_length=2000, **common)
    if spec.kind == "long_text":
        return forms.CharField(
            initial=spec.default, widget=forms.Textarea(attrs={"rows": 4}), max_length=4000, **common
        )
    return forms.CharField(initial=spec.default, max_length=4000, **common)


class AccountForm(TellingForm):
    """Name, what goes along with every post, limits and the adapter's own fields. Secrets are write-only."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(
        max_length=120, label=gettext_lazy("Name"), help_text=gettext_lazy("What your team calls it.")
    )
    handle = forms.CharField(
        max_length=120,
        required=False,
        label=gettext_lazy("Handle"),
        help_text=gettext_lazy("The account's name at the platform; made from the name when left empty."),
    )
    timezone = forms.CharField(
        max_length=64,
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("In which its times are meant and shown."),
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off", "spellcheck": "false"}),
    )
    signature = forms.CharField(
        max_length=500,
        required=False,
        label=gettext_lazy("Signature"),
        help_text=gettext_lazy("Stands at the end of every post of this account."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    default_hashtags = forms.CharField(
        max_length=3000,
        required=False,
        label=gettext_lazy("Hashtags"),
        help_text=gettext_lazy("Added to every post; separate them with spaces."),
    )
    utm_source = forms.CharField(max_length=200, required=False, label=gettext_lazy("UTM source"))
    utm_medium = forms.CharField(max_length=200, required=False, label=gettext_lazy("UTM medium"))
    utm_campaign = forms.CharField(max_length=200, required=False, label=gettext_lazy("UTM campaign"))
    utm_term = forms.CharField(max_length=200, required=False, label=gettext_lazy("UTM term"))
    utm_content = forms.CharField(max_length=200, required=False, label=gettext_lazy("UTM content"))
    min_spacing_seconds = forms.IntegerField(
        required=False, min_value=0, max_value=86_400, label=gettext_lazy("Seconds between two posts, at least")
    )
    hourly_cap = forms.IntegerField(required=False, min_value=1, label=gettext_lazy("Posts an hour, at most"))
    daily_cap = forms.IntegerField(required=False, min_value=1, label=gettext_lazy("Posts a day, at most"))

    def __init__(self, *args: Any, adapter: Any, is_new: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.adapter = adapter
        names = {}
        for spec in adapter.option_fields:
            self.fields[f"option-{spec.name}"] = spec_field(spec, required=spec.required)
            names[spec.name] = f"option-{spec.name}"
        for spec in adapter.credential_fields:
            generates = getattr(spec, "generate", None) is not None
            needed = spec.required and is_new and not generates
            self.fields[f"secret-{spec.name}"] = spec_field(spec, required=needed)
            names[spec.name] = f"secret-{spec.name}"
        self.names = names
        for name, field in self.fields.items():
            field.widget.attrs.setdefault("id", f"id_{name}")

    @property
    def option_fields(self) -> list[forms.BoundField]:
        return [self[f"option-{spec.name}"] for spec in self.adapter.option_fields]

    @property
    def secret_fields(self) -> list[forms.BoundField]:
        return [self[f"secret-{spec.name}"] for spec in self.adapter.credential_fields]

    @property
    def utm_fields(self) -> list[forms.BoundField]:
        return [self[f"utm_{name}"] for name in UTM_NAMES]

    @property
    def has_utm(self) -> bool:
        return any(self[f"utm_{name}"].value() or self.errors.get(f"utm_{name}") for name in UTM_NAMES)

    def options(self) -> dict[str, Any]:
        """What was given; a whole number stays a whole number, an empty field is left out."""
        found = {}
        for spec in self.adapter.option_fields:
            value = self.cleaned_data.get(f"option-{spec.name}")
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if value not in (None, ""):
                found[spec.name] = value
        return found

    def secrets(self) -> dict[str, str]:
        return {
            spec.name: self.cleaned_data.get(f"secret-{spec.name}") or "" for spec in self.adapter.credential_fields
        }

    def defaults(self) -> dict[str, Any]:
        """What goes along with every post."""
        data = self.cleaned_data
        return {
            "signature": data.get("signature", "").replace("\r\n", "\n").strip(),
            "default_hashtags": [tag for tag in SPLIT.split(data.get("default_hashtags", "")) if tag],
            "utm": {name: data[f"utm_{name}"].strip() for name in UTM_NAMES if data.get(f"utm_{name}", "").strip()},
        }

    def changes(self, stored: dict[str, Any] | None = None) -> dict[str, Any]:
        """`stored`: the account's options; what no field shows (what a sign-in brought) stays."""
        data = self.cleaned_data
        shown = {spec.name for spec in self.adapter.option_fields}
        kept = {name: value for name, value in (stored or {}).items() if name not in shown}
        return {
            "name": data["name"].strip(),
            "timezone": data["timezone"].strip(),
            "min_spacing_seconds": data.get("min_spacing_seconds") or 0,
            "hourly_cap": data.get("hourly_cap"),
            "daily_cap": data.get("daily_cap"),
            "options": {**kept, **self.options()},
            **self.defaults(),
            **({"handle": data["handle"].strip()} if data.get("handle", "").strip() else {}),
        }


def initial_of(row: PlatformAccount) -> dict[str, Any]:
    """The account as its form shows it."""
    return {
        "version": row.version,
        "name": row.name,
        "handle": row.handle,
        "timezone": row.timezone,
        "signature": row.signature,
        "default_hashtags": " ".join(f"#{tag}" for tag in row.default_hashtags),
        "min_spacing_seconds": row.min_spacing_seconds,
        "hourly_cap": row.hourly_cap,
        "daily_cap": row.daily_cap,
        **{f"utm_{name}": row.utm.get(name, "") for name in UTM_NAMES},
        **{f"option-{name}": value for name, value in row.options.items()},
    }


class SignInForm(TellingForm):
    """What must be known before a person is sent to the platform."""

    def __init__(self, data: Any, *, adapter: Any, initial: dict[str, Any]) -> None:
        wanted = [spec for spec in adapter.option_fields if spec.name in adapter.sign_in_fields]
        shown = {f"option-{spec.name}": initial[spec.name] for spec in wanted if spec.name in initial}
        super().__init__(data, initial=shown)
        self.specs = wanted
        for spec in wanted:
            self.fields[f"option-{spec.name}"] = spec_field(spec, required=True)
            self.fields[f"option-{spec.name}"].widget.attrs["id"] = f"id_option-{spec.name}"
        self.names = {spec.name: f"option-{spec.name}" for spec in wanted}

    @property
    def option_fields(self) -> list[forms.BoundField]:
        return [self[f"option-{spec.name}"] for spec in self.specs]

    def options(self) -> dict[str, Any]:
        return {spec.name: self.cleaned_data[f"option-{spec.name}"] for spec in self.specs}


class ChoiceForm(TellingForm):
    """Which places to connect. Boxes are drawn by the page; `despite`: although rights are missing."""

    chosen = forms.TypedMultipleChoiceField(
        coerce=int, required=False, label=gettext_lazy("What to connect"), widget=forms.CheckboxSelectMultiple
    )
    despite = forms.BooleanField(required=False)

    def __init__(self, *args: Any, choices: Sequence[Any], account: PlatformAccount | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["chosen"].choices = [(item.number, item.name) for item in choices]  # type: ignore[attr-defined]
        if account is not None:
            self._first = {item.number for item in choices if item.account and item.account.pk == account.pk}
        else:
            self._first = {choices[0].number} if len(choices) == 1 else set()

    def picked(self) -> set[int]:
        """The boxes that are ticked."""
        if not self.is_bound:
            return self._first
        given = ticked(self, "chosen")
        return {int(item) for item in given if item.isascii() and item.isdecimal()}


class AppForm(TellingForm):
    platform = forms.ChoiceField(label=gettext_lazy("Platform"))
    server = forms.CharField(
        max_length=300,
        required=False,
        label=gettext_lazy("Server"),
        help_text=gettext_lazy("Its address, for platforms that have many servers."),
    )
    client_id = forms.CharField(max_length=400, label=gettext_lazy("Client id"))
    client_secret = forms.CharField(
        max_length=4000,
        required=False,
        label=gettext_lazy("Client secret"),
        help_text=gettext_lazy("Stored encrypted and never shown again. Empty keeps the stored one of this client id."),
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, platforms: Sequence[SignInPlatform], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["platform"].choices = [(item.key, item.label) for item in platforms]  # type: ignore[attr-defined]

    def values(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in ("platform", "server", "client_id", "client_secret")}


class GroupForm(TellingForm):
    """A group's name and accounts. Boxes are drawn by the page."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    accounts = forms.TypedMultipleChoiceField(
        coerce=UUID, required=False, label=gettext_lazy("Accounts"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, accounts: Sequence[PlatformAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["accounts"].choices = [(str(row.public_id), row.name) for row in accounts]  # type: ignore[attr-defined]
        self.fields["accounts"].error_messages["invalid_choice"] = _("Choose accounts of this workspace.")
