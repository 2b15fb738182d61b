"""The forms of a person's settings and of the workspace's, one a section. Each saves only what it shows."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alwrity_scheduler.workspaces.models import User, Workspace
from schedules.web import locale
from schedules.web.forms import RefusableForm


def _zone_field(label: Any) -> forms.CharField:
    return forms.CharField(
        max_length=64,
        label=label,
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off", "spellcheck": "false"}),
    )


def _zone(value: str) -> str:
    name = value.strip()
    if name not in zoneinfo.available_timezones():
        raise forms.ValidationError(
            _("There is no time zone of this name. Choose one from the list, like Europe/Berlin.")
        )
    return name


class PersonSection(RefusableForm):
    """A form over fields of `User`: `values()` goes to `update_person` as it is."""

    def __init__(self, data: Any, *, person: User) -> None:
        super().__init__(data, initial={name: getattr(person, name) for name in self.base_fields})

    def values(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class YouForm(PersonSection):
    first_name = forms.CharField(required=False, max_length=150, label=gettext_lazy("First name"))
    last_name = forms.CharField(required=False, max_length=150, label=gettext_lazy("Last name"))


class LanguageForm(PersonSection):
    language = forms.ChoiceField(required=False, label=gettext_lazy("Language"))
    timezone = _zone_field(gettext_lazy("Time zone"))
    week_start = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, label=gettext_lazy("The week begins on")
    )
    hour_cycle = forms.ChoiceField(required=False, label=gettext_lazy("Times are written"))

    def __init__(self, data: Any, *, person: User) -> None:
        super().__init__(data, person=person)
        default = dict(locale.weekdays())[locale.FIRST_WEEKDAY.get(locale.language(), locale.MONDAY)]
        self._choose("language", [("", _("As the browser asks for")), *settings.LANGUAGES])
        self._choose(
            "week_start",
            [("", _("As usual in the language (%(day)s)") % {"day": default}), *sorted(locale.weekdays())],
        )
        self._choose(
            "hour_cycle",
            [("", _("As usual in the language")), ("h23", _("24 hours: 21:00")), ("h12", _("12 hours: 9:00 PM"))],
        )

    def _choose(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean_timezone(self) -> str:
        return _zone(self.cleaned_data["timezone"])


THEMES = (
    ("auto", gettext_lazy("As the device")),
    ("light", gettext_lazy("Light")),
    ("dark", gettext_lazy("Dark")),
)
DENSITIES = (("comfortable", gettext_lazy("Comfortable")), ("compact", gettext_lazy("Compact")))


class LookForm(PersonSection):
    theme = forms.ChoiceField(choices=THEMES, label=gettext_lazy("Colours"), widget=forms.RadioSelect)
    density = forms.ChoiceField(choices=DENSITIES, label=gettext_lazy("Rows of lists"), widget=forms.RadioSelect)


class KeysForm(PersonSection):
    single_keys = forms.BooleanField(required=False, label=gettext_lazy("Single letters act"))


class WorkspaceForm(RefusableForm):
    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    timezone = _zone_field(gettext_lazy("Time zone of new posts"))

    def __init__(self, data: Any, *, workspace: Workspace) -> None:
        super().__init__(data, initial={"name": workspace.name, "timezone": workspace.timezone})

    def clean_timezone(self) -> str:
        return _zone(self.cleaned_data["timezone"])
