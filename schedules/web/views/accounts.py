"""The places a workspace publishes to: list, connect, change, test, pause. Secrets are write-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.contrib import messages
from django.db.models import Count, Max, Min, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.core.events import unit
from alwrity_scheduler.workspaces.roles import Action
from platforms.errors import AdapterMissing
from platforms.models import PlatformAccount
from platforms.registry import adapter_for, adapters
from platforms.services import accounts as service
from schedules.models import Job, Schedule
from schedules.reads.standing import standings
from schedules.services import probing
from schedules.web.context import shell_of
from schedules.web.forms import AccountForm
from schedules.web.gate import Visit, done, leave, next_url, refused, screen, show


@screen()
def account_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    rows = (
        PlatformAccount.objects.filter(workspace=visit.workspace)
        .annotate(
            last_at=Max("jobs__finished_at", filter=Q(jobs__state="completed")),
            next_at=Min("jobs__run_at", filter=Q(jobs__state="pending")),
            waiting=Count("jobs", filter=Q(jobs__state__in=["pending", "blocked"])),
        )
        .order_by("platform", "name", "id")
    )
    context = {"title": _("Accounts"), "accounts": rows, "labels": _labels(), "now": visit.now}
    return show(request, "accounts/list.html", "accounts/partials/_list.html", context)


def _labels() -> dict[str, str]:
    return {key: adapter.label for key, adapter in adapters.items()}


@screen()
def choose(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Which platform?"""
    visit.require(Action.ACCOUNTS)
    return render(
        request,
        "accounts/choose.html",
        {"title": _("Connect an account"), "adapters": [adapter for _key, adapter in adapters.items()]},
    )


@screen("GET", "HEAD", "POST")
def connect(request: HttpRequest, visit: Visit, platform: str) -> HttpResponse:
    visit.require(Action.ACCOUNTS)
    try:
        adapter = adapter_for(platform)
    except AdapterMissing as error:
        raise Http404(str(error)) from error
    form = AccountForm(
        request.POST or None,
        adapter=adapter,
        is_new=True,
        initial={"timezone": visit.person.timezone, "min_spacing_seconds": 0},
    )
    if request.method != "POST":
        return _form_page(request, form, adapter=adapter)
    if not form.is_valid():
        return _form_page(request, form, adapter=adapter, status=422)
    given = form.secrets()
    changes = form.changes()
    try:
        with unit():
            account = service.connect(
                workspace=visit.workspace,
                platform=platform,
                name=changes["name"],
                handle=changes.get("handle", ""),
                timezone=changes["timezone"],
                credentials=given,
                options=changes["options"],
                actor=visit.actor,
                now=visit.now,
            )
            made = service.generated(account, given)
            limits = {
                name: changes[name] for name in ("min_spacing_seconds", "hourly_cap", "daily_cap") if changes[name]
            }
            if limits:
                service.update_settings(account=account, changes=limits, actor=visit.actor, now=visit.now)
    except Refused as error:
        form.refuse(error.problems)
        return _form_page(request, form, adapter=adapter, status=422)
    if made:
        context = {"title": _("Keep these secrets"), "account": account, "made": _named(adapter, made)}
        return show(request, "accounts/secrets.html", "accounts/partials/_secrets.html", context)
    return leave(request, _("Connected %(name)s.") % {"name": account.name}, reverse("web:accounts"))


def _named(adapter: Any, made: dict[str, str]) -> list[tuple[str, str]]:
    labels = {spec.name: spec.label for spec in adapter.credential_fields}
    return [(labels.get(name, name), secret) for name, secret in made.items()]


