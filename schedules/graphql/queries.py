"""The roots of reading. Every list wants `first` or `last`; a thing that is not there, or not for the caller, is null."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import strawberry
import strawberry_django
from django.db.models import QuerySet
from django.http import Http404
from strawberry_django.relay import DjangoCursorConnection

from alwrity_scheduler.core.errors import NotAllowed, Problem, Refused
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.scopes import scopes_of
from platforms.models import AccountGroup, MediaAsset, MediaFolder, PlatformAccount, PlatformApp
from schedules import filters as sets
from schedules.domain import localtime
from schedules.domain.refusals import RuleRefused
from schedules.graphql import reading
from schedules.graphql.inputs import RuleInput, as_sent, rule_values
from schedules.graphql.nodes import Info
from schedules.graphql.reading import Order
from schedules.graphql.types import places, posts, records
from schedules.models import (
    AuditLog,
    Campaign,
    ContentItem,
    ContentTemplate,
    HashtagGroup,
    Job,
    Milestone,
    Review,
    ReviewPolicy,
    Schedule,
)
from schedules.models.content import ContentType
from schedules.notifications.models import Notice
from schedules.notifications.querysets import OPEN
from schedules.reads import calendar as calendar_reads
from schedules.reads import health, runs
from schedules.reads import recovery as desk
from schedules.reads.engine import engine_status, installation_status
from schedules.services.plans import SchedulePlan, rule_of

LONGEST_SPAN = timedelta(days=62)


@strawberry.input
class AccountFilter:
    state: list[str] | None = None
    platform: str | None = None
    group: strawberry.ID | None = None


@strawberry.input
class ContentFilter:
    q: str | None = None
    content_type: list[str] | None = None
    campaign: str | None = strawberry.field(default=None, description="A campaign's name.")


@strawberry.input
class MediaFilter:
    q: str | None = None
    kind: list[str] | None = None
    folder: str | None = strawberry.field(default=None, description="A folder's id, or `none`.")
    unused: bool | None = None
    no_alt: bool | None = None


@strawberry.input
class ScheduleFilter:
    state: list[str] | None = None
    account: strawberry.ID | None = None
    platform: str | None = None
    kind: str | None = strawberry.field(default=None, description="once or recurring")
    content: strawberry.ID | None = None
    content_type: list[str] | None = None
    campaign: str | None = None
    owner: str | None = None
    label: str | None = None
    tag: str | None = None
    needs_you: bool | None = None
    runs_since: datetime | None = None
    runs_until: datetime | None = None
    q: str | None = None


@strawberry.input
class JobFilter:
    q: str | None = None
    state: list[str] | None = None
    platform: str | None = None
    content_type: list[str] | None = None
    error_class: list[str] | None = None
    account: strawberry.ID | None = None
    schedule: strawberry.ID | None = None
    since: datetime | None = None
    until: datetime | None = None


@strawberry.input
class ReviewFilter:
    state: list[str] | None = None
    schedule: strawberry.ID | None = None


@strawberry.input
class AuditFilter:
    object_type: str | None = None
    object_id: str | None = None
    action: str | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@strawberry.input
class NotificationFilter:
    kind: str | None = None
    unread: bool | None = None
    open: bool | None = None


@strawberry.input
class RecoveryFilter:
    cause: str | None = strawberry.field(
        default=None, description="unconfirmed, failed, missed, sign_in or on_hold"
    )  # fmt: skip
    account: strawberry.ID | None = None
    q: str | None = None


@strawberry.input
class CalendarFilter:
    platforms: list[str] | None = None
    accounts: list[strawberry.ID] | None = None
    campaigns: list[strawberry.ID] | None = None
    content_types: list[str] | None = None
    looks: list[str] | None = None
    labels: list[str] | None = None
    q: str | None = None
    conflicts: bool = False


@strawberry.type(description="Whoever asks: a person, or a token that acts as itself.")
class Viewer:
    kind: str
    name: str
    timezone: str
    scopes: list[str] | None = strawberry.field(
        description="What a token or an app is narrowed to; null is no narrowing."
    )


def listing(
    kind: Any,
    rows: Callable[[], QuerySet[Any]],
    *,
    filters: Any = None,
    wanted: Any = None,
    path: str = "workspace",
    order: Order = Order.NEWEST,
) -> Any:
    """A root list of the type: `workspace`, `order`, and `filter` where the list has a FilterSet."""
    usual = order
    shape: dict[str, Any] = {"info": Info, "workspace": str | None, "order": Order, "return": Iterable[kind]}

    def plain(info: Info, workspace: str | None = None, order: Order = usual) -> Any:
        return reading.listed(info, rows(), workspace=workspace, order=order, workspace_path=path)

    def filtered(info: Info, filter: Any = None, workspace: str | None = None, order: Order = usual) -> Any:
        found = rows()
        return reading.listed(
            info, found, workspace=workspace, order=order, workspace_path=path, filters=filters, wanted=filter
        )

    if filters is None:
        plain.__annotations__ = shape
        return strawberry_django.connection(DjangoCursorConnection[kind], resolver=plain)
    filtered.__annotations__ = {"filter": wanted | None, **shape}
    return strawberry_django.connection(DjangoCursorConnection[kind], resolver=filtered)


def connection_of(kind: Any) -> Callable[[Callable[..., Any]], Any]:
    """A root list with a resolver of its own."""
    made: Callable[[Callable[..., Any]], Any] = strawberry_django.connection(DjangoCursorConnection[kind])
    return made


def single(kind: Any) -> Any:
    """One thing of the type by its id, or null."""

    def resolver(info: Info, id: strawberry.ID) -> Any:
        return reading.one(info, kind, id)

    resolver.__annotations__ = {"info": Info, "id": strawberry.ID, "return": kind | None}
    return strawberry.field(resolver=resolver)


@strawberry.type
class Query:
    workspaces = listing(places.WorkspaceNode, Workspace.objects.all, path="pk")
    accounts = listing(
        places.AccountNode, PlatformAccount.objects.all, filters=sets.AccountFilter, wanted=AccountFilter
    )
    account = single(places.AccountNode)
    account_groups = listing(places.AccountGroupNode, AccountGroup.objects.all)
    account_group = single(places.AccountGroupNode)
    sign_in_apps = listing(places.SignInAppNode, PlatformApp.objects.all)
    contents = listing(posts.ContentNode, ContentItem.objects.all, filters=sets.ContentFilter, wanted=ContentFilter)
    content = single(posts.ContentNode)
    templates = listing(posts.TemplateNode, ContentTemplate.objects.all)
    hashtag_groups = listing(posts.HashtagGroupNode, HashtagGroup.objects.all)
    media = listing(posts.MediaNode, MediaAsset.objects.all, filters=sets.MediaFilter, wanted=MediaFilter)
    medium = single(posts.MediaNode)
    media_folders = listing(posts.MediaFolderNode, MediaFolder.objects.all)
    campaigns = listing(posts.CampaignNode, Campaign.objects.all)
    campaign = single(posts.CampaignNode)
    milestones = listing(posts.MilestoneNode, Milestone.objects.all)
    milestone = single(posts.MilestoneNode)
    schedules = listing(posts.ScheduleNode, Schedule.objects.all, filters=sets.ScheduleFilter, wanted=ScheduleFilter)
    schedule = single(posts.ScheduleNode)
    jobs = listing(posts.JobNode, Job.objects.all, filters=sets.JobFilter, wanted=JobFilter)
    job = single(posts.JobNode)
    reviews = listing(posts.ReviewNode, Review.objects.all, filters=sets.ReviewFilter, wanted=ReviewFilter)
    review = single(posts.ReviewNode)
    review_policies = listing(posts.ReviewPolicyNode, ReviewPolicy.objects.all)
    audit = listing(
        records.AuditNode, AuditLog.objects.all, filters=sets.AuditFilter, wanted=AuditFilter, path="workspace_ref"
    )

    @strawberry.field
    def viewer(self, info: Info) -> Viewer:
        """Whoever asks: a person, or a token that acts as itself."""
        scopes = scopes_of(info.context.user)
        return Viewer(
            kind=info.context.actor.kind,
            name=info.context.actor.label,
            timezone=info.context.own_zone,
            scopes=None if scopes is None else sorted(scopes),
        )

    @strawberry.field
    def workspace(self, info: Info, name: str) -> places.WorkspaceNode | None:
        """By its id or slug."""
        wanted = reading.uuid_of(name)
        rows = reading.shown(info, places.WorkspaceNode)
        found: Any = rows.filter(slug=name).first() if wanted is None else rows.filter(public_id=wanted).first()
        return found  # type: ignore[no-any-return]

    @connection_of(records.NotificationNode)
    def notifications(
        self,
        info: Info,
        filter: NotificationFilter | None = None,
        workspace: str | None = None,
        order: Order = Order.NEWEST,
    ) -> Iterable[records.NotificationNode]:
        """What you were told. Notifications belong to people, so a token is refused."""
        if info.context.person is None:
            words = "Notifications belong to people. Ask as a signed-in person."
            raise NotAllowed(Problem(field="token", message=words, code="not_allowed"))
        rows: QuerySet[Any] = Notice.objects.all()
        if filter is not None and filter.kind is not None:
            rows = rows.filter(kind=filter.kind)
        if filter is not None and filter.unread is not None:
            rows = rows.filter(read_at__isnull=filter.unread)
        if filter is not None and filter.open is not None:
            rows = rows.filter(OPEN) if filter.open else rows.exclude(OPEN)
        return reading.listed(info, rows, workspace=workspace, order=order)

    @strawberry.field
    def calendar(
        self,
        info: Info,
        since: datetime,
        until: datetime,
        first: int,
        after: str | None = None,
        filter: CalendarFilter | None = None,
        timezone: str | None = None,
        workspace: str | None = None,
    ) -> records.CalendarConnection:
        """What stands in a span of at most 62 days: jobs, and the times that rules will still give."""
        room, zone = info.context.workspace_of(workspace), _zone(timezone or info.context.own_zone)
        start, end = _span(since, until, zone)
        found = calendar_reads.events(
            room, start=start, end=end, zone=zone, now=info.context.now, wanted=_wanted(filter or CalendarFilter())
        )
        taken, page = records.cut(found, lambda event: event.key, first=first, after=after)
        edges = [
            records.CalendarEdge(cursor=event.key, node=event) for event in records.calendar_events(taken, zone)
        ]  # fmt: skip
        return records.CalendarConnection(edges=edges, page_info=page, total_count=len(found))

    @strawberry.field
    def recovery(
        self,
        info: Info,
        first: int,
        after: str | None = None,
        filter: RecoveryFilter | None = None,
        workspace: str | None = None,
    ) -> records.RecoveryConnection:
        """The posts that need a person: why, what is known, and what each verb does. A cursor is the id of a post."""
        jobs: Any = Job.objects.visible_to(info.context.user).needing_a_person()
        if workspace is not None:
            jobs = jobs.filter(workspace=info.context.workspace_of(workspace))
        if filter is not None:
            jobs = reading.narrowed(info, jobs, sets.RecoveryFilter, filter)
        if after is not None:
            jobs = jobs.filter(pk__lt=reading.to_change(info, posts.JobNode, after).pk)
        rows = list(desk.with_cases(jobs).order_by("-id")[: first + 1])
        edges = [
            records.RecoveryEdge(cursor=str(row.job.public_id), node=records.RecoveryCase.of(row))
            for row in desk.rows(rows[:first])
        ]
        page = records.page_of(edges, lambda edge: edge.cursor, more=len(rows) > first, before=after is not None)
        return records.RecoveryConnection(edges=edges, page_info=page)

    @strawberry.field
    def schedule_health(self, info: Info, id: strawberry.ID) -> posts.ScheduleHealth | None:
        """What became of a schedule's last runs, when it runs next, and what stands in its way."""
        try:
            row = reading.to_change(info, posts.ScheduleNode, id, "workspace", "content")
        except Http404:
            return None
        return posts.ScheduleHealth.of(health.of_schedule(row, now=info.context.now))

    @strawberry.field
    def rule_preview(self, info: Info, rule: RuleInput, count: int = 5) -> posts.RulePreview:
        """The next times of a rule that is not stored."""
        values = rule_values(rule, home_zone=info.context.own_zone, now=info.context.now)
        with as_sent(rule.kind):
            wanted = rule_of(SchedulePlan(**values))
        return posts.RulePreview(
            description=runs.words_of(wanted),
            timezone=wanted.timezone,
            occurrences=posts.occurrences(wanted, now=info.context.now, count=count),
        )

    @strawberry.field
    def status(self, info: Info) -> records.Status:
        """Does anything publish, and keep up?"""
        user, now = info.context.user, info.context.now
        if getattr(user, "is_superuser", False):
            return records.Status.of(installation_status(now=now))
        rooms = list(Workspace.objects.visible_to(user).order_by().values_list("pk", flat=True))
        return records.Status.of(engine_status(Job.objects.visible_to(user), workspaces=rooms, now=now))


