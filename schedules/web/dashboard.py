"""The dashboard's cards: which there are, what each shows, and how a person has arranged them.

Packages above or beside this one add cards from their wiring: `cards.register("name", Card(…))`. A card's template gets
`sheet`, the request's `Sheet`, and whatever else the page's context holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from alwrity_scheduler.core.registry import Registry
from platforms.models import PlatformAccount
from schedules.reads import board
from schedules.web import first_steps
from schedules.web.context import Shell
from schedules.web.gate import Visit

PAGE = "today"
Column = Literal["full", "main", "side"]
COLUMNS: tuple[Column, ...] = ("full", "main", "side")
QUEUE_LATE_AFTER = timedelta(seconds=60)


class Sheet:
    """What the cards of one request show. Each part is read once, and only when a card that is shown asks for it."""

    def __init__(self, visit: Visit, shell: Shell) -> None:
        self.visit = visit
        self.shell = shell
        self.now = visit.now
        self.zone = timezone.get_current_timezone_name()

    @cached_property
    def figures(self) -> board.Figures:
        day_start = timezone.localtime(self.now).replace(hour=0, minute=0, second=0, microsecond=0)
        return board.figures(self.visit.workspace, now=self.now, day_start=day_start)

    @property
    def success_percent(self) -> int | None:
        rate = self.figures.success_rate
        return None if rate is None else percent(rate)

    @property
    def links(self) -> dict[str, str]:
        """The lists behind the figures."""
        jobs = reverse("web:jobs")
        return {
            "due": f"{jobs}?tab=pending&range=next24h",
            "done": f"{jobs}?tab=done&range=today",
            "rate": f"{jobs}?tab=failed&range=7d",
        }

    @cached_property
    def accounts(self) -> list[PlatformAccount]:
        return board.accounts(self.visit.workspace)

    @cached_property
    def needs(self) -> board.Needs:
        return board.needs(
            self.visit.workspace,
            self.visit.person,
            self.accounts,
            reviews_waiting=self.shell.reviews_waiting,
            now=self.now,
        )

    @cached_property
    def coming(self) -> list[board.Coming]:
        return board.coming(self.visit.workspace)

    @cached_property
    def published(self) -> list[Any]:
        return board.published(self.visit.workspace)

    @cached_property
    def load(self) -> Load:
        return Load.of(board.load(self.visit.workspace, zone=self.zone, now=self.now))

    @cached_property
    def guide(self) -> first_steps.Guide:
        return first_steps.guide_of(self.shell)

    @cached_property
    def systems(self) -> list[System]:
        return systems(self)

    @cached_property
    def actions(self) -> list[QuickAction]:
        return quick_actions(self.shell)


def percent(share: float) -> int:
    """Rounded, but 100 only for all and 0 only for none."""
    return min(max(round(share * 100), int(share > 0)), 99) if 0 < share < 1 else round(share * 100)


# ---- cards


def everyone(sheet: Sheet) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """about: one sentence for the list of cards. column: full is above both columns. shown: has it anything to say to this person?

    A card that is not shown keeps its place and can be moved and hidden all the same.
    """

    title: str | Promise
    about: str | Promise
    template: str
    column: Column = "main"
    shown: Callable[[Sheet], bool] = everyone


cards: Registry[Card] = Registry("dashboard card")
cards.register(
    "needs",
    Card(
        title=gettext_lazy("Needs you"),
        about=gettext_lazy("Posts, accounts and requests for approval that wait for a person."),
        template="schedules/today/_needs.html",
        column="full",
    ),
)
cards.register(
    "first_steps",
    Card(
        title=gettext_lazy("First steps"),
        about=gettext_lazy("From the first account to the first post; goes when you have taken them."),
        template="schedules/today/_first_steps.html",
        column="full",
        shown=lambda sheet: sheet.guide.shown,
    ),
)
cards.register(
    "figures",
    Card(
        title=gettext_lazy("Figures"),
        about=gettext_lazy("Active schedules, jobs due, posts published today, success rate."),
        template="schedules/today/_figures.html",
        column="full",
    ),
)
cards.register(
    "coming",
    Card(
        title=gettext_lazy("Next"),
        about=gettext_lazy("The next ten posts with what they say, where and when they go."),
        template="schedules/today/_coming.html",
    ),
)
cards.register(
    "load",
    Card(
        title=gettext_lazy("The next 14 days"),
        about=gettext_lazy("How many posts stand on each day."),
        template="schedules/today/_load.html",
    ),
)
cards.register(
    "actions",
    Card(
        title=gettext_lazy("Quick actions"),
        about=gettext_lazy("What you do most, one click away."),
        template="schedules/today/_actions.html",
        column="side",
    ),
)
cards.register(
    "systems",
    Card(
        title=gettext_lazy("Systems"),
        about=gettext_lazy("Scheduler, queue, database, platforms and accounts."),
        template="schedules/today/_systems.html",
        column="side",
    ),
)
cards.register(
    "published",
    Card(
        title=gettext_lazy("Just published"),
        about=gettext_lazy("The last ten posts that went out."),
        template="schedules/today/_published.html",
        column="side",
    ),
)


# ---- how a person has arranged them


@dataclass(frozen=True, slots=True)
class Placed:
    """A card in its place: `place` of `places` in its column, counted from 1."""

    name: str
    card: Card
    place: int
    places: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """order: every card by name; hidden: those that this person does not want to see."""

    order: tuple[str, ...]
    hidden: frozenset[str]

    @classmethod
    def of(cls, stored: object) -> Arrangement:
        """From what was stored, whatever it is: unknown names are passed over, new cards come at the end of their column."""
        values = stored if isinstance(stored, Mapping) else {}
        order = _known(values.get("order"))
        return cls(
            order=(*order, *(name for name in cards if name not in order)),
            hidden=frozenset(_known(values.get("hidden"))),
        )

    def as_json(self) -> dict[str, list[str]]:
        return {"order": list(self.order), "hidden": [name for name in self.order if name in self.hidden]}

    def column(self, column: Column) -> list[Placed]:
        names = self._visible(column)
        return [Placed(name, cards[name], number, len(names)) for number, name in enumerate(names, start=1)]

    @property
    def hidden_cards(self) -> list[Placed]:
        return [Placed(name, cards[name], 0, 0) for name in self.order if name in self.hidden]

    @property
    def is_own(self) -> bool:
        return self != Arrangement.of({})

    def hide(self, name: str) -> Arrangement:
        return Arrangement(order=self.order, hidden=self.hidden | {name})

    def show(self, name: str) -> Arrangement:
        return Arrangement(order=self.order, hidden=self.hidden - {name})

    def step(self, name: str, by: int) -> Arrangement:
        """One place up (-1) or down (1) among the visible cards of its column; at the edge nothing changes."""
        names = self._visible(cards[name].column)
        here = names.index(name) if name in names else -1
        there = here + by
        if here < 0 or not 0 <= there < len(names):
            return self
        names[here], names[there] = names[there], names[here]
        return self._with_column(cards[name].column, names)

    def put(self, name: str, before: str) -> Arrangement:
        """In front of another card of its column; at the column's end where `before` is none of them."""
        names = [other for other in self._visible(cards[name].column) if other != name]
        place = names.index(before) if before in names else len(names)
        return self._with_column(cards[name].column, [*names[:place], name, *names[place:]])

    def _visible(self, column: Column) -> list[str]:
        return [name for name in self.order if cards[name].column == column and name not in self.hidden]

    def _with_column(self, column: Column, names: Sequence[str]) -> Arrangement:
        mine = set(names)
        rest = [name for name in self.order if name not in mine]
        return Arrangement(order=(*names, *rest), hidden=self.hidden - mine)


