"""The dashboard: what needs a person first, then what is next, then the rest; arranged as the person likes it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.workspaces import services as workspaces
from schedules.web import first_steps as guide
from schedules.web.context import shell_of
from schedules.web.dashboard import COLUMNS, PAGE, Arrangement, Sheet, cards, read_names
from schedules.web.gate import Visit, done, next_url, screen, show


@screen()
def today(request: HttpRequest, visit: Visit) -> HttpResponse:
    """?arrange=1 shows the cards as tiles that can be moved and hidden."""
    sheet = Sheet(visit, shell_of(request))
    arrangement = Arrangement.of(visit.person.layout.get(PAGE))
    arranging = "arrange" in request.GET
    columns = [(name, arrangement.column(name)) for name in COLUMNS]
    if not arranging:
        columns = [(name, [item for item in placed if item.card.shown(sheet)]) for name, placed in columns]
    context = {
        "title": _("Today"),
        "sheet": sheet,
        "now": visit.now,
        "zone": sheet.zone,
        "columns": dict(columns),
        "arrangement": arrangement,
        "arranging": arranging,
    }
    return show(request, "schedules/today.html", "schedules/partials/_today.html", context)


@screen("POST")
def arrange(request: HttpRequest, visit: Visit) -> HttpResponse:
    """do: up, down, put (before), hide, show, reset, or set (order and hidden as names with commas: the way back)."""
    verb, name = _given(request, "do"), _given(request, "card")
    old = Arrangement.of(visit.person.layout.get(PAGE))
    back = next_url(request, f"{reverse('web:today')}?arrange=1")
    if verb == "set":
        names = {part: read_names(_given(request, part)) for part in ("order", "hidden")}
        new = Arrangement.of(names)
    elif verb == "reset":
        new = Arrangement.of({})
    elif name not in cards:
        raise Http404
    elif verb == "hide":
        new = old.hide(name)
    elif verb == "show":
        new = old.show(name)
    elif verb == "put":
        new = old.put(name, _given(request, "before"))
    elif verb in ("up", "down"):
        new = old.step(name, -1 if verb == "up" else 1)
    else:
        raise Http404
    workspaces.arrange(person=visit.person, page=PAGE, values=new.as_json())
    if verb == "hide":
        return done(request, _("Hid “%(card)s”.") % {"card": cards[name].title}, back, undo=_way_back(old))
    if verb == "reset":
        return done(request, _("The cards stand as they did at first."), back, undo=_way_back(old))
    response = HttpResponseRedirect(back)
    response.status_code = 303
    return response


def _given(request: HttpRequest, name: str) -> str:
    """From the form, or from the address as undo has it."""
    return request.POST.get(name) or request.GET.get(name, "")


def _way_back(old: Arrangement) -> str:
    stored = {name: ",".join(names) for name, names in old.as_json().items()}
    return f"{reverse('web:today_arrange')}?{urlencode({'do': 'set', **stored})}"


@screen("GET", "HEAD", "POST")
def first_steps(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The guide by itself, also for those who have put it away; POST do=dismiss or do=show."""
    if request.method == "POST":
        dismissed = _given(request, "do") == "dismiss"
        workspaces.arrange(person=visit.person, page=guide.PAGE, values={"dismissed": dismissed})
        back = next_url(request, reverse("web:today"))
        if not dismissed:
            return done(request, _("The first steps are on the dashboard again."), back)
        words = _("Put the first steps away. You find them again under “Arrange cards”.")
        return done(request, words, back, undo=f"{reverse('web:first_steps')}?do=show")
    context = {"title": _("First steps"), "now": visit.now}
    return show(request, "schedules/first_steps.html", "schedules/partials/_first_steps_page.html", context)
