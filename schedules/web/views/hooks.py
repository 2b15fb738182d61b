"""Inbound hooks: the list, one hook with its calls, and trying it with a call that stores nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import PlatformAccount
from platforms.services.groups import groups_of
from schedules.inbound import mapping as maps
from schedules.inbound import receiving, services
from schedules.inbound.models import InboundHook
from schedules.web.gate import Visit, done, leave, screen, show
from schedules.web.hook_forms import LABELS, HookForm


@screen()
def hook_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    visit.require(Action.INTEGRATE)
    rows = InboundHook.objects.visible_to(visit.person).filter(workspace=visit.workspace).order_by("name", "id")
    context = {
        "title": _("Inbound hooks"),
        "hooks": [{"row": row, "address": services.address_of(row)} for row in rows],
        "now": visit.now,
    }
    return show(request, "hooks/list.html", "hooks/partials/_list.html", context)


@screen("GET", "HEAD", "POST")
def hook_new(request: HttpRequest, visit: Visit) -> HttpResponse:
    """POST makes it and shows its secret, once; with `try` it only says what the sample would make."""
    visit.require(Action.INTEGRATE)
    form = _form(request, visit, None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, visit, form, None)
    if "try" in request.POST:
        return _try(request, visit, form, None)
    try:
        row, secret = services.create(
            workspace=visit.workspace, plan=form.plan(), actor=visit.actor, now=visit.now, person=visit.person
        )
    except Refused as error:
        form.refuse(error.problems)
        return _page(request, visit, form, None)
    return _page(request, visit, _form(request, visit, row, fresh=True), row, secret=secret)


@screen("GET", "HEAD", "POST")
def hook(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """One hook; POST saves it, or with `try` only says what the sample would make."""
    row = _find(visit, public_id)
    form = _form(request, visit, row)
    if request.method != "POST" or not form.is_valid():
        return _page(request, visit, form, row)
    if "try" in request.POST:
        return _try(request, visit, form, row)
    try:
        services.update(
            hook=row, plan=form.plan(), version=form.cleaned_data["version"] or 0, actor=visit.actor, now=visit.now
        )
    except Refused as error:
        form.refuse(error.problems)
        return _page(request, visit, form, row)
    return leave(request, _("Saved."), reverse("web:hook", args=[row.public_id]))


@screen("POST")
def hook_act(request: HttpRequest, visit: Visit, public_id: UUID, verb: str) -> HttpResponse:
    row = _find(visit, public_id)
    if verb == "rotate":
        secret = services.rotate_secret(hook=row, actor=visit.actor, now=visit.now)
        row.refresh_from_db()
        return _page(request, visit, _form(request, visit, row, fresh=True), row, secret=secret)
    if verb != "remove":
        raise Http404
    services.remove(hook=row, actor=visit.actor, now=visit.now)
    words = _("Removed the hook %(name)s. What it made stays.") % {"name": row.name}
    return done(request, words, reverse("web:hooks"))


def _find(visit: Visit, public_id: UUID) -> InboundHook:
    rows = InboundHook.objects.visible_to(visit.person).select_related("workspace")
    row: InboundHook = get_object_or_404(rows, public_id=public_id)
    visit.require(Action.INTEGRATE, row.workspace)
    return row


def _form(request: HttpRequest, visit: Visit, row: InboundHook | None, *, fresh: bool = False) -> HookForm:
    room = row.workspace if row else visit.workspace
    accounts = PlatformAccount.objects.visible_to(visit.person).filter(workspace=room).exclude(state="disconnected")
    data = request.POST if request.method == "POST" and not fresh else None
    return HookForm(
        data, accounts=list(accounts.defer("credentials").order_by("platform", "name", "id")), groups=groups_of(room),
        hook=row,
    )  # fmt: skip


def _try(request: HttpRequest, visit: Visit, form: HookForm, row: InboundHook | None) -> HttpResponse:
    data = form.call()
    if data is None:
        return _page(request, visit, form, row)
    known = maps.known_paths(data)
    try:
        plan = form.plan()
        services.check(row.workspace if row else visit.workspace, plan)
        asked = receiving.understood(plan, row or InboundHook(workspace=visit.workspace), data, visit.now)
    except Refused as error:
        form.refuse(error.problems)
        return _page(request, visit, form, row, known=known)
    return _page(request, visit, form, row, known=known, asked=asked)


def _page(
    request: HttpRequest, visit: Visit, form: HookForm, row: InboundHook | None, *, secret: str = "",
    known: list[str] | None = None, asked: receiving.Made | None = None,
) -> HttpResponse:  # fmt: skip
    problems = form.problems()
    context = {
        "title": row.name if row else _("New hook"),
        "hook": row,
        "address": services.address_of(row) if row else "",
        "form": form,
        "problems": problems,
        "secret": secret,
        "choices": [
            (name, label, [(value, str(words)) for value, words in form.fields[name].choices], form.boxes(name))  # type: ignore[attr-defined]
            for name, label in (("accounts", _("Accounts")), ("groups", _("Account groups")))
        ],
        "known": known,
        "asked": _shown(asked) if asked else None,
        "queued": bool(asked and asked.queued),
        "calls": list(row.calls.order_by("-id")[: receiving.LOGGED]) if row else [],
        "now": visit.now,
    }
    status = 422 if problems else 200
    response = show(request, "hooks/hook.html", "hooks/partials/_hook.html", context, status=status)
    if secret:
        response.headers["Cache-Control"] = "no-store"
    return response


def _shown(asked: receiving.Made) -> list[tuple[Any, str]]:
    """What the sample would make: (label, words)."""
    found = [
        (LABELS[name], ", ".join(value) if isinstance(value, tuple) else value)
        for name in (*maps.TEXTS, *maps.LISTS)
        if (value := getattr(asked.draft, name))
    ]
    if asked.plan is not None:
        found.append((LABELS["at"], f"{asked.plan.start_local:%Y-%m-%d %H:%M} {asked.plan.timezone}"))
    return found