def _known(names: object) -> list[str]:
    listed = names if isinstance(names, (list, tuple)) else ()
    return list(dict.fromkeys(name for name in listed if isinstance(name, str) and name in cards))


def read_names(text: str) -> list[str]:
    """Names separated by commas, as the addresses of undo carry them."""
    return _known([name for name in text.split(",") if name])


# ---- the load


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One day as it is drawn, in a box 100 high. pieces: (kind, top, height), from the bottom upwards."""

    load: board.DayLoad
    url: str
    pieces: tuple[tuple[str, float, float], ...]
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    bars: Sequence[Bar]
    total: int
    busiest: int

    @classmethod
    def of(cls, days: Sequence[board.DayLoad]) -> Load:
        busiest = max((day.total for day in days), default=0)
        return cls(
            bars=[
                Bar(load=day, url=day_url(day), pieces=_pieces(day, busiest), words=_load_words(day)) for day in days
            ],
            total=sum(day.total for day in days),
            busiest=busiest,
        )


def _pieces(day: board.DayLoad, busiest: int) -> tuple[tuple[str, float, float], ...]:
    """What is wrong stands at the bottom, where all bars begin and can be compared."""
    found, floor = [], 100.0
    for kind in ("troubled", "planned", "undecided", "published"):
        number = getattr(day, kind)
        if number:
            height = max(number / busiest * 100, 2.0)
            floor -= height
            found.append((kind, round(max(floor, 0), 2), round(height, 2)))
    return tuple(found)


def _load_words(day: board.DayLoad) -> str:
    parts = [ngettext("%(n)d post", "%(n)d posts", day.total) % {"n": day.total}]
    if day.troubled:
        parts.append(ngettext("%(n)d needs you", "%(n)d need you", day.troubled) % {"n": day.troubled})
    if day.conflicts:
        parts.append(ngettext("%(n)d in conflict", "%(n)d in conflict", day.conflicts) % {"n": day.conflicts})
    return ", ".join(parts)


def day_url(day: board.DayLoad) -> str:
    return f"{reverse('web:calendar')}?view=day&date={day.day.isoformat()}"


# ---- the systems

Tone = Literal["good", "warn", "bad"]


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One part that publishing rests on. since: when it came to be so; next_at: when it is tried again; both aware, None where
    nobody knows."""

    name: str
    tone: Tone
    words: str
    detail: str = ""
    since: datetime | None = None
    next_at: datetime | None = None
    url: str = ""


