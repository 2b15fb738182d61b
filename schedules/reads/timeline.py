"""What the timeline shows besides posts: lanes' names, milestones, progress of campaigns, what waits for what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, DateTimeField, Max, Min, Q, Value
from django.db.models.functions import Left

from alwrity_scheduler.workspaces.models import User, Workspace
from platforms.models import PlatformAccount
from schedules.domain import localtime, planning
from schedules.domain.refusals import RuleRefused
from schedules.models import Campaign, ContentItem, Dependency, Job, Milestone, Schedule, Target
from schedules.reads.calendar import Event, JobKey, read_key

NOT_COUNTED = ("cancelled", "superseded")
MOST_MILESTONES, MOST_LINKS, MOST_FOUND = 100, 5000, 10
LATE_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class AccountName:
    id: int
    public_id: UUID
    name: str
    platform: str
    state: str


def accounts(workspace: Workspace) -> list[AccountName]:
    """In the order of the lanes: by platform, then by name. Disconnected ones too: posts may stand on them."""
    rows = PlatformAccount.objects.within(workspace).order_by("platform", "name", "id")
    return [AccountName(*row) for row in rows.values_list("id", "public_id", "name", "platform", "state")]


def people(ids: Iterable[int]) -> dict[int, str]:
    """id -> how the person is called."""
    return {row.pk: row.get_full_name() or row.get_username() for row in User.objects.filter(pk__in=list(ids))}


def milestones(workspace: Workspace, first: date, last: date) -> list[Milestone]:
    """Those due from `first` to `last`, and all that are not reached yet; by day, with their campaigns."""
    rows = Milestone.objects.filter(workspace=workspace).standing()
    shown = rows.filter(Q(due_on__range=(first, last)) | Q(done_at=None))
    return list(shown.select_related("campaign").order_by("due_on", "id")[:MOST_MILESTONES])


@dataclass(frozen=True, slots=True)
class Progress:
    """published of all the posts of a campaign that stand; first, last: the planned ones lie between them (aware)."""

    published: int
    all: int
    first: datetime | None
    last: datetime | None


def progress(workspace: Workspace, campaigns: Collection[int]) -> dict[int, Progress]:
    """By campaign: its jobs, and its single times that are not planned yet. Later runs of repeating posts are not counted."""
    if not campaigns:
        return {}
    # from the campaigns to their posts, and not through all jobs of the workspace
    own = Campaign.objects.filter(workspace=workspace, pk__in=campaigns).values("pk")
    contents = ContentItem.objects.filter(campaign__in=own).values("pk")
    posts = Schedule.objects.filter(content__in=contents).values("pk")
    jobs = Job.objects.filter(schedule__in=posts).exclude(state__in=NOT_COUNTED)
    later = Target.objects.filter(schedule__in=posts, schedule__rule_kind="once", schedule__jobs=None)
    later = later.exclude(schedule__state="archived")
    published = Count("pk", filter=Q(state="completed"))
    of_jobs = _sums(jobs, published, Min("scheduled_for"), Max("scheduled_for"))
    of_later = _sums(later, Value(0), Value(None, DateTimeField()), Value(None, DateTimeField()))
    found: dict[int, Progress] = {}
    for campaign, count, out, first, last in of_jobs.union(of_later, all=True):
        known = found.get(campaign, Progress(0, 0, None, None))
        found[campaign] = Progress(known.published + out, known.all + count, known.first or first, known.last or last)
    return found


def _sums(rows: Any, *of: Any) -> Any:
    names = ("c_out", "c_first", "c_last")
    grouped = rows.order_by().values("schedule__content__campaign")
    sums = grouped.annotate(c_count=Count("pk"), **dict(zip(names, of, strict=True)))
    return sums.values_list("schedule__content__campaign", "c_count", *names)


@dataclass(frozen=True, slots=True)
class Post:
    """One end of a dependency. at: its first time (aware), None for a rule that cannot be read."""

    id: int
    public_id: UUID
    title: str
    state: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Links:
    """What waits for what in a workspace. waits: post -> those it waits for."""

    posts: Mapping[int, Post]
    waits: Mapping[int, Sequence[int]]

    def before(self, post: int) -> list[Post]:
        return [self.posts[other] for other in self.waits.get(post, ())]

    def after(self, post: int) -> list[Post]:
        return [self.posts[other] for other, befores in self.waits.items() if post in befores]

    def times(self, events: Iterable[Event]) -> dict[int, datetime]:
        """The first time of each post: as it stands among the events, else as it was planned."""
        times = {post.id: post.at for post in self.posts.values() if post.at is not None}
        seen = set[int]()
        for event in events:
            if event.schedule_id in self.posts and event.schedule_id not in seen and not event.recurring:
                seen.add(event.schedule_id)
                times[event.schedule_id] = event.at
        return times


_END = ("public_id", "content__title", "c_words", "state", "start_local", "timezone", "start_fold")


def links(workspace: Workspace) -> Links:
    """All of the workspace: a critical path may lead out of what is looked at. One query."""
    rows = Dependency.objects.within(workspace).order_by("id")
    ends = [(side, name) for side in ("schedule", "waits_for") for name in _END]
    words = {f"c_words_{side}": Left(f"{side}__content__text", 60) for side in ("schedule", "waits_for")}
    names = [f"c_words_{side}" if name == "c_words" else f"{side}__{name}" for side, name in ends]
    posts: dict[int, Post] = {}
    waits: dict[int, list[int]] = {}
    for post, other, *rest in rows.annotate(**words).values_list("schedule_id", "waits_for_id", *names)[:MOST_LINKS]:
        for key, values in ((post, rest[: len(_END)]), (other, rest[len(_END) :])):
            if key not in posts:
                posts[key] = _post(key, *values)
        waits.setdefault(post, []).append(other)
    return Links(posts, waits)


def _post(key: int, public_id: UUID, title: str, words: str, state: str, start: datetime, zone: str, fold: int) -> Post:
    try:
        at = localtime.local_time(start, zone, fold).at
    except RuleRefused:
        at = None
    return Post(key, public_id, title or " ".join(words.split()), state, at)


def picked(workspace: Workspace, key: str) -> Schedule | None:
    """The schedule behind an event's key, with its content; None when there is none here."""
    named = read_key(key)
    if named is None:
        return None
    which = Q(jobs=named.job_id) if isinstance(named, JobKey) else Q(pk=named.schedule_id)
    return Schedule.objects.within(workspace).filter(which).select_related("content").first()


