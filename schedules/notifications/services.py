"""The only writer of notices: reads each workspace's history after the fact, settles what was put right, and does as a reader says.

A chain of the history is read in parts. A part's notices and the place up to which it was read are one transaction, so that a
fact is told once, whoever is killed when. Nothing here changes a job, a schedule or an account.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import User, Workspace
from schedules.models import AuditChain, AuditLog
from schedules.notifications import gathering, settling
from schedules.notifications.audience import Audience
from schedules.notifications.gathering import Group
from schedules.notifications.models import Cursor, Notice, NoticeRules
from schedules.notifications.querysets import OPEN
from schedules.notifications.rules import ACTIONS, KEPT, KEPT_UNREAD, SETTLED, Kind

logger = logging.getLogger(__name__)
BATCH = 500
MOST_PARTS = 4
PRUNED_AT_ONCE = 1000
UNDONE_WITHIN = timedelta(days=1)


def follow(*, now: datetime, workspace: Workspace | None = None) -> int:
    """Tell what happened since the last time, in all workspaces or in one. Returns how many facts were looked at.

    At most MOST_PARTS parts of each workspace; the rest has its turn next, so that a busy team keeps no other one waiting.
    """
    told = 0
    for room in _behind(workspace):
        try:
            told += _read(room)
            settle(workspace=room, now=now)
        except OperationalError:
            raise
        except Exception:
            # the edge: a workspace whose history cannot be told must not keep the others waiting
            logger.exception(
                "A workspace's history could not be told.", extra={"action": "untold", "workspace": room.pk}
            )
    return told


def _read(workspace: Workspace) -> int:
    told = 0
    for _ in range(MOST_PARTS):
        found, is_done = _read_part(workspace)
        told += found
        if is_done:
            break
    return told


def _behind(workspace: Workspace | None) -> list[Workspace]:
    """The workspaces whose history has gone on. A workspace's chain has its number."""
    read = Cursor.objects.filter(chain=OuterRef("pk")).values("seq")
    ends = AuditChain.objects.filter(length__gt=Coalesce(Subquery(read), 0)).order_by("pk")
    if workspace is not None:
        ends = ends.filter(pk=workspace.pk)
    return list(Workspace.objects.filter(pk__in=ends.values("pk")).order_by("pk"))


def _read_part(workspace: Workspace) -> tuple[int, bool]:
    """Tell the next BATCH facts of one chain. Returns how many, and whether nothing is left to do here.

    Reading and gathering come before the transaction, so that others wait for the writing only; the compare-and-set on the
    place lets one of several processes through.
    """
    cursors = Cursor.objects.filter(pk=workspace.pk)
    place = cursors.values_list("seq", flat=True).first()
    if place is None:
        Cursor.objects.bulk_create([Cursor(chain=workspace.pk)], ignore_conflicts=True)
        place = 0
    end = AuditChain.objects.values_list("length", flat=True).get(pk=workspace.pk)
    audience = Audience(workspace)
    new = AuditLog.objects.filter(chain=workspace.pk, seq__gt=place, seq__lte=end, action__in=_told(audience))
    facts = list(new.order_by("seq")[:BATCH])
    groups = gathering.groups_of(facts, workspace)
    is_done = len(facts) < BATCH
    with transaction.atomic():
        if not cursors.filter(seq=place).update(seq=end if is_done else facts[-1].seq):
            return 0, True
        write(groups, audience)
    return len(facts), is_done


def _told(audience: Audience) -> list[str]:
    """What to read of the history: what nobody here wants to hear is left out."""
    return [action for action, kind in ACTIONS.items() if audience.wants(kind)]


def write(groups: Sequence[Group], audience: Audience, *, again: bool = True) -> int:
    """One row for each person and group: new, or gone on and unread again. Returns how many were written.

    Runs in the caller's transaction. `again` False: what a person has been told already stays as it is.
    """
    wanted = {(pk, group.key): group for group in groups for pk in audience.of(group)}
    if not wanted:
        return 0
    rows = Notice.objects.filter(workspace=audience.workspace, key__in={key for _, key in wanted})
    stored = {(row.user_id, row.key): row for row in rows if (row.user_id, row.key) in wanted}
    new = [_new(pk, group, audience.workspace) for (pk, key), group in wanted.items() if (pk, key) not in stored]
    Notice.objects.bulk_create(new, ignore_conflicts=True)
    changed = [_gone_on(row, wanted[place]) for place, row in stored.items()] if again else []
    Notice.objects.bulk_update(
        changed, ["words", "count", "left", "first_at", "last_at", "read_at", "settled_at"], batch_size=200
    )
    return len(new) + len(changed)


