"""The composer: a post, its accounts, its times. New, edit, and "this and following"."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused, StaleVersion
from alwrity_scheduler.core.events import unit
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.querysets import opened_for
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import MediaAsset, PlatformAccount
from platforms.services import media as media_service
from platforms.services.groups import groups_of
from schedules.models import Campaign, ComposerDraft, ContentTemplate, HashtagGroup, Schedule
from schedules.reads import cards, duplicates, preflight, preview
from schedules.reads import media as media_reads
from schedules.services import approval, drafts, library, lifecycle, link_cards, slots
from schedules.services import content as content_service
from schedules.services import schedules as service
from schedules.web import platform_fields
from schedules.web.forms import ComposerForm, beginning, content_values, stored, variants_of
from schedules.web.gate import Visit, leave, screen, show
from schedules.web.platform_fields import SPLIT
from schedules.web.templatetags.ui import platform_name
from schedules.web.views.media import kept_from

WITH_PARTS = ("targets__account", "exceptions", "content__variants", "content__media_links__asset")


@dataclass(frozen=True, slots=True)
class Desk:
    """What the composer works on: nothing yet, a schedule, or a schedule from one of its times on."""

    workspace: Workspace
    url: str
    schedule: Schedule | None = None
    split_at: datetime | None = None
    draft: ComposerDraft | None = None

    def accounts(self) -> list[PlatformAccount]:
        rows = PlatformAccount.objects.within(self.workspace).exclude(state="disconnected")
        return list(rows.order_by("platform", "name", "id"))

    def form(self, visit: Visit, data: Any = None, files: Any = None) -> ComposerForm:
        schedule = self.schedule
        initial = stored(schedule, visit.now) if schedule else beginning(visit.now, visit.person.timezone)
        if schedule is None and data is None:
            initial |= _prefilled(visit.request, self.workspace)
        if self.split_at:
            initial |= {"date": self.split_at.date(), "time": self.split_at.time()}
        if self.draft is not None and data is None:
            initial = _resumed(self.draft, initial, self.accounts()) | _asked_time(visit.request)
        chosen = data.getlist("media") if data is not None else initial.get("media", [])
        return ComposerForm(
            data,
            files,
            initial=initial,
            accounts=self.accounts(),
            media_ids=chosen,
            variants=variants_of(schedule) if schedule else (),
        )


LISTS = ("accounts", "media", "weekdays")


def _resumed(draft: ComposerDraft, initial: dict[str, Any], accounts: Iterable[PlatformAccount]) -> dict[str, Any]:
    """A kept draft as the form's first values: to the letter what was typed. A box that was not ticked was not sent."""
    unticked: dict[str, Any] = {name: [] for name in LISTS}
    for platform in {row.platform for row in accounts}:
        unticked |= {name: False for name, field in platform_fields.fields(platform).items() if is_box(field)}
    typed = {name: list(values) if name in LISTS else (values or [""])[-1] for name, values in draft.data.items()}
    return initial | unticked | typed


def is_box(field: forms.Field) -> bool:
    return isinstance(field, forms.BooleanField)


def _prefilled(request: HttpRequest, workspace: Workspace) -> dict[str, Any]:
    """Others may open the composer with a time, accounts or a template: ?at=2026-12-01T09:00&account=…&template=…"""
    found: dict[str, Any] = {}
    if wanted := _uuid(request.GET.get("template", "")):
        row = ContentTemplate.objects.filter(workspace=workspace, public_id=wanted).first()
        if row is not None:
            found = content_values(content_service.draft_of_snapshot(row.snapshot))
    found |= _asked_time(request)
    if request.GET.getlist("account"):
        found["accounts"] = request.GET.getlist("account")
    return found


def _asked_time(request: HttpRequest) -> dict[str, Any]:
    """?at=2026-12-01T09:00: from an empty place of the calendar, or where a kept draft was dropped on it."""
    try:
        at = datetime.fromisoformat(request.GET.get("at", "")).replace(tzinfo=None)
    except ValueError:
        return {}
    return {"when": "once", "date": at.date(), "time": at.time()}


@screen("GET", "HEAD", "POST")
def new(request: HttpRequest, visit: Visit) -> HttpResponse:
    visit.require(Action.WRITE)
    desk = Desk(visit.workspace, reverse("web:schedule_new"), draft=_kept(request, visit, visit.workspace))
    return _post(request, visit, desk) if request.method == "POST" else _page(request, visit, desk, desk.form(visit))


