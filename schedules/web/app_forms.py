"""The forms of apps that act for people: what is entered to register one, and what can be changed of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from schedules.web.account_forms import TellingForm


class AppForm(TellingForm):
    """Addresses stand one a line."""

    name = forms.CharField(max_length=80, label=_("Name"), help_text=_("People read it when they are asked."))
    website = forms.CharField(
        required=False,
        max_length=300,
        label=_("Website"),
        widget=forms.URLInput(attrs={"placeholder": "https://example.com"}),
    )
    redirect_uris = forms.CharField(
        max_length=6000,
        label=_("Where people are led back to"),
        help_text=_("One address a line: https://…, or http://127.0.0.1/… for a program on the person's own machine."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "off"}),
    )

    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "name": data["name"],
            "website": data["website"],
            "redirect_uris": data["redirect_uris"].split(),
        }


class NewAppForm(AppForm):
    kind = forms.ChoiceField(
        label=_("Where it runs"),
        initial="confidential",
        choices=[
            ("confidential", _("On a server: it can keep a secret")),
            ("public", _("In a browser, on a phone or a desk: it has no secret")),
        ],
    )


class ChangeAppForm(AppForm):
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
