"""The security log of the workspace, for owners; and one's own data, to be had and to be taken away."""

from __future__ import annotations

import json

from django.contrib.auth import logout
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.security import persons, services
from alwrity_scheduler.security.kinds import ALERTS, FACTS, SIGHTINGS, words_of
from alwrity_scheduler.security.models import SecurityAlert, SecurityEvent
from alwrity_scheduler.workspaces.roles import Action
from schedules.web import history
from schedules.web.gate import Visit, done, refused, screen, show

PAGE_SIZE = 50


@screen()
def log(request: HttpRequest, visit: Visit) -> HttpResponse:
    """`?kind=` narrows it; `?who=` to one name or address."""
    visit.require(Action.AUDIT)
    kind, who = request.GET.get("kind", ""), request.GET.get("who", "").strip()
    rows = SecurityEvent.objects.of_workspace(visit.workspace)
    if kind in SIGHTINGS or kind in FACTS:
        rows = rows.of_kind(kind)
    if who:
        rows = rows.filter(who__iexact=who) | rows.filter(address=who)
    page = Paginator(rows.order_by("-id"), PAGE_SIZE).get_page(request.GET.get("page"))
    alerts = SecurityAlert.objects.of_workspace(visit.workspace).open()[:PAGE_SIZE]
    context = {
        "title": _("Security"),
        "workspace": visit.workspace,
        "alerts": [(alert, ALERTS.get(alert.kind, alert.kind)) for alert in alerts],
        "events": [(event, words_of(event.kind), history.told(event.details)) for event in page],
        "page": page,
        "kinds": [(name, str(words)) for name, words in {**SIGHTINGS, **FACTS}.items()],
        "kind": kind,
        "who": who,
        "filtered": bool(kind or who),
        "here": request.get_full_path(),
    }
    return show(request, "security/page.html", "security/partials/_log.html", context)


@screen("POST")
def seen(request: HttpRequest, visit: Visit) -> HttpResponse:
    """One alert (`alert`), or all that are open, are all right."""
    visit.require(Action.AUDIT)
    alerts = SecurityAlert.objects.of_workspace(visit.workspace).open()
    if wanted := request.POST.get("alert", ""):
        alerts = alerts.filter(key=wanted)
    number = services.mark_seen(alerts=list(alerts), actor=visit.actor, now=visit.now)
    return done(request, _("Marked as all right: %(n)d.") % {"n": number}, reverse("web:security"))


@screen(outside=True)
def own_data(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Everything held of the person, as a file."""
    found = persons.export(person=visit.person, now=visit.now)
    response = HttpResponse(
        json.dumps(found, indent=2, ensure_ascii=False, default=str), content_type="application/json; charset=utf-8"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{visit.person.pk}-{visit.now:%Y%m%d}.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


@screen("POST", outside=True)
def erase_me(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The person goes, by the password and for good."""
    section = reverse("web:settings_section", args=["data"])
    person = visit.person
    if person.has_usable_password() and not person.check_password(request.POST.get("password", "")):
        return done(request, _("That is not your password, so nothing was deleted."), section, level=40)
    try:
        persons.erase(person=person, actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, section)
    logout(request)
    return HttpResponseRedirect(reverse("login"), status=303)