@screen("GET", "HEAD", "POST")
def edit(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    schedule = _find(visit, public_id)
    visit.require(Action.WRITE, schedule.workspace)
    kept = _kept(request, visit, schedule.workspace)
    desk = Desk(schedule.workspace, reverse("web:schedule_edit", args=[public_id]), schedule, draft=kept)
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


def _kept(request: HttpRequest, visit: Visit, workspace: Workspace) -> ComposerDraft | None:
    """The draft to go on with: ?draft=…"""
    wanted = _uuid(request.GET.get("draft", "")) if request.method != "POST" else None
    rows = ComposerDraft.objects.of(visit.person, workspace).kept()
    return rows.filter(public_id=wanted).first() if wanted else None


def _find(visit: Visit, public_id: UUID) -> Schedule:
    rows = (
        Schedule.objects.visible_to(visit.person)
        .select_related("workspace", "content__campaign")
        .prefetch_related(*WITH_PARTS)
    )
    row: Schedule = get_object_or_404(rows, public_id=public_id)
    opened_for(row.workspace, visit.person)
    return row


def _post(request: HttpRequest, visit: Visit, desk: Desk) -> HttpResponse:
    """One button of the form. What `ACTIONS` names saves; the others only give the form back, with something done to it."""
    action = request.POST.get("action", "schedule")
    data = request.POST.copy()
    when = data.get("when", "")
    if action in ("publish", "queue"):
        data["when"] = "now"
    problems = _keep_upload(request, visit, desk, data)
    keep_alt_texts(visit, desk.workspace, data)
    if action in CHANGES:
        CHANGES[action](visit, desk, data)
    form = desk.form(visit, data)
    sheet = Sheet(request, visit, desk, form, data, when)
    if problems:
        form.is_valid()
        form.refuse(problems.problems)
        return sheet.page(status=422)
    if action not in ACTIONS:
        form.is_valid()
        return sheet.page()
    try:
        return ACTIONS[action](sheet)
    except StaleVersion as error:
        form.refuse(error.problems)
        return sheet.page(status=409)
    except Refused as error:
        form.refuse(error.problems)
        return sheet.page(status=422)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One press of a button: the form as it was sent, and where from. when: what was chosen there, before the button changed it."""

    request: HttpRequest
    visit: Visit
    desk: Desk
    form: ComposerForm
    data: QueryDict
    when: str

    def page(self, *, status: int = 200) -> HttpResponse:
        if self.when and self.request.POST.get("action") == "queue":
            self.data["when"] = self.when
        return _page(self.request, self.visit, self.desk, self.form, status=status)

    def leave(self, words: str, to: str) -> HttpResponse:
        """The draft that kept itself has become a post."""
        return leave(self.request, words, to)

    def is_fit(self) -> bool:
        """Is the form filled as it must be, and would each platform take the post? Problems are put at their fields."""
        if not self.form.is_valid():
            return False
        for item in cards.shown(self.form, self.desk.workspace, self.visit.now).errors:
            problem = item.problem
            words = f"{item.who}: {problem.message} {problem.remedy}".strip()
            self.form.refuse([Problem(field=item.field, message=words, code=problem.code)])
        return not self.form.errors


_STATE_WORDS = {
    "draft": gettext_lazy("Saved “%(name)s”."),
    "paused": gettext_lazy("Saved “%(name)s”."),
    "in_review": gettext_lazy("Saved “%(name)s”. It waits for approval before it goes out."),
}
# schedules whose changes are saved, and not put to work by a button
LIVE = ("in_review", "active", "paused", "finished")


def _saving(action: str) -> Callable[[Sheet], HttpResponse]:
    def act(sheet: Sheet) -> HttpResponse:
        is_fit = sheet.form.is_valid() if action == "draft" else sheet.is_fit()
        if not is_fit:
            return sheet.page(status=422)
        with unit():  # what is saved and then not put to work is not saved either
            schedule = _save(sheet.visit, sheet.desk, sheet.form, action)
            forget_draft(sheet)
        words = {"draft": _("Saved “%(name)s” as a draft."), "publish": _("“%(name)s” is going out now.")}.get(action)
        if words is None:
            words = str(_STATE_WORDS.get(schedule.state, _("“%(name)s” is scheduled.")))
        return sheet.leave(words % {"name": schedule}, reverse("web:schedule", args=[schedule.public_id]))

    return act


def _queue(sheet: Sheet) -> HttpResponse:
    """At the next free posting time of each account; the time that the form holds is not used."""
    visit, form = sheet.visit, sheet.form
    if sheet.desk.schedule is not None:
        raise Refused(Problem(field="when", message=_("Only a new post can be put in the queue: choose a time here.")))
    if not sheet.is_fit():
        return sheet.page(status=422)
    with unit():
        made = slots.add_to_queue(
            workspace=sheet.desk.workspace,
            draft=form.draft(),
            plan=form.plan(visit.now),
            actor=visit.actor,
            now=visit.now,
            person=visit.person,
        )
        forget_draft(sheet)
    words = _("“%(name)s” is in the queue.") % {"name": made[0]}
    return sheet.leave(words, reverse("web:schedule", args=[made[0].public_id]))


def _review(sheet: Sheet) -> HttpResponse:
    """Save it and ask for approval; what waits for it already is asked for anew by the change itself."""
    if sheet.desk.schedule is not None and sheet.desk.schedule.state != "draft":
        raise Refused(Problem(field="when", message=_("Only a draft is sent for approval. Save your changes here.")))
    if not sheet.is_fit():
        return sheet.page(status=422)
    with unit():
        schedule = _save(sheet.visit, sheet.desk, sheet.form, "draft")
        approval.submit(schedule=schedule, actor=sheet.visit.actor, now=sheet.visit.now)
        forget_draft(sheet)
    words = _("“%(name)s” waits for approval. The reviewers hear of it.") % {"name": schedule}
    return sheet.leave(words, reverse("web:schedule", args=[schedule.public_id]))


def _save_template(sheet: Sheet) -> HttpResponse:
    sheet.form.is_valid()
    row = library.save_template(
        workspace=sheet.desk.workspace,
        name=sheet.form.cleaned_data.get("save_as", ""),
        draft=sheet.form.draft(),
        actor=sheet.visit.actor,
        now=sheet.visit.now,
        person=sheet.visit.person,
    )
    messages.success(sheet.request, _("Saved the template “%(name)s”.") % {"name": row.name})
    return sheet.page()


def forget_draft(sheet: Sheet) -> None:
    if kept := _uuid(sheet.request.POST.get("draft", "")):
        drafts.forget(person=sheet.visit.person, workspace=sheet.desk.workspace, public_id=kept)


# What the buttons do that save something.
ACTIONS: dict[str, Callable[[Sheet], HttpResponse]] = {
    "schedule": _saving("schedule"),
    "publish": _saving("publish"),
    "draft": _saving("draft"),
    "queue": _queue,
    "review": _review,
    "template": _save_template,
}


def _use_template(visit: Visit, desk: Desk, data: Any) -> None:
    """Fill what is empty from the template; its text goes below what is written already."""
    wanted = _uuid(data.get("use_template", ""))
    row = ContentTemplate.objects.filter(workspace=desk.workspace, public_id=wanted).first() if wanted else None
    if row is not None:
        put_in(data, content_values(content_service.draft_of_snapshot(row.snapshot)))


def _insert_hashtags(visit: Visit, desk: Desk, data: Any) -> None:
    wanted = _uuid(data.get("use_hashtags", ""))
    row = HashtagGroup.objects.filter(workspace=desk.workspace, public_id=wanted).first() if wanted else None
    if row is not None:
        there = {tag.lstrip("#").casefold() for tag in SPLIT.split(data.get("hashtags", ""))}
        more = [f"#{tag}" for tag in row.hashtags if tag.casefold() not in there]
        data["hashtags"] = " ".join([data.get("hashtags", "").strip(), *more]).strip()


def _use_group(visit: Visit, desk: Desk, data: Any) -> None:
    """Choose all accounts of a group besides those that are chosen."""
    wanted = _uuid(data.get("use_group", ""))
    row = next((item for item in groups_of(desk.workspace) if item.public_id == wanted), None)
    if row is not None:
        more = [str(account.public_id) for account in row.accounts.all() if account.state != "disconnected"]
        data.setlist("accounts", list(dict.fromkeys([*data.getlist("accounts"), *more])))


CHANGES: dict[str, Callable[[Visit, Desk, Any], None]] = {
    "use_template": _use_template,
    "use_hashtags": _insert_hashtags,
    "use_group": _use_group,
}


def put_in(data: Any, values: Mapping[str, Any]) -> None:
    """Put content into a form's data: what is empty there is filled, a text goes below the text that is there."""
    for name, value in values.items():
        if isinstance(value, list):
            have = data.getlist(name)
            data.setlist(name, [*have, *(str(item) for item in value if str(item) not in have)])
        elif name == "text" and data.get(name, "").strip():
            data[name] = f"{data[name].rstrip()}\n\n{value}".rstrip()
        elif value not in (None, "", False) and (not data.get(name) or name == "content_type"):
            data[name] = "on" if value is True else str(value)


def keep_alt_texts(visit: Visit, workspace: Workspace, data: Any) -> None:
    """Alternative texts that were written beside the chosen files belong to the files themselves."""
    given = {name[4:]: data[name] for name in data if name.startswith("alt-") and name[4:] in data.getlist("media")}
    wanted = [kept for item in given if (kept := _uuid(item))]
    for asset in MediaAsset.objects.filter(workspace=workspace, public_id__in=wanted) if wanted else ():
        words = given[str(asset.public_id)].strip()[:1500]
        if words != asset.alt_text:
            media_service.set_alt_text(asset=asset, alt_text=words, actor=visit.actor, now=visit.now)


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


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
    if action == "publish" and desk.schedule.state in LIVE:
        words = _("Save your changes first; “Publish now” on the schedule's page then sends it at once.")
        raise IllegalTransition(Problem(field="when", message=words))
    schedule = service.update_schedule(schedule=desk.schedule, plan=plan, version=version, draft=draft, **who)
    if action in ("schedule", "publish") and schedule.state == "draft":
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


def _page(request: HttpRequest, visit: Visit, desk: Desk, form: ComposerForm, *, status: int = 200) -> HttpResponse:
    chosen = set(form["accounts"].value() or ())
    schedule = desk.schedule
    title = _("New post")
    if schedule is not None:
        title = _("This and following") if desk.split_at else _("Edit %(name)s") % {"name": schedule}
    context = {
        "title": title,
        "form": form,
        "desk": desk,
        "schedule": schedule,
        "choices": _choices(form, chosen),
        "lost_accounts": chosen - {str(row.public_id) for row in form.account_rows},
        "media": media_reads.choices(desk.workspace, [str(item) for item in form["media"].value() or ()], ""),
        "zones": sorted(available_timezones()),
        "campaigns": list(Campaign.objects.filter(workspace=desk.workspace).order_by("name", "id")[:200]),
        "templates": list(ContentTemplate.objects.filter(workspace=desk.workspace).order_by("name", "id")[:200]),
        "hashtag_groups": list(HashtagGroup.objects.filter(workspace=desk.workspace).order_by("name", "id")[:100]),
        "problems": _problems(form),
        "is_live": schedule is not None and schedule.state in LIVE,
        "groups": groups_of(desk.workspace),
        "runs": preview.runs(form if form.is_bound else form.as_typed(), visit.now),
        "draft": desk.draft,
        "draft_id": desk.draft.public_id if desk.draft else request.POST.get("draft", ""),
        "draft_version": desk.draft.version if desk.draft else request.POST.get("draft_version", ""),
        "other_drafts": _other_drafts(visit, desk),
        "now": visit.now,
        "preflight": _preflight(form, desk, visit) if request.POST.get("action") == "preflight" else None,
        **_as_shown(form, desk, visit),
    }
    return show(request, "schedules/composer.html", "schedules/partials/_composer.html", context, status=status)


def _choices(form: ComposerForm, chosen: Collection[str]) -> list[AccountChoice]:
    return [
        AccountChoice(
            row,
            str(row.public_id) in chosen,
            form[f"title-{row.public_id}"],
            form[f"text-{row.public_id}"],
            form[f"offset-{row.public_id}"],
        )
        for row in form.account_rows
    ]


def _as_shown(form: ComposerForm, desk: Desk, visit: Visit) -> dict[str, Any]:
    """What changes as one types: the cards, the counts, and the problems at their fields."""
    is_fresh = not form.is_bound and desk.schedule is None and desk.draft is None
    typed = form if form.is_bound else form.as_typed()
    typed.is_valid()
    alts = {name[4:]: words for name, words in form.data.items() if name.startswith("alt-")} if form.is_bound else {}
    shown = cards.shown(typed, desk.workspace, visit.now, alts=alts)
    if is_fresh:  # nobody has written anything yet that could be wrong
        shown = replace(shown, cards=[replace(card, findings=()) for card in shown.cards])
    chosen = set(typed.cleaned_data.get("accounts", ()))
    used = {row.platform for row in form.account_rows if str(row.public_id) in chosen}
    wanted = str(form.data.get("tab", "")) if form.is_bound else str(form.initial.get("tab", ""))
    tabs = [
        platform_fields.tab(form, platform, idle=platform not in used, is_open=platform == wanted)
        for platform in form.platforms
    ]
    options = {tab.platform: [field.name.split("-", 2)[2] for field in tab.options] for tab in tabs}
    accounts = [row for row in form.account_rows if str(row.public_id) in chosen]
    return {
        "shown": shown,
        "cards": shown.cards,
        "tabs": tabs,
        "main_open": not any(tab.is_open for tab in tabs),
        "places": cards.places(form.account_rows, options),
        "twins": duplicates.twins(
            workspace=desk.workspace,
            accounts=accounts,
            text=typed.cleaned_data.get("text", ""),
            now=visit.now,
            besides=desk.schedule,
        ),
    }


def _other_drafts(visit: Visit, desk: Desk) -> list[ComposerDraft]:
    """What this person left half done: of this schedule, or for a new post."""
    rows = ComposerDraft.objects.of(visit.person, desk.workspace).kept().filter(schedule=desk.schedule)
    if desk.draft is not None:
        rows = rows.exclude(pk=desk.draft.pk)
    return list(rows.order_by("-updated_at", "-id")[:10]) if desk.split_at is None else []


def _problems(form: ComposerForm) -> list[tuple[str, str, str]]:
    """Each error as (field, label, words), in the form's order, for the summary on top."""
    if not form.is_bound:
        return []
    found = [("", "", str(words)) for words in form.non_field_errors()]
    for name, field in form.fields.items():
        where = f" ({platform_of(name)})" if name.startswith(("variant-", "option-")) else ""
        found += [(name, f"{field.label or name}{where}", str(words)) for words in form.errors.get(name, ())]
    return found


def platform_of(name: str) -> str:
    return platform_name(name.split("-")[1])


@screen("POST")
def preview_runs(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The rule in words and its next five times, as the form stands; what is wrong with it, too."""
    form = Desk(visit.workspace, "").form(visit, request.POST)
    return render(request, "schedules/partials/_runs.html", {"runs": preview.runs(form, visit.now), "form": form})


@screen("POST")
def preview_post(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The post as each chosen account will get it; and, out of band, the counts and every problem at its field."""
    desk = _desk_of(request, visit)
    form = desk.form(visit, request.POST)
    return render(request, "schedules/partials/_shown.html", {"form": form, **_as_shown(form, desk, visit)})


def _desk_of(request: HttpRequest, visit: Visit) -> Desk:
    """What a form that sends itself for a preview is about."""
    editing = _uuid(request.POST.get("editing", ""))
    schedule = (
        Schedule.objects.visible_to(visit.person)
        .filter(public_id=editing)
        .select_related("workspace", "content")
        .prefetch_related("content__variants")
        .first()
        if editing
        else None
    )
    return Desk(opened_for(schedule.workspace, visit.person) if schedule else visit.workspace, "", schedule)


@screen("POST")
def preview_preflight(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Would it publish now, as the form stands?"""
    desk = _desk_of(request, visit)
    form = desk.form(visit, request.POST)
    return render(request, "schedules/partials/_compose_preflight.html", {"preflight": _preflight(form, desk, visit)})


def _preflight(form: ComposerForm, desk: Desk, visit: Visit) -> preflight.Preflight:
    form.is_valid()
    return preflight.of_draft(desk.workspace, form.draft(), form.targets(), now=visit.now)


@screen("GET")
def link_card(request: HttpRequest, visit: Visit) -> HttpResponse:
    """What the linked page says of itself. Asked for by the previews, one by one, after they stand."""
    visit.require(Action.WRITE)
    card = link_cards.fetch(request.GET.get("url", "")[:2000])
    response = render(request, "schedules/partials/_link_card.html", {"card": card})
    response.headers["Cache-Control"] = "private, max-age=600"
    return response
