"""What is published and when: content, media, campaigns, schedules, jobs with their attempts and figures, reviews."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import strawberry
import strawberry_django
from django.db.models import F
from strawberry.scalars import JSON

from alwrity_scheduler.core.errors import Problem, Refused
from platforms.models import MediaAsset, MediaFolder
from platforms.services.media import media_url
from schedules.domain import localtime
from schedules.domain import recurrence as rules
from schedules.domain.states import ScheduleState
from schedules.graphql.nodes import Info, Rows, computed, connected, node, public_id
from schedules.graphql.types.places import AccountNode, WorkspaceNode
from schedules.models import (
    Attempt,
    Campaign,
    ContentItem,
    ContentMedia,
    ContentTemplate,
    ContentVariant,
    ContentVersion,
    Dependency,
    Engagement,
    HashtagGroup,
    Job,
    Milestone,
    Review,
    ReviewComment,
    ReviewPolicy,
    Schedule,
    Target,
)
from schedules.reads import runs
from schedules.reads.health import Health
from schedules.services.materialise import rule_of

MOST_TIMES = 100


@node(MediaFolder, name="MediaFolder")
class MediaFolderNode:
    """A name under which files are kept, two levels deep."""

    id: strawberry.ID = public_id()
    workspace: WorkspaceNode | None
    name: str
    parent: MediaFolderNode | None
    created_at: datetime


@node(MediaAsset, name="Media")
class MediaNode:
    """A file of the library. Sides in pixels, size in bytes; `seconds` is null where nobody knows."""

    id: strawberry.ID = public_id()
    workspace: WorkspaceNode | None
    name: str = strawberry_django.field(field_name="original_name")
    kind: str
    type: str = strawberry_django.field(field_name="mime")
    width: int | None
    height: int | None
    seconds: float | None = strawberry_django.field(field_name="duration_seconds")
    animated: bool
    alt_text: str
    checksum: str
    folder: MediaFolderNode | None
    uses: Rows[ContentMediumNode] = connected()
    created_at: datetime

    @computed()
    def size(self: Any) -> float:
        """In bytes; a number with a fraction in GraphQL, where whole numbers end at two thousand millions."""
        return float(self.size)

    @computed()
    def url(self: Any, info: Info) -> str:
        """Works without signing in until its link expires."""
        return media_url(self, info.context.now)


@node(ContentMedia, name="ContentMedium")
class ContentMediumNode:
    """A file in its place among a content's media."""

    position: int
    content: ContentNode | None
    file: MediaNode | None = strawberry_django.field(field_name="asset")


@node(ContentVariant, name="ContentVariant")
class ContentVariantNode:
    """What one platform gets instead; null is the same as the content."""

    platform: str
    title: str | None
    text: str | None
    link: str | None
    hashtags: list[str] | None
    options: JSON


@node(ContentVersion, name="ContentVersion")
class ContentVersionNode:
    """What a content said as of one version."""

    number: int
    author: str
    at: datetime
    snapshot: JSON


def not_removed(rows: Any) -> Any:
    return rows.standing()


@node(Milestone, name="Milestone", narrow=not_removed)
class MilestoneNode:
    """A day by which something is to be there."""

    id: strawberry.ID = public_id()
    workspace: WorkspaceNode | None
    name: str
    campaign: CampaignNode | None
    done_at: datetime | None
    created_at: datetime

    @computed()
    def due_on(self: Any) -> str:
        """A calendar day, like 2026-12-01."""
        return str(self.due_on.isoformat())


@node(Campaign, name="Campaign")
class CampaignNode:
    """A name under which posts belong together."""

    id: strawberry.ID = public_id()
    workspace: WorkspaceNode | None
    name: str
    created_at: datetime
    content: Rows[ContentNode] = connected()
    milestones: list[MilestoneNode]


