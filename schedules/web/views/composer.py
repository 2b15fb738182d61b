"""The composer: a post, its accounts, its times. New, edit, and "this and following"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused, StaleVersion
from alwrity_scheduler.core.events import unit
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import MediaAsset, PlatformAccount
from platforms.services import media as media_service
from schedules.models import Campaign, Schedule
from schedules.reads import preview
from schedules.services import lifecycle
from schedules.services import schedules as service
from schedules.web.forms import ComposerForm, beginning, stored, variants_of
from schedules.web.gate import Visit, leave, screen, show
from schedules.web.views.media import kept_from

RECENT_MEDIA = 12
WITH_PARTS = ("targets__account", "exceptions", "content__variants", "content__media_links__asset")


@dataclass(frozen=True, slots=True)
class Desk:
    """What the composer works on: nothing yet, a schedule, or a schedule from one of its times on."""

    workspace: Workspace
    url: str
    schedule: Schedule | None = None
    split_at: datetime | None = None

    def accounts(self) -> list[PlatformAccount]:
        rows = PlatformAccount.objects.filter(workspace=self.workspace).exclude(state="disconnected")
        return list(rows.order_by("platform", "name", "id"))

    def form(self, visit: Visit, data: Any = None, files: Any = None) -> ComposerForm:
        schedule = self.schedule
        initial = stored(schedule, visit.now) if schedule else beginning(visit.now, visit.person.timezone)
        if schedule is None and data is None:
            initial |= _prefilled(visit.request)
        if self.split_at:
            initial |= {"date": self.split_at.date(), "time": self.split_at.time()}
        chosen = data.getlist("media") if data is not None else initial.get("media", [])
        return ComposerForm(
            data,
            files,
            initial=initial,
            accounts=self.accounts(),
            media_ids=chosen,
            variants=variants_of(schedule) if schedule else (),
        )


def _prefilled(request: HttpRequest) -> dict[str, Any]:
    """A calendar may open the composer with a time and accounts: ?at=2026-12-01T09:00&account=…"""
    found: dict[str, Any] = {}
    try:
        at = datetime.fromisoformat(request.GET.get("at", "")).replace(tzinfo=None)
        found = {"date": at.date(), "time": at.time()}
    except ValueError:
        pass
    if request.GET.getlist("account"):
        found["accounts"] = request.GET.getlist("account")
    return found


@screen("GET", "HEAD", "POST")
def new(request: HttpRequest, visit: Visit) -> HttpResponse:
    visit.require(Action.WRITE)
    desk = Desk(visit.workspace, reverse("web:schedule_new"))
    return _post(request, visit, desk) if request.method == "POST" else _page(request, visit, desk, desk.form(visit))


@screen("GET", "HEAD", "POST")
def edit(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    schedule = _find(visit, public_id)
    visit.require(Action.WRITE, schedule.workspace)
    desk = Desk(schedule.workspace, reverse("web:schedule_edit", args=[public_id]), schedule)
    return _post(request, visit, desk) if request.method == "POST" else _page(request, visit, desk, desk.form(visit))


@screen("GET", "HEAD", "POST")
def split(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """Change this run and all that follow: the schedule ends before it, a new one goes on."""
    schedule = _find(visit, public_id)
    visit.require(Action.WRITE, schedule.workspace)
    nominal = (request.POST if request.method == "POST" else request.GET).get("from", "")
    try:
        at = datetime.fromisoformat(nominal).replace(tzinfo=None)
    except ValueError:
        at = schedule.start_local
    desk = Desk(schedule.workspace, reverse("web:schedule_split", args=[public_id]), schedule, at)
    return _post(request, visit, desk) if request.method == "POST" else _page(request, visit, desk, desk.form(visit))


def _find(visit: Visit, public_id: UUID) -> Schedule:
    rows = (
        Schedule.objects.visible_to(visit.person)
        .select_related("workspace", "content__campaign")
        .prefetch_related(*WITH_PARTS)
    )
    row: Schedule = get_object_or_404(rows, public_id=public_id)
    return row


def _post(request: HttpRequest, visit: Visit, desk: Desk) -> HttpResponse:
    action = request.POST.get("action", "schedule")
    data = request.POST.copy()
    if action == "publish":
        data["when"] = "now"
    problems = _keep_upload(request, visit, desk, data)
    form = desk.form(visit, data)
    if problems:
        form.is_valid()
        form.refuse(problems.problems)
        return _page(request, visit, desk, form, status=422)
    if action in ("upload", "preview"):
        form.is_valid()
        return _page(request, visit, desk, form, checked=action == "preview")
    if not form.is_valid():
        return _page(request, visit, desk, form, status=422)
    try:
        with unit():  # what is saved and then not put to work is not saved either
            schedule = _save(visit, desk, form, action)
    except StaleVersion as error:
        form.refuse(error.problems)
        return _page(request, visit, desk, form, status=409)
    except Refused as error:
        form.refuse(error.problems)
        return _page(request, visit, desk, form, status=422)
    words = {"draft": _("Saved “%(name)s” as a draft."), "publish": _("“%(name)s” is going out now.")}.get(action)
    if words is None:
        words = _("Saved “%(name)s”.") if schedule.state in ("draft", "paused") else _("“%(name)s” is scheduled.")
    return leave(request, words % {"name": schedule}, reverse("web:schedule", args=[schedule.public_id]))


def _save(visit: Visit, desk: Desk, form: ComposerForm, action: str) -> Schedule:
    plan, draft = form.plan(visit.now), form.draft()
    who: dict[str, Any] = {"actor": visit.actor, "now": visit.now}
    if desk.schedule is None:
        state = "draft" if action == "draft" else "active"
        return service.create_schedule(
            workspace=desk.workspace, content=draft, plan=plan, state=state, person=visit.person, **who
        )
    version = form.cleaned_data.get("version") or 0
    if desk.split_at is not None:
        return lifecycle.split(
            schedule=desk.schedule,
            nominal_local=desk.split_at,
            plan=plan,
            version=version,
            draft=draft,
            person=visit.person,
            **who,
        )
    if action == "publish" and desk.schedule.state in ("active", "paused", "finished"):
        words = _("Save your changes first; “Publish now” on the schedule's page then sends it at once.")
        raise IllegalTransition(Problem(field="when", message=words))
    schedule = service.update_schedule(schedule=desk.schedule, plan=plan, version=version, draft=draft, **who)
    if action in ("schedule", "publish") and schedule.state in ("draft", "in_review"):
        schedule = lifecycle.activate(schedule=schedule, **who)
    return schedule


def _keep_upload(request: HttpRequest, visit: Visit, desk: Desk, data: Any) -> Refused | None:
    """Store files that came with the form and choose them; the refusal of those that cannot be stored."""
    kept, problems = kept_from(request, visit, desk.workspace)
    for asset in kept:
        data.appendlist("media", str(asset.public_id))
    if problems:
        return Refused(Problem(field="file", message=" ".join(problems), code="media"))
    data["upload_alt"] = ""
    return None


@dataclass(frozen=True, slots=True)
class AccountChoice:
    account: PlatformAccount
    checked: bool
    title: Any
    text: Any
    offset: Any


@dataclass(frozen=True, slots=True)
class MediaChoice:
    asset: MediaAsset
    checked: bool
    url: str


def media_choices(workspace: Workspace, chosen: Iterable[str]) -> list[MediaChoice]:
    """The chosen files in their order, then the newest others."""
    wanted = [str(item) for item in chosen]
    by_id = (
        {str(asset.public_id): asset for asset in MediaAsset.objects.filter(workspace=workspace, public_id__in=wanted)}
        if wanted
        else {}
    )
    rows = [by_id[item] for item in dict.fromkeys(wanted) if item in by_id]
    recent = (
        MediaAsset.objects.filter(workspace=workspace)
        .exclude(pk__in=[row.pk for row in rows])
        .order_by("-created_at", "-id")
    )
    return [MediaChoice(row, row in rows, media_service.media_path_of(row)) for row in [*rows, *recent[:RECENT_MEDIA]]]


def _page(
    request: HttpRequest, visit: Visit, desk: Desk, form: ComposerForm, *, status: int = 200, checked: bool = False
) -> HttpResponse:
    chosen = set(form["accounts"].value() or ())
    choices = [
        AccountChoice(
            row,
            str(row.public_id) in chosen,
            form[f"title-{row.public_id}"],
            form[f"text-{row.public_id}"],
            form[f"offset-{row.public_id}"],
        )
        for row in form.account_rows
    ]
    fixed = chosen - {str(row.public_id) for row in form.account_rows}
    schedule = desk.schedule
    title = _("New post")
    if schedule is not None:
        title = _("This and following") if desk.split_at else _("Edit %(name)s") % {"name": schedule}
    context = {
        "title": title,
        "form": form,
        "desk": desk,
        "schedule": schedule,
        "choices": choices,
        "lost_accounts": fixed,
        "media": media_choices(desk.workspace, form["media"].value() or ()),
        "zones": sorted(available_timezones()),
        "campaigns": list(Campaign.objects.filter(workspace=desk.workspace).order_by("name", "id")[:200]),
        "problems": _problems(form),
        "is_live": schedule is not None and schedule.state in ("active", "paused", "finished"),
        **_runs(form, visit),
        "checked": checked,
        "cards": _cards(form, desk, visit),
    }
    return show(request, "schedules/composer.html", "schedules/partials/_composer.html", context, status=status)


def _problems(form: ComposerForm) -> list[tuple[str, str, str]]:
    """Each error as (field, label, words), in the form's order, for the summary on top."""
    if not form.is_bound:
        return []
    found = [("", "", str(words)) for words in form.non_field_errors()]
    for name, field in form.fields.items():
        found += [(name, str(field.label or name), str(words)) for words in form.errors.get(name, ())]
    return found


def _runs(form: ComposerForm, visit: Visit) -> dict[str, Any]:
    if not form.is_bound:
        form = form.as_typed()
    return {"runs": preview.runs(form, visit.now)}


def _cards(form: ComposerForm, desk: Desk, visit: Visit) -> list[preview.Card]:
    if not form.is_bound:
        form = form.as_typed()
    return preview.cards(form, desk.workspace, visit.now)


@screen("POST")
def preview_runs(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The rule in words and its next five times, as the form stands; what is wrong with it, too."""
    form = Desk(visit.workspace, "").form(visit, request.POST)
    return render(request, "schedules/partials/_runs.html", {"runs": preview.runs(form, visit.now), "form": form})


@screen("POST")
def preview_post(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The post as each chosen account will get it, with its limits and everything it would refuse."""
    form = Desk(visit.workspace, "").form(visit, request.POST)
    return render(request, "schedules/partials/_cards.html", {"cards": preview.cards(form, visit.workspace, visit.now)})
