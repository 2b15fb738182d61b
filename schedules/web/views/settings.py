"""One's own settings and the workspace's, in sections that are saved each by itself; and the choices of the frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.oauth.models import Permission
from alwrity_scheduler.oauth.scopes import Area, grouped
from alwrity_scheduler.signin import reads as signin
from alwrity_scheduler.workspaces import services as service
from alwrity_scheduler.workspaces.roles import Action
from schedules.web import people_forms as forms
from schedules.web.forms import RefusableForm
from schedules.web.gate import Visit, done, leave, next_url, refused, screen, show, wants_part


@dataclass(frozen=True, slots=True)
class Section:
    """`form`: none for a section that only leads elsewhere or has verbs of its own."""

    name: str
    title: str | Promise
    icon: str
    form: Callable[..., RefusableForm] | None = None

    @property
    def url(self) -> str:
        return reverse("web:settings") if self.name == YOU else reverse("web:settings_section", args=[self.name])

    @property
    def template(self) -> str:
        return f"people/settings/_{self.name}.html"


YOU, WORKSPACE = "you", "workspace"
SECTIONS = {
    section.name: section
    for section in (
        Section(YOU, gettext_lazy("You"), "people", forms.YouForm),
        Section("security", gettext_lazy("Sign-in and security"), "shield"),
        Section("language", gettext_lazy("Language and time"), "language", forms.LanguageForm),
        Section("look", gettext_lazy("Look"), "sun", forms.LookForm),
        Section("keys", pgettext_lazy("keyboard", "Keys"), "keyboard", forms.KeysForm),
        Section("notifications", gettext_lazy("Notifications"), "bell"),
        Section("apps", gettext_lazy("Apps you allowed"), "accounts"),
        Section(WORKSPACE, gettext_lazy("Workspace"), "workspace", forms.WorkspaceForm),
        Section("integrations", gettext_lazy("Integrations"), "webhook"),
        Section("data", gettext_lazy("Your data"), "lock"),
        Section("danger", gettext_lazy("Danger zone"), "warning"),
    )
}
# what one click changes from anywhere, and changes back: field -> its values in an address
CHOICES: dict[str, dict[str, Any]] = {
    "theme": {name: name for name in ("auto", "light", "dark")},
    "density": {name: name for name in ("comfortable", "compact")},
    "single_keys": {"on": True, "off": False},
    "language": {"browser": "", **{code: code for code, _name in settings.LANGUAGES}},
}


@screen("GET", "HEAD", "POST")
def page(request: HttpRequest, visit: Visit, section: str = YOU) -> HttpResponse:
    """Shows a section, or saves it. POST to a section without a form answers 404."""
    found = SECTIONS.get(section)
    if found is None or (request.method == "POST" and found.form is None):
        raise Http404
    if request.method == "POST" and section == WORKSPACE:
        visit.require(Action.MEMBERS)
    form = _form(request, visit, found)
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            _save(visit, found, form)
        except Refused as error:
            form.refuse(error.problems)
        else:
            translation.activate(_language_of(request, visit))
            return leave(request, _("Saved."), found.url)
    context = {
        "title": found.title,
        "section": found,
        "sections": list(SECTIONS.values()),
        "form": form,
        "zones": sorted(available_timezones()) if section in ("language", WORKSPACE) else [],
        "now": visit.now,
        "workspace": visit.workspace,
        "may_members": visit.may(Action.MEMBERS),
        "may_pause": visit.may(Action.ACCOUNTS),
        "standing": signin.standing(visit.person) if section == "security" else None,
        "may_integrate": visit.may(Action.INTEGRATE),
        "permissions": _permissions(visit) if section == "apps" else [],
    }
    status = 422 if request.method == "POST" else 200
    return show(request, "people/settings.html", "people/partials/_settings.html", context, status=status)


def _permissions(visit: Visit) -> list[tuple[Permission, list[Area]]]:
    rows = Permission.objects.visible_to(visit.person).select_related("app", "workspace").order_by("-created_at", "-id")
    return [(row, grouped(row.scopes)) for row in rows[:200]]


def _form(request: HttpRequest, visit: Visit, section: Section) -> RefusableForm | None:
    if section.form is None:
        return None
    data = request.POST if request.method == "POST" else None
    return (
        section.form(data, workspace=visit.workspace)
        if section.name == WORKSPACE
        else section.form(data, person=visit.person)
    )


def _save(visit: Visit, section: Section, form: RefusableForm) -> None:
    if isinstance(form, forms.WorkspaceForm):
        service.update_workspace(workspace=visit.workspace, actor=visit.actor, now=visit.now, **form.cleaned_data)
    elif isinstance(form, forms.PersonSection):
        service.update_person(person=visit.person, actor=visit.actor, now=visit.now, **form.values())


def _language_of(request: HttpRequest, visit: Visit) -> str:
    """What is said from now on is said in the language just chosen."""
    return visit.person.language or translation.get_language_from_request(request)


@screen("POST")
def choose(request: HttpRequest, visit: Visit, field: str, value: str) -> HttpResponse:
    """One choice of the frame (colours, density, keys, language), made where one is; it can be undone."""
    values = CHOICES.get(field, {})
    if value not in values:
        raise Http404
    before = next(key for key, kept in values.items() if kept == getattr(visit.person, field))
    try:
        service.update_person(person=visit.person, actor=visit.actor, now=visit.now, **{field: values[value]})
    except Refused as error:
        return refused(request, error, next_url(request, reverse("web:settings")))
    if request.headers.get("X-Quiet"):
        return HttpResponse(status=204)
    translation.activate(_language_of(request, visit))
    undo = reverse("web:choose", args=[field, before]) if before != value else ""
    answer = leave if wants_part(request) else done
    return answer(request, _("Saved."), next_url(request, reverse("web:today")), undo=undo)