@node(ContentItem, name="Content")
class ContentNode:
    """The words of a post, its media, and what single platforms get instead."""

    id: strawberry.ID = public_id()
    workspace: WorkspaceNode | None
    version: int
    title: str
    text: str
    content_type: str
    link: str
    hashtags: list[str]
    labels: list[str]
    campaign: CampaignNode | None
    language: str
    notes: str
    utm: JSON
    media: list[ContentMediumNode] = strawberry_django.field(field_name="media_links")
    variants: list[ContentVariantNode]
    versions: Rows[ContentVersionNode] = connected()
    schedules: Rows[ScheduleNode] = connected()
    created_at: datetime
    updated_at: datetime

    @computed(annotate={"_created_by": F("created_by__username")})
    def created_by(self: Any) -> str | None:
        return _text(self._created_by)


@node(ContentTemplate, name="Template")
class TemplateNode:
    """A post to start others from."""

    id: strawberry.ID = public_id()
    workspace: WorkspaceNode | None
    name: str
    content: JSON = strawberry_django.field(field_name="snapshot")
    created_at: datetime
    updated_at: datetime


@node(HashtagGroup, name="HashtagGroup")
class HashtagGroupNode:
    """Hashtags that go together, without the leading #."""

    id: strawberry.ID = public_id()
    workspace: WorkspaceNode | None
    name: str
    hashtags: list[str]
    created_at: datetime
    updated_at: datetime


@node(Target, name="Target")
class TargetNode:
    """One account of a schedule, with its own offset from the time, and its own words where it has any."""

    account: AccountNode | None
    offset_seconds: int
    title: str | None
    text: str | None


@strawberry.type
class Rule:
    """When a schedule goes out. `kind`: once (with `at`), cron (with `expression`) or rrule (with `rrule` and `start`)."""

    kind: str
    timezone: str
    at: str | None
    expression: str | None
    rrule: str | None
    start: str | None
    until: str | None
    count: int | None

    @classmethod
    def of(cls, row: Schedule) -> Rule:
        once = row.rule_kind == rules.RuleKind.ONCE
        expression = None if once else row.expression
        return cls(
            kind=row.rule_kind, timezone=row.timezone, at=_written(row) if once else None,
            expression=expression if row.rule_kind == rules.RuleKind.CRON else None,
            rrule=expression if row.rule_kind == rules.RuleKind.RRULE else None,
            start=None if once else row.start_local.isoformat(),
            until=None if once or row.until_local is None else row.until_local.isoformat(),
            count=None if once else row.occurrence_limit,
        )  # fmt: skip


def _written(row: Schedule) -> str:
    """The second of two equal times can only be told from the first by its offset."""
    if not row.start_fold:
        return str(row.start_local.isoformat())
    return local_text(localtime.local_time(row.start_local, row.timezone, 1).at, row.timezone)


def local_text(at: datetime, zone: str) -> str:
    """An instant on the wall clock of the zone, with its offset: `2026-12-01T09:00:00+01:00`."""
    return at.astimezone(localtime.zone(zone)).isoformat()


@strawberry.type
class Retry:
    max_attempts: int
    base_seconds: int
    cap_seconds: int


@strawberry.type
class Occurrence:
    """One time of a rule. `shift`: gap or fold where clocks change; `nominalLocal`: before it was moved, if it was."""

    at: datetime
    local: str
    timezone: str
    edited: bool
    shift: str
    nominal_local: str


@node(ReviewComment, name="ReviewComment")
class ReviewCommentNode:
    """What somebody said about a post under review."""

    id: strawberry.ID = public_id()
    by: str = strawberry_django.field(field_name="label")
    text: str
    at: datetime


@node(Dependency, name="Dependency")
class DependencyNode:
    """A schedule is meant to go out after another one. It warns, and does not hold."""

    waits_for: ScheduleNode | None
    created_at: datetime


