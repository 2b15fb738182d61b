"""The bell and the settings section of notifications, for pages whose views know nothing of them."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from schedules.notifications.reads import KindRule, Line, rules_of
from schedules.notifications.rules import CAUSES, PERSONAL, Kind

register = template.Library()
# kind -> (look, icon); the look is a class of product.css
SIGNS = {
    Kind.FAILED: ("failed", "st-failed"),
    Kind.UNCONFIRMED: ("missed", "st-unsure"),
    Kind.MISSED: ("missed", "st-missed"),
    Kind.ON_HOLD: ("paused", "st-paused"),
    Kind.SIGN_IN: ("failed", "lock"),
    Kind.TOKEN: ("missed", "key"),
    Kind.DOWN: ("missed", "warning"),
    Kind.LIMIT: ("missed", "info"),
    Kind.REVIEW: ("review", "st-review"),
    Kind.CHANGES: ("missed", "edit"),
    Kind.APPROVED: ("published", "st-published"),
    Kind.PUBLISHED: ("published", "st-published"),
    Kind.WEBHOOK: ("missed", "webhook"),
    Kind.SECURITY: ("missed", "shield"),
}


@register.simple_tag(takes_context=True)
def notices_waiting(context: Any) -> int:
    """How many notices of this person wait for an act, in the current workspace."""
    frame = context["shell"].frame
    return frame.counts.get("notices", 0) if frame else 0


@register.simple_tag(takes_context=True)
def notice_rules(context: Any) -> list[KindRule]:
    return rules_of(context["shell"].user)


@register.filter
def notice_look(line: Line) -> str:
    """Solid only while something is to be done."""
    return SIGNS[line.kind][0] if line.is_open or line.settled_at is None else "draft"


@register.filter
def notice_icon(line: Line) -> str:
    return SIGNS[line.kind][1]


@register.filter
def notice_address(line: Line) -> str:
    """Where the thing is, and what can be done about it."""
    if line.kind in PERSONAL:
        return reverse("web:schedule", args=[line.object_id])
    if line.count == 1 and line.job_id:
        return reverse("web:job", args=[line.job_id])
    if line.kind in CAUSES:
        return f"{reverse('web:recovery')}?cause={CAUSES[line.kind]}&account={line.object_id}"
    if line.kind is Kind.PUBLISHED:
        return f"{reverse('web:jobs')}?tab=done&account={line.object_id}"
    if line.kind is Kind.SECURITY:
        return reverse("web:security")
    if line.object_type == "account":
        return reverse("web:account", args=[line.object_id])
    return reverse("web:accounts")
