"""The verbs. Each finds its row through `visible_to`, asks `require`, and makes the one service call that the REST API makes.

What they answer may be null, so that one that is refused leaves the answers of the others.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import strawberry
from django.http import Http404

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.workspaces.access import can
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import PlatformAccount
from platforms.services import accounts as account_service
from schedules.graphql import inputs, reading
from schedules.graphql.nodes import Info
from schedules.graphql.types.places import AccountNode, AccountTest
from schedules.graphql.types.posts import ContentNode, JobNode, ReviewNode, ScheduleNode
from schedules.graphql.types.records import CalendarEvent, calendar_events
from schedules.models import ContentItem
from schedules.reads import calendar
from schedules.services import approval, lifecycle, moving, shifting
from schedules.services import content as content_service
from schedules.services import jobs as job_service
from schedules.services import schedules as schedule_service

MOST_COMMENT = 5_000
OF_SCHEDULE = ("workspace", "content", "content__workspace", "content__campaign")
OF_JOB = ("workspace", "schedule__content", "account", "occurrence")


@strawberry.type(description="What a move did. leftOut counts times of the rule that had gone out already.")
class MovedEvent:
    event: CalendarEvent
    was_at: datetime
    scope: str
    accounts_moved: int
    left_out: int
    note: str


def schedule_verb(service: Callable[..., Any], words: str) -> Any:
    """A verb on one schedule that takes nothing else."""

    def resolver(info: Info, id: strawberry.ID) -> Any:
        caller, row = info.context, reading.to_change(info, ScheduleNode, id, *OF_SCHEDULE)
        caller.require(Action.OPERATE, row.workspace)
        with inputs.as_sent(row.rule_kind):
            service(schedule=row, actor=caller.actor, now=caller.now)
        return reading.again(info, ScheduleNode, row)

    resolver.__annotations__ = {"info": Info, "id": strawberry.ID, "return": ScheduleNode | None}
    return strawberry.mutation(resolver=resolver, description=words)


def job_verb(service: Callable[..., Any], words: str) -> Any:
    """A verb on one job that takes nothing else."""

    def resolver(info: Info, id: strawberry.ID) -> Any:
        caller, row = info.context, reading.to_change(info, JobNode, id, *OF_JOB)
        caller.require(Action.OPERATE, row.workspace)
        service(job=row, actor=caller.actor, now=caller.now)
        return reading.again(info, JobNode, row)

    resolver.__annotations__ = {"info": Info, "id": strawberry.ID, "return": JobNode | None}
    return strawberry.mutation(resolver=resolver, description=words)


def review_verb(service: Callable[..., Any], action: Action, words: str) -> Any:
    """What is said to a schedule's post under review. Who may decide is the policy's to say."""

    def resolver(info: Info, schedule: strawberry.ID, comment: str = "") -> Any:
        caller, row = info.context, reading.to_change(info, ScheduleNode, schedule, *OF_SCHEDULE)
        # whoever sees the workspace may say what they think; who is from outside, what is given to them for review
        if action is not Action.REVIEW or not can(caller.user, Action.VIEW, row.workspace):
            caller.require(action, row.workspace)
        if len(comment) > MOST_COMMENT:
            raise Refused(Problem(field="comment", message=f"Shorten this to {MOST_COMMENT:,} characters."))
        with inputs.as_sent(row.rule_kind):
            made = service(schedule=row, comment=comment, actor=caller.actor, now=caller.now)
        return reading.again(info, ReviewNode, made)

    resolver.__annotations__ = {
        "info": Info, "schedule": strawberry.ID, "comment": str, "return": ReviewNode | None
    }  # fmt: skip
    return strawberry.mutation(resolver=resolver, description=words)


@strawberry.type
class Mutation:
    activate_schedule = schedule_verb(lifecycle.activate, "Put a draft to work.")
    pause_schedule = schedule_verb(lifecycle.pause, "Nothing of it goes out until it is resumed.")
    resume_schedule = schedule_verb(lifecycle.resume, "Let a paused schedule go on.")
    archive_schedule = schedule_verb(lifecycle.archive, "Put it away; what was to come is cancelled.")
    restore_schedule = schedule_verb(lifecycle.restore, "Take it back from the archive.")
    retry_job = job_verb(job_service.retry, "Send a failed or missed post at once, with all its attempts anew.")
    cancel_job = job_verb(job_service.cancel, "It is not sent.")
    run_job_now = job_verb(job_service.run_now, "Send a waiting post at once.")
    publish_job_again = job_verb(job_service.publish_again, "An unconfirmed post is not there: send it a second time.")
    dismiss_job = job_verb(job_service.dismiss, "An unconfirmed post is given up; it counts as failed.")
    submit_for_approval = review_verb(approval.submit, Action.WRITE, "Ask for approval of a draft.")
    approve = review_verb(approval.approve, Action.REVIEW, "Approve what waits, and put the schedule to work.")
    request_changes = review_verb(
        approval.request_changes, Action.REVIEW, "Send it back; the comment says what should change."
    )

    @strawberry.mutation
    def withdraw_review(self, info: Info, schedule: strawberry.ID) -> ReviewNode | None:
        """Take the request for approval back."""
        caller, row = info.context, reading.to_change(info, ScheduleNode, schedule, *OF_SCHEDULE)
        caller.require(Action.WRITE, row.workspace)
        made = approval.withdraw(schedule=row, actor=caller.actor, now=caller.now)
        return reading.again(info, ReviewNode, made)  # type: ignore[no-any-return]

    @strawberry.mutation
    def create_content(
        self, info: Info, input: inputs.ContentInput, workspace: str | None = None
    ) -> ContentNode | None:
        caller = info.context
        room = caller.workspace_of(workspace)
        caller.require(Action.WRITE, room)
        with inputs.as_sent(content="input"):
            made = content_service.create_content(
                workspace=room, draft=inputs.draft(input), actor=caller.actor, now=caller.now, person=caller.person
            )
        return reading.again(info, ContentNode, made)  # type: ignore[no-any-return]

    @strawberry.mutation
    def update_content(
        self, info: Info, id: strawberry.ID, version: int, input: inputs.ContentInput
    ) -> ContentNode | None:
        """Change what is given. `version` is the one that you looked at; a stale one is refused."""
        caller, row = info.context, reading.to_change(info, ContentNode, id, "workspace", "campaign")
        caller.require(Action.WRITE, row.workspace)
        with inputs.as_sent(content="input"):
            schedule_service.edit_content(
                content=row, draft=inputs.draft(input, content_service.draft_of(row)), version=version, actor=caller.actor,
                now=caller.now,
            )  # fmt: skip
        return reading.again(info, ContentNode, row)  # type: ignore[no-any-return]

    @strawberry.mutation
    def create_schedule(
        self,
        info: Info,
        input: inputs.ScheduleInput,
        content: inputs.ContentInput | None = None,
        content_id: strawberry.ID | None = None,
        state: str = "draft",
        workspace: str | None = None,
    ) -> ScheduleNode | None:
        """New words (`content`), or those of `contentId`. `state`: draft or active."""
        caller = info.context
        room = caller.workspace_of(workspace)
        caller.require(Action.WRITE, room)
        words = _content(info, room, content, content_id)
        wanted = inputs.plan(input, None, home_zone=_home_zone(info, room), now=caller.now)
        with inputs.as_sent(wanted.rule_kind):
            made = schedule_service.create_schedule(
                workspace=room, content=words, plan=wanted, state=state, actor=caller.actor, now=caller.now,
                person=caller.person,
            )  # fmt: skip
        return reading.again(info, ScheduleNode, made)  # type: ignore[no-any-return]

    @strawberry.mutation
    def update_schedule(
        self,
        info: Info,
        id: strawberry.ID,
        version: int,
        input: inputs.ScheduleInput,
        content: inputs.ContentInput | None = None,
    ) -> ScheduleNode | None:
        """Change what is given. `version` is the one that you looked at; a stale one is refused."""
        caller, row = info.context, reading.to_change(info, ScheduleNode, id, *OF_SCHEDULE)
        caller.require(Action.WRITE, row.workspace)
        wanted = inputs.plan(
            input, schedule_service.plan_of(row), home_zone=lambda _: str(row.timezone), now=caller.now
        )  # fmt: skip
        old = content_service.draft_of(row.content)
        new = old if content is None else inputs.draft(content, old, prefix="content.")
        with inputs.as_sent(wanted.rule_kind):
            schedule_service.update_schedule(
                schedule=row, plan=wanted, version=version, actor=caller.actor, now=caller.now,
                draft=None if new == old else new,
            )  # fmt: skip
        return reading.again(info, ScheduleNode, row)  # type: ignore[no-any-return]

    @strawberry.mutation
    def clone_schedule(self, info: Info, id: strawberry.ID) -> ScheduleNode | None:
        """The same as a draft of its own."""
        caller, row = info.context, reading.to_change(info, ScheduleNode, id, *OF_SCHEDULE)
        caller.require(Action.WRITE, row.workspace)
        twin = lifecycle.clone(schedule=row, actor=caller.actor, now=caller.now, person=caller.person)
        return reading.again(info, ScheduleNode, twin)  # type: ignore[no-any-return]

    @strawberry.mutation
    def shift_schedule(
        self, info: Info, id: strawberry.ID, by_seconds: int, version: int | None = None
    ) -> ScheduleNode | None:
        """Every time of it, later or earlier by as much on its own clock."""
        caller, row = info.context, reading.to_change(info, ScheduleNode, id, *OF_SCHEDULE)
        caller.require(Action.WRITE, row.workspace)
        with inputs.as_sent(row.rule_kind):
            shifting.shift(
                schedule=row, by=timedelta(seconds=by_seconds), version=version, actor=caller.actor, now=caller.now
            )
        return reading.again(info, ScheduleNode, row)  # type: ignore[no-any-return]

    @strawberry.mutation
    def publish_now(self, info: Info, id: strawberry.ID) -> list[JobNode] | None:
        """An extra run of a schedule at once; answers with its jobs, one an account."""
        caller, row = info.context, reading.to_change(info, ScheduleNode, id, *OF_SCHEDULE)
        caller.require(Action.OPERATE, row.workspace)
        with inputs.as_sent(row.rule_kind):
            made = job_service.publish_now(schedule=row, actor=caller.actor, now=caller.now)
        rows = reading.shown(info, JobNode).filter(pk__in=[job.pk for job in made])
        return list(rows.order_by("id"))

    @strawberry.mutation
    def move_occurrence(
        self,
        info: Info,
        key: str,
        at: str,
        version: int,
        timezone: str | None = None,
        scope: str = "",
        workspace: str | None = None,
    ) -> MovedEvent | None:
        """Another time for what the calendar shows under `key`. A time of a rule wants `scope`: one, following or all."""
        caller = info.context
        room = caller.workspace_of(workspace)
        zone = inputs.checked_zone(timezone or caller.own_zone, "timezone")
        if calendar.one(room, key, zone=zone, now=caller.now) is None:
            raise Http404
        caller.require(Action.WRITE, room)
        local = inputs.wall_clock(inputs.written_time(at, "at"), zone, "at")
        moved = moving.move(
            workspace=room, key=key, to_local=local, zone=zone, version=version, scope=scope, actor=caller.actor,
            now=caller.now, person=caller.person,
        )  # fmt: skip
        [event] = calendar_events([moved.event], zone)
        return MovedEvent(
            event=event, was_at=moved.old, scope=moved.scope, accounts_moved=moved.accounts, left_out=moved.left_out,
            note=moved.note,
        )  # fmt: skip

    @strawberry.mutation
    def confirm_job(self, info: Info, id: strawberry.ID, remote_url: str) -> JobNode | None:
        """An unconfirmed post is there, at this address."""
        caller, row = info.context, reading.to_change(info, JobNode, id, *OF_JOB)
        caller.require(Action.OPERATE, row.workspace)
        job_service.confirm(job=row, remote_url=remote_url, actor=caller.actor, now=caller.now)
        return reading.again(info, JobNode, row)  # type: ignore[no-any-return]

    @strawberry.mutation
    def test_account(self, info: Info, id: strawberry.ID) -> AccountTest | None:
        """Ask the platform now whether it would publish, and as whom. Posts nothing."""
        caller, row = info.context, _account(info, id)
        caller.require(Action.ACCOUNTS, row.workspace)
        health = account_service.put_to_the_test(account=row, actor=caller.actor, now=caller.now)
        return AccountTest(
            ok=health.ok, message=health.message, identity=health.identity, missing_scopes=list(health.missing_scopes)
        )


def _account(info: Info, public_id: Any) -> PlatformAccount:
    row: PlatformAccount = reading.to_change(info, AccountNode, public_id, "workspace")
    return row


def _content(info: Info, room: Workspace, words: inputs.ContentInput | None, content_id: Any) -> Any:
    if (words is None) == (content_id is None):
        message = "Give new content, or the id of stored content: one of the two."
        raise Refused(Problem(field="content", message=message, code="required"))
    if words is not None:
        return inputs.draft(words, prefix="content.")
    wanted = reading.uuid_of(content_id)
    rows = ContentItem.objects.visible_to(info.context.user).filter(workspace=room)
    found = rows.filter(public_id=wanted).first() if wanted else None
    if found is None:
        message = "There is no content of this id in this workspace."
        raise Refused(Problem(field="content_id", message=message, code="not_found"))
    return found


def _home_zone(info: Info, room: Workspace) -> Callable[[list[str]], str]:
    """The zone where none was named: the accounts' own where they agree, else the workspace's."""

    def zone_of(ids: list[str]) -> str:
        rows = PlatformAccount.objects.visible_to(info.context.user).filter(workspace=room, public_id__in=ids)
        zones = set(rows.values_list("timezone", flat=True))
        return str(zones.pop()) if len(zones) == 1 else room.timezone

    return zone_of
