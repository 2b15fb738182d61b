"""Signing in at platforms: away and back, the choice of what to connect, and the apps that platforms know us by."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces.roles import Action
from platforms.base import SignsIn
from platforms.models import PlatformAccount, PlatformApp, SignInAttempt
from platforms.registry import adapters
from platforms.services import accounts as account_service
from platforms.services import apps, signin
from schedules.web.account_forms import AppForm, ChoiceForm, SignInForm
from schedules.web.gate import Visit, done, leave, refused, screen, show


def signing_adapter(platform: str) -> Any:
    adapter: Any = adapters.get(platform)
    if not isinstance(adapter, SignsIn):
        raise Http404("Nobody signs in at this platform.")
    return adapter


def browser_of(request: HttpRequest) -> str:
    """What names this browser's session."""
    return str(request.session.session_key or "")


@screen("GET", "HEAD", "POST")
def start(request: HttpRequest, visit: Visit, platform: str) -> HttpResponse:
    """Send the person to the platform: by a page of ours, for a form may not be redirected to another site (CSP form-action)."""
    visit.require(Action.ACCOUNTS)
    adapter = signing_adapter(platform)
    again = _account(visit, request.POST.get("account") or request.GET.get("account", ""), platform)
    workspace = again.workspace if again else visit.workspace
    visit.require(Action.ACCOUNTS, workspace)
    form = SignInForm(
        request.POST if request.method == "POST" else None, adapter=adapter, initial=again.options if again else {}
    )
    if request.method != "POST" or not form.is_valid():
        return _start_page(request, form, adapter, again, 200 if request.method != "POST" else 422)
    public = urlsplit(settings.PUBLIC_URL)
    if request.get_host() != public.netloc:
        words = _(
            "People come back to %(url)s after signing in, and you are at %(host)s. Open the product there first."
        )
        form.add_error(None, words % {"url": settings.PUBLIC_URL, "host": request.get_host()})
        return _start_page(request, form, adapter, again, 422)
    options = {**(again.options if again else {}), **form.options()}
    try:
        url = signin.start(
            workspace=workspace,
            platform=platform,
            options={name: options[name] for name in adapter.sign_in_fields if name in options},
            person=visit.person,
            browser=browser_of(request),
            account=again,
            actor=visit.actor,
            now=visit.now,
        )
    except Refused as error:
        form.refuse(error.problems)
        return _start_page(request, form, adapter, again, 422, no_app=error.problems[0].code == "no_app")
    context = {
        "title": _("To %(label)s") % {"label": adapter.label},
        "url": url,
        "host": urlsplit(url).netloc,
        "adapter": adapter,
    }
    response = render(request, "accounts/leaving.html", context)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _start_page(
    request: HttpRequest,
    form: SignInForm,
    adapter: Any,
    again: PlatformAccount | None,
    status: int,
    *,
    no_app: bool = False,
) -> HttpResponse:
    context = {
        "title": _("Sign in at %(label)s") % {"label": adapter.label},
        "form": form,
        "adapter": adapter,
        "again": again,
        "no_app": no_app,
        "problems": form.problems(),
    }
    return render(request, "accounts/signin.html", context, status=status)


def _account(visit: Visit, public_id: str, platform: str) -> PlatformAccount | None:
    """The account that is to be signed in again."""
    if not public_id:
        return None
    try:
        wanted = UUID(public_id)
    except ValueError:
        raise Http404 from None
    rows = PlatformAccount.objects.visible_to(visit.person).select_related("workspace")
    row: PlatformAccount = get_object_or_404(rows, public_id=wanted, platform=platform)
    return row


