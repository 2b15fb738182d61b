"""Groups of accounts: looked at, made, renamed, filled and removed on one page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import AccountGroup, PlatformAccount
from platforms.services import groups as service
from schedules.web.account_forms import GroupForm, ticked
from schedules.web.gate import Visit, done, leave, screen, show


@screen("GET", "HEAD", "POST")
def group_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    """All groups; POST makes one."""
    if request.method != "POST":
        return _page(request, visit)
    visit.require(Action.ACCOUNTS)
    form = GroupForm(request.POST, accounts=_accounts(visit))
    if form.is_valid():
        try:
            row = service.create(
                workspace=visit.workspace,
                name=form.cleaned_data["name"],
                account_ids=form.cleaned_data["accounts"],
                actor=visit.actor,
                now=visit.now,
            )
        except Refused as error:
            form.refuse(error.problems)
        else:
            return leave(request, _("Made the group %(name)s.") % {"name": row.name}, reverse("web:account_groups"))
    return _page(request, visit, form=form)


@screen("POST")
def group(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """Another name, other accounts."""
    row = _find(visit, public_id)
    form = GroupForm(request.POST, accounts=_accounts(visit))
    if form.is_valid():
        try:
            service.update(
                group=row,
                name=form.cleaned_data["name"],
                account_ids=form.cleaned_data["accounts"],
                version=form.cleaned_data["version"],
                actor=visit.actor,
                now=visit.now,
            )
        except Refused as error:
            form.refuse(error.problems)
        else:
            words = _("Saved the group %(name)s.") % {"name": form.cleaned_data["name"]}
            return leave(request, words, reverse("web:account_groups"))
    return _page(request, visit, form=form, row=row)


@screen("POST")
def group_delete(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    row = _find(visit, public_id)
    service.delete(group=row, actor=visit.actor, now=visit.now)
    words = _("Deleted the group %(name)s. Its accounts stay.") % {"name": row.name}
    return done(request, words, reverse("web:account_groups"))


def _find(visit: Visit, public_id: UUID) -> AccountGroup:
    rows = AccountGroup.objects.visible_to(visit.person).select_related("workspace")
    row: AccountGroup = get_object_or_404(rows, public_id=public_id, workspace=visit.workspace)
    visit.require(Action.ACCOUNTS, row.workspace)
    return row


def _accounts(visit: Visit) -> list[PlatformAccount]:
    rows = PlatformAccount.objects.visible_to(visit.person).filter(workspace=visit.workspace)
    return list(rows.defer("credentials").order_by("platform", "name", "id"))


def _page(
    request: HttpRequest, visit: Visit, *, form: GroupForm | None = None, row: AccountGroup | None = None
) -> HttpResponse:
    """`row`: the group whose form was refused; without one it was that of a new group."""
    everyone = _accounts(visit)
    cards: list[dict[str, Any]] = []
    for item in service.groups_of(visit.workspace):
        members = list(item.accounts.all())
        mine = form if row is not None and item.pk == row.pk else None
        cards.append(
            {
                "group": item,
                "members": members,
                "form": mine,
                "name": mine.data.get("name", "") if mine else item.name,
                "ticked": ticked(mine, "accounts") if mine else {str(one.public_id) for one in members},
            }
        )
    fresh = form if row is None and form is not None else GroupForm(accounts=everyone)
    context = {
        "title": _("Account groups"),
        "cards": cards,
        "everyone": [(str(one.public_id), one) for one in everyone],
        "form": fresh,
        "ticked": ticked(fresh, "accounts"),
        "problems": form.problems() if form is not None else [],
        "may_change": visit.may(Action.ACCOUNTS),
    }
    status = 422 if form is not None else 200
    return show(request, "accounts/groups.html", "accounts/partials/_groups.html", context, status=status)
