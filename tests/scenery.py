"""A workspace as a busy team's looks: hundreds of posts in this month, and some of everything that goes wrong.

What people do goes through the services; the crowd of posts is written as rows. The same `now` gives the same scenery.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from alwrity_scheduler.core.events import ENGINE, Actor, emit, unit
from alwrity_scheduler.workspaces import services as workspaces
from alwrity_scheduler.workspaces.models import User, Workspace
from tests.people import ACTOR, make_account, make_schedule

ZONE = "Europe/Berlin"
# name, handle, platform, minutes to keep between posts
PLACES = (
    ("Northwind Coffee", "northwind.coffee", "instagram", 30),
    ("Northwind Trading", "northwind-trading", "linkedin", 60),
    ("Northwind", "northwind", "x", 15),
    ("Northwind Cafés", "northwindcafes", "facebook", 30),
    ("Northwind social", "northwind@social.example", "mastodon", 0),
    ("Roastery log", "roastery-log", "wordpress", 0),
    ("Friday letter", "friday-letter", "newsletter", 0),
    ("Team channel", "team-channel", "slack", 0),
    ("Pins of the week", "northwind-pins", "pinterest", 0),
)
CAMPAIGNS = ("Winter roast", "Farm stories", "Advent calendar", "Barista school")
LABELS = ("evergreen", "launch", "seasonal", "community")
TITLES = (
    "Winter roast is in", "Meet the farm: Huila", "Three stories to start your day", "How to dial in a grinder",
    "Open roastery on Saturday", "Why we pay above the market price", "A door of the advent calendar", "Barista school: milk",
    "Behind the beans", "New opening hours", "Our cups are coming back", "What customers asked this week",
    "Hiring: head of roasting in Hamburg, full time, from the first of February", "Latte art at noon",
    "قهوة الشتاء وصلت", "今日の一杯",
)  # fmt: skip
TEXTS = (
    "Bright, a little citrus, gone by noon. See you at the counter.",
    "We visited Doña Marta in October. What she grows at 1,900 metres, and what it costs her.",
    "Picked by our editors: a harvest report, a recipe and a small victory.",
    "Two clicks finer than you think. The whole method in ninety seconds. https://example.com/grind",
)
TYPES = ("post", "post", "post", "image", "image", "article", "video", "carousel", "story", "reel", "thread")


@dataclass(slots=True)
class Scenery:
    """What was made, for whoever needs an address of it."""

    workspace: Workspace
    owner: User
    accounts: list[Any] = field(default_factory=list)
    recurring: Any = None
    draft: Any = None
    in_review: Any = None
    failed: Any = None
    asset: Any = None
    # the name of somebody in the team
    writer: str = ""
    hook: Any = None
    webhook: Any = None
    delivery: Any = None
    app: Any = None
    token: Any = None
    # what stands in an address that only who was sent it knows
    invitation: str = ""
    outside: str = ""
    # the query with which the app asks to be allowed
    asked: str = ""


def make(now: datetime, *, a_month: int = 400) -> Scenery:
    """A workspace of its own with an owner, a superuser, and everything in it. The database is migrated and empty."""
    owner = User.objects.create_superuser(
        "ana", "ana@example.com", "correct horse", timezone=ZONE, first_name="Ana", last_name="Lind"
    )
    room = workspaces.create_workspace(
        name="Northwind", slug="northwind", timezone=ZONE, owner=owner, actor=ACTOR, now=now
    )
    second = {"name": "Harbour Books", "slug": "harbour-books", "timezone": ZONE}
    workspaces.create_workspace(**second, owner=owner, actor=ACTOR, now=now)
    return seed(room, owner, now, a_month=a_month)


def seed(workspace: Workspace, owner: User, now: datetime, *, a_month: int = 400, months_back: int = 10) -> Scenery:
    """Fill a workspace: about `a_month` posts in the month of `now`, a tenth of that in each of `months_back` months before."""
    made, chance = Scenery(workspace, owner), random.Random(20)
    with unit():
        people = _people(workspace, now)
        made.writer = people[0].get_username()
        _places(made, now)
        _rules(made, now)
        _reviews(made, people, now)
        _crowd(made, [owner, *people], now, chance, a_month, months_back)
        _dress(made)
    _media(made, now)
    _troubles(made, now)
    _engine(now)
    _hooks(made, now)
    _integrations(made, now)
    _tell(workspace, now)
    return made


def _hooks(made: Scenery, now: datetime) -> None:
    from schedules.inbound import receiving, services
    from schedules.inbound.services import HookPlan

    plan = HookPlan(
        name="Zapier: new article", proof="header", makes="schedule", when="delay",
        accounts=(str(made.accounts[0].public_id),),
        mapping={"title": {"path": "article.title"}, "text": {"text": "New on our pages: {article.title}"}},
    )  # fmt: skip
    made.hook, secret = services.create(workspace=made.workspace, plan=plan, actor=ACTOR, now=now)
    for body in (b'{"article": {"title": "Two clicks finer than you think"}}', b'{"article": {}}'):
        receiving.receive(
            hook=made.hook, headers={"X-Hook-Secret": secret}, body=body, form=False, request_id="", now=now
        )


def _integrations(made: Scenery, now: datetime) -> None:
    """A webhook whose receiver fails, an app that is allowed, a token, an invitation, and a link for somebody outside."""
    from alwrity_scheduler.oauth import services as oauth
    from alwrity_scheduler.workspaces import invitations
    from schedules.services import approval
    from schedules.webhooks import services as webhooks

    by: dict[str, Any] = {"actor": ACTOR, "now": now}
    room, ends = made.workspace, now + timedelta(days=90)
    plan = webhooks.EndpointPlan(
        url="https://crm.example.com/alwrity", event_types=["job.*"], description="CRM: what went out"
    )
    made.webhook, _ = webhooks.create(workspace=room, plan=plan, **by)
    made.delivery = webhooks.test(endpoint=made.webhook, **by)
    made.delivery.attempts.create(
        no=1, at=now, duration_ms=412, status=500, ending="refused", message="It answered 500.",
        request_headers={"webhook-id": made.delivery.event_id}, answer_headers={"content-type": "text/plain"},
        answer_body="Internal error",
    )  # fmt: skip
    type(made.delivery).objects.filter(pk=made.delivery.pk).update(state="failed", tries=1, last_status=500)
    type(made.webhook).objects.filter(pk=made.webhook.pk).update(failures=9, failing_since=now - timedelta(hours=2))
    made.app, _ = oauth.register(
        workspace=room, name="Report Desk", redirect_uris=["https://app.example.com/back"],
        website="https://app.example.com", person=made.owner, **by,
    )  # fmt: skip
    oauth.allow(app=made.app, person=made.owner, workspace=room, scopes=["jobs:read"], **by)
    made.asked = urlencode(
        {
            "response_type": "code", "client_id": made.app.client_id, "redirect_uri": "https://app.example.com/back",
            "scope": "jobs:read schedules:write", "state": "xyz", "code_challenge": "x" * 43,
            "code_challenge_method": "S256",
        }
    )  # fmt: skip
    made.token, _ = workspaces.create_token(workspace=room, name="n8n", role="author", expires_at=ends, **by)
    _, made.invitation = invitations.invite(workspace=room, email="nia@example.com", role="author", **by)
    made.outside = approval.token_of(approval.make_link(schedule=made.in_review, label="Client", **by))


def _people(workspace: Workspace, now: datetime) -> list[User]:
    found = []
    for name, first, role in (("ben", "Ben", "author"), ("carla", "Carla", "approver"), ("vera", "Vera", "viewer")):
        person = User.objects.create_user(name, f"{name}@example.com", "correct horse", timezone=ZONE, first_name=first)
        workspaces.set_role(workspace=workspace, user=person, role=role, actor=ACTOR, now=now)
        found.append(person)
    return found[:2]


def _places(made: Scenery, now: datetime) -> None:
    from platforms.services import groups

    made.accounts = [make_account(made.workspace, now, name=name, handle=handle) for name, handle, _, _ in PLACES]
    ids = [row.public_id for row in made.accounts[:4]]
    groups.create(workspace=made.workspace, name="Germany", account_ids=ids, actor=ACTOR, now=now)


def _dress(made: Scenery) -> None:
    """The accounts, connected as sandbox ones so that nothing was asked of anybody, look like those of the platforms."""
    from platforms.models import PlatformAccount

    for row, (_, _, platform, minutes) in zip(made.accounts, PLACES, strict=True):
        limits = {"min_spacing_seconds": minutes * 60, "daily_cap": 25 if platform in ("instagram", "x") else None}
        PlatformAccount.objects.filter(pk=row.pk).update(platform=platform, service=None, **limits)
        row.refresh_from_db()


def _rules(made: Scenery, now: datetime) -> None:
    """What recurs: twice a weekday, weekly, monthly; and two that are paused."""
    from schedules.services import lifecycle

    start = (now - timedelta(days=40)).replace(hour=9, minute=0, second=0, microsecond=0, tzinfo=None)
    weekly = {"rule_kind": "rrule", "timezone": ZONE, "start_local": start}
    made.recurring = make_schedule(
        made.workspace, made.accounts[1:3], now, text=TEXTS[2], rule_kind="cron", expression="0 9 * * 1-5", timezone=ZONE,
        start_local=start,
    )  # fmt: skip
    make_schedule(made.workspace, made.accounts[:1], now, text=TEXTS[0], expression="FREQ=WEEKLY;BYDAY=MO,TH", **weekly)
    make_schedule(
        made.workspace, made.accounts[6:7], now, text="Friday letter", expression="FREQ=WEEKLY;BYDAY=FR", **weekly
    )
    for text in ("Rainy-day playlist", "Old opening hours"):
        row = make_schedule(
            made.workspace, made.accounts[3:4], now, text=text, expression="FREQ=WEEKLY;BYDAY=SA", **weekly
        )
        lifecycle.pause(schedule=row, actor=ACTOR, now=now)


def _reviews(made: Scenery, people: list[User], now: datetime) -> None:
    from schedules.services import approval

    approval.set_policy(
        workspace=made.workspace, account=made.accounts[1], reviewers=[], required=True, allow_own=False, remind_after_hours=24,
        actor=ACTOR, now=now,
    )  # fmt: skip
    author = Actor(kind="user", id=str(people[0].pk), label=people[0].get_username())
    for number, title in enumerate(
        ("Harvest report from Huila", "Why our prices go up in January", "Hiring in Hamburg", "A year of cups")
    ):
        made.in_review = _draft(made, people[0], title, number + 2, made.accounts[1:2], now)
        approval.submit(schedule=made.in_review, comment="Please look at the second paragraph.", actor=author, now=now)
    for number, title in enumerate(
        ("Gift guide", "Grinder giveaway", "Meet the roasters", "Snow day menu", "Thank you, Ines", "Recap")
    ):
        made.draft = _draft(made, people[0], title, number + 1, made.accounts[:2], now)


def _draft(made: Scenery, writer: User, title: str, days: int, accounts: list[Any], now: datetime) -> Any:
    from schedules.services.plans import ContentDraft, SchedulePlan, TargetPlan
    from schedules.services.schedules import create_schedule

    at = (now + timedelta(days=days)).replace(hour=14, minute=0, second=0, microsecond=0, tzinfo=None)
    targets = tuple(TargetPlan(account_id=str(row.public_id)) for row in accounts)
    plan = SchedulePlan(rule_kind="once", timezone=ZONE, start_local=at, targets=targets)
    content = ContentDraft(title=title, text=TEXTS[days % len(TEXTS)], campaign=CAMPAIGNS[0])
    return create_schedule(
        workspace=made.workspace, content=content, plan=plan, state="draft", actor=ACTOR, now=now, person=writer
    )


@dataclass(frozen=True, slots=True)
class _Post:
    at: datetime
    account: Any
    state: str
    number: int


def _crowd(
    made: Scenery, writers: list[User], now: datetime, chance: random.Random, a_month: int, months_back: int
) -> None:
    """The posts that are out, that were to be out, and that will be."""
    from schedules.models import Campaign, ContentItem, Job, Occurrence, Schedule, Target
    from schedules.services import materialise

    posts = list(_posts(made, now, chance, a_month, months_back))
    campaigns = [
        Campaign.objects.get_or_create(workspace=made.workspace, name=name, defaults={"created_at": now})[0]
        for name in CAMPAIGNS
    ]
    contents = ContentItem.objects.bulk_create(
        [
            ContentItem(
                workspace=made.workspace, title=TITLES[post.number % len(TITLES)], text=TEXTS[post.number % len(TEXTS)],
                content_type=TYPES[post.number % len(TYPES)], hashtags=["coffee"], labels=[LABELS[post.number % len(LABELS)]],
                campaign=campaigns[post.number % 7] if post.number % 7 < len(campaigns) else None,
                created_by=writers[post.number % len(writers)], created_at=post.at - timedelta(days=9), updated_at=now,
            )
            for post in posts
        ],
        batch_size=400,
    )  # fmt: skip
    ahead = materialise.horizon(now)
    schedules = Schedule.objects.bulk_create(
        [
            Schedule(
                workspace=made.workspace, content=content, rule_kind="once", timezone=ZONE, start_local=_wall(post.at),
                state="active" if post.at > now - timedelta(hours=1) else "finished", planned_until=ahead,
                tzdata_version=materialise.TZDATA, created_by=content.created_by, created_at=content.created_at, updated_at=now,
            )
            for post, content in zip(posts, contents, strict=True)
        ],
        batch_size=400,
    )  # fmt: skip
    pairs = list(zip(posts, schedules, strict=True))
    Target.objects.bulk_create([Target(schedule=row, account=post.account) for post, row in pairs], batch_size=400)
    planned = [(post, row) for post, row in pairs if post.at <= ahead]
    times = Occurrence.objects.bulk_create(
        [
            Occurrence(
                schedule=row, nominal_at=post.at, nominal_local=row.start_local, fires_at=post.at,
                tzdata_version=materialise.TZDATA,
            )
            for post, row in planned
        ],
        batch_size=400,
    )  # fmt: skip
    jobs = Job.objects.bulk_create(
        [_job(made, post, row, time, now) for (post, row), time in zip(planned, times, strict=True)], batch_size=400
    )
    made.failed = next(job for job in reversed(jobs) if job.state == "failed")


def _posts(made: Scenery, now: datetime, chance: random.Random, a_month: int, months_back: int) -> Iterator[_Post]:
    from schedules.domain import localtime

    where = localtime.zone(ZONE)
    first = now.astimezone(where).date().replace(day=1)
    number = 0
    for back in range(months_back, -2, -1):
        month = _month(first, -back)
        days = (_month(month, 1) - month).days
        wanted = a_month if back == 0 else a_month // 3 if back == -1 else a_month // 10
        for place in range(wanted):
            day = month + timedelta(days=place * days // wanted)
            if day.weekday() >= 5 and place % 3:
                continue
            account = made.accounts[place % len(made.accounts)]
            # crowded hours, so that some stand too close to each other
            local = datetime.combine(day, datetime.min.time(), where) + timedelta(
                hours=chance.choice((7, 8, 9, 9, 10, 12, 12, 14, 16, 17, 18, 20)), minutes=chance.choice((0, 0, 10, 15, 30, 45))
            )  # fmt: skip
            at = local.astimezone(now.tzinfo)
            yield _Post(at, account, _state(at, now, chance), number)
            number += 1
    # an outage of this morning: a dozen posts of one account, a few minutes apart
    for minutes in range(0, 36, 3):
        yield _Post(now - timedelta(hours=2, minutes=minutes), made.accounts[2], "failed", number)
        number += 1


def _state(at: datetime, now: datetime, chance: random.Random) -> str:
    if at > now:
        return "pending"
    if at > now - timedelta(minutes=40):
        return "running"
    recent = at > now - timedelta(days=3)
    states, weights = ("completed", "failed", "missed", "unconfirmed"), (80, 10, 6, 4) if recent else (97, 2, 1, 0)
    return chance.choices(states, weights)[0]


def _job(made: Scenery, post: _Post, schedule: Any, occurrence: Any, now: datetime) -> Any:
    from schedules.models import Job

    wrong = {
        "failed": ("rejected", "The platform refused the post: the picture is wider than it takes (4,096 px)."),
        "missed": ("too_late", "The scheduler was not running when it was due."),
        "unconfirmed": ("unknown", "The connection broke after the post was sent."),
    }
    reason, words = wrong.get(post.state, ("", ""))
    is_out = post.state == "completed"
    ended = post.at + timedelta(seconds=3 + post.number % 9)
    return Job(
        workspace=made.workspace, schedule=schedule, account=post.account, occurrence=occurrence, state=post.state,
        scheduled_for=post.at, run_at=post.at, created_at=post.at - timedelta(days=2), reason=reason, error_message=words,
        error_class="rejected" if post.state == "failed" else "", attempt_count=0 if post.state in ("pending", "missed") else 1,
        started_at=post.at + timedelta(seconds=1) if post.state not in ("pending", "missed") else None,
        finished_at=ended if post.state in ("completed", "failed", "missed") else None,
        remote_id=f"r{post.number}" if is_out else "", remote_url=f"https://example.com/posts/{post.number}" if is_out else "",
        lease_until=now + timedelta(minutes=1) if post.state == "running" else None,
    )  # fmt: skip


def _media(made: Scenery, now: datetime) -> None:
    from PIL import Image, ImageDraw

    from platforms.services import media

    for number, colour in enumerate(("#6f4e37", "#c08552", "#dab49d", "#3a5a40", "#22577a", "#e07a5f")):
        picture = Image.new("RGB", (1200, 800 if number % 2 else 1200), colour)
        draw = ImageDraw.Draw(picture)
        draw.ellipse((300, 200, 900, 700), fill="#f5ebe0")
        draw.ellipse((380, 270, 820, 630), fill="#2b1d14")
        file = io.BytesIO()
        picture.save(file, "PNG")
        file.seek(0)
        made.asset = media.store_upload(
            workspace=made.workspace, file=file, name=f"cup-{number + 1}.png", alt_text="A cup of coffee from above",
            created_by=made.owner, actor=ACTOR, now=now,
        )  # fmt: skip


def _troubles(made: Scenery, now: datetime) -> None:
    """A lost sign-in, one that ends, a platform that does not answer, an account that a person paused; attempts of what failed."""
    from platforms.models import CircuitState, PlatformAccount
    from platforms.services import accounts
    from schedules.models import Attempt, Job

    lost, ending, down, paused = (made.accounts[place] for place in (3, 0, 4, 8))
    accounts.mark_needs_auth(
        account_id=lost.pk, message="The platform says that the access was taken back.", actor=ENGINE, now=now
    )
    PlatformAccount.objects.filter(pk=ending.pk).update(
        credentials_expire_at=now + timedelta(days=3), missing_scopes=["instagram_manage_insights"]
    )
    values = {
        "state": "open",
        "failures": 6,
        "opened_at": now - timedelta(minutes=12),
        "retry_at": now + timedelta(minutes=4),
    }
    CircuitState.objects.update_or_create(account=down, defaults={**values, "last_error": "503 Service Unavailable"})
    accounts.pause(account=paused, reason="Until the new pictures are there.", actor=ACTOR, now=now)
    tried = Job.objects.filter(
        workspace=made.workspace, state__in=["failed", "unconfirmed", "completed"], attempt_count=1
    )
    Attempt.objects.bulk_create(
        [
            Attempt(
                job=job, no=1, idempotency_key=f"k{job.pk}", worker="north-1", started_at=job.started_at, called_at=job.started_at,
                finished_at=job.finished_at or job.started_at, outcome=_OUTCOMES[job.state], message=job.error_message,
                status_code=_CODES[job.state], request={"text": TEXTS[0]}, response={"id": job.remote_id},
            )
            for job in tried
        ],
        batch_size=400,
    )  # fmt: skip


_OUTCOMES = {"failed": "rejected", "unconfirmed": "unknown", "completed": "published"}
_CODES = {"failed": 422, "unconfirmed": None, "completed": 201}


def _engine(now: datetime) -> None:
    from schedules.models import Worker

    Worker.objects.create(
        name="north-1", host="north", pid=4211, started_at=now - timedelta(hours=31), beat_at=now - timedelta(seconds=4),
        completed_count=4180, claimed_count=4204, rss_bytes=148_000_000, cpu_seconds=812.0,
    )  # fmt: skip


def _tell(workspace: Workspace, now: datetime) -> None:
    """The last days' facts of what went wrong, and what people were told of it."""
    from schedules.models import Job
    from schedules.notifications import ending, services
    from schedules.notifications.models import Notice
    from schedules.services.facts import job_fact

    wrong = Job.objects.filter(
        workspace=workspace, state__in=["failed", "missed", "unconfirmed"], run_at__gt=now - timedelta(days=4)
    )
    with unit():
        for job in wrong.select_related("schedule__content", "account").order_by("run_at"):
            emit(
                job_fact(
                    f"job.{job.state}", job, ENGINE, job.run_at + timedelta(seconds=5), before={"state": "running"}
                )
            )
    ending.tell(now=now)
    services.follow(now=now)
    Notice.objects.filter(workspace=workspace, last_at__lt=now - timedelta(days=1)).update(
        read_at=now - timedelta(hours=20)
    )


def _wall(at: datetime) -> datetime:
    from schedules.domain import localtime

    return localtime.wall_clock(at, localtime.zone(ZONE))


def _month(first: date, later: int) -> date:
    place = first.year * 12 + first.month - 1 + later
    return date(place // 12, place % 12 + 1, 1)
