"""The post as each account will get it: put together, counted and checked by the very functions that publish it. Stores nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from alwrity_scheduler.core.secrets import CannotDecrypt
from alwrity_scheduler.workspaces.models import Workspace
from platforms.base import Adapter, HasPostOptions
from platforms.contracts import AccountRef, Capabilities, MediaRef, Publication
from platforms.errors import PlatformError
from platforms.models import MediaAsset, PlatformAccount
from platforms.registry import adapter_for
from platforms.services import media as media_service
from platforms.services.publishing import account_ref
from platforms.text.links import urls
from platforms.validation import ContentProblem, Count, Severity, check, measure
from schedules.reads.preview import Typed
from schedules.services import posts
from schedules.services.plans import ContentDraft, SchedulePlan, VariantDraft

Look = Literal["microblog", "page", "network", "grid", "article", "chat", "mail"]
# how a platform's posts look; what is not named here looks like a microblog
LOOKS: dict[str, Look] = {
    "facebook": "page",
    "linkedin": "network",
    "instagram": "grid",
    "pinterest": "grid",
    "tiktok": "grid",
    "youtube": "page",
    "reddit": "page",
    "wordpress": "article",
    "ghost": "article",
    "medium": "article",
    "http": "article",
    "telegram": "chat",
    "discord": "chat",
    "slack": "chat",
    "smtp": "mail",
    "email": "mail",
    "newsletter": "mail",
}
# after how many characters people must click to read on, about: the layouts, not the platforms, are shown here
FOLDS: dict[Look, int] = {"page": 480, "network": 210, "grid": 125}
OVERRIDABLE = ("text", "title", "link", "hashtags")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A problem at the form's field where it can be put right. who: the accounts that have it."""

    field: str
    platform: str
    who: str
    problem: ContentProblem

    @property
    def severity(self) -> Severity:
        return self.problem.severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The post as these accounts of one platform get it: one card for all that get the same.

    parts: the posts of a thread, else one. link: what its preview card is of. folded: what people see only after a click.
    """

    platform: str
    accounts: Sequence[PlatformAccount]
    look: Look
    title: str = ""
    parts: Sequence[str] = ()
    lead: str = ""
    folded: str = ""
    link: str = ""
    hashtags: Sequence[str] = ()
    images: Sequence[MediaAsset] = ()
    files: Sequence[MediaAsset] = ()
    first_comment: str = ""
    extras: Sequence[tuple[str, str]] = ()
    count: Count | None = None
    findings: Sequence[Finding] = ()
    trouble: str = ""

    @property
    def first(self) -> PlatformAccount:
        return self.accounts[0]

    @property
    def text(self) -> str:
        return "\n\n".join(self.parts)

    @property
    def errors(self) -> list[ContentProblem]:
        return [item.problem for item in self.findings if item.severity == "error"]

    @property
    def warnings(self) -> list[ContentProblem]:
        return [item.problem for item in self.findings if item.severity == "warning"]

    @property
    def level(self) -> str:
        """How full the text is: `near` from nine tenths on, `over`, or nothing."""
        if self.count is None or self.count.limit is None:
            return ""
        return (
            "over" if self.count.used > self.count.limit else "near" if self.count.used > self.count.limit * 0.9 else ""
        )

    @property
    def is_empty(self) -> bool:
        return not (self.title or any(self.parts) or self.link or self.images or self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """All of it, and what it comes to."""

    cards: Sequence[Card] = ()

    @property
    def findings(self) -> list[Finding]:
        return [item for card in self.cards for item in card.findings]

    def at(self, field: str) -> list[tuple[ContentProblem, list[Finding]]]:
        """What is wrong at a field: each problem once, with all that have it."""
        found: dict[ContentProblem, list[Finding]] = {}
        for item in self.findings:
            if item.field == field:
                found.setdefault(item.problem, []).append(item)
        return list(found.items())

    @property
    def errors(self) -> list[Finding]:
        return [item for item in self.findings if item.severity == "error"]

    @property
    def hints(self) -> list[Finding]:
        return [item for item in self.findings if item.severity == "warning"]

    @property
    def troubles(self) -> list[Card]:
        return [card for card in self.cards if card.trouble]

    @property
    def account_count(self) -> int:
        return sum(len(card.accounts) for card in self.cards)

    def errors_of(self, platform: str) -> int:
        return len([item for item in self.errors if item.platform == platform])


def shown(form: Typed, workspace: Workspace, now: datetime, *, alts: Mapping[str, str] | None = None) -> Shown:
    """The post for each chosen account, in the accounts' order. One query for the files, if there are any.

    alts: alternative texts as they are typed, by the files' public ids."""
    chosen = set(form.cleaned_data.get("accounts", ()))
    accounts = [row for row in form.account_rows if str(row.public_id) in chosen]
    if not accounts:
        return Shown()
    draft = form.draft()
    assets = _assets(draft, workspace)
    for asset in assets:
        asset.alt_text = (alts or {}).get(str(asset.public_id), asset.alt_text)
    refs = tuple(media_service.media_ref(asset, now) for asset in assets)
    found: list[Card] = []
    for row in accounts:
        key = str(row.public_id)
        own = posts.Override(
            title=form.cleaned_data.get(f"title-{key}", "").strip() or None,
            text=form.cleaned_data.get(f"text-{key}", "").replace("\r\n", "\n").strip() or None,
        )
        card = _card(row, own, draft, assets, refs, now)
        _join(found, card)
    return Shown(cards=found)