@node(Schedule, name="Schedule")
class ScheduleNode:
    """A content, the accounts it goes to, and the rule by which it does."""

    id: strawberry.ID = public_id()
    workspace: WorkspaceNode | None
    state: str
    version: int
    content: ContentNode | None
    targets: list[TargetNode]
    priority: int
    catch_up: str
    grace_seconds: int | None
    deadline_seconds: int | None
    tags: list[str]
    timezone: str
    jobs: Rows[JobNode] = connected()
    reviews: Rows[ReviewNode] = connected()
    comments: Rows[ReviewCommentNode] = connected("review_comments")
    waits_for: list[DependencyNode] = strawberry_django.field(field_name="dependencies")
    created_at: datetime
    updated_at: datetime

    @computed(annotate={"_title": F("content__title"), "_text": F("content__text")})
    def title(self: Any) -> str:
        return _title(self)

    @computed()
    def rule(self: Any) -> Rule:
        return Rule.of(self)

    @computed()
    def retry(self: Any) -> Retry:
        return Retry(
            max_attempts=self.max_attempts, base_seconds=self.retry_base_seconds, cap_seconds=self.retry_cap_seconds
        )

    @computed()
    def description(self: Any) -> str:
        """The rule in words."""
        return runs.words_of(rule_of(self, edits=()))

    @computed()
    def starts_at(self: Any) -> datetime:
        """The rule's beginning."""
        return localtime.local_time(self.start_local, self.timezone, self.start_fold).at

    @computed(prefetch_related=["exceptions"])
    def next_run_at(self: Any, info: Info) -> datetime | None:
        """When it runs next by its rule; null where it will not."""
        if self.state in (ScheduleState.FINISHED, ScheduleState.ARCHIVED):
            return None
        found = runs.next_runs(rule_of(self), now=info.context.now, count=1)
        return found[0].fires_at if found else None

    @computed(prefetch_related=["exceptions"])
    def next_occurrences(self: Any, info: Info, count: int = 5) -> list[Occurrence]:
        """The next times by the rule and the edits of single times, whatever the state. At most 100."""
        return occurrences(rule_of(self), now=info.context.now, count=count)

    @computed(annotate={"_created_by": F("created_by__username")})
    def created_by(self: Any) -> str | None:
        return _text(self._created_by)


@node(Attempt, name="Attempt")
class AttemptNode:
    """One call to a platform, or one look-up, and what it answered."""

    no: int
    purpose: str
    outcome: str
    error_class: str
    message: str
    status_code: int | None
    response: JSON
    idempotency_key: str
    worker: str
    started_at: datetime
    called_at: datetime | None
    finished_at: datetime | None

    @computed()
    def duration_ms(self: Any) -> int | None:
        """Of the call itself; null until it has ended."""
        if self.finished_at is None or self.called_at is None:
            return None
        took: timedelta = self.finished_at - self.called_at
        return round(took.total_seconds() * 1000)


@node(Engagement, name="Reading")
class ReadingNode:
    """What a post had reached at one time. A name that is missing was not told by the platform, which is not zero."""

    measured_at: datetime
    values: JSON
    message: str


@node(Job, name="Job")
class JobNode:
    """One time of a schedule on one account: what is published once."""

    id: strawberry.ID = public_id()
    workspace: WorkspaceNode | None
    schedule: ScheduleNode | None
    account: AccountNode | None
    state: str
    reason: str
    error_class: str
    message: str = strawberry_django.field(field_name="error_message")
    priority: int
    attempt_count: int
    content_version: int
    idempotency_key: str
    remote_id: str
    remote_url: str
    attempts: list[AttemptNode]
    readings: Rows[ReadingNode] = connected("engagement")
    scheduled_for: datetime
    run_at: datetime
    deadline_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    taken_down_at: datetime | None
    created_at: datetime

    @computed(
        annotate={"_title": F("schedule__content__title"), "_text": F("schedule__content__text")}
    )  # fmt: skip
    def title(self: Any) -> str:
        return _title(self)

    @computed(annotate={"_timezone": F("schedule__timezone")})
    def timezone(self: Any) -> str:
        """That of its schedule."""
        return str(self._timezone)

    @computed(annotate={"_nominal_local": F("occurrence__nominal_local")})
    def nominal_local(self: Any) -> str:
        """The time by the rule, on the schedule's wall clock."""
        return str(self._nominal_local.isoformat())

    @computed(annotate={"_cause": F("occurrence__cause")})
    def cause(self: Any) -> str:
        """rule, manual or backfill."""
        return str(self._cause)


