"""What the job monitor can be narrowed by, as its address says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from platforms.errors import ERROR_CLASSES
from platforms.models import PlatformAccount
from schedules.domain import localtime
from schedules.domain.recovery import MONITOR_VERBS, Verb
from schedules.filters import JobFilter
from schedules.models import Job
from schedules.querysets.jobs import JobQuerySet
from schedules.reads.executions import Source
from schedules.services.recovery import MOST_AT_ONCE, slot
from schedules.web import locale
from schedules.web.forms import RefusableForm, ReslotForm
from schedules.web.templatetags.ui import platform_name
from schedules.web.words import TYPES

ERROR_WORDS = {
    "rejected": gettext_lazy("Refused by the platform"),
    "auth": gettext_lazy("Sign-in not accepted"),
    "rate_limited": gettext_lazy("Too many calls"),
    "unavailable": gettext_lazy("Platform not reachable"),
    "unknown": gettext_lazy("No clear answer"),
}
OWN = "own"
RANGES = {
    "today": gettext_lazy("Today"),
    "24h": gettext_lazy("Last 24 hours"),
    "7d": gettext_lazy("Last 7 days"),
    "30d": gettext_lazy("Last 30 days"),
    "next24h": gettext_lazy("Next 24 hours"),
    "next7d": gettext_lazy("Next 7 days"),
    OWN: gettext_lazy("From … to …"),
}
_SPANS = {"24h": timedelta(hours=-24), "7d": timedelta(days=-7), "30d": timedelta(days=-30),
          "next24h": timedelta(hours=24), "next7d": timedelta(days=7)}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A filter that is in use, in words, and the names in the address that it takes away when it is removed."""

    label: str
    names: tuple[str, ...]


class MonitorFilter(forms.Form):
    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Search"))
    account = forms.ChoiceField(required=False, label=gettext_lazy("Account"))
    range = forms.ChoiceField(required=False, label=gettext_lazy("Due"))
    since = forms.DateField(required=False, label=gettext_lazy("From"))
    until = forms.DateField(required=False, label=gettext_lazy("To"))
    platform = forms.ChoiceField(required=False, label=gettext_lazy("Platform"))
    content_type = forms.ChoiceField(required=False, label=gettext_lazy("Kind of post"))
    error_class = forms.ChoiceField(required=False, label=gettext_lazy("Kind of error"))  # type: ignore[assignment]

    def __init__(self, data: Any, *, accounts: Sequence[PlatformAccount]) -> None:
        super().__init__(data)
        platforms = sorted({account.platform for account in accounts}, key=platform_name)
        self._choose("account", _("All accounts"), ((str(item.public_id), item.name) for item in accounts))
        self._choose("range", _("At any time"), RANGES.items())
        self._choose("platform", _("All platforms"), ((name, platform_name(name)) for name in platforms))
        self._choose("content_type", _("All kinds"), TYPES.items())
        self._choose("error_class", _("All errors"), ((name, ERROR_WORDS[name]) for name in ERROR_CLASSES))
        self.full_clean()

    def _choose(self, name: str, all_of_them: str, choices: Any) -> None:
        self.fields[name].choices = [("", all_of_them), *choices]  # type: ignore[attr-defined]

    def value(self, name: str) -> Any:
        """What is asked for; an impossible wish counts as none."""
        return self.cleaned_data.get(name) or ""

    @property
    def has_more(self) -> bool:
        """Is one of the filters in use that stand behind "More filters"?"""
        return any(self.value(name) for name in ("platform", "content_type", "error_class"))

    def span(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """The half-open span of due times, aware UTC; own days are whole days of the reader's zone."""
        wanted = self.value("range")
        if wanted == "today":
            today = timezone.localdate(now)
            return _midnight(today), _midnight(today + timedelta(days=1))
        if wanted == OWN:
            since, until = self.value("since"), self.value("until")
            return _midnight(since) if since else None, _midnight(until + timedelta(days=1)) if until else None
        if size := _SPANS.get(wanted):
            return (now + size, now) if size < timedelta(0) else (now, now + size)
        return None, None

    def of(self, jobs: JobQuerySet[Job], now: datetime) -> Source:
        wanted = {name: self.value(name) for name in ("q", "account", "platform", "content_type", "error_class")}
        found: JobQuerySet[Job] = JobFilter({name: value for name, value in wanted.items() if value}, jobs).qs
        return Source(found, *self.span(now))

    def chips(self) -> list[Chip]:
        found = []
        if words := self.value("q"):
            found.append(Chip(label=f"“{words}”", names=("q",)))
        for name in ("account", "platform", "content_type", "error_class"):
            if value := self.value(name):
                label = dict(self.fields[name].choices)[value]  # type: ignore[attr-defined]
                found.append(Chip(label=str(label), names=(name,)))
        if wanted := self._range_words():
            found.append(Chip(label=wanted, names=("range", "since", "until")))
        return found

    def _range_words(self) -> str:
        wanted, since, until = self.value("range"), self.value("since"), self.value("until")
        if wanted != OWN:
            return str(RANGES[wanted]) if wanted else ""
        dates = {"since": _day(since), "until": _day(until)}
        if since and until:
            return _("%(since)s to %(until)s") % dates
        if since:
            return _("From %(since)s on") % dates
        return _("Up to %(until)s") % dates if until else ""


def _day(value: Any) -> str:
    return locale.day(value) if value else ""


def _midnight(day: date) -> datetime:
    return localtime.local_time(datetime.combine(day, time()), timezone.get_current_timezone_name(), 0).at


class ManyForm(RefusableForm):
    """One verb for the ticked jobs, or for all that match."""

    verb = forms.ChoiceField(choices=[(verb.value, verb.value) for verb in MONITOR_VERBS])
    job = forms.TypedMultipleChoiceField(required=False, coerce=UUID)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        named = data.getlist("job")[:MOST_AT_ONCE]
        # the ids name what a queryset then looks up among the person's own; a word that is no id names nothing
        self.fields["job"].choices = [(item, item) for item in named]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("job") and not self.data.get("all"):
            raise forms.ValidationError(_("Tick the jobs first."))
        return given

    @property
    def wanted(self) -> Verb:
        return Verb(self.cleaned_data["verb"])


class NewTimeForm(ReslotForm):
    """A new time for one job, on the wall clock of its schedule's zone."""

    version = forms.IntegerField(required=False)  # the schedule's, as the page had it

    def instant(self, zone: str, now: datetime) -> datetime:
        return slot(to_local=self.cleaned_data["at"], timezone=zone, now=now)
