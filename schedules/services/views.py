"""The only writer of saved views."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import unit
from alwrity_scheduler.workspaces.models import User, Workspace
from schedules.models.views import PAGES, SavedView

MOST = 50


@unit()
def save(
    *, person: User, workspace: Workspace, page: str, name: str, query: str, now: datetime, shared: bool = False
) -> SavedView:
    """Keep the query string under that name; the same name again replaces it. Refused names the field."""
    name = " ".join(name.split())
    problems = []
    if not name or len(name) > 60:
        problems.append(Problem(field="name", message=_("Give the view a name of up to 60 characters.")))
    if page not in PAGES:
        problems.append(Problem(field="page", message=_("There are no saved views of that page.")))
    if len(query) > 1000:
        problems.append(Problem(field="query", message=_("These are too many filters to keep. Use fewer.")))
    own = SavedView.objects.filter(workspace=workspace, person=person, page=page)
    if own.exclude(name=name).count() >= MOST:
        problems.append(Problem(field="name", message=_("You have 50 saved views of this page. Remove one first.")))
    if problems:
        raise Refused(problems)
    row, _made = SavedView.objects.update_or_create(
        workspace=workspace,
        person=person,
        page=page,
        name=name,
        defaults={"query": query.lstrip("?"), "shared": shared},
        create_defaults={"query": query.lstrip("?"), "shared": shared, "created_at": now},
    )
    return row


@unit()
def remove(*, view: SavedView) -> None:
    view.delete()
