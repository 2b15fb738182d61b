"""Would this publish now, on each account, and why not? Asks everything that the engine asks when it claims a post, and takes
nothing: sign-in, outages, limits, the platform's rules for content, the files. For the API and the schedule's page.

A fixed number of queries, whatever the number of accounts. `check_content` asks about the content alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.secrets import CannotDecrypt
from alwrity_scheduler.workspaces.models import Workspace
from platforms.base import Adapter
from platforms.contracts import AccountRef, Admission, MediaRef, Publication
from platforms.errors import PlatformError
from platforms.models import AccountState, MediaAsset, PlatformAccount, RefreshState
from platforms.registry import adapter_for
from platforms.services import admission
from platforms.services.media import media_ref
from platforms.services.publishing import account_ref
from platforms.validation import ContentProblem, Count, check, measure
from schedules.domain import localtime
from schedules.domain.states import ScheduleState
from schedules.models import Schedule, Target
from schedules.reads import alarms
from schedules.services import content as content_service
from schedules.services import posts, reviewing
from schedules.services.plans import ContentDraft, TargetPlan

Verdict = Literal["ok", "warning", "blocked"]
Aspect = Literal["engine", "workspace", "schedule", "account", "sign_in", "platform", "limits", "content", "files"]
SIGN_IN_SOON = timedelta(days=3)
_ORDER: tuple[Verdict, ...] = ("ok", "warning", "blocked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. field: what of the post is at fault, where something is; code: the problem's own name.

    next_at: when it could go instead (aware UTC), where that is known. link: the page where the remedy is.
    """

    aspect: Aspect
    verdict: Verdict
    words: str
    remedy: str = ""
    link: str = ""
    code: str = ""
    field: str = ""
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """One account: the worst of its findings, and its text as the platform counts it (None where nobody can say)."""

    account: PlatformAccount
    findings: tuple[Finding, ...]
    count: Count | None

    @property
    def verdict(self) -> Verdict:
        return _worst(self.findings)

    @property
    def troubles(self) -> list[Finding]:
        return [item for item in self.findings if item.verdict != "ok"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """As of `at` (aware UTC). general: what concerns all accounts."""

    at: datetime
    general: tuple[Finding, ...]
    rows: tuple[AccountRow, ...]

    @property
    def verdict(self) -> Verdict:
        return _worst([*self.general, *(item for row in self.rows for item in row.findings)])

    @property
    def would_publish_count(self) -> int:
        """On how many accounts it would go out now."""
        if _worst(self.general) == "blocked":
            return 0
        return sum(1 for row in self.rows if row.verdict != "blocked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What one account's platform says about the content. trouble: why it could not be asked."""

    account: PlatformAccount
    problems: tuple[ContentProblem, ...]
    count: Count | None
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """problems: what is wrong with the content whatever the account, so that it could not even be stored."""

    problems: tuple[Problem, ...]
    results: tuple[Checked, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Post:
    """One account with its post; or why there is none."""

    account: PlatformAccount
    adapter: Adapter | None = None
    reference: AccountRef | None = None
    publication: Publication | None = None
    trouble: str = ""
    secret_lost: bool = False


def of_schedule(schedule: Schedule, *, now: datetime) -> Preflight:
    """The preflight of a stored schedule."""
    row = (
        Schedule.objects.select_related("workspace", "content__campaign")
        .prefetch_related("content__variants", "content__media_links__asset")
        .get(pk=schedule.pk)
    )
    targets = list(
        Target.objects.filter(schedule=row)
        .select_related("account__service", "account__circuit")
        .order_by("account__platform", "account__name", "id")
    )
    return of_read(row, targets, now=now)


def of_read(row: Schedule, targets: Sequence[Target], *, now: datetime) -> Preflight:
    """The same for a schedule that was read with workspace, campaign, variants and media, and its targets with each
    account's circuit and service."""
    found = [
        _post(target.account, lambda ref, target=target: posts.compose(row, target, ref, now=now)) for target in targets
    ]
    files = [link.asset for link in row.content.media_links.all()]
    general = [*_engine(now), *_workspace(row.workspace), *_schedule(row)]
    return _preflight(found, files, general, now)


def of_draft(workspace: Workspace, draft: ContentDraft, targets: Sequence[TargetPlan], *, now: datetime) -> Preflight:
    """The preflight of content that is not stored, on accounts of the workspace. Ids that name no account are passed over."""
    found, files, wrong = _of_draft(workspace, draft, targets, now)
    general = [*_engine(now), *_workspace(workspace), *map(_of_itself, wrong)]
    return _preflight(found, files, general, now)


def check_content(workspace: Workspace, draft: ContentDraft, targets: Sequence[TargetPlan], *, now: datetime) -> Check:
    """What is wrong with the content by itself, and what each account's platform says about it, in the order of the targets."""
    found, _files, wrong = _of_draft(workspace, draft, targets, now)
    return Check(problems=tuple(wrong), results=tuple(_checked(post) for post in found))


def _of_draft(
    workspace: Workspace, draft: ContentDraft, targets: Sequence[TargetPlan], now: datetime
) -> tuple[list[_Post], list[MediaAsset], list[Problem]]:
    """The posts, their files, and what nobody could store."""
    named = {str(target.account_id): target for target in targets}
    rows = PlatformAccount.objects.within(workspace).filter(public_id__in=named)
    accounts = {str(row.public_id): row for row in rows.select_related("service", "circuit")}
    stored = {
        str(asset.public_id): asset
        for asset in MediaAsset.objects.filter(workspace=workspace, public_id__in=draft.media_ids)
    }
    files = [stored[item] for item in draft.media_ids if item in stored]
    media = tuple(media_ref(asset, now) for asset in files)
    made = [
        _post(accounts[key], lambda ref, target=target: _from_draft(draft, target, ref, media, now))
        for key, target in named.items()
        if key in accounts
    ]
    wrong = [
        Problem(
            field="media", message=_("There is no medium %(id)s in this workspace.") % {"id": item}, code="not_found"
        )
        for item in draft.media_ids
        if item not in stored
    ]
    try:
        content_service.check_content(draft)
    except Refused as error:
        wrong += error.problems
    return made, files, wrong


def _of_itself(problem: Problem) -> Finding:
    return Finding(aspect="content", verdict="blocked", code=problem.code, field=problem.field, words=problem.message)


def _from_draft(
    draft: ContentDraft, target: TargetPlan, account: AccountRef, media: tuple[MediaRef, ...], now: datetime
) -> Publication:
    """The draft as `posts.compose` would put it together once it is stored."""
    words = posts.Words(**{name: getattr(draft, name) for name in posts.Words._fields if hasattr(draft, name)})
    overrides = [posts.Override(title=target.title, text=target.text)]
    overrides += [
        posts.Override(item.title, item.text, item.link, _listed(item.hashtags), item.options)
        for item in draft.variants
        if item.platform == account.platform
    ]
    words = words._replace(hashtags=list(words.hashtags))
    return posts.assemble(words, overrides, account, media=media, key="", scheduled_for=now)


def _listed(hashtags: tuple[str, ...] | None) -> list[str] | None:
    return None if hashtags is None else list(hashtags)


def _post(account: PlatformAccount, compose: Any) -> _Post:
    try:
        adapter = adapter_for(account.platform)
        reference = account_ref(account)
        return _Post(account=account, adapter=adapter, reference=reference, publication=compose(reference))
    except CannotDecrypt as error:
        return _Post(account=account, trouble=str(error), secret_lost=True)
    except PlatformError as error:
        return _Post(account=account, trouble=str(error))


def _checked(post: _Post) -> Checked:
    if post.adapter is None or post.reference is None or post.publication is None:
        return Checked(account=post.account, problems=(), count=None, trouble=post.trouble)
    return Checked(
        account=post.account,
        problems=tuple(check(post.publication, post.adapter, post.reference)),
        count=measure(post.publication, post.adapter.capabilities(post.reference)),
    )


def _preflight(
    found: Iterable[_Post], files: Sequence[MediaAsset], general: Iterable[Finding], now: datetime
) -> Preflight:
    rows = list(found)
    limited = [row.account for row in rows if any(admission.buckets(row.account))]
    states = admission.stored(limited) if limited else {}
    about_files = tuple(_files(files)) if files else ()
    whole = list(general)
    if not rows:
        whole.append(
            Finding(
                aspect="account",
                verdict="blocked",
                code="no_account",
                field="accounts",
                words=_("No account is chosen."),
                remedy=_("Choose at least one account to publish to."),
            )
        )
    return Preflight(at=now, general=tuple(whole), rows=tuple(_row(row, states, about_files, now) for row in rows))


def _row(
    post: _Post, states: Mapping[tuple[int | str, str], Any], files: tuple[Finding, ...], now: datetime
) -> AccountRow:
    checked = _checked(post)
    findings = [
        *_account(post, states, now),
        *(_of_problem(item) for item in checked.problems),
        *files,
    ]
    if checked.count is not None and not checked.problems:
        findings.append(_fine("content", _("The platform takes the post as it is.")))
    return AccountRow(account=post.account, findings=tuple(findings), count=checked.count)


def _of_problem(item: ContentProblem) -> Finding:
    return Finding(
        aspect="content",
        verdict="blocked" if item.severity == "error" else "warning",
        code=item.code,
        field=item.field,
        words=item.message,
        remedy=item.remedy,
    )


def _fine(aspect: Aspect, words: str) -> Finding:
    return Finding(aspect=aspect, verdict="ok", words=words)


def _account(post: _Post, states: Mapping[tuple[int | str, str], Any], now: datetime) -> Iterator[Finding]:
    account = post.account
    link = reverse("web:account", args=[account.public_id])
    if post.trouble:
        aspect: Aspect = "sign_in" if post.secret_lost else "platform"
        yield Finding(aspect=aspect, verdict="blocked", code="unreadable", words=post.trouble, link=link)
    if account.state != AccountState.ACTIVE:
        words, remedy = _state_words(account)
        yield Finding(aspect="account", verdict="blocked", code=account.state, words=words, remedy=remedy, link=link)
        return
    yield _fine("account", _("The account is connected."))
    found = admission.obstacles(account, states, now)
    yield from _sign_in(account, found, link, now)
    yield from _because(account, found, "outage", "platform", _("Its platform answers."), link, now)
    yield from _because(account, found, "limit", "limits", _("Nothing holds it back now."), link, now)


def _state_words(account: PlatformAccount) -> tuple[str, str]:
    why = f" {account.state_reason}" if account.state_reason else ""
    if account.state == AccountState.PAUSED:
        return _("The account is paused.") + why, _("Resume it.")
    if account.state == AccountState.NEEDS_AUTH:
        return _("The platform does not accept the sign-in any more.") + why, _("Sign in again.")
    return _("The account is disconnected.") + why, _("Connect it again, or leave it out.")


def _sign_in(account: PlatformAccount, found: Sequence[Admission], link: str, now: datetime) -> Iterator[Finding]:
    """Does the sign-in hold? Missing rights and an early end are worth a warning."""
    waiting = next((item for item in found if item.cause == "sign_in"), None)
    ends = account.credentials_expire_at
    remedy = _("Sign in again.")
    if waiting is not None:
        yield Finding(
            aspect="sign_in",
            verdict="blocked",
            code="signed_out",
            words=_("The sign-in ran out %(at)s and is not renewed yet. %(error)s")
            % {"at": at_words(ends or now, account, now), "error": account.refresh_error},
            remedy=remedy,
            link=link,
            next_at=waiting.retry_at,
        )
    elif ends is not None and ends <= now:
        words = _("The sign-in ran out %(at)s.") % {"at": at_words(ends, account, now)}
        yield Finding(aspect="sign_in", verdict="blocked", code="signed_out", words=words, remedy=remedy, link=link)
    elif ends is not None and ends <= now + SIGN_IN_SOON and account.refresh_state in ("", RefreshState.FAILING):
        words = _("The sign-in runs out %(at)s, and nothing renews it.") % {"at": at_words(ends, account, now)}
        yield Finding(aspect="sign_in", verdict="warning", code="signs_out_soon", words=words, remedy=remedy, link=link)
    else:
        yield _fine("sign_in", _("The sign-in holds."))
    if missing := getattr(account, "missing_scopes", None):
        yield Finding(
            aspect="sign_in",
            verdict="warning",
            code="missing_scopes",
            words=_("The sign-in lacks rights: %(names)s.") % {"names": ", ".join(missing)},
            remedy=_("Sign in again and allow them."),
            link=link,
        )


def _because(
    account: PlatformAccount,
    found: Sequence[Admission],
    cause: str,
    aspect: Aspect,
    fine: str,
    link: str,
    now: datetime,
) -> Iterator[Finding]:
    mine = [item for item in found if item.cause == cause]
    for item in mine:
        remedy = _("Wait: the engine tries by itself.")
        if item.retry_at is not None:
            remedy = _("It would go out %(at)s at the earliest.") % {"at": at_words(item.retry_at, account, now)}
        yield Finding(
            aspect=aspect,
            verdict="blocked",
            code=cause,
            words=item.reason,
            remedy=remedy,
            link=link,
            next_at=item.retry_at,
        )
    if not mine:
        yield _fine(aspect, fine)


def _files(files: Sequence[MediaAsset]) -> Iterator[Finding]:
    """Are the files in the storage? Asks the storage, once for each of them."""
    whole = True
    for number, asset in enumerate(files, start=1):
        try:
            kept = default_storage.exists(asset.file.name or "")
        except Exception as error:  # the edge to any storage: what it raises when it cannot be reached is its own
            whole = False
            yield Finding(
                aspect="files",
                verdict="blocked",
                code="storage",
                field="media",
                words=_("The storage of files does not answer (%(kind)s).") % {"kind": type(error).__name__},
                remedy=_("Try again in a moment, or ask whoever runs this installation."),
            )
            break
        if not kept:
            whole = False
            yield Finding(
                aspect="files",
                verdict="blocked",
                code="file_gone",
                field="media",
                words=_("File %(number)s (%(name)s) is gone from the storage.")
                % {"number": number, "name": asset.original_name},
                remedy=_("Upload it again."),
            )
    if whole:
        yield _fine("files", _("All files are there."))


def _engine(now: datetime) -> Iterator[Finding]:
    link = reverse("web:engine")
    if alarms.paused_at() is not None:
        yield Finding(
            aspect="engine",
            verdict="blocked",
            code="everything_paused",
            words=_("Everything is paused."),
            remedy=_("Resume it on the scheduler's page."),
            link=link,
        )
    if (alarm := alarms.no_scheduler(alive=alarms.is_anybody_alive(now))) is not None:
        yield Finding(
            aspect="engine", verdict="warning", code=alarm.name, words=alarm.words, remedy=alarm.remedy, link=link
        )


def _workspace(workspace: Workspace) -> Iterator[Finding]:
    if workspace.paused_at is not None:
        yield Finding(
            aspect="workspace",
            verdict="blocked",
            code="workspace_paused",
            words=_("The workspace is paused."),
            remedy=_("Resume it."),
            link=reverse("web:today"),
        )


def _schedule(schedule: Schedule) -> Iterator[Finding]:
    words = {
        ScheduleState.DRAFT: (_("It is a draft: nothing goes out by itself."), _("Schedule it.")),
        ScheduleState.IN_REVIEW: (_("It is in review: nothing goes out by itself."), _("Have it approved.")),
        ScheduleState.PAUSED: (_("The schedule is paused."), _("Resume it.")),
        ScheduleState.FINISHED: (_("All its runs are over."), _("Publish it now, or give it a new time.")),
        ScheduleState.ARCHIVED: (_("It is in the archive."), _("Restore it first.")),
    }.get(ScheduleState(schedule.state))
    if words is not None:
        blocked = schedule.state in (ScheduleState.PAUSED, ScheduleState.ARCHIVED)
        yield Finding(
            aspect="schedule",
            verdict="blocked" if blocked else "warning",
            code=schedule.state,
            words=words[0],
            remedy=words[1],
            link=reverse("web:schedule", args=[schedule.public_id]),
        )
    if reviewing.is_missing(schedule):
        yield Finding(
            aspect="schedule",
            verdict="blocked",
            code="approval_required",
            words=_("Posts on these accounts are looked at by a second person first."),
            remedy=_("Send it for approval."),
            link=reverse("web:schedule", args=[schedule.public_id]) + "#review-title",
        )


def at_words(at: datetime, account: PlatformAccount, now: datetime) -> str:
    """ "at 14:05 CET", or with its day, on the account's wall clock."""
    zone = localtime.zone(account.timezone)
    local, today = at.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return _("at %(time)s") % {"time": local.strftime("%H:%M %Z")}
    return _("on %(day)s at %(time)s") % {"day": local.strftime("%Y-%m-%d"), "time": local.strftime("%H:%M %Z")}


def _worst(findings: Iterable[Finding]) -> Verdict:
    return max((item.verdict for item in findings), key=_ORDER.index, default="ok")
