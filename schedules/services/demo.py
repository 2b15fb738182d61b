"""The demo workspace of a first start: two sandbox accounts and a few posts that look like a team's. Goes through the services."""

from __future__ import annotations

from datetime import datetime, timedelta

from alwrity_scheduler.core.events import Actor, unit
from alwrity_scheduler.workspaces import services as workspaces
from alwrity_scheduler.workspaces.models import User, Workspace
from platforms.services import accounts
from schedules.domain import localtime
from schedules.services.plans import ContentDraft, SchedulePlan, TargetPlan
from schedules.services.schedules import create_schedule

SLUG = "demo"
FIRST_POST_AFTER = timedelta(seconds=5)


@unit()
def make(*, owner: User, timezone: str, actor: Actor, now: datetime) -> Workspace | None:
    """Make the demo workspace; None, and nothing changed, when it stands already."""
    if Workspace.objects.filter(slug=SLUG).exists():
        return None
    workspace = workspaces.create_workspace(
        name="Demo", slug=SLUG, timezone=timezone, owner=owner, actor=actor, now=now
    )
    news, coffee = (
        accounts.connect(
            workspace=workspace, platform="sandbox", name=name, handle=handle, timezone=timezone, options={}, credentials={},
            actor=actor, now=now,
        )
        for name, handle in (("Northwind News", "northwind-news"), ("Northwind Coffee", "northwind-coffee"))
    )  # fmt: skip
    local = localtime.wall_clock(now, localtime.zone(timezone)).replace(microsecond=0)
    both = (TargetPlan(account_id=str(news.public_id)), TargetPlan(account_id=str(coffee.public_id), offset_seconds=2))
    farm = "How we choose the farms we buy from, and what fair really costs. A long read for the weekend."
    drafts = [
        (
            ContentDraft(
                title="We are live",
                text="Hello from our new content calendar! Every post you see here was planned, checked and published on time.",
                hashtags=("hello", "planning"),
                campaign="Launch",
            ),
            SchedulePlan(rule_kind="once", timezone=timezone, start_local=local + FIRST_POST_AFTER, targets=both),
            "active",
        ),
        (
            ContentDraft(
                title="Monday roast",
                text="Monday's roast is in: bright, a little citrus, gone by noon. See you at the counter.",
                hashtags=("coffee", "monday"),
                labels=("evergreen",),
            ),
            SchedulePlan(
                rule_kind="rrule",
                expression="FREQ=WEEKLY;BYDAY=MO",
                timezone=timezone,
                start_local=local.replace(hour=8, minute=30, second=0),
                targets=both[1:],
            ),
            "active",
        ),
        (
            ContentDraft(
                title="Weekday briefing",
                text="Three stories to start your day with, picked by our editors.",
                hashtags=("news",),
            ),
            SchedulePlan(
                rule_kind="cron", expression="0 9 * * 1-5", timezone=timezone, start_local=local, targets=both[:1]
            ),
            "active",
        ),
        (
            ContentDraft(
                title="Behind the beans",
                text=farm,
                link="https://example.com/behind-the-beans",
                content_type="article",
                campaign="Launch",
                notes="Waiting for the photos from the farm.",
            ),
            SchedulePlan(
                rule_kind="once",
                timezone=timezone,
                start_local=(local + timedelta(days=3)).replace(hour=10, minute=0, second=0),
                targets=both,
            ),
            "draft",
        ),
    ]
    for draft, plan, state in drafts:
        create_schedule(workspace=workspace, content=draft, plan=plan, state=state, actor=actor, now=now, person=owner)
    return workspace
