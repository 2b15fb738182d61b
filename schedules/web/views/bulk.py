"""One verb for many schedules: what would happen, the run with its progress, what was not done, and back again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.workspaces.roles import Action
from schedules.models import BulkRun, Schedule
from schedules.models.bulk import BulkState, BulkVerb
from schedules.reads import bulk as reads
from schedules.services import bulk
from schedules.services.bulk import Order
from schedules.web import listing, listing_export, locale
from schedules.web.gate import Visit, done, leave, next_url, refused, screen, show

EXPORTS = {"export-csv": "csv", "export-json": "json"}
WRITES = frozenset({BulkVerb.SHIFT, BulkVerb.CLONE, BulkVerb.LABEL, BulkVerb.UNLABEL})
UNITS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1), "days": timedelta(days=1)}
MOST_TICKED = 1000

# verb -> the question, the button, what was done; each for a number of schedules
ASKED: dict[BulkVerb, Any] = {
    BulkVerb.PAUSE: ngettext_lazy("Pause %(n)s schedule?", "Pause %(n)s schedules?", "number"),
    BulkVerb.RESUME: ngettext_lazy("Resume %(n)s schedule?", "Resume %(n)s schedules?", "number"),
    BulkVerb.ACTIVATE: ngettext_lazy("Activate %(n)s schedule?", "Activate %(n)s schedules?", "number"),
    BulkVerb.SHIFT: ngettext_lazy("Shift %(n)s schedule?", "Shift %(n)s schedules?", "number"),
    BulkVerb.CLONE: ngettext_lazy("Clone %(n)s schedule?", "Clone %(n)s schedules?", "number"),
    BulkVerb.LABEL: ngettext_lazy("Label %(n)s schedule?", "Label %(n)s schedules?", "number"),
    BulkVerb.UNLABEL: ngettext_lazy(
        "Remove the label from %(n)s schedule?", "Remove the label from %(n)s schedules?", "number"
    ),
    BulkVerb.ARCHIVE: ngettext_lazy("Archive %(n)s schedule?", "Archive %(n)s schedules?", "number"),
    BulkVerb.RESTORE: ngettext_lazy("Restore %(n)s schedule?", "Restore %(n)s schedules?", "number"),
}
BUTTONS: dict[BulkVerb, Any] = {
    BulkVerb.PAUSE: ngettext_lazy("Pause %(n)s schedule", "Pause %(n)s schedules", "number"),
    BulkVerb.RESUME: ngettext_lazy("Resume %(n)s schedule", "Resume %(n)s schedules", "number"),
    BulkVerb.ACTIVATE: ngettext_lazy("Activate %(n)s schedule", "Activate %(n)s schedules", "number"),
    BulkVerb.SHIFT: ngettext_lazy("Shift %(n)s schedule", "Shift %(n)s schedules", "number"),
    BulkVerb.CLONE: ngettext_lazy("Clone %(n)s schedule", "Clone %(n)s schedules", "number"),
    BulkVerb.LABEL: ngettext_lazy("Label %(n)s schedule", "Label %(n)s schedules", "number"),
    BulkVerb.UNLABEL: ngettext_lazy(
        "Remove the label from %(n)s schedule", "Remove the label from %(n)s schedules", "number"
    ),
    BulkVerb.ARCHIVE: ngettext_lazy("Archive %(n)s schedule", "Archive %(n)s schedules", "number"),
    BulkVerb.RESTORE: ngettext_lazy("Restore %(n)s schedule", "Restore %(n)s schedules", "number"),
}
DONE: dict[BulkVerb, Any] = {
    BulkVerb.PAUSE: ngettext_lazy("Paused %(n)s schedule.", "Paused %(n)s schedules.", "number"),
    BulkVerb.RESUME: ngettext_lazy("Resumed %(n)s schedule.", "Resumed %(n)s schedules.", "number"),
    BulkVerb.ACTIVATE: ngettext_lazy("Activated %(n)s schedule.", "Activated %(n)s schedules.", "number"),
    BulkVerb.SHIFT: ngettext_lazy("Shifted %(n)s schedule.", "Shifted %(n)s schedules.", "number"),
    BulkVerb.CLONE: ngettext_lazy(
        "Cloned %(n)s schedule: the copy is a draft.", "Cloned %(n)s schedules: the copies are drafts.", "number"
    ),
    BulkVerb.LABEL: ngettext_lazy("Labelled %(n)s schedule.", "Labelled %(n)s schedules.", "number"),
    BulkVerb.UNLABEL: ngettext_lazy(
        "Removed the label from %(n)s schedule.", "Removed the label from %(n)s schedules.", "number"
    ),
    BulkVerb.ARCHIVE: ngettext_lazy("Archived %(n)s schedule.", "Archived %(n)s schedules.", "number"),
    BulkVerb.RESTORE: ngettext_lazy("Restored %(n)s schedule.", "Restored %(n)s schedules.", "number"),
}
# the same without a number, for what is under way
DOING: dict[BulkVerb, Any] = {
    BulkVerb.PAUSE: gettext_lazy("Pausing schedules"),
    BulkVerb.RESUME: gettext_lazy("Resuming schedules"),
    BulkVerb.ACTIVATE: gettext_lazy("Activating schedules"),
    BulkVerb.SHIFT: gettext_lazy("Shifting schedules"),
    BulkVerb.CLONE: gettext_lazy("Cloning schedules"),
    BulkVerb.LABEL: gettext_lazy("Labelling schedules"),
    BulkVerb.UNLABEL: gettext_lazy("Removing a label"),
    BulkVerb.ARCHIVE: gettext_lazy("Archiving schedules"),
    BulkVerb.RESTORE: gettext_lazy("Restoring schedules"),
}
EFFECTS: dict[BulkVerb, Any] = {
    BulkVerb.PAUSE: gettext_lazy(
        "What is being published now finishes; nothing more is started until they are resumed."
    ),
    BulkVerb.RESUME: gettext_lazy("They go on. What went by meanwhile is treated by the catch-up rule of each."),
    BulkVerb.ACTIVATE: gettext_lazy("Each is checked against its platforms and publishes from now on."),
    BulkVerb.SHIFT: gettext_lazy(
        "Every time moves by as much on the clock of the schedule's own zone. What is out stays."
    ),
    BulkVerb.CLONE: gettext_lazy("Each copy has the same post, times and accounts, and is a draft."),
    BulkVerb.LABEL: gettext_lazy("The label is put on the post; what is published does not change."),
    BulkVerb.UNLABEL: gettext_lazy("The label is taken off the post; what is published does not change."),
    BulkVerb.ARCHIVE: gettext_lazy("Their open jobs are cancelled and their history stays. You can bring them back."),
    BulkVerb.RESTORE: gettext_lazy("They come back paused, or as drafts if they never published."),
}


def counted(words: dict[BulkVerb, Any], verb: BulkVerb, number: int) -> str:
    return str(words[verb] % {"number": number, "n": locale.number(number)})


LATER: dict[str, Any] = {
    "days": ngettext_lazy("%(n)s day later", "%(n)s days later", "number"),
    "hours": ngettext_lazy("%(n)s hour later", "%(n)s hours later", "number"),
    "minutes": ngettext_lazy("%(n)s minute later", "%(n)s minutes later", "number"),
}
EARLIER: dict[str, Any] = {
    "days": ngettext_lazy("%(n)s day earlier", "%(n)s days earlier", "number"),
    "hours": ngettext_lazy("%(n)s hour earlier", "%(n)s hours earlier", "number"),
    "minutes": ngettext_lazy("%(n)s minute earlier", "%(n)s minutes earlier", "number"),
}


def options_words(run: BulkRun) -> str:
    """`2 hours later`, or the label."""
    order = bulk.order_of(run)
    if not order.by:
        return order.label
    distance = abs(order.by)
    unit = next(name for name in ("days", "hours", "minutes") if not distance % UNITS[name])
    number = distance // UNITS[unit]
    words = LATER if order.by > timedelta(0) else EARLIER
    return str(words[unit] % {"number": number, "n": locale.number(number)})


# ---- to plan


@screen("POST")
def plan(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The ticked schedules, or all that match, and a verb: shows what would happen. An export is answered at once."""
    back = next_url(request, reverse("web:schedules"))
    named = request.POST.get("verb", "")
    if named in EXPORTS:
        return _export(request, visit, EXPORTS[named])
    if named not in BulkVerb.values:
        return refused(request, Refused(Problem(field="verb", message=_("Choose what is to be done."))), back)
    verb = BulkVerb(named)
    visit.require(_action(verb))
    try:
        order = _order(verb, request.POST)
        run = bulk.plan(
            person=visit.person, workspace=visit.workspace, chosen=_chosen(request, visit), order=order, now=visit.now
        )
    except Refused as error:
        return refused(request, error, back)
    return done_quietly(reverse("web:bulk_run", args=[run.public_id]))


