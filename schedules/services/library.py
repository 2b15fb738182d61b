"""Templates and hashtag groups of a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import User, Workspace
from schedules.models import ContentTemplate, HashtagGroup
from schedules.services import content as content_service
from schedules.services.plans import ContentDraft

Entry = ContentTemplate | HashtagGroup


def snapshot_of_draft(draft: ContentDraft) -> dict[str, Any]:
    """A draft that is not stored yet, in the form of `services.content.snapshot`."""
    return {
        "title": draft.title,
        "text": draft.text,
        "content_type": draft.content_type,
        "link": draft.link,
        "language": draft.language,
        "notes": draft.notes,
        "hashtags": content_service.tidy_hashtags(draft.hashtags),
        "labels": list(draft.labels),
        "campaign": draft.campaign,
        "utm": dict(draft.utm),
        "media": list(draft.media_ids),
        "variants": [
            {
                "platform": item.platform,
                "title": item.title,
                "text": item.text,
                "link": item.link,
                "hashtags": None if item.hashtags is None else content_service.tidy_hashtags(item.hashtags),
                "options": dict(item.options),
            }
            for item in draft.variants
        ],
    }


@unit()
def save_template(
    *, workspace: Workspace, name: str, draft: ContentDraft, actor: Actor, now: datetime, person: User | None = None
) -> ContentTemplate:
    """Keep the draft under this name. Refused without a name, or when there is one of it already."""
    row = ContentTemplate(
        workspace=workspace,
        name=_name(name, "name"),
        snapshot=snapshot_of_draft(draft),
        created_by=person,
        created_at=now,
        updated_at=now,
    )
    _store(row, "name", "template")
    emit(_fact("template.created", row, actor, now))
    return row


@unit()
def save_hashtags(
    *, workspace: Workspace, name: str, hashtags: tuple[str, ...], actor: Actor, now: datetime
) -> HashtagGroup:
    """A new group. Refused names what is no hashtag."""
    row = HashtagGroup(
        workspace=workspace,
        name=_name(name, "name"),
        hashtags=_tags(hashtags),
        created_at=now,
        updated_at=now,
    )
    _store(row, "name", "group")
    emit(_fact("hashtags.created", row, actor, now, after={"hashtags": row.hashtags}))
    return row


@unit()
def change(*, row: Entry, changes: Mapping[str, Any], actor: Actor, now: datetime) -> Entry:
    """Rename it (`name`), or give a group other hashtags (`hashtags`)."""
    if "name" in changes:
        row.name = _name(changes["name"], "name")
    if "hashtags" in changes and isinstance(row, HashtagGroup):
        row.hashtags = _tags(tuple(changes["hashtags"]))
    row.updated_at = now
    _store(row, "name", _word(row))
    emit(_fact(f"{_kind(row)}.changed", row, actor, now, after=dict(changes)))
    return row


@unit()
def delete(*, row: Entry, actor: Actor, now: datetime) -> None:
    """Posts that were made from it stay as they are."""
    fact = _fact(f"{_kind(row)}.deleted", row, actor, now)
    row.delete()
    emit(fact)


def _kind(row: Entry) -> str:
    return "template" if isinstance(row, ContentTemplate) else "hashtags"


def _word(row: Entry) -> str:
    return "template" if isinstance(row, ContentTemplate) else "group"


def _name(name: str, field: str) -> str:
    if not name.strip():
        raise Refused(Problem(field=field, message=_("Give it a name."), code="required"))
    if len(name.strip()) > 120:
        raise Refused(Problem(field=field, message=_("Shorten the name to 120 characters."), code="too_long"))
    return name.strip()


def _tags(hashtags: tuple[str, ...]) -> list[str]:
    if wrong := list(content_service.hashtag_problems("hashtags", hashtags)):
        raise Refused(wrong)
    tags = content_service.tidy_hashtags(hashtags)
    if not tags:
        raise Refused(Problem(field="hashtags", message=_("Write at least one hashtag."), code="required"))
    return tags


def _store(row: Entry, field: str, word: str) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        words = (
            _("There is a template of this name already: choose another name.")
            if word == "template"
            else _("There is a group of this name already: choose another name.")
        )
        raise Refused(Problem(field=field, message=words, code="taken")) from None


def _fact(name: str, row: Entry, actor: Actor, now: datetime, *, after: dict[str, Any] | None = None) -> Fact:
    return Fact(
        name=name,
        at=now,
        actor=actor,
        workspace_id=row.workspace_id,
        object_type=_kind(row),
        object_id=str(row.public_id),
        object_label=row.name,
        before={},
        after=after or {"name": row.name},
    )
