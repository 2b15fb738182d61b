"""Has this been posted lately? Recent posts of the same accounts that say the same, or nearly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alwrity_scheduler.workspaces.models import Workspace
from platforms.models import PlatformAccount
from schedules.domain import likeness
from schedules.domain.states import ScheduleState
from schedules.models import Schedule, Target

BACK = timedelta(days=30)
MOST = 300  # schedules that are looked through
SHORTEST = 3  # words; below, everything is like everything
_LIVE = [ScheduleState.ACTIVE, ScheduleState.PAUSED, ScheduleState.FINISHED]


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """A post that says the same (`exact`) or nearly; `accounts` are those of the asked ones that have it."""

    schedule: Schedule
    exact: bool
    accounts: Sequence[str]


def twins(
    *,
    workspace: Workspace,
    accounts: Iterable[PlatformAccount],
    text: str,
    now: datetime,
    besides: Schedule | None = None,
) -> list[Twin]:
    """The likest first, at most three. Two queries."""
    wanted = likeness.normal(text)
    rows = {row.pk: row.name for row in accounts}
    if len(wanted.split()) < SHORTEST or not rows:
        return []
    recent = Schedule.objects.within(workspace).filter(
        state__in=_LIVE, created_at__gte=now - BACK, targets__account__in=rows
    )
    if besides is not None:
        recent = recent.exclude(content_id=besides.content_id)
    ids = list(recent.order_by("-created_at", "-id").values_list("pk", flat=True).distinct()[:MOST])
    found: dict[int, tuple[float, Schedule, list[str]]] = {}
    targets = Target.objects.filter(schedule__in=ids, account__in=rows).select_related("schedule__content")
    known: dict[str, float] = {}
    for target in targets.order_by("-schedule__created_at", "-id"):
        said = target.schedule.content.text if target.text is None else target.text
        if said not in known:
            known[said] = likeness.likeness(wanted, likeness.normal(said))
        if known[said] >= likeness.NEAR:
            entry = found.setdefault(target.schedule_id, (known[said], target.schedule, []))
            entry[2].append(rows[target.account_id])
    best = sorted(found.values(), key=lambda item: -item[0])[:3]
    return [Twin(schedule=row, exact=score == 1.0, accounts=names) for score, row, names in best]