def _zone(name: str) -> str:
    try:
        localtime.zone(name)
    except RuleRefused as error:
        raise Refused(Problem(field="timezone", message=error.problems[0].message, code="timezone")) from error
    return name


def _span(since: datetime, until: datetime, zone: str) -> tuple[datetime, datetime]:
    """Times without an offset are of the zone. Refused where the span is empty or longer than 62 days."""
    start, end = (
        localtime.local_time(at, zone).at if at.tzinfo is None else at for at in (since, until)
    )  # fmt: skip
    if end <= start:
        raise Refused(Problem(field="until", message="This is not after `since`."))
    if end - start > LONGEST_SPAN:
        raise Refused(Problem(field="until", message="Ask for at most 62 days at once."))
    return start, end


def _wanted(given: CalendarFilter) -> calendar_reads.Wanted:
    for name, values, known in (
        ("looks", given.looks, calendar_reads.LOOKS),
        ("contentTypes", given.content_types, ContentType.values),
    ):
        if wrong := [value for value in values or () if value not in known]:
            words = f"There is no {wrong[0][:60]} here. Known are {', '.join(known)}."
            raise Refused(Problem(field=f"filter.{name}", message=words))
    return calendar_reads.Wanted(
        platforms=given.platforms or (),
        accounts=[UUID(item) for item in reading.ids_of(given.accounts or (), "filter.accounts")],
        campaigns=[UUID(item) for item in reading.ids_of(given.campaigns or (), "filter.campaigns")],
        types=given.content_types or (),
        looks=given.looks or (),
        labels=given.labels or (),
        q=given.q or "",
        conflicts=given.conflicts,
    )
