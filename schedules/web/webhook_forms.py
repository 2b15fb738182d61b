"""The forms of webhooks: an endpoint, and a span of deliveries to send again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from platforms.models import PlatformAccount
from schedules.web.account_forms import TellingForm
from schedules.web.templatetags.ui import platform_name
from schedules.webhooks import catalogue
from schedules.webhooks.models import WebhookEndpoint
from schedules.webhooks.services import EndpointPlan, Which

STORED = "•••"


class WebhookForm(TellingForm):
    names = {"filters": "accounts"}
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    url = forms.CharField(
        max_length=2000,
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("Where the events are sent to, by POST. It must begin with https://."),
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off", "spellcheck": "false"}),
    )
    description = forms.CharField(
        max_length=200,
        required=False,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("What your team calls it, like “CRM”. Empty: the address's host."),
    )
    event_types = forms.MultipleChoiceField(label=gettext_lazy("Events"))
    accounts = forms.MultipleChoiceField(required=False, label=gettext_lazy("Accounts"))
    platforms = forms.MultipleChoiceField(required=False, label=gettext_lazy("Platforms"))
    campaigns = forms.MultipleChoiceField(required=False, label=gettext_lazy("Campaigns"))
    labels = forms.CharField(
        required=False,
        max_length=5000,
        label=gettext_lazy("Labels"),
        help_text=gettext_lazy("One a line."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    headers = forms.CharField(
        required=False,
        max_length=20_000,
        label=gettext_lazy("Own headers"),
        help_text=gettext_lazy(
            "For a gateway in front of your receiver. One a line, like X-Key: abc. Stored encrypted; "
            "what is stored shows as •••, and stays as it is while you leave that."
        ),
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        accounts: Sequence[PlatformAccount],
        campaigns: Sequence[str],
        row: WebhookEndpoint | None = None,
    ) -> None:
        super().__init__(data, initial=_initial(row) if row else {"event_types": ["job.*"]})
        kept = row.filters if row else {}
        self.groups = catalogue.groups()
        self._choose("event_types", ["*", *(name for group in self.groups for name, _words in group.types)])
        self._choose("event_types", [group.all for group in self.groups], more=True)
        self._choose("event_types", row.event_types if row else (), more=True)
        self.everyone = [(str(one.public_id), one) for one in accounts]
        self._choose("accounts", [*(public_id for public_id, _one in self.everyone), *kept.get("accounts", ())])
        names = sorted({one.platform for one in accounts} | set(kept.get("platforms", ())))
        self.platform_names = [(name, platform_name(name)) for name in names]
        self._choose("platforms", names)
        self.campaign_names = sorted({*campaigns, *kept.get("campaigns", ())})
        self._choose("campaigns", self.campaign_names)

    def _choose(self, name: str, values: Sequence[str], *, more: bool = False) -> None:
        field: Any = self.fields[name]
        field.choices = [*(field.choices if more else ()), *((value, value) for value in values)]

    def ticked(self) -> dict[str, set[str]]:
        """What is ticked now, by field."""
        names = ("event_types", "accounts", "platforms", "campaigns")
        if not self.is_bound:
            return {name: set(self.initial.get(name, ())) for name in names}
        data: Any = self.data
        return {name: set(data.getlist(name)) for name in names}

    @property
    def is_narrowed(self) -> bool:
        """Is a filter set, or one of their fields refused?"""
        ticked = self.ticked()
        names = ("accounts", "platforms", "campaigns")
        return bool(self["labels"].value()) or any(ticked[name] or name in self.errors for name in names)

    def clean_headers(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for line in self.cleaned_data["headers"].splitlines():
            name, colon, value = (part.strip() for part in line.partition(":"))
            if not line.strip():
                continue
            if not colon or not value:
                raise forms.ValidationError(_("Write each header as Name: value, one a line."))
            found[name] = None if value == STORED else value
        return found

    def plan(self) -> EndpointPlan:
        given = self.cleaned_data
        labels = [line.strip() for line in given["labels"].splitlines() if line.strip()]
        filters = {name: given[name] for name in ("accounts", "platforms", "campaigns")} | {"labels": labels}
        return EndpointPlan(
            url=given["url"],
            description=given["description"],
            event_types=given["event_types"],
            filters=filters,
            headers=given["headers"],
        )


def _initial(row: WebhookEndpoint) -> dict[str, Any]:
    names = sorted(row.headers) if row.headers.is_readable() else []
    return {
        "url": row.url,
        "description": row.description,
        "version": row.version,
        "event_types": row.event_types,
        "headers": "\n".join(f"{name}: {STORED}" for name in names),
        **{name: row.filters.get(name, []) for name in ("accounts", "platforms", "campaigns")},
        "labels": "\n".join(row.filters.get("labels", [])),
    }


def _moment(label: Any) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )


class ReplayForm(TellingForm):
    """Times are on the wall clock of whoever fills it in."""

    since = _moment(gettext_lazy("From"))
    until = _moment(gettext_lazy("Until"))
    which = forms.ChoiceField(
        label=gettext_lazy("What"),
        choices=[
            ("failed", gettext_lazy("What never arrived")),
            ("all", gettext_lazy("Everything, also what arrived")),
        ],
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "since" in given and "until" in given and given["until"] <= given["since"]:
            self.add_error("until", _("It must be later than the beginning."))
        return given

    @property
    def chosen(self) -> Which:
        return "all" if self.cleaned_data["which"] == "all" else "failed"
