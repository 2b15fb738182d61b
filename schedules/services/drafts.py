"""What a person is typing, kept while they type. No facts: a draft is nobody's business but the writer's, and is no post yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, StaleVersion
from alwrity_scheduler.core.events import unit
from alwrity_scheduler.workspaces.models import User, Workspace
from schedules.models import ComposerDraft, Schedule

KEPT_ASIDE = timedelta(days=30)
LARGEST = 1_000_000  # characters of one draft
Typed = Mapping[str, Sequence[str]]


@unit()
def keep(
    *,
    person: User,
    workspace: Workspace,
    data: Typed,
    now: datetime,
    public_id: UUID | None = None,
    version: int = 0,
    schedule: Schedule | None = None,
    force: bool = False,
) -> ComposerDraft:
    """Keep what is typed: in the draft of that id, or in a new one when there is none (any more).

    Raises StaleVersion when the draft was kept from elsewhere since `version`, unless `force`. Nothing typed is checked or lost.
    """
    stored = {name: [str(value) for value in values] for name, values in data.items()}
    if sum(len(value) for values in stored.values() for value in values) > LARGEST:
        raise StaleVersion(Problem(field="text", message=_("This is too long to be kept as a draft."), code="too_long"))
    mine = ComposerDraft.objects.of(person, workspace)
    row = mine.filter(public_id=public_id).first() if public_id else None
    if row is None:
        mine.filter(discarded_at__lt=now - KEPT_ASIDE).delete()
        return ComposerDraft.objects.create(
            workspace=workspace, person=person, schedule=schedule, data=stored, created_at=now, updated_at=now
        )
    rows = mine.filter(pk=row.pk) if force else mine.filter(pk=row.pk, version=version)
    if not rows.update(data=stored, version=row.version + 1, updated_at=now, discarded_at=None):
        raise StaleVersion(
            Problem(
                field="version",
                message=_("This draft was changed in another window, which this one does not show."),
                code="stale",
            )
        )
    row.refresh_from_db()
    return row


@unit()
def discard(*, draft: ComposerDraft, now: datetime) -> None:
    """Put it aside; `take_back` brings it back."""
    ComposerDraft.objects.filter(pk=draft.pk).update(discarded_at=now)


@unit()
def take_back(*, draft: ComposerDraft) -> None:
    ComposerDraft.objects.filter(pk=draft.pk).update(discarded_at=None)


def forget(*, person: User, workspace: Workspace, public_id: UUID) -> None:
    """It has become a post. In the caller's transaction."""
    ComposerDraft.objects.of(person, workspace).filter(public_id=public_id).delete()
