"""The places a workspace publishes to: list, connect, change, test, pause. Secrets are write-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.core.events import unit
from alwrity_scheduler.workspaces.roles import Action
from platforms.base import Adapter, SignsIn
from platforms.errors import AdapterMissing
from platforms.models import PlatformAccount, PlatformApp
from platforms.registry import adapter_for, adapters
from platforms.services import accounts as service
from platforms.services import apps
from platforms.services.groups import groups_of
from schedules.models import Job, Schedule
from schedules.reads.accounts import SORTS, TROUBLE, breaks_of, keys_of, shelf
from schedules.reads.standing import standings
from schedules.services import probing
from schedules.web.account_forms import AccountForm, initial_of
from schedules.web.context import shell_of
from schedules.web.gate import Visit, done, leave, next_url, refused, screen, show
from schedules.web.locale import said


@screen()
def account_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The accounts as cards: `?group=` its id, `?platform=`, `?state=` an AccountState or trouble, `?q=`, `?sort=`."""
    groups = groups_of(visit.workspace)
    wanted = request.GET.get("group", "")
    chosen = next((row for row in groups if str(row.public_id) == wanted), None)
    asked = {name: request.GET.get(name, "").strip() for name in ("q", "platform", "state", "sort")}
    labels = _labels()
    shown = shelf(
        visit.workspace,
        visit.now,
        words=asked["q"][:100],
        platform=asked["platform"],
        state=asked["state"] if asked["state"] in STATES else "",
        group=chosen,
        sort=asked["sort"] if asked["sort"] in SORTS else SORTS[0],
    )
    context = {
        "title": _("Accounts"),
        "cards": shown.cards,
        "any": bool(shown.platforms),
        "groups": groups,
        "chosen": chosen,
        "asked": asked,
        "filtered": any(asked[name] for name in ("q", "platform", "state")),
        "platforms": [(key, labels.get(key, key)) for key in shown.platforms],
        "states": STATES.items(),
        "sorts": SORT_WORDS.items(),
        "here": request.get_full_path(),
        "labels": labels,
        "signing": _signing_keys(),
        "keyed": {
            key for key, adapter in adapters.items() if adapter.credential_fields or isinstance(adapter, SignsIn)
        },
        "now": visit.now,
    }
    return show(request, "accounts/list.html", "accounts/partials/_list.html", context)


STATES = {
    TROUBLE: gettext_lazy("Something is wrong"),
    "active": gettext_lazy("Connected"),
    "needs_auth": gettext_lazy("Needs signing in"),
    "paused": gettext_lazy("Paused"),
    "disconnected": gettext_lazy("Disconnected"),
}
SORT_WORDS = {
    "urgent": gettext_lazy("What needs you first"),
    "name": gettext_lazy("Name"),
    "platform": gettext_lazy("Platform"),
    "next": gettext_lazy("Next post"),
    "last": gettext_lazy("Last post"),
}


def _labels() -> dict[str, str]:
    return {key: adapter.label for key, adapter in adapters.items()}


def _signing_keys() -> set[str]:
    """Platforms at which people sign in."""
    return {key for key, adapter in adapters.items() if isinstance(adapter, SignsIn)}


