"""What the list of schedules is narrowed by, in which order it stands, which columns it has: read from the address and from what
the person has arranged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alwrity_scheduler.workspaces.models import User, Workspace
from platforms.models import PlatformAccount
from schedules.domain.states import ScheduleState
from schedules.filters import ScheduleFilter
from schedules.models import Campaign, Schedule
from schedules.reads import listing
from schedules.reads.listing import ListedSchedule
from schedules.web import locale
from schedules.web.templatetags.ui import SCHEDULE_SIGNS, platform_name
from schedules.web.words import TYPES

PER_PAGE = 50
MOST_COUNTED = 10_000
MOST_NAMED = 200  # campaigns that are offered while typing
DENSITIES = ("comfortable", "compact")


# ---- what it is narrowed by


class ListFilter(forms.Form):
    """The filters as they stand in the address. What is impossible counts as not given."""

    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Search"))
    state = forms.ChoiceField(required=False, label=gettext_lazy("Status"))
    account = forms.ChoiceField(required=False, label=gettext_lazy("Account"))
    platform = forms.ChoiceField(required=False, label=gettext_lazy("Platform"))
    content_type = forms.ChoiceField(required=False, label=gettext_lazy("Type"))
    kind = forms.ChoiceField(required=False, label=gettext_lazy("Repeats"))
    campaign = forms.CharField(required=False, max_length=120, label=gettext_lazy("Campaign"))
    owner = forms.ChoiceField(required=False, label=gettext_lazy("Owner"))
    label = forms.CharField(required=False, max_length=120, label=gettext_lazy("Label"))
    tag = forms.CharField(required=False, max_length=120, label=gettext_lazy("Tag"))
    since = forms.DateField(required=False, label=gettext_lazy("Runs from"), input_formats=["%Y-%m-%d"])
    until = forms.DateField(required=False, label=gettext_lazy("Runs up to"), input_formats=["%Y-%m-%d"])
    needs_you = forms.BooleanField(required=False, label=gettext_lazy("Needs you"))

    def __init__(self, data: QueryDict, *, accounts: Sequence[PlatformAccount], owners: Sequence[User]) -> None:
        super().__init__(data)
        states = [(state.value, str(SCHEDULE_SIGNS[state][2])) for state in ScheduleState]
        several = data.get("state", "")
        if "," in several and set(several.split(",")) <= {value for value, _word in states}:
            words = dict(states)
            states.append((several, ", ".join(words[value] for value in several.split(","))))
        self._choose("state", _("All but archived"), [*states, ("any", _("Archived ones too"))])
        self._choose("account", _("All accounts"), [(str(row.public_id), row.name) for row in accounts])
        platforms = sorted({row.platform for row in accounts})
        self._choose("platform", _("All platforms"), [(name, platform_name(name)) for name in platforms])
        self._choose("content_type", _("All types"), [(value, str(word)) for value, word in TYPES.items()])
        self._choose("kind", _("Once and repeating"), [("once", _("Once")), ("recurring", _("Repeating"))])
        self._choose("owner", _("Everybody"), [(row.username, row.get_full_name() or row.username) for row in owners])
        self.full_clean()

    def _choose(self, name: str, nothing: str, choices: Sequence[tuple[str, str]]) -> None:
        self.fields[name].choices = [("", nothing), *choices]  # type: ignore[attr-defined]

    def wanted(self) -> dict[str, Any]:
        """The filters that are set, by name."""
        return {name: value for name in self.fields if (value := self.cleaned_data.get(name))}

    def values(self) -> dict[str, Any]:
        """The same as `ScheduleFilter` takes them: days as instants of the active zone, the last one included."""
        values = self.wanted()
        if values.get("state") == "any":
            del values["state"]
        if since := values.pop("since", None):
            values["runs_since"] = _midnight(since).isoformat()
        if until := values.pop("until", None):
            values["runs_until"] = _midnight(until + timedelta(days=1)).isoformat()
        return values


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A filter that is set, in words, and the address without it."""

    words: str
    address: str


def chips(form: ListFilter, query: QueryDict) -> list[Chip]:
    found = []
    for name, value in form.wanted().items():
        field: Any = form.fields[name]
        if name == "needs_you":
            words = str(field.label)
        else:
            shown = dict(getattr(field, "choices", ())).get(value, value)
            shown = locale.day(value) if name in ("since", "until") else shown
            words = _("%(name)s: %(value)s") % {"name": field.label, "value": shown}
        found.append(Chip(words=words, address=address(query, **{name: None, "page": None})))
    return found


def address(query: QueryDict, **changes: Any) -> str:
    """The list's address with that query, changed; None takes a name out."""
    new = query.copy()
    for name, value in changes.items():
        if value is None:
            new.pop(name, None)
        else:
            new[name] = value
    return reverse("web:schedules") + (f"?{new.urlencode()}" if new else "")


# ---- what was found


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The list as an address asks for it."""

    query: QueryDict
    form: ListFilter
    sort: str
    descending: bool

    @property
    def filtered(self) -> bool:
        return bool(self.form.wanted())

    @property
    def choices(self) -> list[Any]:
        """The filters that are lists to choose from and stand among the further ones."""
        return [self.form[name] for name in ("platform", "content_type", "kind", "owner")]

    def of(self, request: HttpRequest, rows: QuerySet[Schedule]) -> QuerySet[Schedule]:
        """Of the workspace's schedules those that match, in no order."""
        values = self.form.values()
        if not self.form.wanted().get("state"):
            rows = unarchived(rows)
        found: QuerySet[Schedule] = ScheduleFilter(values, queryset=rows, request=request).qs
        return found

    def ordered(self, rows: QuerySet[Schedule]) -> QuerySet[Schedule]:
        return listing.ordered(rows, self.sort, descending=self.descending)


