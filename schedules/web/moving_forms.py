"""What a move is asked with: by a drop, by the dialog, by a plain form."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from schedules.services.moving import SCOPES
from schedules.web.forms import RefusableForm


class WallClock(forms.Field):
    """A naive wall-clock time, written 2026-12-11T09:00: the zone is the person's, and the service's business."""

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            return datetime.fromisoformat(str(value).strip()).replace(tzinfo=None, microsecond=0)
        except ValueError as error:
            raise forms.ValidationError(_("Write the time as year-month-dayThours:minutes.")) from error

    def validate(self, value: Any) -> None:
        if self.required and value is None:
            raise forms.ValidationError(_("Choose a time."))


class MoveEventForm(RefusableForm):
    """at: where to. fold: 1 is the second of two equal times. was: where the page shows the post. view, anchor, q: what the page
    shows, so that the answer can hold the parts that change."""

    at = WallClock(label=gettext_lazy("New time"))
    fold = forms.BooleanField(required=False)
    version = forms.IntegerField(min_value=0)
    scope = forms.ChoiceField(required=False, choices=[("", ""), *((scope, scope) for scope in SCOPES)])
    was = WallClock(required=False)
    view = forms.CharField(required=False, max_length=16)
    anchor = forms.DateField(required=False)
    q = forms.CharField(required=False, max_length=4000)
    back = forms.BooleanField(required=False)

    def to_local(self) -> datetime:
        at: datetime = self.cleaned_data["at"]
        return at.replace(fold=int(self.cleaned_data["fold"]))