@screen("GET", "HEAD", "POST")
def account(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    row = _find(visit, public_id)
    may_change = visit.may(Action.ACCOUNTS, row.workspace)
    try:
        adapter = adapter_for(row.platform)
    except AdapterMissing as error:
        context = {
            "title": row.name,
            "account": row,
            "missing": str(error),
            "may_change": False,
            **_used_by(row, visit.now),
        }
        return show(request, "accounts/account.html", "accounts/partials/_account.html", context)
    initial = {
        "version": row.version,
        "name": row.name,
        "handle": row.handle,
        "timezone": row.timezone,
        "min_spacing_seconds": row.min_spacing_seconds,
        "hourly_cap": row.hourly_cap,
        "daily_cap": row.daily_cap,
        **{f"option-{name}": value for name, value in row.options.items()},
    }
    if request.method != "POST":
        return _form_page(
            request,
            AccountForm(initial=initial, adapter=adapter, is_new=False),
            adapter=adapter,
            row=row,
            may_change=may_change,
        )
    visit.require(Action.ACCOUNTS, row.workspace)
    form = AccountForm(request.POST, initial=initial, adapter=adapter, is_new=False)
    if not form.is_valid():
        return _form_page(request, form, adapter=adapter, row=row, status=422)
    try:
        with unit():
            row = service.update_settings(
                account=row,
                changes=form.changes(),
                version=form.cleaned_data["version"],
                actor=visit.actor,
                now=visit.now,
            )
            row = service.set_credentials(account=row, credentials=form.secrets(), actor=visit.actor, now=visit.now)
            if row.state in ("needs_auth", "disconnected") and (
                any(form.secrets().values()) or not adapter.credential_fields
            ):
                service.reconnect(account=row, actor=visit.actor, now=visit.now)
    except Refused as error:
        form.refuse(error.problems)
        return _form_page(request, form, adapter=adapter, row=row, status=error.status)
    return leave(request, _("Saved %(name)s.") % {"name": row.name}, reverse("web:account", args=[public_id]))


def _find(visit: Visit, public_id: UUID) -> PlatformAccount:
    rows = PlatformAccount.objects.visible_to(visit.person).select_related("workspace", "service", "circuit")
    row: PlatformAccount = get_object_or_404(rows, public_id=public_id)
    return row


def _used_by(row: PlatformAccount, now: datetime) -> dict[str, Any]:
    used = (
        Schedule.objects.filter(targets__account=row, state__in=["draft", "in_review", "active", "paused"])
        .select_related("content")
        .order_by("-created_at", "-id")
    )
    return {
        "used": list(used[:10]),
        "used_count": used.count(),
        "held": Job.objects.filter(account=row, state="blocked").count(),
        "standing": standings([row], now)[row.pk],
        "now": now,
    }


def _form_page(
    request: HttpRequest,
    form: AccountForm,
    *,
    adapter: Any,
    row: PlatformAccount | None = None,
    may_change: bool = True,
    status: int = 200,
) -> HttpResponse:
    problems = [("", "", str(words)) for words in form.non_field_errors()] if form.is_bound else []
    if form.is_bound:
        problems += [
            (name, str(field.label), str(words))
            for name, field in form.fields.items()
            for words in form.errors.get(name, ())
        ]
    context = {
        "title": row.name if row else _("Connect %(label)s") % {"label": adapter.label},
        "form": form,
        "adapter": adapter,
        "account": row,
        "may_change": may_change,
        "problems": problems,
        "zones": sorted(available_timezones()),
        **(_used_by(row, shell_of(request).now) if row else {}),
    }
    return show(request, "accounts/account.html", "accounts/partials/_account.html", context, status=status)


_WORDS = {
    "pause": gettext_lazy("Paused %(name)s. Its posts wait until it is resumed."),
    "resume": gettext_lazy("Resumed %(name)s."),
    "disconnect": gettext_lazy("Disconnected %(name)s and forgot its credentials."),
}


@screen("POST")
def act(request: HttpRequest, visit: Visit, public_id: UUID, verb: str) -> HttpResponse:
    row = _find(visit, public_id)
    back = next_url(request, reverse("web:account", args=[public_id]))
    if verb == "test":
        visit.require(Action.ACCOUNTS, row.workspace)
        health = service.check_now(row)
        words = f"{row.name}: {health.message}"
        return done(request, words, back, level=messages.SUCCESS if health.ok else messages.ERROR)
    if verb == "try-now":
        visit.require(Action.ACCOUNTS, row.workspace)
        return _try_now(request, visit, row, back)
    if verb not in _WORDS:
        raise Http404
    visit.require(Action.ACCOUNTS, row.workspace)
    call = {"pause": service.pause, "resume": service.resume, "disconnect": service.disconnect}[verb]
    try:
        call(account=row, actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, back)
    undo = {"pause": "resume", "resume": "pause"}.get(verb, "")
    return done(
        request,
        str(_WORDS[verb]) % {"name": row.name},
        back,
        undo=reverse("web:account_act", args=[public_id, undo]) if undo else "",
    )


def _try_now(request: HttpRequest, visit: Visit, row: PlatformAccount, back: str) -> HttpResponse:
    try:
        tested = probing.try_now(account=row, actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, back)
    words = _("Trying %(name)s now.") if tested else _("%(name)s is tried with its next post.")
    return done(request, words % {"name": row.name}, back)
