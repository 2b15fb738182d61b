"""What this person was told: by day, with what can be done about it; read and unread; what to be told of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.workspaces.roles import Action
from platforms.base import SignsIn
from platforms.models import PlatformAccount
from platforms.registry import adapters
from schedules.domain.recovery import Verb
from schedules.models import AuditLog
from schedules.notifications import services
from schedules.notifications.models import Notice
from schedules.notifications.querysets import OPEN
from schedules.notifications.reads import NAMES, days_of, line_of
from schedules.notifications.rules import Kind
from schedules.notifications.settling import posts_of
from schedules.services import recovery
from schedules.web.gate import Visit, done, next_url, refused, screen, show, wants_part
from schedules.web.templatetags.notices import notice_address

PER_PAGE = 50
LATEST = 8
SHOWN = ("", "open", "unread")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _stamp(at: datetime) -> int:
    """Microseconds: names the moment at which something was marked as read."""
    return (at - EPOCH) // timedelta(microseconds=1)


@screen(outside=True)
def page(request: HttpRequest, visit: Visit) -> HttpResponse:
    """`?show=` open or unread; `?kind=` of Kind."""
    shown = request.GET.get("show", "")
    kind = request.GET.get("kind", "")
    shown, kind = shown if shown in SHOWN else "", kind if kind in list(Kind) else ""
    mine = Notice.objects.of(visit.person, visit.workspace)
    if kind:
        mine = mine.of_kind(Kind(kind))
    counts = mine.aggregate(all=Count("pk"), open=Count("pk", filter=OPEN), unread=Count("pk", filter=Q(read_at=None)))
    rows = {"open": mine.open(), "unread": mine.unread()}.get(shown, mine).order_by("-last_at", "-id")
    found = _Counted(rows, counts[shown or "all"]).get_page(request.GET.get("page"))
    context = {
        "title": _("Notifications"),
        "days": days_of(found),
        "page": found,
        "tabs": [
            ("", _("All"), counts["all"]),
            ("open", _("Needs you"), counts["open"]),
            ("unread", _("Unread"), counts["unread"]),
        ],
        "counts": counts,
        "shown": shown,
        "kind": kind,
        "kinds": [(item.value, words) for item, words in NAMES.items()],
        "filtered": bool(shown or kind),
        "may_operate": visit.may(Action.OPERATE),
        "may_accounts": visit.may(Action.ACCOUNTS),
        "here": request.get_full_path(),
        "now": visit.now,
        "part": wants_part(request),
    }
    return show(request, "notifications/page.html", "notifications/partials/_list.html", context)


class _Counted(Paginator[Notice]):
    """Pages of a list whose length is known already."""

    def __init__(self, rows: Any, number: int) -> None:
        super().__init__(rows, PER_PAGE)
        self.count = number


@screen(outside=True)
def latest(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The few newest, for the bell: first what waits for an act."""
    mine = Notice.objects.of(visit.person, visit.workspace)
    rows = [*mine.open().order_by("-last_at", "-id")[:LATEST]]
    if len(rows) < LATEST:
        rows += mine.exclude(OPEN).order_by("-last_at", "-id")[: LATEST - len(rows)]
    response = render(
        request, "notifications/partials/_latest.html", {"lines": [line_of(row) for row in rows], "now": visit.now}
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _find(visit: Visit, public_id: UUID) -> Notice:
    rows = Notice.objects.visible_to(visit.person).select_related("workspace")
    row: Notice = get_object_or_404(rows, public_id=public_id)
    return row


@screen(outside=True)
def follow(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """To the thing itself. Who goes there has read the notice."""
    row = _find(visit, public_id)
    services.read(notice=row, now=visit.now)
    return HttpResponseRedirect(notice_address(line_of(row)))


@screen(outside=True)
def sign_in(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """To where the account of a notice is signed in again."""
    row = _find(visit, public_id)
    if row.object_type != "account":
        raise Http404
    accounts = PlatformAccount.objects.visible_to(visit.person)
    account = get_object_or_404(accounts, public_id=row.object_id)
    services.read(notice=row, now=visit.now)
    if isinstance(adapters.get(account.platform), SignsIn):
        to = f"{reverse('web:account_signin', args=[account.platform])}?account={account.public_id}"
    else:
        to = reverse("web:account", args=[account.public_id])
    return HttpResponseRedirect(to)


@screen("POST", outside=True)
def act(request: HttpRequest, visit: Visit, public_id: UUID, verb: str) -> HttpResponse:
    """`read`: it was read. `retry`: the posts of the notice that still need it are tried again."""
    row = _find(visit, public_id)
    back = next_url(request, reverse("web:notifications"))
    if verb == "read":
        services.read(notice=row, now=visit.now)
        return done(request, _("Marked as read."), back, undo=reverse("web:notices_unread", args=[_stamp(visit.now)]))
    if verb != "retry" or row.kind != Kind.FAILED:
        raise Http404
    visit.require(Action.OPERATE, row.workspace)
    newest = AuditLog.objects.visible_to(visit.person).values_list("pk", flat=True).order_by("-pk").first() or 0
    order = recovery.Order(verb=Verb.RETRY)
    result = recovery.many(order=order, chosen=posts_of(row), actor=visit.actor, now=visit.now)
    services.read(notice=row, now=visit.now)
    services.follow(now=visit.now, workspace=row.workspace)
    if not result.matched_count:
        nothing = Problem(field="state", message=_("None of these posts is failed any more."))
        return refused(request, Refused(nothing), back)
    words = ngettext(
        "%(done)d of %(all)d post is tried again.", "%(done)d of %(all)d posts are tried again.", result.matched_count
    )
    undo = reverse("web:recovery_undo_many", args=[visit.actor.request_id, newest]) if result.done_count else ""
    level = messages.SUCCESS if result.done_count == result.matched_count else messages.WARNING
    said = words % {"done": result.done_count, "all": result.matched_count}
    return done(request, said, back, undo=undo, level=level)


@screen("POST", outside=True)
def read_all(request: HttpRequest, visit: Visit) -> HttpResponse:
    """All of the workspace, or those of one kind."""
    wanted = request.POST.get("kind", "")
    kind = Kind(wanted) if wanted in list(Kind) else None
    number = services.read_all(person=visit.person, workspace=visit.workspace, kind=kind, now=visit.now)
    words = ngettext("Marked %(n)d notification as read.", "Marked %(n)d notifications as read.", number)
    undo = reverse("web:notices_unread", args=[_stamp(visit.now)]) if number else ""
    return done(request, words % {"n": number}, next_url(request, reverse("web:notifications")), undo=undo)


@screen("POST", outside=True)
def unread(request: HttpRequest, visit: Visit, stamp: int) -> HttpResponse:
    """Take back what was marked as read at that moment."""
    back = next_url(request, reverse("web:notifications"))
    try:
        at = EPOCH + timedelta(microseconds=stamp)
    except OverflowError:
        raise Http404 from None
    number = services.unread(person=visit.person, workspace=visit.workspace, read_at=at)
    words = ngettext("%(n)d notification is unread again.", "%(n)d notifications are unread again.", number)
    return done(request, words % {"n": number}, back)


@screen("POST", outside=True)
def save_rules(request: HttpRequest, visit: Visit) -> HttpResponse:
    """What this person wants to be told of: the ticked kinds."""
    ticked = set(request.POST.getlist("kind"))
    kinds = {kind: kind.value in ticked for kind in Kind}
    services.save_rules(person=visit.person, kinds=kinds, actor=visit.actor, now=visit.now)
    return done(request, _("Saved what you are told of."), next_url(request, reverse("web:settings")))