def systems(sheet: Sheet) -> list[System]:
    return [_scheduler(sheet), _queue(sheet), _database(sheet), *_platforms(sheet), _accounts(sheet)]


def _scheduler(sheet: Sheet) -> System:
    engine, shell = sheet.shell.engine, sheet.shell
    alive = next((row for row in shell.shown_workers if row.stopped_at is None), None)
    since = shell.paused.since if shell.paused and shell.paused.everything else alive.started_at if alive else None
    return System(
        name=_("Scheduler"),
        tone="good" if engine.tone == "good" else "warn" if engine.tone == "warn" else "bad",
        words=engine.words,
        detail=engine.detail if engine.tone != "good" else "",
        since=since,
        url=reverse("web:engine") if shell.may_watch else "",
    )


def _queue(sheet: Sheet) -> System:
    figures = sheet.figures
    late = figures.oldest_due_at is not None and sheet.now - figures.oldest_due_at > QUEUE_LATE_AFTER
    if figures.due_now:
        words = ngettext("%(n)d job is due", "%(n)d jobs are due", figures.due_now) % {"n": figures.due_now}
    else:
        words = _("Nothing is due")
    running = ngettext("%(n)d is being published.", "%(n)d are being published.", figures.running)
    return System(
        name=_("Queue"),
        tone="warn" if late else "good",
        words=words,
        detail=running % {"n": figures.running} if figures.running else "",
        since=figures.oldest_due_at if late else None,
        url=f"{reverse('web:jobs')}?tab=pending",
    )