@screen()
def callback(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Where platforms send people back to. What comes here is checked against what was sent; nothing of it is trusted."""
    given = request.GET
    try:
        attempt = signin.answered(
            state=given.get("state", "")[:200],
            code=given.get("code", "")[:4000],
            error=given.get("error", "")[:100],
            description=given.get("error_description", "")[:1000],
            person=visit.person,
            browser=browser_of(request),
            now=visit.now,
        )
    except signin.NotSignedIn as error:
        return _failed(request, error)
    # the code is used up, and its address must not stay in the bar
    response = HttpResponse(status=303, headers={"Location": reverse("web:account_pick", args=[attempt.public_id])})
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _failed(request: HttpRequest, error: signin.NotSignedIn) -> HttpResponse:
    attempt = error.attempt
    context = {
        "title": _("Not signed in"),
        "words": str(error),
        "by_choice": error.by_choice,
        "again": _again(attempt) if attempt else reverse("web:account_choose"),
        "account": attempt.account if attempt else None,
    }
    response = render(request, "accounts/not_signed_in.html", context, status=200 if error.by_choice else 422)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _again(attempt: SignInAttempt) -> str:
    address = reverse("web:account_signin", args=[attempt.platform])
    return f"{address}?account={attempt.account.public_id}" if attempt.account else address


@screen("GET", "HEAD", "POST")
def pick(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """Which of the places that the sign-in brought shall be connected?"""
    try:
        attempt = signin.waiting(public_id=public_id, person=visit.person, browser=browser_of(request), now=visit.now)
    except signin.NotSignedIn as error:
        return _failed(request, error)
    visit.require(Action.ACCOUNTS, attempt.workspace)
    adapter = signing_adapter(attempt.platform)
    try:
        found = signin.choices(attempt)
    except Refused as error:
        return _failed(request, signin.NotSignedIn(error.problems[0].message, attempt=attempt))
    form = ChoiceForm(request.POST if request.method == "POST" else None, choices=found, account=attempt.account)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                made = signin.finish(
                    attempt=attempt,
                    chosen=form.cleaned_data["chosen"],
                    despite_missing=form.cleaned_data["despite"],
                    timezone=visit.person.timezone,
                    actor=visit.actor,
                    now=visit.now,
                )
            except Refused as error:
                form.refuse(error.problems)
            else:
                return _connected(request, visit, made)
    stranger = attempt.account is not None and attempt.account.pk not in {
        item.account.pk for item in found if item.account
    }
    context = {
        "title": _("What shall be connected?"),
        "attempt": attempt,
        "adapter": adapter,
        "choices": found,
        "picked": form.picked(),
        "stranger": attempt.account if stranger else None,
        "form": form,
        "problems": form.problems(),
        "again": _again(attempt),
    }
    return render(request, "accounts/pick.html", context, status=status)


def _connected(request: HttpRequest, visit: Visit, made: list[PlatformAccount]) -> HttpResponse:
    """Each is tested at once, so that the person reads whom the platform takes them for."""
    for row in made[:5]:
        health = account_service.put_to_the_test(account=row, actor=visit.actor, now=visit.now, timeout=5.0)
        level = messages.SUCCESS if health.ok else messages.ERROR
        messages.add_message(request, level, f"{row.name}: {account_service.health_words(health)}")
    names = ", ".join(row.name for row in made)
    words = ngettext("Connected %(names)s.", "Connected %(names)s.", len(made)) % {"names": names}
    only = reverse("web:account", args=[made[0].public_id]) if len(made) == 1 else reverse("web:accounts")
    return leave(request, words, only)


@screen("GET", "HEAD", "POST")
def app_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The workspace's sign-in apps, and a form to enter one. Secrets are write-only."""
    visit.require(Action.ACCOUNTS)
    platforms = apps.sign_in_platforms()
    form = AppForm(
        request.POST if request.method == "POST" else None,
        platforms=platforms,
        initial={"platform": request.GET.get("platform", "")},
    )
    if request.method == "POST" and form.is_valid():
        try:
            row = apps.save(workspace=visit.workspace, actor=visit.actor, now=visit.now, **form.values())
        except Refused as error:
            form.refuse(error.problems)
        else:
            return leave(request, _("Saved the app for %(name)s.") % {"name": _name(row)}, reverse("web:account_apps"))
    rows = PlatformApp.objects.visible_to(visit.person).filter(workspace=visit.workspace)
    context = {
        "title": _("Sign-in apps"),
        "apps": [(row, bool(row.secrets), getattr(adapters.get(row.platform), "label", row.platform)) for row in rows],
        "platforms": platforms,
        "redirect_uri": apps.redirect_uri(),
        "form": form,
        "problems": form.problems(),
    }
    status = 422 if form.is_bound else 200
    return show(request, "accounts/apps.html", "accounts/partials/_apps.html", context, status=status)


def _name(row: PlatformApp) -> str:
    return f"{getattr(adapters.get(row.platform), 'label', row.platform)} {row.server}".strip()


@screen("POST")
def app_remove(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    rows = PlatformApp.objects.visible_to(visit.person).select_related("workspace")
    row: PlatformApp = get_object_or_404(rows, public_id=public_id)
    visit.require(Action.ACCOUNTS, row.workspace)
    back = reverse("web:account_apps")
    try:
        apps.remove(app=row, actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, back)
    return done(request, _("Removed the app for %(name)s.") % {"name": _name(row)}, back)
