"""What the tools answer with: the parts of the API's answers that an assistant needs, each said what it is."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Utc = Annotated[str, Field(description="UTC, like 2026-12-01T08:00:00Z")]
Local = Annotated[str, Field(description="The same instant on the wall clock of the zone, with its offset")]


class Shape(BaseModel):
    """Takes of an answer what it knows and passes over the rest."""

    model_config = ConfigDict(extra="ignore")


class AccountName(Shape):
    id: str
    platform: str
    name: str


class Account(AccountName):
    handle: str
    state: Annotated[str, Field(description="active, paused, needs_auth, …; posts go out on an active one")]
    state_reason: str
    timezone: str
    health: Annotated[dict[str, Any], Field(description="How its platform answers now")]


class Accounts(Shape):
    accounts: list[Account]
    more: Annotated[bool, Field(description="There are more than these; narrow by platform")]


class Finding(Shape):
    verdict: Annotated[str, Field(description="ok, warning or blocked")]
    field: str
    message: str
    remedy: str
    next_at_local: Annotated[str | None, Field(description="When it could go instead, where that is known")] = None


class OnAccount(AccountName):
    verdict: Annotated[str, Field(description="ok, warning or blocked")]
    length: Annotated[str, Field(description="Like '312 of 280'; empty where nothing is counted")] = ""
    findings: list[Finding]


class Verdict(Shape):
    verdict: Annotated[str, Field(description="ok, warning or blocked; over all accounts")]
    would_publish_count: Annotated[int, Field(description="On how many accounts it would go out now")]
    general: list[Finding]
    accounts: list[OnAccount]


class Post(Shape):
    """A schedule: words, accounts and rule."""

    id: str
    title: str
    state: Annotated[str, Field(description="draft, in_review, active, paused, finished or archived")]
    text: str
    link: str
    hashtags: list[str]
    accounts: list[AccountName]
    rule: Annotated[str, Field(description="When it goes out, in words")]
    timezone: str
    next_run_at: Utc | None
    next_run_at_local: Local | None
    version: int


class Planned(Shape):
    """One post on one account at one time."""

    key: Annotated[str, Field(description="Names it for reschedule; changes with each move")]
    at: Utc
    at_local: Local
    look: Annotated[
        str, Field(description="scheduled, running, published, failed, missed, unsure, blocked, paused, draft, …")
    ]
    title: str
    account: AccountName
    schedule: Annotated[str, Field(description="The post's id, for get_post, pause and resume")]
    job: Annotated[str | None, Field(description="The job's id, for retry and cancel; null where none is planned yet")]
    recurring: Annotated[bool, Field(description="A time of a rule: reschedule then wants a scope")]
    movable: bool
    version: Annotated[int, Field(description="Goes with a reschedule, so that nobody's edit is lost")]
    conflicts_with: Annotated[str | None, Field(description="Key of a post of the same account that stands too close")]


class Calendar(Shape):
    timezone: str
    posts: list[Planned]


class Moved(Planned):
    was_at_local: Local
    accounts_moved: Annotated[int, Field(description="On how many accounts it moved")]
    note: Annotated[str, Field(description="What the clocks of the zone do at that time, if anything")]


class Job(Shape):
    """One post on one account, as the scheduler works on it."""

    id: str
    schedule: str
    title: str
    account: AccountName
    state: str
    state_label: str
    reason: str
    message: Annotated[str, Field(description="What the platform or the scheduler said last")]
    scheduled_for: Utc
    scheduled_for_local: Local
    attempt_count: int
    remote_url: Annotated[str, Field(description="Where it is out, once it is")] = ""


class Jobs(Shape):
    jobs: list[Job]
    more: Annotated[bool, Field(description="There are older ones; narrow by state, account or time")]


class Way(Shape):
    verb: str
    label: str
    effect: Annotated[str, Field(description="What it does, in words")]


class Case(Job):
    cause: Annotated[str, Field(description="unconfirmed, failed, missed, sign_in or on_hold")]
    what_happened: str
    ways_out: list[Way]


class Cases(Shape):
    posts: list[Case]
    more: bool


class Slot(Shape):
    account: AccountName
    at: Utc | None
    at_local: Local | None
    timezone: str
    note: Annotated[str, Field(description="Why there is none, where there is none")] = ""


class Slots(Shape):
    slots: list[Slot]
