"""The job monitor's frame: its tabs, and what an address of it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from platforms.models import PlatformAccount
from schedules.domain.recovery import Verb
from schedules.models import Job, SavedView
from schedules.reads import executions
from schedules.reads.executions import Count, Listing, Source
from schedules.web import locale
from schedules.web.gate import Visit
from schedules.web.job_forms import Chip, MonitorFilter


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    title: str | Promise
    states: tuple[str, ...]
    soonest: bool = False
    bad: bool = False
    verbs: tuple[Verb, ...] = ()


TABS = (
    Tab("failed", gettext_lazy("Failed"), ("failed",), bad=True, verbs=(Verb.RETRY, Verb.CANCEL)),
    Tab(
        "attention",
        gettext_lazy("Needs you"),
        ("unconfirmed", "missed", "blocked"),
        bad=True,
        verbs=(Verb.RETRY, Verb.CANCEL),
    ),
    Tab("running", gettext_lazy("Running"), ("running", "processing"), verbs=(Verb.CANCEL,)),
    Tab("pending", gettext_lazy("Pending"), ("pending",), soonest=True, verbs=(Verb.CANCEL,)),
    Tab("done", gettext_lazy("Done"), ("completed", "cancelled", "superseded")),
)


def count_words(count: Count) -> str:
    """`1,240`, or `10,000+` where counting stopped."""
    return locale.number(count.number) + ("+" if count.more else "")


@dataclass(frozen=True, slots=True)
class ShownTab:
    tab: Tab
    count: Count

    @property
    def words(self) -> str:
        return count_words(self.count)


class Wish:
    """What of the monitor is looked at: the query of its address, and what that means now."""

    def __init__(self, visit: Visit, query: QueryDict) -> None:
        self.visit, self.query = visit, query
        self.form = MonitorFilter(query, accounts=self.accounts)

    @cached_property
    def accounts(self) -> list[PlatformAccount]:
        rows = PlatformAccount.objects.within(self.visit.workspace)
        return list(rows.order_by("platform", "name", "id"))

    @cached_property
    def source(self) -> Source:
        return self.form.of(Job.objects.within(self.visit.workspace), self.visit.now)

    @cached_property
    def tabs(self) -> list[ShownTab]:
        groups = {tab.name: tab.states for tab in TABS}
        numbers = executions.counts(self.source, groups, workspace=self.visit.workspace)
        return [ShownTab(tab, numbers[tab.name]) for tab in TABS]

    @cached_property
    def shown(self) -> ShownTab:
        """The tab that is open: the one asked for, else the first that is not empty."""
        asked = next((item for item in self.tabs if item.tab.name == self.query.get("tab")), None)
        return asked or next((item for item in self.tabs if item.count), self.tabs[3])

    @property
    def states(self) -> tuple[str, ...]:
        """The states listed: the tab's, or the one of them that is picked."""
        picked = self.query.get("state", "")
        return (picked,) if picked in self.shown.tab.states else self.shown.tab.states

    @cached_property
    def count(self) -> Count:
        if self.states == self.shown.tab.states:
            return self.shown.count
        groups = {"picked": self.states}
        return executions.counts(self.source, groups, workspace=self.visit.workspace)["picked"]

    @property
    def listing(self) -> Listing:
        tab = self.shown.tab
        return Listing(self.source, self.states, self.count.number, soonest=tab.soonest)

    @property
    def matching(self) -> Any:
        """All jobs of the list, for a batch."""
        return self.source.jobs.filter(state__in=self.states)

    def address(self, name: str = "web:jobs") -> str:
        return reverse(name) + (f"?{self.query.urlencode()}" if self.query else "")

    def without(self, *names: str) -> str:
        """The query without these names and without the page, with its question mark."""
        rest = self.query.copy()
        for name in (*names, "page"):
            rest.pop(name, None)
        return f"?{rest.urlencode()}"


def frame(wish: Wish, view: str) -> dict[str, Any]:
    """What the three views of the monitor share: filters, chips, saved views."""
    chips: list[tuple[Chip, str]] = [(chip, wish.without(*chip.names)) for chip in wish.form.chips()]
    names = [name for chip, _query in chips for name in chip.names]
    return {
        "title": _("Jobs"),
        "view": view,
        "wish": wish,
        "form": wish.form,
        "chips": chips,
        "cleared": wish.without(*names, "state"),
        "filtered": bool(chips) or "state" in wish.query,
        "now": wish.visit.now,
        **_saved(wish),
    }


def _saved(wish: Wish) -> dict[str, Any]:
    """The saved views of this page, and the query that another one would keep."""
    visit = wish.visit
    rows = SavedView.objects.of(visit.person, visit.workspace, "jobs").order_by("name", "id")
    return {"views": rows, "kept_query": wish.without()[1:]}
