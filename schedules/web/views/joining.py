"""The page behind an invitation's link: for somebody new, and for somebody who is known here. Shows nothing of the workspace but
its name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from alwrity_scheduler.core import clock, sightings
from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.signin import services as signin
from alwrity_scheduler.workspaces.invitations import invitation_of
from alwrity_scheduler.workspaces.middleware import SESSION_KEY
from alwrity_scheduler.workspaces.models import ROLE_WORDS, Invitation, User
from alwrity_scheduler.workspaces.roles import Role
from platforms.services import grants
from schedules.web.team_forms import JoinForm


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """The invitation, and accepting it. Whoever is signed in joins as that person, after saying so."""
    now = clock.now()
    invitation = invitation_of(secret, now)
    if invitation is None:
        sightings.tell_request("invitation.refused", request, at=now)
        return _private(
            render(request, "people/join_gone.html", {"title": _("This invitation does not work")}, status=404)
        )
    context: dict[str, Any] = {
        "title": _("Join %(name)s") % {"name": invitation.workspace.name},
        "invitation": invitation,
        "role": ROLE_WORDS[Role(invitation.role)],
        "here": request.path,
        "is_other": request.user.is_authenticated and request.user.email.lower() != invitation.email,
        "is_known": not request.user.is_authenticated and User.objects.filter(email__iexact=invitation.email).exists(),
    }
    if request.user.is_authenticated:
        return _private(_as_oneself(request, invitation, context, now))
    if context["is_known"]:
        return _private(render(request, "people/join.html", context))
    return _private(_as_new(request, invitation, context, now))


def _as_oneself(request: HttpRequest, invitation: Invitation, context: dict[str, Any], now: datetime) -> HttpResponse:
    said, status = "", 200
    if request.method == "POST":
        if context["is_other"] and not request.POST.get("sure"):
            said, status = _("Say that you want to join as the person who is signed in."), 422
        else:
            try:
                grants.accept(invitation=invitation, person=request.user, now=now)  # type: ignore[arg-type]
            except Refused as error:
                said, status = " ".join(problem.message for problem in error.problems), error.status
            else:
                _confirm(request, invitation, request.user, now)  # type: ignore[arg-type]
                return _in(request, invitation)
    return render(request, "people/join.html", {**context, "said": said}, status=status)


def _as_new(request: HttpRequest, invitation: Invitation, context: dict[str, Any], now: datetime) -> HttpResponse:
    if request.method != "POST":
        form = JoinForm(initial={"username": invitation.email.partition("@")[0]})
        return render(request, "people/join.html", {**context, "form": form})
    form = JoinForm(request.POST)
    if form.is_valid():
        try:
            person = grants.accept_as_new(invitation=invitation, now=now, **form.cleaned_data)
        except Refused as error:
            form.refuse(error.problems)
        else:
            _confirm(request, invitation, person, now)
            return _sign_in(request, invitation, person)
    return render(request, "people/join.html", {**context, "form": form, "problems": form.problems}, status=422)


def _confirm(request: HttpRequest, invitation: Invitation, person: User, now: datetime) -> None:
    """Who opened a mailed link reads what is sent there. A link that was handed over says nothing of the address."""
    if invitation.sent_at and person.email.lower() == invitation.email:
        actor = signin.own_actor(request, person)
        signin.confirm_address(person=person, address=invitation.email, actor=actor, now=now)


def _sign_in(request: HttpRequest, invitation: Invitation, person: User) -> HttpResponse:
    """By the door that everybody comes through: it lists the session, and tells of it."""
    from allauth.account.internal.flows.login import record_authentication
    from allauth.account.utils import perform_login

    record_authentication(request, person, method="invitation")
    answer: HttpResponse = perform_login(request, person, email_verification="none", redirect_url=reverse("home"))
    return _in(request, invitation) if request.user.is_authenticated else answer


def _in(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    request.session[SESSION_KEY] = invitation.workspace_id
    messages.success(request, _("Welcome to %(name)s.") % {"name": invitation.workspace.name})
    return HttpResponseRedirect(reverse("home"))


def _private(response: HttpResponse) -> HttpResponse:
    """The address is the key: it goes into no referrer and no search engine."""
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
