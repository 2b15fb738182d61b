"""Campaigns by themselves: made and renamed. A post that names a new one makes it too (`services.content`)."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import Workspace
from schedules.models import Campaign

LONGEST = 120


@unit()
def create(*, workspace: Workspace, name: str, actor: Actor, now: datetime) -> Campaign:
    """A new one. Refused without a name, or when there is one of it already."""
    row = Campaign(workspace=workspace, name=_named(name), created_at=now)
    _store(row)
    emit(_fact("campaign.created", row, actor, now, before={}))
    return row


@unit()
def rename(*, campaign: Campaign, name: str, actor: Actor, now: datetime) -> Campaign:
    """Its posts stay in it. Refused as at `create`; the same name again changes nothing."""
    row = Campaign.objects.select_for_update().get(pk=campaign.pk)
    old, row.name = row.name, _named(name)
    if row.name != old:
        _store(row)
        emit(_fact("campaign.renamed", row, actor, now, before={"name": old}))
    return row


def _named(name: str) -> str:
    tidy = " ".join(name.split())
    if not 0 < len(tidy) <= LONGEST:
        raise Refused(Problem(field="name", message=_("Give the campaign a name of up to 120 characters.")))
    return tidy


def _store(row: Campaign) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        words = _("There is a campaign of this name already: choose another name.")
        raise Refused(Problem(field="name", message=words, code="taken")) from None


def _fact(name: str, row: Campaign, actor: Actor, now: datetime, *, before: dict[str, str]) -> Fact:
    return Fact(
        name=name,
        at=now,
        actor=actor,
        workspace_id=row.workspace_id,
        object_type="campaign",
        object_id=str(row.public_id),
        object_label=row.name,
        before=before,
        after={"name": row.name},
    )
