"""Webhooks: who is told of what, the log of what was sent, and sending it again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alwrity_scheduler.core import retention
from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import PlatformAccount
from schedules.models import Campaign
from schedules.web.gate import Visit, done, leave, refused, screen, show
from schedules.web.webhook_forms import ReplayForm, WebhookForm
from schedules.webhooks import catalogue, rules, services
from schedules.webhooks.models import DELIVERY_WORDS, Delivery, WebhookEndpoint
from schedules.webhooks.reads import figures_of, is_broken
from schedules.webhooks.rules import DeliveryState
from schedules.webhooks.services import MOST_REPLAYED, label_of

PER_PAGE = 50
MOST_CAMPAIGNS = 200


@screen()
def webhook_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    visit.require(Action.INTEGRATE)
    rows = list(WebhookEndpoint.objects.standing().filter(workspace=visit.workspace).order_by("-id"))
    figures = figures_of(rows, visit.now)
    context = {
        "title": _("Webhooks"),
        "cards": [_card(row, figures[row.pk]) for row in rows],
        "here": request.get_full_path(),
    }
    return show(request, "webhooks/list.html", "webhooks/partials/_list.html", context)


def _card(row: WebhookEndpoint, figures: Any) -> dict[str, Any]:
    return {
        "row": row,
        "name": label_of(row),
        "host": urlsplit(row.url).hostname,
        "figures": figures,
        "broken": is_broken(row),
        "events": row.event_types,
    }


@screen("GET", "HEAD", "POST")
def webhook_new(request: HttpRequest, visit: Visit) -> HttpResponse:
    """POST makes it; its secret is shown in the answer, once."""
    visit.require(Action.INTEGRATE)
    form = _form(request, visit)
    if request.method == "POST" and form.is_valid():
        try:
            row, secret = services.create(workspace=visit.workspace, plan=form.plan(), actor=visit.actor, now=visit.now)
        except Refused as error:
            form.refuse(error.problems)
        else:
            return _with_secret(request, row, secret, rotated=False)
    return _form_page(request, form, None)


@screen("GET", "HEAD", "POST")
def webhook_edit(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    row = _find(visit, public_id)
    form = _form(request, visit, row)
    if request.method == "POST" and form.is_valid():
        try:
            version = form.cleaned_data["version"]
            services.update(endpoint=row, plan=form.plan(), version=version, actor=visit.actor, now=visit.now)
        except Refused as error:
            form.refuse(error.problems)
        else:
            return leave(request, _("Saved %(name)s.") % {"name": label_of(row)}, _page_of(row))
    return _form_page(request, form, row)


def _form(request: HttpRequest, visit: Visit, row: WebhookEndpoint | None = None) -> WebhookForm:
    accounts = PlatformAccount.objects.visible_to(visit.person).filter(workspace=visit.workspace)
    names = Campaign.objects.filter(workspace=visit.workspace).order_by("-id").values_list("name", flat=True)
    return WebhookForm(
        request.POST if request.method == "POST" else None,
        accounts=list(accounts.defer("credentials").order_by("platform", "name", "id")),
        campaigns=list(names[:MOST_CAMPAIGNS]),
        row=row,
    )


def _form_page(request: HttpRequest, form: WebhookForm, row: WebhookEndpoint | None) -> HttpResponse:
    ticked = form.ticked()
    chosen = ticked["event_types"]
    context = {
        "title": _("Change %(name)s") % {"name": label_of(row)} if row else _("New webhook"),
        "row": row,
        "name": label_of(row) if row else "",
        "form": form,
        "ticked": ticked,
        "everything": rules.EVERYTHING in chosen,
        "groups": [
            {
                "group": group,
                "all": group.all in chosen,
                "count": sum(name in chosen for name, _words in group.types),
            }
            for group in form.groups
        ],
        "problems": form.problems(),
    }
    status = 422 if form.is_bound else 200
    return show(request, "webhooks/edit.html", "webhooks/partials/_edit.html", context, status=status)


def _with_secret(request: HttpRequest, row: WebhookEndpoint, secret: str, *, rotated: bool) -> HttpResponse:
    context = {
        "title": label_of(row),
        "row": row,
        "name": label_of(row),
        "secret": secret,
        "rotated": rotated,
    }
    response = show(request, "webhooks/secret.html", "webhooks/partials/_secret.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


@screen()
def webhook(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """One endpoint with its log; the log alone for a fragment. `?state=` and `?type=` narrow it."""
    return _webhook_page(request, visit, _find(visit, public_id))


def _webhook_page(
    request: HttpRequest, visit: Visit, row: WebhookEndpoint, *, replay: ReplayForm | None = None, count: int | None = None
) -> HttpResponse:  # fmt: skip
    state, kind = request.GET.get("state", ""), request.GET.get("type", "")
    rows = Delivery.objects.filter(endpoint=row).defer("body").order_by("-id")
    if state in list(DeliveryState):
        rows = rows.filter(state=state)
    if kind:
        rows = rows.filter(event_type=kind)
    context = {
        "title": label_of(row),
        "row": row,
        "name": label_of(row),
        "host": urlsplit(row.url).hostname,
        "figures": figures_of([row], visit.now)[row.pk],
        "broken": is_broken(row),
        "header_names": sorted(row.headers) if row.headers.is_readable() else [],
        "unreadable": not row.secrets.is_readable(),
        "filters": _filter_words(row),
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "states": [(item.value, words) for item, words in DELIVERY_WORDS.items()],
        "types": [*catalogue.types(), rules.TEST_EVENT],
        "state": state,
        "type": kind,
        "filtered": bool(state or kind),
        "here": request.get_full_path() if request.method != "POST" else _page_of(row),
        "now": visit.now,
        "days": retention.days(rules.KEPT),
        "replay": replay or _replay_form(visit),
        "problems": replay.problems() if replay else [],
        "count": count,
        "too_many": count is not None and count > MOST_REPLAYED,
        "most": MOST_REPLAYED,
    }
    status = 422 if context["problems"] else 200
    return show(request, "webhooks/webhook.html", "webhooks/partials/_log.html", context, status=status)


def _filter_words(row: WebhookEndpoint) -> list[tuple[str, str]]:
    """What narrows it, in words."""
    titles = {
        "accounts": _("Accounts"),
        "platforms": _("Platforms"),
        "labels": _("Labels"),
        "campaigns": _("Campaigns"),
    }
    found = dict(row.filters)
    if ids := found.get("accounts"):
        accounts = PlatformAccount.objects.filter(workspace=row.workspace_id, public_id__in=ids)
        found["accounts"] = list(accounts.order_by("name", "id").values_list("name", flat=True))
    return [(words, ", ".join(found[name])) for name, words in titles.items() if found.get(name)]


def _replay_form(visit: Visit) -> ReplayForm:
    day = timedelta(days=1)
    return ReplayForm(initial={"since": visit.now - day, "until": visit.now + timedelta(minutes=1), "which": "failed"})


@screen("POST")
def webhook_replay(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """First it says how many there are; with `sure` it sends them."""
    row = _find(visit, public_id)
    form = ReplayForm(request.POST)
    if not form.is_valid():
        return _webhook_page(request, visit, row, replay=form)
    span = {"since": form.cleaned_data["since"], "until": form.cleaned_data["until"], "which": form.chosen}
    if "sure" not in request.POST:
        return _webhook_page(request, visit, row, replay=form, count=services.replay_count(endpoint=row, **span))
    try:
        count = services.replay_range(endpoint=row, actor=visit.actor, now=visit.now, **span)
    except Refused as error:
        return refused(request, error, _page_of(row))
    words = ngettext("%(n)d event is sent again.", "%(n)d events are sent again.", count) % {"n": count}
    return done(request, words, _page_of(row))


@screen("POST")
def webhook_act(request: HttpRequest, visit: Visit, public_id: UUID, verb: str) -> HttpResponse:
    row = _find(visit, public_id)
    name = label_of(row)
    try:
        match verb:
            case "test":
                sent = services.test(endpoint=row, actor=visit.actor, now=visit.now)
                words = _("A test is on its way. What comes of it shows here.")
                return done(request, words, reverse("web:webhook_delivery", args=[sent.public_id]))
            case "pause":
                services.pause(endpoint=row, actor=visit.actor, now=visit.now)
                words = _("Paused %(name)s. What happens meanwhile waits.") % {"name": name}
                return done(request, words, _page_of(row), undo=_verb(row, "resume"))
            case "resume":
                services.resume(endpoint=row, actor=visit.actor, now=visit.now)
                return done(request, _("%(name)s goes on.") % {"name": name}, _page_of(row))
            case "rotate":
                changed, secret = services.rotate(endpoint=row, actor=visit.actor, now=visit.now)
                return _with_secret(request, changed, secret, rotated=True)
            case "delete":
                services.delete(endpoint=row, actor=visit.actor, now=visit.now)
                words = _("Deleted %(name)s. Nothing more is sent to it.") % {"name": name}
                return done(request, words, reverse("web:webhooks"))
    except Refused as error:
        return refused(request, error, _page_of(row))
    raise Http404


@screen()
def delivery(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """One event for one endpoint: what was sent, and each try with its answer."""
    row = _delivery(visit, public_id)
    tries = list(row.attempts.order_by("-no", "-id"))
    context = {
        "title": row.event_type,
        "row": row,
        "endpoint": row.endpoint,
        "name": label_of(row.endpoint),
        "tries": tries,
        "is_open": row.state in (DeliveryState.PENDING, DeliveryState.RUNNING),
        "here": request.get_full_path(),
        "now": visit.now,
    }
    return show(request, "webhooks/delivery.html", "webhooks/partials/_delivery.html", context)


@screen("POST")
def delivery_replay(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    row = _delivery(visit, public_id)
    try:
        made = services.replay(delivery=row, actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, reverse("web:webhook_delivery", args=[row.public_id]))
    return done(
        request, _("It is sent again, with the same id."), reverse("web:webhook_delivery", args=[made.public_id])
    )


def _find(visit: Visit, public_id: UUID) -> WebhookEndpoint:
    rows = WebhookEndpoint.objects.visible_to(visit.person).standing().select_related("workspace")
    row: WebhookEndpoint = get_object_or_404(rows, public_id=public_id)
    visit.require(Action.INTEGRATE, row.workspace)
    return row


def _delivery(visit: Visit, public_id: UUID) -> Delivery:
    rows = Delivery.objects.visible_to(visit.person).standing().select_related("endpoint__workspace")
    row: Delivery = get_object_or_404(rows, public_id=public_id)
    visit.require(Action.INTEGRATE, row.endpoint.workspace)
    return row


def _page_of(row: WebhookEndpoint) -> str:
    return reverse("web:webhook", args=[row.public_id])


def _verb(row: WebhookEndpoint, verb: str) -> str:
    return reverse("web:webhook_act", args=[row.public_id, verb])