def _assets(draft: ContentDraft, workspace: Workspace) -> list[MediaAsset]:
    if not draft.media_ids:
        return []
    rows = MediaAsset.objects.filter(workspace=workspace, public_id__in=draft.media_ids)
    stored = {str(row.public_id): row for row in rows}
    return [stored[item] for item in draft.media_ids if item in stored]


def _join(found: list[Card], card: Card) -> None:
    """Add the card, or its account to the card that says the same."""

    def bare(item: Card) -> Card:
        return replace(item, accounts=(), findings=[replace(each, who="") for each in item.findings])

    for at, other in enumerate(found):
        if bare(other) == bare(card):
            rows = [*other.accounts, *card.accounts]
            who = ", ".join(row.name for row in rows)
            found[at] = replace(other, accounts=rows, findings=[replace(each, who=who) for each in other.findings])
            return
    found.append(card)


def _card(
    row: PlatformAccount,
    own: posts.Override,
    draft: ContentDraft,
    assets: Sequence[MediaAsset],
    refs: tuple[MediaRef, ...],
    now: datetime,
) -> Card:
    variant = next((item for item in draft.variants if item.platform == row.platform), None)
    look = LOOKS.get(row.platform, "microblog")
    card = Card(
        platform=row.platform,
        accounts=[row],
        look=look,
        images=[asset for asset in assets if asset.kind == "image"],
        files=[asset for asset in assets if asset.kind != "image"],
    )
    try:
        reference = account_ref(row)
        adapter = adapter_for(row.platform)
    except (PlatformError, CannotDecrypt) as error:
        return replace(card, trouble=str(error), parts=[draft.text], lead=draft.text)
    publication = composed(draft, [own, _override(variant)], reference, refs, now)
    can = adapter.capabilities(reference)
    counted = measure(publication, can)
    problems = check(publication, adapter, reference)
    whole = [part.text for part in counted.parts] or [counted.text or publication.text]
    fold = FOLDS.get(look)
    lead, folded = _folded(whole[0], fold)
    return replace(
        card,
        title=publication.title if look in ("article", "mail") or _takes_title(can) else "",
        parts=whole,
        lead=lead,
        folded=folded,
        link=publication.link or next(iter(urls(publication.text)), ""),
        hashtags=[tag for tag in publication.hashtags if f"#{tag.casefold()}" not in whole[0].casefold()],
        first_comment=str(publication.options.get("first_comment") or ""),
        extras=_extras(adapter, publication),
        count=counted,
        findings=[_finding(item, row, own, variant, adapter) for item in problems],
    )


def _takes_title(can: Capabilities) -> bool:
    """Does the platform publish titles, as far as it has any rule for them?"""
    return can.title_required or can.max_title is not None or can.title is not None


def composed(
    draft: ContentDraft,
    overrides: Sequence[posts.Override],
    account: AccountRef,
    media: tuple[MediaRef, ...],
    now: datetime,
) -> Publication:
    """What is typed, as the engine would put it together."""
    words = posts.Words(
        draft.title,
        draft.text,
        draft.link,
        [tag.lstrip("#") for tag in draft.hashtags],
        draft.content_type,
        draft.utm,
        draft.campaign,
    )
    return posts.assemble(words, overrides, account, media=media, key="", scheduled_for=now)


