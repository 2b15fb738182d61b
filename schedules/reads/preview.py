"""What the composer shows beside the form: the next runs, and the post as each account will get it. Stores nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.core.secrets import CannotDecrypt
from alwrity_scheduler.workspaces.models import Workspace
from platforms.contracts import MediaRef
from platforms.errors import PlatformError
from platforms.models import MediaAsset, PlatformAccount
from platforms.registry import adapter_for
from platforms.services import media as media_service
from platforms.services.publishing import account_ref
from platforms.validation import ContentProblem, check
from schedules.domain import recurrence
from schedules.domain.recurrence import LocalMoment, Occurrence, RuleKind
from schedules.reads.runs import next_runs, words_of
from schedules.services.plans import ContentDraft, SchedulePlan, rule_of

SHOWN = 5


class Typed(Protocol):
    """The composer's form, as far as this module looks at it."""

    @property
    def cleaned_data(self) -> Mapping[str, Any]: ...
    @property
    def account_rows(self) -> Sequence[PlatformAccount]: ...
    @property
    def errors(self) -> Mapping[str, Any]: ...
    def plan(self, now: datetime) -> SchedulePlan: ...
    def draft(self) -> ContentDraft: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """`single` is set for one time that the zone's clocks skip or repeat. `past` says that nothing lies ahead."""

    zone: str = ""
    words: str = ""
    now: datetime
    immediately: bool = False
    times: Sequence[Occurrence] = ()
    problems: Sequence[str] = ()
    single: LocalMoment | None = None
    wanted: datetime | None = None
    twice: Sequence[LocalMoment] = ()
    past: bool = False


_TIME_FIELDS = (
    "when",
    "date",
    "time",
    "zone",
    "fold",
    "repeat",
    "interval",
    "weekdays",
    "month_day",
    "nth",
    "nth_day",
    "cron",
    "rrule",
    "ends",
    "until",
    "count",
)


def runs(form: Typed, now: datetime) -> Runs:
    """The next five times of what is typed, or what is wrong with it."""
    wrong = [str(words) for name in _TIME_FIELDS for words in form.errors.get(name, ())]
    if wrong:
        return Runs(now=now, problems=wrong)
    zone = form.cleaned_data.get("zone") or "UTC"
    if form.cleaned_data.get("when") == "now":
        return Runs(now=now, zone=zone, immediately=True)
    try:
        rule = rule_of(form.plan(now))
    except Refused as error:
        return Runs(
            now=now, zone=zone, problems=[f"{item.message[:1].upper()}{item.message[1:]}" for item in error.problems]
        )
    found = next_runs(rule, now=now, count=SHOWN)
    single: LocalMoment | None = None
    twice: tuple[LocalMoment, ...] = ()
    if rule.kind is RuleKind.ONCE:
        moment = recurrence.local_time(rule.start_local, zone, rule.fold)
        single = moment if moment.shift == "gap" else None
        if moment.shift == "fold":
            twice = (recurrence.local_time(rule.start_local, zone, 0), recurrence.local_time(rule.start_local, zone, 1))
    return Runs(
        now=now,
        zone=zone,
        words=words_of(rule),
        times=found,
        single=single,
        wanted=rule.start_local,
        twice=twice,
        past=not found,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The post as these accounts get it: one card for all that get the same. `limit` None: no limit is known."""

    accounts: Sequence[PlatformAccount]
    title: str
    text: str
    link: str
    hashtags: Sequence[str]
    images: Sequence[MediaAsset]
    files: Sequence[MediaAsset]
    used: int
    limit: int | None
    errors: Sequence[ContentProblem]
    warnings: Sequence[ContentProblem]
    trouble: str = ""

    @property
    def left(self) -> int:
        return (self.limit or 0) - self.used

    @property
    def look(self) -> str:
        if self.limit is None:
            return ""
        return "over" if self.used > self.limit else "near" if self.used > self.limit * 0.9 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    title: str
    text: str
    link: str
    hashtags: Sequence[str]
    media: Sequence[MediaRef]
    content_type: str
    options: Mapping[str, Any] = field(default_factory=dict)


def cards(form: Typed, workspace: Workspace, now: datetime) -> list[Card]:
    """The post for each chosen account, in the accounts' order."""
    chosen = set(form.cleaned_data.get("accounts", ()))
    accounts = [row for row in form.account_rows if str(row.public_id) in chosen]
    if not accounts:
        return []
    draft = form.draft()
    stored = (
        {
            str(row.public_id): row
            for row in MediaAsset.objects.filter(workspace=workspace, public_id__in=draft.media_ids)
        }
        if draft.media_ids
        else {}
    )
    assets = [stored[item] for item in draft.media_ids if item in stored]
    refs = [media_service.media_ref(asset, now) for asset in assets]
    found: list[Card] = []
    for row in accounts:
        card = _card(row, form.cleaned_data, draft, assets, refs)
        twin = next(
            (at for at, other in enumerate(found) if replace(other, accounts=()) == replace(card, accounts=())), None
        )
        if twin is None:
            found.append(card)
        else:
            found[twin] = replace(card, accounts=[*found[twin].accounts, row])
    return found


def _card(
    row: PlatformAccount,
    data: Mapping[str, Any],
    draft: ContentDraft,
    assets: Sequence[MediaAsset],
    refs: Sequence[MediaRef],
) -> Card:
    variant = next((item for item in draft.variants if item.platform == row.platform), None)

    def pick(name: str, own: str) -> Any:
        if own:
            return own
        value = getattr(variant, name, None)
        return getattr(draft, name) if value is None else value

    key = str(row.public_id)
    content = _Content(
        title=pick("title", data.get(f"title-{key}", "").strip()),
        text=pick("text", data.get(f"text-{key}", "").strip()),
        link=pick("link", ""),
        hashtags=[tag.lstrip("#") for tag in pick("hashtags", "")],
        media=refs,
        content_type=draft.content_type,
    )
    limit, problems, trouble = None, [], ""
    try:
        reference = account_ref(row)
        adapter = adapter_for(row.platform)
        limit, problems = adapter.capabilities(reference).max_text, check(content, adapter, reference)
    except (PlatformError, CannotDecrypt) as error:
        trouble = str(error)
    return Card(
        accounts=[row],
        title=content.title,
        text=content.text,
        link=content.link,
        hashtags=content.hashtags,
        images=[asset for asset in assets if asset.kind == "image"],
        files=[asset for asset in assets if asset.kind != "image"],
        used=len(content.text),
        limit=limit,
        errors=[item for item in problems if item.severity == "error"],
        warnings=[item for item in problems if item.severity == "warning"],
        trouble=trouble,
    )