@node(Review, name="Review")
class ReviewNode:
    """One request to approve a schedule's post, and its answer. `state`: waiting, approved, changes or withdrawn."""

    id: strawberry.ID = public_id()
    workspace: WorkspaceNode | None
    schedule: ScheduleNode | None
    state: str
    requested_by: str = strawberry_django.field(field_name="requested_label")
    requested_at: datetime
    decided_by: str = strawberry_django.field(field_name="decided_label")
    decided_at: datetime | None

    @computed(
        annotate={"_title": F("schedule__content__title"), "_text": F("schedule__content__text")}
    )  # fmt: skip
    def title(self: Any) -> str:
        return _title(self)

    @computed()
    def reminders(self: Any) -> int:
        return max(int(self.notices) - 1, 0)


@node(ReviewPolicy, name="ReviewPolicy")
class ReviewPolicyNode:
    """Must posts be approved, and by whom: of an account, or of the workspace where there is none. No reviewers means everybody
    whose role may approve."""

    workspace: WorkspaceNode | None
    account: AccountNode | None
    required: bool
    allow_own: bool
    remind_after_hours: int | None

    @computed()
    def of_workspace(self: Any) -> bool:
        """It is the workspace's own, and not that of an account."""
        return self.account_id is None

    @computed(prefetch_related=["reviewers"])
    def reviewers(self: Any) -> list[str]:
        return [person.get_username() for person in self.reviewers.all()]


@strawberry.type
class RulePreview:
    """A rule that is not stored: in words, and its next times."""

    description: str
    timezone: str
    occurrences: list[Occurrence]


@strawberry.type
class Obstacle:
    """One thing in a schedule's way, or worth knowing. No accounts means all of them."""

    verdict: str
    code: str
    message: str
    remedy: str
    accounts: list[str]


@strawberry.type
class ScheduleHealth:
    """What became of a schedule's last twenty runs. `successRate`: from 0 to 1, null where nothing has ended."""

    verdict: str
    success_rate: float | None
    counted: int
    succeeded: int
    missed: int
    late: int
    next_run_at: datetime | None
    obstacles: list[Obstacle]

    @classmethod
    def of(cls, found: Health) -> ScheduleHealth:
        return cls(
            verdict=found.tone, success_rate=found.success_rate, counted=found.counted, succeeded=found.succeeded,
            missed=found.missed, late=found.late, next_run_at=found.next_at,
            obstacles=[
                Obstacle(
                    verdict=item.tone, code=item.code, message=item.words, remedy=item.remedy,
                    accounts=[account.name for account in item.accounts],
                )
                for item in found.obstacles
            ],
        )  # fmt: skip


def occurrences(rule: rules.Recurrence, *, now: datetime, count: int) -> list[Occurrence]:
    """The next times of a rule. Refused for a number that is none of 1 to 100."""
    if not 1 <= count <= MOST_TIMES:
        raise Refused(Problem(field="count", message=f"Give a number from 1 to {MOST_TIMES}."))
    return [
        Occurrence(
            at=one.fires_at,
            local=local_text(one.fires_at, rule.timezone),
            timezone=rule.timezone,
            edited=one.edited,
            shift=one.shift,
            nominal_local=one.nominal_local.replace(fold=0).isoformat(),
        )
        for one in runs.next_runs(rule, now=now, count=count)
    ]


def _title(row: Any) -> str:
    """As `str(content)` says it."""
    return str(row._title or row._text[:60] or "Untitled")


def _text(value: str | None) -> str | None:
    return value or None