def done_quietly(to: str) -> HttpResponse:
    response = HttpResponseRedirect(to)
    response.status_code = 303
    return response


def _action(verb: BulkVerb) -> Action:
    return Action.WRITE if verb in WRITES else Action.OPERATE


def _chosen(request: HttpRequest, visit: Visit) -> QuerySet[Schedule]:
    rows = Schedule.objects.within(visit.workspace)
    if request.POST.get("all"):
        return listing.read(QueryDict(request.POST.get("query", "")), visit.workspace).of(request, rows)
    return rows.filter(public_id__in=_ids(request.POST.getlist("ids")))


def _ids(named: list[str]) -> list[UUID]:
    try:
        return [UUID(one) for one in named[:MOST_TICKED]]
    except ValueError:
        return []


def _order(verb: BulkVerb, given: QueryDict) -> Order:
    """Only what the verb is about: the form carries the fields of all of them."""
    if verb == BulkVerb.SHIFT:
        return Order(verb=verb, by=_distance(given))
    if verb in (BulkVerb.LABEL, BulkVerb.UNLABEL):
        return Order(verb=verb, label=" ".join(given.get("label", "").split()))
    return Order(verb=verb)


def _distance(given: QueryDict) -> timedelta:
    """`amount` of `unit`, `earlier` or later; nothing where no number was typed."""
    text = given.get("amount", "").strip()
    unit = UNITS.get(given.get("unit", ""), UNITS["hours"])
    if not (text.isascii() and text.isdecimal() and len(text) < 8):
        return timedelta(0)
    return int(text) * unit * (-1 if given.get("way") == "earlier" else 1)