def _database(sheet: Sheet) -> System:
    """That this page could be made says that it answers; how often it did not, the schedulers have counted."""
    kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(connection.vendor, connection.vendor)
    alive = [row for row in sheet.shell.shown_workers if row.stopped_at is None]
    errors = sum(row.database_error_count for row in alive)
    url = reverse("web:engine") if sheet.shell.may_watch else ""
    if not errors:
        return System(name=_("Database"), tone="good", words=_("Answers"), detail=kind, url=url)
    words = ngettext(
        "Answers now; the scheduler found it silent %(n)d time",
        "Answers now; the scheduler found it silent %(n)d times",
        errors,
    )
    since = min(row.started_at for row in alive)
    return System(name=_("Database"), tone="warn", words=words % {"n": errors}, detail=kind, since=since, url=url)


def _platforms(sheet: Sheet) -> list[System]:
    """The services and accounts whose calls are held back, each with a line of its own; one line when all answer."""
    url = reverse("web:accounts")
    services = {row.service.pk: row.service for row in sheet.accounts if row.service is not None}
    down: list[tuple[str, Any]] = [(row.label, row) for row in services.values() if row.state != "closed"]
    down += [
        (account.name, circuit)
        for account in sheet.accounts
        if (circuit := getattr(account, "circuit", None)) is not None and circuit.state != "closed"
    ]
    if not down:
        names = {account.platform for account in sheet.accounts}
        words = ngettext("%(n)d platform, no outage", "%(n)d platforms, no outage", len(names)) % {"n": len(names)}
        return [System(name=_("Platforms"), tone="good", words=words if names else _("None connected"), url=url)]
    return [
        System(
            name=name,
            tone="bad",
            words=_("Does not answer"),
            next_at=row.retry_at,
            since=row.opened_at,
            url=url,
        )
        for name, row in down
    ]


def _accounts(sheet: Sheet) -> System:
    rows = sheet.accounts
    broken = [row for row in rows if row.state == "needs_auth"]
    paused = [row for row in rows if row.state == "paused"]
    url = reverse("web:accounts")
    if broken:
        words = ngettext("%(n)d needs signing in", "%(n)d need signing in", len(broken)) % {"n": len(broken)}
        since = min(row.state_changed_at for row in broken)
        return System(name=_("Accounts"), tone="bad", words=words, since=since, url=url)
    if paused:
        words = ngettext("%(n)d is paused", "%(n)d are paused", len(paused)) % {"n": len(paused)}
        since = min(row.state_changed_at for row in paused)
        return System(name=_("Accounts"), tone="warn", words=words, since=since, url=url)
    words = ngettext("%(n)d connected", "%(n)d connected", len(rows)) % {"n": len(rows)}
    return System(name=_("Accounts"), tone="good", words=words if rows else _("None connected"), url=url)


# ---- quick actions


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickAction:
    """A link, or with `post` a verb that is sent as a form."""

    title: str
    icon: str
    url: str
    post: bool = False


def quick_actions(shell: Shell) -> list[QuickAction]:
    """What this person may do, in the order of how often it is done; addresses that do not exist are left out."""
    return list(_offered(shell))


def _offered(shell: Shell) -> Iterable[QuickAction]:
    if shell.may.write:
        yield QuickAction(title=_("New post"), icon="plus", url=reverse("web:schedule_new"))
    yield QuickAction(title=_("Open the calendar"), icon="calendar", url=reverse("web:calendar"))
    if shell.may.accounts:
        yield QuickAction(title=_("Connect an account"), icon="accounts", url=reverse("web:account_choose"))
    yield QuickAction(title=_("Recovery desk"), icon="recovery", url=reverse("web:recovery"))
    if shell.may.accounts and not (shell.paused and shell.paused.everything):
        if shell.paused:
            yield QuickAction(
                title=_("Resume this workspace"), icon="play", url=reverse("web:resume_workspace"), post=True
            )
        else:
            yield QuickAction(
                title=_("Pause this workspace"), icon="pause", url=reverse("web:pause_workspace"), post=True
            )