@screen()
def choose(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Which platform? The sandbox comes first: it needs nothing."""
    visit.require(Action.ACCOUNTS)
    signing = {item.key: item for item in apps.sign_in_platforms()}
    own = set(PlatformApp.objects.filter(workspace=visit.workspace).values_list("platform", flat=True))
    cards = [
        {
            "adapter": adapter,
            "signs_in": key in signing,
            "needs_app": key in signing and not signing[key].is_ready and key not in own,
            "needs": _needs(adapter),
        }
        for key, adapter in sorted(adapters.items(), key=lambda item: (item[0] != "sandbox", item[1].label.lower()))
    ]
    return render(
        request,
        "accounts/choose.html",
        {"title": _("Connect an account"), "cards": cards, "has_signing": bool(signing)},
    )


def _needs(adapter: Adapter) -> str:
    """What a person must have at hand, in the words of the form."""
    fields = (*adapter.credential_fields, *adapter.option_fields)
    wanted = [said(spec.label) for spec in fields if spec.required and not spec.default and not spec.generate]
    if wanted:
        return ", ".join(wanted)
    choices = [said(spec.label) for spec in adapter.credential_fields if not spec.generate]
    return _(" or ").join(choices[:2])


AFTERWARDS = ("min_spacing_seconds", "hourly_cap", "daily_cap", "signature", "default_hashtags", "utm")


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
        if isinstance(adapter, SignsIn) and not adapter.credential_fields:
            return redirect("web:account_signin", platform=platform)
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
            more = {name: changes[name] for name in AFTERWARDS if changes[name]}
            if more:
                service.update_settings(account=account, changes=more, actor=visit.actor, now=visit.now)
    except Refused as error:
        form.refuse(error.problems)
        return _form_page(request, form, adapter=adapter, status=422)
    health = service.put_to_the_test(account=account, actor=visit.actor, now=visit.now)
    words = f"{account.name}: {service.health_words(health)}"
    if made:
        context = {
            "title": _("Keep these secrets"),
            "account": account,
            "made": _named(adapter, made),
            "health": health,
            "words": words,
        }
        return show(request, "accounts/secrets.html", "accounts/partials/_secrets.html", context)
    messages.add_message(request, messages.SUCCESS if health.ok else messages.ERROR, words)
    to = reverse("web:accounts") if health.ok else reverse("web:account", args=[account.public_id])
    return leave(request, _("Connected %(name)s.") % {"name": account.name}, to)


def _named(adapter: Any, made: dict[str, str]) -> list[tuple[str, str]]:
    labels = {spec.name: said(spec.label) for spec in adapter.credential_fields}
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
    initial = initial_of(row)
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
                changes=form.changes(row.options),
                version=form.cleaned_data["version"],
                actor=visit.actor,
                now=visit.now,
            )
            row = service.set_credentials(account=row, credentials=form.secrets(), actor=visit.actor, now=visit.now)
            given = any(form.secrets().values())
            if row.state in ("needs_auth", "disconnected") and (given or not adapter.credential_fields):
                service.reconnect(account=row, actor=visit.actor, now=visit.now)
    except Refused as error:
        form.refuse(error.problems)
        return _form_page(request, form, adapter=adapter, row=row, status=error.status)
    if given:
        health = service.put_to_the_test(account=row, actor=visit.actor, now=visit.now)
        words = f"{row.name}: {service.health_words(health)}"
        messages.add_message(request, messages.SUCCESS if health.ok else messages.ERROR, words)
    return leave(request, _("Saved %(name)s.") % {"name": row.name}, reverse("web:account", args=[public_id]))


def _find(visit: Visit, public_id: UUID) -> PlatformAccount:
    rows = PlatformAccount.objects.visible_to(visit.person).select_related("workspace", "service", "circuit")
    row: PlatformAccount = get_object_or_404(rows, public_id=public_id)
    return row


BREAKS_SHOWN = 8


def _used_by(row: PlatformAccount, now: datetime) -> dict[str, Any]:
    used = (
        Schedule.objects.filter(targets__account=row, state__in=["draft", "in_review", "active", "paused"])
        .select_related("content")
        .order_by("-created_at", "-id")
    )
    standing = standings([row], now)[row.pk]
    breaks = breaks_of(row, standing, now)
    return {
        "used": list(used[:10]),
        "used_count": used.count(),
        "held": Job.objects.filter(account=row, state="blocked").count(),
        "standing": standing,
        "breaks": breaks[:BREAKS_SHOWN],
        "break_count": len(breaks),
        "keys": keys_of(row),
        "groups": list(row.account_groups.order_by("name", "id")),
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
    context = {
        "title": row.name if row else _("Connect %(label)s") % {"label": adapter.label},
        "form": form,
        "adapter": adapter,
        "account": row,
        "may_change": may_change,
        "problems": form.problems(),
        "signs_in": isinstance(adapter, SignsIn),
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
        health = service.put_to_the_test(account=row, actor=visit.actor, now=visit.now)
        words = f"{row.name}: {service.health_words(health)}"
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
