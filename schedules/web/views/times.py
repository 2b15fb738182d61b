"""An account's posting times of the week: what "Add to queue" fills."""

from __future__ import annotations

import re
from datetime import time
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import PlatformAccount
from schedules.models import PostingSlot
from schedules.services import slots
from schedules.web import locale
from schedules.web.gate import Visit, done, screen, show

_TIME = re.compile(r"^([01]?\d|2[0-3])[:.]?([0-5]\d)$")


@screen("GET", "HEAD", "POST")
def page(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    rows = PlatformAccount.objects.visible_to(visit.person).select_related("workspace")
    account = get_object_or_404(rows, public_id=public_id)
    if request.method != "POST":
        return _show(request, visit, account, _stored(account), {})
    visit.require(Action.ACCOUNTS, account.workspace)
    typed = {day: request.POST.get(f"day-{day}", "") for day in range(7)}
    times, wrong = read(typed)
    if not wrong:
        try:
            slots.set_slots(account=account, times=times, actor=visit.actor, now=visit.now)
        except Refused as error:
            wrong = {0: " ".join(item.message for item in error.problems)}
    if wrong:
        return _show(request, visit, account, typed, wrong, status=422)
    words = _("Saved the posting times of %(name)s.") % {"name": account.name}
    return done(request, words, reverse("web:account_times", args=[public_id]))


def read(typed: dict[int, str]) -> tuple[list[tuple[int, time]], dict[int, str]]:
    """("9:00, 17:30" by weekday) as times, and what is wrong by weekday."""
    times: list[tuple[int, time]] = []
    wrong: dict[int, str] = {}
    for day, words in typed.items():
        for word in filter(None, re.split(r"[\s,;]+", words)):
            found = _TIME.match(word)
            if found is None:
                wrong[day] = Problem(field="times", message=_("Write times like 09:00, 17:30.")).message
                continue
            times.append((day, time(int(found[1]), int(found[2]))))
    return times, wrong


def _stored(account: PlatformAccount) -> dict[int, str]:
    found: dict[int, list[str]] = {day: [] for day in range(7)}
    for slot in PostingSlot.objects.filter(account=account).order_by("weekday", "time"):
        found[slot.weekday].append(f"{slot.time:%H:%M}")
    return {day: ", ".join(words) for day, words in found.items()}


def _show(
    request: HttpRequest,
    visit: Visit,
    account: PlatformAccount,
    typed: dict[int, str],
    wrong: dict[int, str],
    *,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "title": _("Posting times of %(name)s") % {"name": account.name},
        "account": account,
        "days": [(day, name, typed[day], wrong.get(day, "")) for day, name in locale.weekdays()],
        "next_at": slots.next_slot(account, now=visit.now),
        "may_change": visit.may(Action.ACCOUNTS, account.workspace),
        "now": visit.now,
    }
    return show(request, "accounts/times.html", "accounts/partials/_times.html", context, status=status)