def _new(user_id: int, group: Group, workspace: Workspace) -> Notice:
    return Notice(
        workspace=workspace, user_id=user_id, kind=group.kind.value, key=group.key, object_type=group.object_type,
        object_id=group.object_id, words=group.words, count=group.count, left=group.count, needs_act=group.nature.needs_act,
        first_at=group.first_at, last_at=group.last_at,
    )  # fmt: skip


def _gone_on(row: Notice, group: Group) -> Notice:
    if row.settled_at is not None:
        row.count, row.left, row.first_at = 0, 0, group.first_at
    row.count, row.left = row.count + group.count, row.left + group.count
    row.words, row.last_at = group.words, max(row.last_at, group.last_at)
    row.read_at = row.settled_at = None
    return row


def settle(*, workspace: Workspace, now: datetime) -> int:
    """Close what was put right, count what is left of the rest, and open again what was undone. Returns how many were closed."""
    rows = Notice.objects.filter(workspace=workspace, kind__in=SETTLED)
    seen: dict[str, Notice] = {}
    for row in rows.filter(Q(settled_at=None) | Q(settled_at__gte=now - UNDONE_WITHIN)).order_by("last_at", "id"):
        seen[row.key] = row
    closed = 0
    for key, left in settling.left_of(seen, workspace).items():
        # what was told meanwhile counts for the next time
        same = rows.filter(key=key, last_at__lte=seen[key].last_at)
        if left and (seen[key].settled_at or seen[key].left != left):
            same.update(left=left, settled_at=None)
        elif not left:
            closed += same.filter(settled_at=None).update(left=0, settled_at=now)
    return closed


def settle_all(*, now: datetime) -> int:
    """The same for every workspace that has something to be put right: for what changes without a fact."""
    ids = Notice.objects.filter(kind__in=SETTLED, settled_at=None).order_by().values("workspace_id").distinct()
    return sum(settle(workspace=room, now=now) for room in Workspace.objects.filter(pk__in=ids).order_by("pk"))


def prune(*, now: datetime) -> int:
    """Remove one batch of old notices; what needs somebody stays, however old."""
    old = Q(last_at__lt=now - KEPT, read_at__isnull=False) | Q(last_at__lt=now - KEPT_UNREAD)
    rows = Notice.objects.filter(old, last_at__lt=now - KEPT).exclude(OPEN).order_by("last_at", "id")[:PRUNED_AT_ONCE]
    removed, _ = Notice.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).delete()
    return removed


def read(*, notice: Notice, now: datetime) -> bool:
    """The person has read it. Says whether that is new."""
    return bool(Notice.objects.filter(pk=notice.pk, read_at=None).update(read_at=now))


def read_all(*, person: User, workspace: Workspace, now: datetime, kind: Kind | None = None) -> int:
    """All of one workspace, or all of a kind there. Returns how many were unread."""
    rows = Notice.objects.of(person, workspace).unread()
    return (rows.of_kind(kind) if kind else rows).update(read_at=now)


def unread(*, person: User, workspace: Workspace, read_at: datetime) -> int:
    """Take back what was marked as read at that very moment."""
    return Notice.objects.of(person, workspace).filter(read_at=read_at).update(read_at=None)


@unit()
def save_rules(*, person: User, kinds: Mapping[Kind, bool], actor: Actor, now: datetime) -> NoticeRules:
    """What this person wants to hear from now on; what stands in the list already stays there."""
    row, _ = NoticeRules.objects.get_or_create(user=person)
    before: dict[str, Any] = dict(row.kinds)
    after = before | {kind.value: wanted for kind, wanted in kinds.items()}
    if after == before:
        return row
    row.kinds = after
    row.save(update_fields=["kinds"])
    emit(
        Fact(
            name="person.notices_changed", at=now, actor=actor, object_type="person", object_id=str(person.pk),
            object_label=person.get_username(), before=before, after=after,
        )
    )  # fmt: skip
    return row
