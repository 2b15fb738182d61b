"""The team: members with their roles and accounts, invitations, and leaving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces import invitations, members
from alwrity_scheduler.workspaces.middleware import SESSION_KEY
from alwrity_scheduler.workspaces.models import ROLE_WORDS, Invitation, Membership
from alwrity_scheduler.workspaces.roles import Action, Role
from platforms.models import PlatformAccount
from platforms.services import grants
from schedules.web.gate import Visit, done, leave, refused, screen, show
from schedules.web.team_forms import EVERY, SOME, GrantsForm, InviteForm, role_choices

MOST_INVITATIONS = 50


@dataclass(frozen=True, slots=True)
class Sent:
    """An invitation just made. `link`: empty where it went by mail, else to be handed over, shown this once."""

    row: Invitation
    link: str


def accounts_of(visit: Visit) -> list[PlatformAccount]:
    rows = PlatformAccount.objects.filter(workspace=visit.workspace).exclude(state="disconnected")
    return list(rows.defer("credentials", "options").order_by("platform", "name", "id"))


@screen("GET", "HEAD", "POST")
def page(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Who is in the workspace and, for owners, who is invited. POST invites; a link that goes by no mail is shown once."""
    if request.method != "POST":
        return _page(request, visit)
    visit.require(Action.MEMBERS)
    form = InviteForm(request.POST, accounts=accounts_of(visit))
    if not form.is_valid():
        return _page(request, visit, form, status=422)
    try:
        row, secret = grants.invite(
            workspace=visit.workspace, email=form.cleaned_data["email"], role=form.cleaned_data["role"],
            accounts=form.granted(), person=visit.person, actor=visit.actor, now=visit.now,
        )  # fmt: skip
    except Refused as error:
        form.refuse(error.problems)
        return _page(request, visit, form, status=422)
    return _page(request, visit, sent=_sent(row, secret))


def _sent(row: Invitation, secret: str) -> Sent:
    row.refresh_from_db()
    return Sent(row, "" if row.sent_at else invitations.link_of(secret))


def _page(
    request: HttpRequest, visit: Visit, form: InviteForm | None = None, *, sent: Sent | None = None, status: int = 200
) -> HttpResponse:
    may = visit.may(Action.MEMBERS)
    rows = Membership.objects.filter(workspace=visit.workspace).select_related("user")
    context: dict[str, Any] = {
        "title": _("Team"),
        "may_members": may,
        "now": visit.now,
        "workspace": visit.workspace,
        "members": list(rows.prefetch_related("account_grants__account").order_by("id")),
        "roles": role_choices(people=True),
        "sent": sent,
    }
    if may:
        form = form or InviteForm(accounts=accounts_of(visit))
        context |= {
            "form": form,
            "problems": form.problems if form.is_bound else [],
            "invitations": list(invitations.open_ones(visit.workspace).select_related("invited_by")[:MOST_INVITATIONS]),
        }
    response = show(request, "people/team.html", "people/partials/_team.html", context, status=status)
    if sent:
        response.headers["Cache-Control"] = "no-store"
    return response


def _find(visit: Visit, username: str) -> Membership:
    visit.require(Action.MEMBERS)
    rows = Membership.objects.filter(workspace=visit.workspace).select_related("user", "workspace")
    row: Membership = get_object_or_404(rows, user__username=username)
    return row


def _named(row: Membership) -> str:
    return row.user.get_full_name() or row.user.get_username()


@screen("POST")
def set_role(request: HttpRequest, visit: Visit, username: str) -> HttpResponse:
    row = _find(visit, username)
    try:
        made = grants.change_member(
            membership=row, changes={"role": request.POST.get("role", "")}, actor=visit.actor, now=visit.now
        )
    except Refused as error:
        return refused(request, error, reverse("web:team"))
    words = _("%(name)s is %(role)s now.") % {"name": _named(row), "role": ROLE_WORDS[Role(made.role)]}
    return done(request, words, reverse("web:team"))


@screen("GET", "HEAD", "POST")
def member(request: HttpRequest, visit: Visit, username: str) -> HttpResponse:
    """Which accounts a member sees."""
    row = _find(visit, username)
    accounts = accounts_of(visit)
    if request.method == "POST":
        form = GrantsForm(request.POST, accounts=accounts)
        if form.is_valid():
            try:
                grants.set_grants(of=row, accounts=form.granted(), actor=visit.actor, now=visit.now)
            except Refused as error:
                form.refuse(error.problems)
            else:
                words = _("Saved the accounts of %(name)s.") % {"name": _named(row)}
                return leave(request, words, reverse("web:team"))
    else:
        given = grants.granted_to(row)
        initial = {"which": EVERY if given is None else SOME, "accounts": [str(one.public_id) for one in given or ()]}
        form = GrantsForm(initial=initial, accounts=accounts)
    context = {
        "title": _named(row),
        "member": row,
        "form": form,
        "problems": form.problems if form.is_bound else [],
        "sees_all": row.role in members.SEE_ALL,
        "is_outside": row.role == Role.REVIEWER,
        "now": visit.now,
    }
    status = 422 if request.method == "POST" else 200
    return show(request, "people/member.html", "people/partials/_member.html", context, status=status)


@screen("POST")
def remove(request: HttpRequest, visit: Visit, username: str) -> HttpResponse:
    row = _find(visit, username)
    try:
        members.remove_member(membership=row, actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, reverse("web:team"))
    return done(request, _("%(name)s is not in the team any more.") % {"name": _named(row)}, reverse("web:team"))


@screen("POST", outside=True)
def leave_workspace(request: HttpRequest, visit: Visit) -> HttpResponse:
    row = get_object_or_404(
        Membership.objects.select_related("user", "workspace"), workspace=visit.workspace, user=visit.person
    )
    try:
        members.leave(membership=row, actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, reverse("web:settings_section", args=["danger"]))
    request.session.pop(SESSION_KEY, None)
    return leave(request, _("You have left %(name)s.") % {"name": visit.workspace.name}, reverse("home"))


@screen("POST")
def invitation_act(request: HttpRequest, visit: Visit, public_id: UUID, verb: str) -> HttpResponse:
    """`resend`: a new link. `take-back`: the link works no more."""
    visit.require(Action.MEMBERS)
    row = get_object_or_404(
        Invitation.objects.select_related("workspace"), workspace=visit.workspace, public_id=public_id
    )
    try:
        if verb == "resend":
            made, secret = invitations.resend(invitation=row, actor=visit.actor, now=visit.now)
            return _page(request, visit, sent=_sent(made, secret))
        if verb != "take-back":
            raise Http404
        invitations.take_back(invitation=row, actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, reverse("web:team"))
    words = _("Took the invitation of %(email)s back. Its link works no more.") % {"email": row.email}
    return done(request, words, reverse("web:team"))