def _override(variant: VariantDraft | None) -> posts.Override:
    if variant is None:
        return posts.Override()
    tags = None if variant.hashtags is None else [tag.lstrip("#") for tag in variant.hashtags]
    return posts.Override(variant.title, variant.text, variant.link, tags, variant.options)


def _folded(text: str, most: int | None) -> tuple[str, str]:
    """The text up to where it is folded, at a word's end, and the rest."""
    if most is None or len(text) <= most:
        return text, ""
    end = text.rfind(" ", 0, most)
    end = most if end < most // 2 else end
    return text[:end], text[end:]


def _extras(adapter: Adapter, publication: Publication) -> list[tuple[str, str]]:
    """What else goes along, in words: the platform's own options that are set."""
    if not isinstance(adapter, HasPostOptions):
        return []
    found = []
    for spec in adapter.post_fields:
        value = publication.options.get(spec.name)
        if spec.name == "first_comment" or value in (None, "", False, spec.default):
            continue
        found.append((spec.label, "✓" if value is True else dict(spec.choices).get(str(value), str(value))))
    return found


def _finding(
    problem: ContentProblem, row: PlatformAccount, own: posts.Override, variant: VariantDraft | None, adapter: Adapter
) -> Finding:
    return Finding(
        field=_place(problem.field, row, own, variant, adapter), platform=row.platform, who=row.name, problem=problem
    )


def _place(
    field: str, row: PlatformAccount, own: posts.Override, variant: VariantDraft | None, adapter: Adapter
) -> str:
    """The form's field where the words stand that are at fault: the account's own, the platform's, or the main ones."""
    if field in ("text", "title") and getattr(own, field) is not None:
        return f"{field}-{row.public_id}"
    if field in OVERRIDABLE and variant is not None and getattr(variant, field) is not None:
        return f"variant-{row.platform}-{field}"
    asked = {spec.name for spec in adapter.post_fields} if isinstance(adapter, HasPostOptions) else set()
    name = field.removeprefix("options.")
    if name in asked and (field != name or name not in OVERRIDABLE):
        return f"option-{row.platform}-{name}"
    return field if field in (*OVERRIDABLE, "media", "content_type") else "accounts"


def places(accounts: Iterable[PlatformAccount], option_names: Mapping[str, Sequence[str]]) -> list[str]:
    """Every field of the form at which a finding may stand."""
    rows = list(accounts)
    platforms = dict.fromkeys(row.platform for row in rows)
    return [
        *OVERRIDABLE,
        "media",
        "content_type",
        "accounts",
        *(f"variant-{platform}-{name}" for platform in platforms for name in OVERRIDABLE),
        *(f"option-{platform}-{name}" for platform in platforms for name in option_names.get(platform, ())),
        *(f"{name}-{row.public_id}" for row in rows for name in ("title", "text")),
    ]


@dataclass(frozen=True, slots=True)
class _Stored:
    """Content and targets that nobody is typing, as `shown` looks at the composer's form."""

    draft_: ContentDraft
    rows: Sequence[PlatformAccount]
    cleaned_data: Mapping[str, Any]
    errors: Mapping[str, Any] = field(default_factory=dict)

    @property
    def account_rows(self) -> Sequence[PlatformAccount]:
        return self.rows

    def draft(self) -> ContentDraft:
        return self.draft_

    def plan(self, now: datetime) -> SchedulePlan:
        raise NotImplementedError("Cards have no times.")


def of_content(
    workspace: Workspace,
    draft: ContentDraft,
    targets: Sequence[tuple[PlatformAccount, str | None, str | None]],
    now: datetime,
) -> Shown:
    """The content as each account gets it; a target is the account with its own title and text, None for the content's."""
    typed: dict[str, Any] = {"accounts": [str(row.public_id) for row, _title, _text in targets]}
    for row, title, text in targets:
        typed |= {f"title-{row.public_id}": title or "", f"text-{row.public_id}": text or ""}
    return shown(_Stored(draft, [row for row, _title, _text in targets], typed), workspace, now)
