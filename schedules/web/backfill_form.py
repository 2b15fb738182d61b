"""The form of a backfill: a window on the schedule's wall clock, and how far apart its posts go out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from schedules.domain import localtime
from schedules.services.backfill import LONGEST_GAP
from schedules.web.forms import RefusableForm


def _date(label: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


def _time(label: Any) -> forms.TimeField:
    return forms.TimeField(label=label, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))


class BackfillForm(RefusableForm):
    names: Mapping[str, str] = {"start": "start_date", "end": "end_date", "gap_seconds": "gap_minutes"}

    start_date = _date(gettext_lazy("From, date"))
    start_time = _time(gettext_lazy("From, time"))
    end_date = _date(gettext_lazy("Until, date"))
    end_time = _time(gettext_lazy("Until, time"))
    gap_minutes = forms.FloatField(
        label=gettext_lazy("Minutes between two posts"),
        min_value=0,
        max_value=LONGEST_GAP / 60,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )
    expected = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def window(self, zone: str) -> dict[str, Any]:
        """`start`, `end` (aware UTC) and `gap_seconds`, as the service wants them. Of a valid form."""
        data = self.cleaned_data
        return {
            "start": localtime.local_time(datetime.combine(data["start_date"], data["start_time"]), zone).at,
            "end": localtime.local_time(datetime.combine(data["end_date"], data["end_time"]), zone).at,
            "gap_seconds": round(data["gap_minutes"] * 60),
        }

    def problems(self) -> list[tuple[str, str, str]]:
        """(field, its label, words) of everything that is wrong, for the list above the form."""
        return [
            (name if name in self.fields else "", str(self[name].label) if name in self.fields else "", str(words))
            for name, errors in self.errors.items()
            for words in errors
        ]
