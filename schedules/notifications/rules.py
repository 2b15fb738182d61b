"""What a fact means for people: its kind, who hears of it, whether something must be done. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from alwrity_scheduler.workspaces.roles import Action
from schedules.domain.recovery import Cause


class Kind(StrEnum):
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    MISSED = "missed"
    ON_HOLD = "on_hold"
    SIGN_IN = "sign_in"
    TOKEN = "token"  # noqa: S105 - a kind of notice
    DOWN = "down"
    LIMIT = "limit"
    REVIEW = "review"
    CHANGES = "changes"
    APPROVED = "approved"
    PUBLISHED = "published"
    WEBHOOK = "webhook"
    SECURITY = "security"


@dataclass(frozen=True, slots=True)
class Nature:
    """audience: members who may do this hear of it. needs_act: it stays open until it is put right. ends: it is over some day."""

    audience: Action
    needs_act: bool = False
    by_default: bool = True
    ends: bool = False


NATURES: dict[Kind, Nature] = {
    Kind.FAILED: Nature(Action.OPERATE, needs_act=True),
    Kind.UNCONFIRMED: Nature(Action.OPERATE, needs_act=True),
    Kind.MISSED: Nature(Action.OPERATE, needs_act=True),
    # a person held them, so nobody is surprised
    Kind.ON_HOLD: Nature(Action.OPERATE, needs_act=True, by_default=False),
    Kind.SIGN_IN: Nature(Action.ACCOUNTS, needs_act=True),
    Kind.TOKEN: Nature(Action.ACCOUNTS, needs_act=True),
    # nothing to do but wait: the scheduler tries again by itself
    Kind.DOWN: Nature(Action.OPERATE, ends=True),
    Kind.LIMIT: Nature(Action.OPERATE),
    # these three have people of their own: the reviewers, and the ones who asked
    Kind.REVIEW: Nature(Action.VIEW, needs_act=True),
    Kind.CHANGES: Nature(Action.VIEW, needs_act=True),
    Kind.APPROVED: Nature(Action.VIEW),
    Kind.PUBLISHED: Nature(Action.VIEW, by_default=False),
    Kind.WEBHOOK: Nature(Action.INTEGRATE),
    Kind.SECURITY: Nature(Action.AUDIT),
}
BY_CAUSE = {
    Cause.FAILED: Kind.FAILED,
    Cause.UNCONFIRMED: Kind.UNCONFIRMED,
    Cause.MISSED: Kind.MISSED,
    Cause.ON_HOLD: Kind.ON_HOLD,
}
CAUSES = {kind: cause for cause, kind in BY_CAUSE.items()}
ACTIONS = {
    "job.failed": Kind.FAILED,
    "job.unconfirmed": Kind.UNCONFIRMED,
    "job.missed": Kind.MISSED,
    "job.held": Kind.ON_HOLD,
    "job.completed": Kind.PUBLISHED,
    "account.auth_lost": Kind.SIGN_IN,
    "account.refresh_failing": Kind.TOKEN,
    "circuit.opened": Kind.DOWN,
    "review.requested": Kind.REVIEW,
    "review.changes_requested": Kind.CHANGES,
    "review.approved": Kind.APPROVED,
    "webhook.disabled": Kind.WEBHOOK,
    "security.alert": Kind.SECURITY,
}
SETTLED = frozenset(kind for kind, nature in NATURES.items() if nature.needs_act or nature.ends)
PERSONAL = frozenset({Kind.REVIEW, Kind.CHANGES, Kind.APPROVED})
OF_JOBS = frozenset({*BY_CAUSE.values(), Kind.PUBLISHED})
# a sign-in that nobody renews is told of so long before it ends
ENDS_SOON = timedelta(days=7)
# read notices about which nothing is left to do
KEPT = timedelta(days=90)
# all others
KEPT_UNREAD = timedelta(days=365)


def kind_of(action: str, after: Mapping[str, Any]) -> Kind | None:
    """None where nobody needs to hear: a person decided it, or another notice says it better."""
    kind = ACTIONS.get(action)
    reason = after.get("reason", "")
    if kind is Kind.FAILED and reason == "by_person":
        return None
    # `auth` has the notice of the lost sign-in, `in_review` that of the request
    if kind is Kind.ON_HOLD and reason in ("auth", "in_review"):
        return None
    return kind


def wanted(kind: Kind, own_rules: Mapping[str, Any]) -> bool:
    """Does a person with these rules (kind -> on or off) hear of this kind?"""
    return bool(own_rules.get(kind.value, NATURES[kind].by_default))