def unarchived(rows: QuerySet[Schedule]) -> QuerySet[Schedule]:
    return rows.exclude(state="archived")


def read(query: QueryDict, workspace: Workspace) -> Wish:
    accounts = PlatformAccount.objects.within(workspace).exclude(state="disconnected")
    owners = User.objects.filter(memberships__workspace=workspace).order_by("username")
    named = query.get("sort", "-created")
    sort = named.removeprefix("-")
    known = sort in listing.ORDERS
    return Wish(
        query=query,
        form=ListFilter(query, accounts=list(accounts.order_by("platform", "name", "id")), owners=list(owners)),
        sort=sort if known else "created",
        descending=named.startswith("-") if known else True,
    )


def campaigns(workspace: Workspace) -> list[str]:
    return list(
        Campaign.objects.filter(workspace=workspace).order_by("name").values_list("name", flat=True)[:MOST_NAMED]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of what was found. `count` goes up to MOST_COUNTED; `counted` says whether it is exact."""

    rows: list[ListedSchedule]
    number: int
    count: int
    counted: bool
    has_next: bool

    @property
    def first(self) -> int:
        return (self.number - 1) * PER_PAGE + 1

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1

    @property
    def first_words(self) -> str:
        return locale.number(self.first)

    @property
    def last_words(self) -> str:
        return locale.number(self.last)

    @property
    def count_words(self) -> str:
        return locale.number(self.count) + ("" if self.counted else "+")


def page_of(found: QuerySet[Schedule], wish: Wish, *, now: datetime) -> Page:
    number = _number(wish.query.get("page", ""))
    count = found.order_by()[: MOST_COUNTED + 1].count()
    start = (number - 1) * PER_PAGE
    ids = list(wish.ordered(found).values_list("pk", flat=True)[start : start + PER_PAGE + 1])
    rows = listing.listed(ids[:PER_PAGE], now=now)
    if wish.sort == "next":
        rows = _by_time(rows, descending=wish.descending)
    return Page(
        rows=rows,
        number=number,
        count=min(count, MOST_COUNTED),
        counted=count <= MOST_COUNTED,
        has_next=len(ids) > PER_PAGE,
    )


def _by_time(rows: list[ListedSchedule], *, descending: bool) -> list[ListedSchedule]:
    timed = [(row.next_at, place, row) for place, row in enumerate(rows) if row.next_at]
    timed.sort(reverse=descending)
    return [*(row for _at, _place, row in timed), *(row for row in rows if not row.next_at)]


def _number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 7 else 1


# ---- how it is shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`sort`: a name of ORDERS; `by_default`: shown to a person who has chosen nothing."""

    name: str
    label: Any
    sort: str = ""
    by_default: bool = True
    fixed: bool = False


COLUMNS = (
    Column(name="status", label=gettext_lazy("Status"), sort="status"),
    Column(name="next", label=gettext_lazy("Next run"), sort="next"),
    Column(name="title", label=gettext_lazy("Post"), sort="title", fixed=True),
    Column(name="accounts", label=gettext_lazy("Accounts")),
    Column(name="type", label=gettext_lazy("Type"), sort="type", by_default=False),
    Column(name="campaign", label=gettext_lazy("Campaign"), sort="campaign"),
    Column(name="labels", label=gettext_lazy("Labels and tags"), by_default=False),
    Column(name="owner", label=gettext_lazy("Owner"), sort="owner"),
    Column(name="priority", label=gettext_lazy("Priority"), sort="priority", by_default=False),
    Column(name="last", label=gettext_lazy("Last result")),
    Column(name="created", label=gettext_lazy("Created"), sort="created", by_default=False),
)
SHOWN_BY_DEFAULT = tuple(column.name for column in COLUMNS if column.by_default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A column of the table. direction: as in `aria-sort`. address: the list in this order, or in its reverse if it stands so."""

    name: str
    label: str
    address: str
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """The columns that a person wants to see, and how close the rows stand."""

    columns: frozenset[str]
    density: str

    @property
    def wide(self) -> bool:
        """Too many columns to fit beside each other."""
        return len(self.columns) > len(SHOWN_BY_DEFAULT) + 1


def arrangement(person: User) -> Arrangement:
    stored: Mapping[str, Any] = person.layout.get("list", {}) if isinstance(person.layout, dict) else {}
    chosen = stored.get("columns")
    names = set(chosen) if isinstance(chosen, list) else set(SHOWN_BY_DEFAULT)
    density = stored.get("density") or person.density
    return Arrangement(
        columns=frozenset(column.name for column in COLUMNS if column.fixed or column.name in names),
        density=density if density in DENSITIES else DENSITIES[0],
    )


def heads(wish: Wish, arranged: Arrangement) -> list[Head]:
    return [_head(column, wish) for column in COLUMNS if column.name in arranged.columns]


def _head(column: Column, wish: Wish) -> Head:
    label = str(column.label)
    if not column.sort:
        return Head(name=column.name, label=label, address="", direction="")
    current = wish.sort == column.sort
    downwards = not wish.descending if current else column.sort == "created"
    to = address(wish.query, sort=("-" if downwards else "") + column.sort, page=None)
    direction = ("descending" if wish.descending else "ascending") if current else ""
    return Head(name=column.name, label=label, address=to, direction=direction)
