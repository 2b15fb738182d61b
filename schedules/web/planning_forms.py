"""The form of a milestone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from schedules.models import Campaign
from schedules.web.forms import RefusableForm


class MilestoneForm(RefusableForm):
    """`campaigns`: those to choose from, by public id."""

    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    due_on = forms.DateField(
        label=gettext_lazy("Due on"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    campaign = forms.ChoiceField(required=False, label=gettext_lazy("Campaign"))

    def __init__(self, *args: Any, campaigns: Sequence[Campaign], **options: Any) -> None:
        super().__init__(*args, **options)
        self.campaigns = {str(row.public_id): row for row in campaigns}
        names = [("", gettext_lazy("The whole workspace")), *((key, row.name) for key, row in self.campaigns.items())]
        self.fields["campaign"].choices = names  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """As the service takes them."""
        given = self.cleaned_data
        return {
            "name": given["name"],
            "due_on": given["due_on"],
            "campaign": self.campaigns.get(given["campaign"]),
        }