def _export(request: HttpRequest, visit: Visit, kind: str) -> HttpResponse:
    found = _chosen(request, visit).order_by("-created_at", "-id")
    ids = list(found.values_list("pk", flat=True))
    if not ids:
        nothing = Problem(field="ids", message=_("Select at least one schedule."), code="required")
        return refused(request, Refused(nothing), next_url(request, reverse("web:schedules")))
    answer: Any = listing_export.response(ids, kind, now=visit.now)
    response: HttpResponse = answer
    return response


# ---- to look at


@screen()
def run(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    return _show(request, visit, find(visit, public_id))


def find(visit: Visit, public_id: UUID) -> BulkRun:
    rows = BulkRun.objects.visible_to(visit.person).filter(workspace=visit.workspace, person=visit.person)
    row: BulkRun = get_object_or_404(rows.select_related("workspace", "person"), public_id=public_id)
    return row


def _show(request: HttpRequest, visit: Visit, row: BulkRun) -> HttpResponse:
    day = timezone.localtime(visit.now).replace(hour=0, minute=0, second=0, microsecond=0)
    verb = BulkVerb(row.verb)
    page = reads.page(row, day_start=day, day_end=_next_day(day))
    context = {
        "title": DOING[verb] if row.state != BulkState.PLANNED else counted(ASKED, verb, row.total),
        "run": row,
        "page": page,
        "asked": counted(ASKED, verb, row.total),
        "button": counted(BUTTONS, verb, row.total),
        "done": counted(DONE, verb, row.done),
        "doing": DOING[verb],
        "effect": EFFECTS[verb],
        "options": options_words(row),
        "progress": _("%(done)s of %(all)s") % {"done": locale.number(page.handled), "all": locale.number(row.total)},
        "most": locale.number(bulk.MOST),
        "destructive": verb == BulkVerb.ARCHIVE,
    }
    return show(request, "schedules/bulk/run.html", "schedules/bulk/_run.html", context)


def _next_day(day: datetime) -> datetime:
    return timezone.make_aware(day.replace(tzinfo=None) + timedelta(days=1))


# ---- to do


@screen("POST")
def act(request: HttpRequest, visit: Visit, public_id: UUID, verb: str) -> HttpResponse:
    """start, step, stop, continue, again, undo, cancel: each ends on the run's page, or on the list when all is done."""
    if verb not in ACTS:
        raise Http404
    row = find(visit, public_id)
    visit.require(_action(BulkVerb(row.verb)))
    return ACTS[verb](request, visit, row)


def _start(request: HttpRequest, visit: Visit, row: BulkRun) -> HttpResponse:
    """A run that one step completes is over at once, and the list says so."""
    bulk.begin(run=row, actor=visit.actor, now=visit.now)
    return _first_step(request, visit, row, next_url(request, reverse("web:schedules")))


def _first_step(request: HttpRequest, visit: Visit, row: BulkRun, back: str) -> HttpResponse:
    row = bulk.step(run=row, actor=visit.actor, now=visit.now)
    here = reverse("web:bulk_run", args=[row.public_id])
    words = counted(DONE, BulkVerb(row.verb), row.done)
    if row.state == BulkState.FINISHED and row.done and not row.failed:
        can_undo = not row.undoes_id and row.verb in bulk.BACK
        return done(
            request, words, back, undo=reverse("web:bulk_act", args=[row.public_id, "undo"]) if can_undo else ""
        )
    if request.headers.get("HX-Request"):
        return leave(request, _("It is under way."), here)
    return done_quietly(here)


def _step(request: HttpRequest, visit: Visit, row: BulkRun) -> HttpResponse:
    row = bulk.step(run=row, actor=visit.actor, now=visit.now)
    return _answer(request, visit, row)


def _stop(request: HttpRequest, visit: Visit, row: BulkRun) -> HttpResponse:
    return _answer(request, visit, bulk.stop(run=row, actor=visit.actor, now=visit.now))


def _continue(request: HttpRequest, visit: Visit, row: BulkRun) -> HttpResponse:
    row = bulk.go_on(run=row, actor=visit.actor, now=visit.now)
    return _answer(request, visit, bulk.step(run=row, actor=visit.actor, now=visit.now))


def _again(request: HttpRequest, visit: Visit, row: BulkRun) -> HttpResponse:
    try:
        row = bulk.try_again(run=row, actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, reverse("web:bulk_run", args=[row.public_id]))
    return _answer(request, visit, bulk.step(run=row, actor=visit.actor, now=visit.now))


def _undo(request: HttpRequest, visit: Visit, row: BulkRun) -> HttpResponse:
    back = next_url(request, reverse("web:schedules"))
    try:
        new = bulk.undo(run=row, actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, back)
    return _first_step(request, visit, new, back)


def _cancel(request: HttpRequest, visit: Visit, row: BulkRun) -> HttpResponse:
    bulk.drop(run=row)
    return done(request, _("Nothing was changed."), next_url(request, reverse("web:schedules")))


def _answer(request: HttpRequest, visit: Visit, row: BulkRun) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return _show(request, visit, row)
    return done_quietly(reverse("web:bulk_run", args=[row.public_id]))


ACTS: dict[str, Callable[[HttpRequest, Visit, BulkRun], HttpResponse]] = {
    "start": _start,
    "step": _step,
    "stop": _stop,
    "continue": _continue,
    "again": _again,
    "undo": _undo,
    "cancel": _cancel,
}
