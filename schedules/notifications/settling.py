"""What is left to do about open notices, asked of the things themselves: no fact that was missed can leave one open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from django.db.models import Count
from django.db.models.functions import TruncDate

from alwrity_scheduler.workspaces.models import Workspace
from platforms.models import AccountState, BreakerFields, CircuitState, PlatformAccount, RefreshState, Service
from schedules.domain import localtime
from schedules.domain.approval import ReviewState
from schedules.domain.recovery import cause_of
from schedules.domain.states import ScheduleState
from schedules.models import AuditLog, Job, Review
from schedules.notifications.models import Notice
from schedules.notifications.rules import BY_CAUSE, CAUSES, Kind
from schedules.querysets.jobs import JobQuerySet

WEBHOOK_STEPS = ("webhook.disabled", "webhook.resumed", "webhook.deleted")
KEY_IN_FACTS = 64  # how much of a service's key stands in a fact


def left_of(notices: Mapping[str, Notice], workspace: Workspace) -> dict[str, int]:
    """By key: how many are left to be put right; 0 where nothing is. Seven queries at most, however many there are."""
    rows = list(notices.values())
    left: dict[str, int] = {}
    if any(Kind(row.kind) in CAUSES for row in rows):
        counted = _posts(workspace)
        left |= {row.key: counted[row.key] for row in rows if Kind(row.kind) in CAUSES}
    left |= _accounts([row for row in rows if row.kind in (Kind.SIGN_IN, Kind.TOKEN)])
    left |= _down([row for row in rows if row.kind == Kind.DOWN])
    left |= _webhooks([row for row in rows if row.kind == Kind.WEBHOOK])
    left |= _reviews([row for row in rows if row.kind in (Kind.REVIEW, Kind.CHANGES)])
    return left


def posts_of(notice: Notice) -> JobQuerySet[Job]:
    """The posts that a notice of posts is still about."""
    where = localtime.zone(notice.workspace.timezone)
    mine = Job.objects.filter(workspace=notice.workspace, account__public_id=notice.object_id)
    of_day = mine.annotate(day=TruncDate("scheduled_for", tzinfo=where)).filter(day=notice.words.get("day"))
    return of_day.with_cause(CAUSES[Kind(notice.kind)])


def _posts(workspace: Workspace) -> Counter[str]:
    """Posts that need somebody, by the key of their notice (`gathering`)."""
    where = localtime.zone(workspace.timezone)
    needing = Job.objects.filter(workspace=workspace).needing_a_person()
    days = needing.annotate(day=TruncDate("scheduled_for", tzinfo=where)).order_by()
    found: Counter[str] = Counter()
    rows = days.values_list("account__public_id", "state", "reason", "day").annotate(n=Count("pk"))
    for account, state, reason, day, number in rows:
        kind = BY_CAUSE.get(cause) if (cause := cause_of(state, reason)) else None
        if kind is not None:
            found[f"{kind}:{account}:{day:%Y-%m-%d}"] += number
    return found


def _accounts(notices: list[Notice]) -> dict[str, int]:
    if not notices:
        return {}
    rows = PlatformAccount.objects.filter(public_id__in={row.object_id for row in notices})
    accounts = {str(row.public_id): row for row in rows.defer("credentials", "options")}
    return {row.key: int(_is_open(row, accounts.get(row.object_id))) for row in notices}


def _is_open(notice: Notice, account: PlatformAccount | None) -> bool:
    if account is None:
        return False
    if notice.kind == Kind.SIGN_IN:
        return account.state == AccountState.NEEDS_AUTH
    if account.state not in (AccountState.ACTIVE, AccountState.PAUSED):
        return False
    if ends := notice.words.get("ends"):
        return bool(account.credentials_expire_at and account.credentials_expire_at.isoformat() == ends)
    return account.refresh_state == RefreshState.FAILING


def _down(notices: list[Notice]) -> dict[str, int]:
    """Accounts and services whose circuit is not closed yet."""
    if not notices:
        return {}
    names = {row.object_id for row in notices}
    open_states = BreakerFields.OPEN_STATES
    ids = {row.object_id for row in notices if row.object_type == "account"}
    accounts = CircuitState.objects.filter(account__public_id__in=ids, state__in=open_states)
    down = {str(name) for name in accounts.values_list("account__public_id", flat=True)}
    services = Service.objects.filter(state__in=open_states).values_list("key", flat=True)
    down |= {key[:KEY_IN_FACTS] for key in services} & names
    return {row.key: int(row.object_id in down) for row in notices}


def _webhooks(notices: list[Notice]) -> dict[str, int]:
    """Those that are still switched off, as their own history has it: their table belongs to another package."""
    if not notices:
        return {}
    ids = {row.object_id for row in notices}
    steps = AuditLog.objects.filter(object_type="webhook", object_id__in=ids, action__in=WEBHOOK_STEPS).order_by("id")
    latest = dict(steps.values_list("object_id", "action"))
    return {row.key: int(latest.get(row.object_id) == "webhook.disabled") for row in notices}


def _reviews(notices: list[Notice]) -> dict[str, int]:
    if not notices:
        return {}
    latest: dict[str, Review] = {}
    rows = Review.objects.filter(schedule__public_id__in={row.object_id for row in notices}).select_related("schedule")
    for review in rows.order_by("requested_at", "id"):
        latest[str(review.schedule.public_id)] = review
    wanted = {Kind.REVIEW: ReviewState.WAITING, Kind.CHANGES: ReviewState.CHANGES}
    return {row.key: int(_stands(latest.get(row.object_id), wanted[Kind(row.kind)])) for row in notices}


def _stands(review: Review | None, state: ReviewState) -> bool:
    return review is not None and review.state == state and review.schedule.state != ScheduleState.ARCHIVED