def search(workspace: Workspace, words: str, *, but: Collection[int]) -> list[Schedule]:
    """Posts with these words in title or text, the newest first; not those archived, nor `but`."""
    words = words.strip()
    if not words:
        return []
    rows = Schedule.objects.within(workspace).exclude(state="archived").exclude(pk__in=but)
    rows = rows.filter(Q(content__title__icontains=words) | Q(content__text__icontains=words))
    return list(rows.select_related("content").order_by("-created_at", "-id")[:MOST_FOUND])


@dataclass(frozen=True, slots=True)
class Risk:
    """What may go wrong. kind: early (stands before `other`, which it waits for), held (`other` failed or is not planned),
    milestone (later than the day `other`), late (its time is past), sign_in (its account asks for it).

    key: the event's, to pick it. at: when the post stands (aware).
    """

    kind: str
    key: str
    title: str
    at: datetime
    schedule_id: int
    other: str = ""


_STUCK = frozenset({"failed", "missed", "unsure", "blocked", "cancelled"})
_NOT_PLANNED = frozenset({"draft", "in_review", "paused", "archived"})
_TO_COME = frozenset({"scheduled", "paused", "blocked", "draft", "review"})


def risks(
    events: Sequence[Event],
    *,
    links: Links,
    milestones: Sequence[Milestone],
    signed_out: Collection[int],
    now: datetime,
) -> list[Risk]:
    """Of the events shown, in the order of time; at most one of a kind for an event. `signed_out`: ids of accounts."""
    times = links.times(events)
    stuck = {event.schedule_id for event in events if event.look in _STUCK}
    early: dict[int, int] = dict(planning.too_early(links.waits, times))
    found = []
    next_of: set[int] = set()
    due = _days(milestones)
    for event in events:
        if event.look not in _TO_COME:
            continue

        def risk(kind: str, other: str = "", event: Event = event) -> Risk:
            return Risk(kind, event.key, event.title, event.at, event.schedule_id, other)

        if event.look in ("scheduled", "blocked") and event.at < now - LATE_AFTER:
            found.append(risk("late"))
        if event.schedule_id in early:
            found.append(risk("early", links.posts[early[event.schedule_id]].title))
        for before in links.waits.get(event.schedule_id, ()):
            if before in stuck or links.posts[before].state in _NOT_PLANNED:
                found.append(risk("held", links.posts[before].title))
                break
        passed = [mark for mark in due.get(event.campaign_id or 0, ()) if event.at.replace(tzinfo=None) >= mark[0]]
        if passed:
            found.append(risk("milestone", passed[-1][1]))
        if event.account_id in signed_out and event.account_id not in next_of and event.at >= now:
            next_of.add(event.account_id)
            found.append(risk("sign_in", event.account))
    return found


def _days(milestones: Iterable[Milestone]) -> dict[int, list[tuple[datetime, str]]]:
    """By campaign: the ends of the days that are not reached yet (wall clock), and their names, by day."""
    found: dict[int, list[tuple[datetime, str]]] = {}
    for row in milestones:
        if row.campaign_id is not None and row.done_at is None:
            end = datetime.combine(row.due_on, time()) + timedelta(days=1)
            found.setdefault(row.campaign_id, []).append((end, row.name))
    return found
