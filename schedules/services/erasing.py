"""What the schedules hold of a person, and how their name is taken out of what stays.

Registered as a holder of `security.persons`. The history is a chain of hashes: rows that carry the name are written anew without it
and the chain is sealed again from the first of them, in one transaction; the fact `history.resealed` says from where, and what
stood at the chain's end before.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, models
from django.db.models import Q

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.events import ENGINE, Fact, emit
from alwrity_scheduler.security.persons import names_of
from alwrity_scheduler.workspaces.models import User
from schedules.models import (
    AuditChain,
    AuditLog,
    ComposerDraft,
    ContentItem,
    ContentVersion,
    Review,
    ReviewComment,
    SavedView,
)
from schedules.services import audit

BATCH = 500
MOST = 10_000
# facts of others in which a person's name may stand
FAMILIES = ("member.", "invitation.", "token.", "app.", "review.", "security.", "person.", "workspace.")


def held(person: User) -> dict[str, Any]:
    """Drafts, saved views, posts, comments and deeds of the person, as JSON values; of each at most MOST, the newest first."""
    drafts = ComposerDraft.objects.filter(person=person).order_by("-updated_at", "-id")[:MOST]
    posts = ContentItem.objects.filter(created_by=person).order_by("-id").values_list("public_id", flat=True)[:MOST]
    comments = ReviewComment.objects.filter(author=person).order_by("-id")[:MOST]
    deeds = AuditLog.objects.filter(actor_kind="user", actor_id=str(person.pk)).order_by("-id")[:MOST]
    return {
        "drafts": [{"at": row.updated_at.isoformat(), "fields": row.data} for row in drafts],
        "saved_views": list(SavedView.objects.filter(person=person).values_list("name", flat=True)[:MOST]),
        "posts_written": [str(public_id) for public_id in posts],
        "comments": [{"at": row.at.isoformat(), "text": row.text} for row in comments],
        "history": [
            {"at": row.at.isoformat(), "action": row.action, "type": row.object_type, "object": row.object_label}
            for row in deeds
        ],
    }


def erase(person: User, instead: str) -> None:
    """Put `instead` where the person's name stands. Runs in the caller's transaction, before the person's row goes."""
    name = person.get_username()
    Review.objects.filter(requested_by=person).update(requested_label=instead)
    Review.objects.filter(decided_by=person).update(decided_label=instead)
    ReviewComment.objects.filter(author=person).update(label=instead)
    ContentVersion.objects.filter(author=name).update(author=instead)
    for chain in sorted(_chains(person)):
        _reseal(chain, person, instead)


def _named(person: User) -> Q:
    by_family = Q(pk__in=[])
    for family in FAMILIES:
        by_family |= Q(action__startswith=family)
    own = Q(actor_kind="user", actor_id=str(person.pk)) | Q(object_type="person", object_id=str(person.pk))
    return own | by_family


def _chains(person: User) -> set[int]:
    return set(AuditLog.objects.filter(_named(person)).order_by().values_list("chain", flat=True).distinct())


def _reseal(chain: int, person: User, instead: str) -> None:
    ends = AuditChain.objects.filter(pk=chain)
    end = (ends.select_for_update() if connection.features.has_select_for_update else ends).get()
    rows = AuditLog.objects.filter(chain=chain)
    touched = [
        row.seq for row in rows.filter(_named(person)).iterator(chunk_size=BATCH) if _rename(row, person, instead)
    ]
    if not touched:
        return
    first = min(touched)
    before = rows.filter(seq__lt=first).order_by("-seq").values_list("hash", flat=True).first() or ""
    # the log itself refuses to be changed; this is the one place that may
    writer: models.QuerySet[AuditLog] = models.QuerySet(AuditLog)
    part: list[AuditLog] = []
    for row in rows.filter(seq__gte=first).order_by("seq").iterator(chunk_size=BATCH):
        _rename(row, person, instead)
        row.previous_hash = before
        row.hash = before = audit.digest(row)
        part.append(row)
        if len(part) == BATCH:
            writer.bulk_update(part, _CHANGED)
            part = []
    writer.bulk_update(part, _CHANGED)
    ends.update(hash=before)
    emit(
        Fact(
            name="history.resealed", at=clock.now(), actor=ENGINE, workspace_id=chain or None, object_type="history",
            object_id=str(chain), object_label=instead,
            before={"end": end.hash, "length": end.length}, after={"from": first, "end": before},
        )
    )  # fmt: skip


_CHANGED = ["actor_label", "object_label", "before", "after", "previous_hash", "hash"]


def _rename(row: AuditLog, person: User, instead: str) -> bool:
    """Take the name out of one row in hand. Says whether it was there."""
    names = names_of(person)
    is_own = row.actor_kind == "user" and row.actor_id == str(person.pk)
    is_named = row.action.startswith(FAMILIES) or (row.object_type == "person" and row.object_id == str(person.pk))
    old = (row.actor_label, row.object_label, row.before, row.after)
    if is_own:
        row.actor_label = instead
    if is_named:
        row.object_label = instead if row.object_label in names else row.object_label
        row.before, row.after = _without(row.before, names, instead), _without(row.after, names, instead)
    return old != (row.actor_label, row.object_label, row.before, row.after)


def _without(value: Any, names: set[str], instead: str) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner, names, instead) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without(inner, names, instead) for inner in value]
    return instead if isinstance(value, str) and value in names else value
