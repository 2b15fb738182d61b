"""A person does not want to wait for the next try of a platform that does not answer, or of a sign-in."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import IllegalTransition, Problem
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from platforms.models import PlatformAccount
from platforms.services import circuits, tokens
from schedules.engine import wakeup
from schedules.engine.work import PENDING
from schedules.models import Job
from schedules.services import queues, refreshing


@unit()
def try_now(*, account: PlatformAccount, actor: Actor, now: datetime) -> bool:
    """Let one post test the platform at once, and renew a sign-in that could not be renewed. True when a post waits that
    tests it now; otherwise the next one will. Refused when nothing is being waited for."""
    opened = circuits.probe_soon(account_id=account.pk, now=now)
    renews = tokens.renew_soon(account_id=account.pk, now=now)
    if not opened and not renews:
        words = _("Nothing is being waited for: the platform answers, or it is being tested right now.")
        raise IllegalTransition(Problem(field="state", message=words))
    if renews:
        refreshing.plan(now=now)
    first = (
        Job.objects.filter(account=account, state=PENDING, reason=queues.REASONS["outage"])
        .order_by("priority", "scheduled_for", "id")
        .first()
    )
    ready = first is not None and first.scheduled_for <= now
    if opened and first is not None and ready:
        Job.objects.filter(pk=first.pk, state=PENDING).update(run_at=now)
    emit(
        Fact(
            name="account.tried_now",
            at=now,
            actor=actor,
            workspace_id=account.workspace_id,
            object_type="account",
            object_id=str(account.public_id),
            object_label=account.name,
            after={"platform": opened, "sign_in": renews},
        )
    )
    wakeup.announce()
    return ready
