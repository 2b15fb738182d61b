"""One schedule: the post as it will look, its rule, its next runs, what became of the last ones, and its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.workspaces.roles import Action
from schedules.domain.recurrence import Occurrence
from schedules.models import AuditLog, Job, Schedule
from schedules.models.schedules import Target
from schedules.reads import cards, health, preflight, reviews, runs
from schedules.services import lifecycle
from schedules.services.materialise import rule_of
from schedules.web import locale, policies
from schedules.web.context import shell_of
from schedules.web.dashboard import percent
from schedules.web.forms import ComposerForm, MoveForm, stored, variants_of
from schedules.web.gate import Visit, done, refused, screen, show
from schedules.web.history import KINDS, Entry, entries, kind_of

NEXT_SHOWN = 5
LAST_SHOWN = 10
OPEN_SHOWN = 6
OPEN_SINCE = timedelta(days=7)
OPEN = ("pending", "running", "processing")
HISTORY_SHOWN = 40


@dataclass(frozen=True, slots=True)
class NextRun:
    """`key` names the run by its wall-clock time. `begun` jobs can no longer be moved or left out."""

    occurrence: Occurrence
    key: str
    jobs: list[Job]

    @property
    def begun(self) -> bool:
        return any(job.state not in ("pending", "blocked") or job.attempt_count for job in self.jobs)


@screen()
def schedule(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    return _show(request, visit, _find(visit, public_id))


def _find(visit: Visit, public_id: UUID) -> Schedule:
    rows = Schedule.objects.visible_to(visit.person).select_related(
        "workspace", "content__campaign", "created_by", "split_from__content"
    )
    targets = Target.objects.select_related("account__service", "account__circuit").order_by("id")
    parts = (Prefetch("targets", targets), "exceptions", "content__variants", "content__media_links__asset")
    row: Schedule = get_object_or_404(rows.prefetch_related(*parts), public_id=public_id)
    return row


def _show(
    request: HttpRequest, visit: Visit, row: Schedule, form: MoveForm | None = None, status: int = 200
) -> HttpResponse:
    rule = rule_of(row)
    lives = row.state in ("draft", "in_review", "active", "paused")
    coming = runs.next_runs(rule, now=visit.now, count=NEXT_SHOWN) if lives else []
    jobs = Job.objects.open_to(visit.person).filter(schedule=row).with_names()
    # from a while ago on, else the whole history is walked through for them
    ahead = jobs.filter(state__in=OPEN, run_at__gte=visit.now - OPEN_SINCE)
    waiting = list(ahead.order_by("run_at", "id")[: OPEN_SHOWN * 3])
    past = list(jobs.exclude(state__in=OPEN).order_by("-run_at", "-id")[:LAST_SHOWN])
    by_nominal: dict[datetime, list[Job]] = {}
    for job in (*waiting, *past):
        by_nominal.setdefault(job.occurrence.nominal_at, []).append(job)
    found = preflight.of_read(row, list(row.targets.all()), now=visit.now)
    may = shell_of(request).may if row.workspace_id == visit.workspace.pk else None
    standing = health.of_schedule(row, now=visit.now, found=found)
    asked = request.GET.urlencode() if request.method in ("GET", "HEAD") else ""
    context = {
        "title": str(row),
        "schedule": row,
        "here": reverse("web:schedule", args=[row.public_id]) + (f"?{asked}" if asked else ""),
        "words": runs.words_of(rule),
        "now": visit.now,
        "health": standing,
        "success_percent": None if standing.success_rate is None else percent(standing.success_rate),
        "jobs": [*[job for job in waiting if job.state != "pending"], *past, *_pending(waiting)],
        "coming": [
            NextRun(item, item.nominal_local.isoformat(timespec="minutes"), by_nominal.get(item.nominal_at, []))
            for item in coming
        ],
        "skipped": [
            item
            for item in row.exceptions.all()
            if item.action == "skip" and _instant(item.nominal_local, row) > visit.now
        ],
        "cards": stored_cards(row, visit.now),
        "desk": reviews.desk(row, visit.person, visit.now),
        "may_operate": may.operate if may else visit.may(Action.OPERATE, row.workspace),
        "may_write": may.write if may else visit.may(Action.WRITE, row.workspace),
        "other_zone": row.timezone != visit.person.timezone,
        "move_form": form,
        "splits": list(row.splits.select_related("content").order_by("id")[:5]),
        "policies": {
            "priority": policies.priority_words(row.priority),
            "catch_up": policies.catch_up_words(row),
            "retry": policies.retry_words(row),
            "deadline": policies.deadline_words(row),
        },
        **_history(request, visit, row),
    }
    return show(request, "schedules/schedule.html", "schedules/partials/_schedule.html", context, status=status)


def _pending(waiting: Sequence[Job]) -> list[Job]:
    return [job for job in waiting if job.state == "pending"][:OPEN_SHOWN]


def _history(request: HttpRequest, visit: Visit, row: Schedule) -> dict[str, object]:
    """?kind= narrows it to one part, ?page= leads to what is older."""
    rows = AuditLog.objects.visible_to(visit.person).filter(
        Q(object_type="schedule", object_id=str(row.public_id))
        | Q(object_type="content", object_id=str(row.content.public_id))
    )
    kind = kind_of(request.GET.get("kind", ""))
    if kind is not None:
        rows = rows.filter(kind.which)
    pages: Page[AuditLog] = Paginator(rows.order_by("-id"), HISTORY_SHOWN).get_page(request.GET.get("page"))
    shown: list[Entry] = entries(pages.object_list)
    return {"history": shown, "page": pages, "history_kind": kind.name if kind else "", "history_kinds": KINDS}


def stored_cards(row: Schedule, now: datetime) -> Sequence[cards.Card]:
    """The stored post as each of its accounts gets it. The row needs WITH_PARTS prefetched."""
    typed = ComposerForm(
        initial=stored(row, now),
        accounts=[target.account for target in row.targets.all()],
        media_ids=[str(item.asset.public_id) for item in row.content.media_links.all()],
        variants=variants_of(row),
    ).as_typed()
    typed.full_clean()
    return cards.shown(typed, row.workspace, now).cards


def _instant(local: datetime, row: Schedule) -> datetime:
    return local.replace(tzinfo=ZoneInfo(row.timezone))


def _nominal(request: HttpRequest) -> datetime:
    try:
        return datetime.fromisoformat(request.POST.get("nominal", "")).replace(tzinfo=None)
    except ValueError as error:
        raise Refused(Problem(field="nominal", message=_("This run is named by its time."))) from error


@screen("POST")
def skip(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    row = _find(visit, public_id)
    visit.require(Action.WRITE, row.workspace)
    back = reverse("web:schedule", args=[public_id])
    try:
        nominal = _nominal(request)
        lifecycle.skip_occurrence(schedule=row, nominal_local=nominal, actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, back)
    undo = reverse("web:occurrence_restore", args=[public_id]) + f"?nominal={nominal.isoformat(timespec='minutes')}"
    return done(request, _("Left out the run of %(at)s.") % {"at": locale.stamp(nominal)}, back, undo=undo)


@screen("POST")
def restore_run(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    row = _find(visit, public_id)
    visit.require(Action.WRITE, row.workspace)
    back = reverse("web:schedule", args=[public_id])
    wanted = request.POST.get("nominal") or request.GET.get("nominal", "")
    try:
        nominal = datetime.fromisoformat(wanted).replace(tzinfo=None)
        lifecycle.restore_occurrence(schedule=row, nominal_local=nominal, actor=visit.actor, now=visit.now)
    except ValueError:
        return refused(request, Refused(Problem(field="nominal", message=_("This run is named by its time."))), back)
    except Refused as error:
        return refused(request, error, back)
    return done(request, _("The run of %(at)s takes place as planned.") % {"at": locale.stamp(nominal)}, back)


@screen("POST")
def move(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    row = _find(visit, public_id)
    visit.require(Action.WRITE, row.workspace)
    form = MoveForm(request.POST)
    if not form.is_valid():
        return _show(request, visit, row, form, status=422)
    try:
        nominal = _nominal(request)
        lifecycle.move_occurrence(
            schedule=row, nominal_local=nominal, to_local=form.to_local(), actor=visit.actor, now=visit.now
        )
    except Refused as error:
        form.refuse(error.problems)
        return _show(request, visit, row, form, status=422)
    undo = reverse("web:occurrence_restore", args=[public_id]) + f"?nominal={nominal.isoformat(timespec='minutes')}"
    words = _("Moved the run of %(old)s to %(new)s.") % {
        "old": locale.stamp(nominal),
        "new": locale.stamp(form.to_local()),
    }
    return done(request, words, reverse("web:schedule", args=[public_id]), undo=undo)
