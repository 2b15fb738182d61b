"""The forms of the practice network's pages."""

from __future__ import annotations

from django import forms

from platforms.adapters.sandbox.faults import LONGEST_SECONDS, MODES


class CommentForm(forms.Form):
    text = forms.CharField(label="Comment", max_length=1000, widget=forms.TextInput(attrs={"autocomplete": "off"}))


class FaultForm(forms.Form):
    """Carries the version of the account that the person looked at."""

    fault_mode = forms.ChoiceField(label="Fault", choices=MODES)
    fault_rate = forms.FloatField(label="How often (0 to 1)", min_value=0, max_value=1, initial=1)
    fault_seconds = forms.FloatField(label="Seconds", min_value=0, max_value=LONGEST_SECONDS, initial=5)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def options(self) -> dict[str, object]:
        return {name: self.cleaned_data[name] for name in ("fault_mode", "fault_rate", "fault_seconds")}
