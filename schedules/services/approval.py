"""The verbs of approval: ask, approve, ask for changes, withdraw, comment, let an outsider look, remind; and the policies.

Nobody approves their own post unless the policy allows it. An approval speaks of words, files and accounts, not of times
(`domain.approval.Covered`); once given, it puts the schedule to work.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.db.models import F
from django.utils import formats
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import IllegalTransition, NotAllowed, Problem, Refused
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import Membership, User, Workspace
from alwrity_scheduler.workspaces.querysets import is_limited
from alwrity_scheduler.workspaces.roles import Action, Role, allows
from platforms.models import PlatformAccount
from schedules.domain import approval as rules
from schedules.domain.approval import ReviewState
from schedules.domain.states import ScheduleState
from schedules.engine import wakeup
from schedules.models import Review, ReviewComment, ReviewLink, ReviewPolicy, Schedule
from schedules.services import limiting, reviewing
from schedules.services.facts import schedule_fact
from schedules.services.materialise import horizon, plan_schedule
from schedules.services.schedules import check_for_accounts, put_to_work
from schedules.services.words import of_schedule

SALT = "schedules.review"
MOST_TEXT = 5_000
LONGEST_LINK = timedelta(days=60)
DEFAULT_LINK = timedelta(days=7)


@unit()
def submit(*, schedule: Schedule, actor: Actor, now: datetime, comment: str = "") -> Review:
    """Ask for approval of a draft. Refused with the content's problems, so that nobody reviews what cannot be published."""
    if schedule.state != ScheduleState.DRAFT:
        words = _("Only a draft can be sent for approval; this is %(state)s.") % {"state": of_schedule(schedule.state)}
        raise IllegalTransition(Problem(field="state", message=words))
    check_for_accounts(schedule, now=now)
    _to(schedule, ScheduleState.IN_REVIEW, now)
    review = reviewing.open_review(schedule, then=ScheduleState.ACTIVE.value, actor=actor, now=now)
    if comment.strip():
        _say(schedule, comment, actor.label, reviewing.person_of(actor), now)
    return review


@unit()
def approve(
    *, schedule: Schedule, actor: Actor, now: datetime, comment: str = "", link: ReviewLink | None = None
) -> Review:
    """Approve what waits (or, without having been asked, a draft), and put the schedule to work.

    When its time has gone by meanwhile it stays a draft that is approved: choose a time and schedule it.
    """
    review = _waiting(schedule)
    if review is None and schedule.state == ScheduleState.DRAFT and link is None:
        check_for_accounts(schedule, now=now)
        _may_decide(schedule, None, actor, link)
        review = reviewing.open_review(schedule, then=ScheduleState.ACTIVE.value, actor=actor, now=now)
    elif review is None:
        raise _not_waiting()
    else:
        _may_decide(schedule, review, actor, link)
    if reviewing.stored(review) != reviewing.covered(schedule):
        raise IllegalTransition(
            Problem(
                field="state", message=_("The post was changed while you were reading. Look at it again."), code="stale"
            )
        )
    if comment.strip():
        _say(schedule, comment, _label(actor, link), reviewing.person_of(actor), now)
    _decide(review, ReviewState.APPROVED, actor, link, now)
    _go_on(schedule, review, now)
    emit(_fact("review.approved", schedule, review, actor, link, now))
    return review


@unit()
def request_changes(
    *, schedule: Schedule, actor: Actor, now: datetime, comment: str, link: ReviewLink | None = None
) -> Review:
    """Send it back with what should change."""
    review = _waiting(schedule)
    if review is None:
        raise _not_waiting()
    _may_decide(schedule, review, actor, link)
    if not comment.strip():
        raise Refused(Problem(field="comment", message=_("Say what should change."), code="required"))
    _say(schedule, comment, _label(actor, link), reviewing.person_of(actor), now)
    _decide(review, ReviewState.CHANGES, actor, link, now)
    _to(schedule, reviewing.back_to(schedule), now)
    emit(_fact("review.changes_requested", schedule, review, actor, link, now))
    return review


@unit()
def withdraw(*, schedule: Schedule, actor: Actor, now: datetime) -> Review:
    """Take the request back; the post is a draft again (paused, if it was at work before)."""
    review = _waiting(schedule)
    if review is None:
        raise _not_waiting()
    _decide(review, ReviewState.WITHDRAWN, actor, None, now)
    Review.objects.filter(pk=review.pk).update(tell_at=None)
    _to(schedule, reviewing.back_to(schedule), now)
    emit(_fact("review.withdrawn", schedule, review, actor, None, now))
    return review


@unit()
def comment(
    *, schedule: Schedule, text: str, actor: Actor, now: datetime, link: ReviewLink | None = None
) -> ReviewComment:
    """Say something about a post, whatever its state."""
    return _say(schedule, text, _label(actor, link), reviewing.person_of(actor), now)


@unit()
def make_link(
    *,
    schedule: Schedule,
    label: str,
    actor: Actor,
    now: datetime,
    life: timedelta = DEFAULT_LINK,
    may_decide: bool = True,
) -> ReviewLink:
    """A way in for somebody from outside, to what waits for approval."""
    review = _waiting(schedule)
    if review is None:
        raise _not_waiting()
    problems = []
    if not label.strip():
        problems.append(Problem(field="label", message=_("Say for whom the link is."), code="required"))
    if not timedelta(hours=1) <= life <= LONGEST_LINK:
        problems.append(
            Problem(
                field="days", message=_("A link lives from an hour to %(days)s days.") % {"days": LONGEST_LINK.days}
            )
        )
    if problems:
        raise Refused(problems)
    link = ReviewLink.objects.create(
        review=review, label=label.strip()[:120], may_decide=may_decide, created_by=reviewing.person_of(actor),
        created_at=now, expires_at=now + life,
    )  # fmt: skip
    after = {"for": link.label, "until": link.expires_at.isoformat(), "may_decide": may_decide}
    emit(schedule_fact("review.link_made", schedule, actor, now, after=after))
    return link


@unit()
def revoke_link(*, link: ReviewLink, actor: Actor, now: datetime) -> ReviewLink:
    """The link works no more."""
    if ReviewLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=now):
        emit(schedule_fact("review.link_revoked", link.review.schedule, actor, now, after={"for": link.label}))
    link.refresh_from_db()
    return link


def token_of(link: ReviewLink) -> str:
    """The signed part of the link's address."""
    return signing.dumps(str(link.public_id), salt=SALT)


def link_of(token: str, now: datetime) -> ReviewLink | None:
    """The link that this token opens now; None when it is forged, expired, taken back, or about what has been replaced."""
    try:
        public_id = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    rows = ReviewLink.objects.select_related("review__schedule__workspace", "review__schedule__content")
    found: ReviewLink | None = rows.filter(public_id=public_id, revoked_at=None, expires_at__gt=now).first()
    return found


@unit()
def opened(*, link: ReviewLink, now: datetime) -> None:
    """Somebody looked: the team sees when for the first time."""
    ReviewLink.objects.filter(pk=link.pk, opened_at=None).update(opened_at=now)


@unit()
def set_policy(
    *, workspace: Workspace, account: PlatformAccount | None, required: bool, allow_own: bool, reviewers: Iterable[User],
    remind_after_hours: int | None, actor: Actor, now: datetime,
) -> ReviewPolicy:  # fmt: skip
    """The rule of the workspace (`account` None), or of one account. Refused for reviewers who are not of the team."""
    people = list(reviewers)
    members = set(
        Membership.objects.filter(workspace=workspace, user__in=people)
        .exclude(role="viewer")
        .values_list("user_id", flat=True)
    )
    problems = [
        Problem(
            field="reviewers",
            message=_("%(person)s cannot review here: they need a role that may write.")
            % {"person": person.get_username()},
        )
        for person in people
        if person.pk not in members
    ]
    if remind_after_hours is not None and not 1 <= remind_after_hours <= 720:
        problems.append(
            Problem(field="remind_after_hours", message=_("Give 1 to 720 hours, or nothing for no reminder."))
        )
    if problems:
        raise Refused(problems)
    row, _made = ReviewPolicy.objects.get_or_create(workspace=workspace, account=account)
    before = policy_values(row)
    row.required, row.allow_own, row.remind_after_hours = required, allow_own, remind_after_hours
    row.save()
    row.reviewers.set(people)
    after = policy_values(row)
    names = [name for name in after if after[name] != before[name]]
    if names:
        emit(
            Fact(
                name="review.policy_changed", at=now, actor=actor, workspace_id=workspace.pk, object_type="review_policy",
                object_id=str(row.pk), object_label=str(account or workspace),
                before={name: before[name] for name in names}, after={name: after[name] for name in names},
            )
        )  # fmt: skip
    return row


@unit()
def drop_policy(*, account: PlatformAccount, actor: Actor, now: datetime) -> None:
    """The account follows the workspace's rule again."""
    row = ReviewPolicy.objects.filter(account=account).first()
    if row is None:
        return
    before = policy_values(row)
    row.delete()
    emit(
        Fact(
            name="review.policy_dropped", at=now, actor=actor, workspace_id=account.workspace_id, object_type="review_policy",
            object_id=str(account.public_id), object_label=str(account), before=before,
        )
    )  # fmt: skip


def policy_values(row: ReviewPolicy) -> dict[str, Any]:
    return {
        "required": row.required,
        "allow_own": row.allow_own,
        "reviewers": list(row.reviewers.order_by("username").values_list("username", flat=True)),
        "remind_after_hours": row.remind_after_hours,
    }


def why_not(
    schedule: Schedule, person: User | None, review: Review | None = None, asking: Iterable[ReviewPolicy] | None = None
) -> str:
    """Why this person may not decide about the schedule; empty when they may. `asking`: the policies, where they are known."""
    if person is None:
        return _("Approving is for people: sign in as one who may.")
    role = "owner" if person.is_superuser else _role(person, schedule.workspace_id)
    if not allows(role, Action.VIEW) and not allows(role, Action.REVIEW):
        return _("You are not of this workspace.")
    if role == Role.REVIEWER and review is None:
        return _("Nothing of it waits for approval.")
    if is_limited(person) and limiting.has_foreign(schedule, person):
        return _("It also goes to accounts that are not given to you.")
    asked = [reviewing.value_of(row) for row in (reviewing.asking(schedule) if asking is None else asking)]
    authors = {schedule.created_by_id, review.requested_by_id if review else None}
    return rules.why_not(
        asked, person_id=person.pk, authors={pk for pk in authors if pk}, role_approves=allows(role, Action.REVIEW)
    )


def remind_every(schedule: Schedule) -> timedelta | None:
    """The shortest interval of the policies that ask; a day where none does."""
    asking = reviewing.asking(schedule)
    hours = [row.remind_after_hours for row in asking if row.remind_after_hours]
    if asking and not hours:
        return None
    return timedelta(hours=min(hours, default=24))


def reviewers_of(schedule: Schedule, review: Review) -> list[User]:
    """Whom the request is for: who may decide, but not the one who asked unless they may."""
    people = User.objects.filter(memberships__workspace_id=schedule.workspace_id, is_active=True).order_by("pk")
    named = {pk for row in reviewing.asking(schedule) for pk in row.reviewers.values_list("pk", flat=True)}
    if named:
        people = people.filter(pk__in=named)
    return [person for person in people if not why_not(schedule, person, review)]


@unit()
def noticed(*, review: Review, now: datetime) -> bool:
    """The reviewers hear of it now; sets when they hear of it next. True for the one caller that is to tell them."""
    every = rules.next_reminder(review.notices + 1, remind_every(review.schedule))
    mine = Review.objects.filter(pk=review.pk, state=ReviewState.WAITING, notify_at=review.notify_at).update(
        notices=F("notices") + 1, notify_at=now + every if every else None
    )
    if not mine:
        return False
    if review.notices:
        engine = Actor(kind="engine", label="Scheduler")
        emit(schedule_fact("review.reminded", review.schedule, engine, now, after={"reminder": review.notices}))
    return True


@unit()
def told(*, review: Review) -> bool:
    """The one who asked hears of the answer now. True for the one caller that is to tell."""
    return Review.objects.filter(pk=review.pk, tell_at=review.tell_at).update(tell_at=None) == 1


def _role(person: User, workspace_id: int) -> str:
    found = Membership.objects.filter(user=person, workspace_id=workspace_id).values_list("role", flat=True).first()
    return found or ""


def _waiting(schedule: Schedule) -> Review | None:
    return Review.objects.select_for_update().filter(schedule=schedule, state=ReviewState.WAITING).first()


def _not_waiting() -> IllegalTransition:
    return IllegalTransition(Problem(field="state", message=_("Nothing of it waits for approval.")))


def _label(actor: Actor, link: ReviewLink | None) -> str:
    return f"{link.label} (outside)" if link else actor.label


def _may_decide(schedule: Schedule, review: Review | None, actor: Actor, link: ReviewLink | None) -> None:
    if link is not None:
        if not link.may_decide or review is None or link.review_id != review.pk:
            raise NotAllowed(Problem(field="state", message=_("This link is for looking only."), code="not_allowed"))
        return
    if words := why_not(schedule, reviewing.person_of(actor), review):
        raise NotAllowed(Problem(field="state", message=words, code="not_allowed"))


def _decide(review: Review, state: ReviewState, actor: Actor, link: ReviewLink | None, now: datetime) -> None:
    changed = Review.objects.filter(pk=review.pk, state=ReviewState.WAITING).update(
        state=state, decided_by=None if link else reviewing.person_of(actor), decided_label=_label(actor, link)[:200],
        decided_at=now, notify_at=None, tell_at=now,
    )  # fmt: skip
    if not changed:
        raise _not_waiting()
    review.refresh_from_db()


def _go_on(schedule: Schedule, review: Review, now: datetime) -> None:
    """The schedule after its approval: at work, as it was, or a draft whose time has gone by."""
    if review.then == ScheduleState.PAUSED:
        _to(schedule, ScheduleState.PAUSED, now)
        return
    was_at_work = reviewing.back_to(schedule) == ScheduleState.PAUSED
    try:
        with unit():
            _to(schedule, ScheduleState.ACTIVE, now)
            if was_at_work:  # it was at work before the edit: what is left of its rule goes on, also when nothing is
                plan_schedule(schedule, now=now, until=horizon(now))
                wakeup.announce()
            else:
                put_to_work(schedule, now=now)
    except Refused as error:
        if any(problem.code != "past" for problem in error.problems):
            raise
        schedule.refresh_from_db()
        if schedule.state != ScheduleState.DRAFT:
            _to(schedule, ScheduleState.DRAFT, now)


def _to(schedule: Schedule, state: ScheduleState, now: datetime) -> None:
    changed = Schedule.objects.filter(pk=schedule.pk, state=schedule.state).update(
        state=state, version=F("version") + 1, updated_at=now
    )
    if not changed:
        raise IllegalTransition(
            Problem(field="state", message=_("Somebody changed this schedule meanwhile. Look at it again."))
        )
    schedule.refresh_from_db()


def _say(schedule: Schedule, text: str, label: str, person: User | None, now: datetime) -> ReviewComment:
    words = text.strip()
    if not words:
        raise Refused(Problem(field="comment", message=_("Write something first."), code="required"))
    if len(words) > MOST_TEXT:
        raise Refused(
            Problem(
                field="comment",
                message=_("Write at most %(most)s characters.")
                % {"most": formats.number_format(MOST_TEXT, force_grouping=True)},
                code="too_long",
            )
        )
    return ReviewComment.objects.create(schedule=schedule, author=person, label=label[:200], text=words, at=now)


def _fact(name: str, schedule: Schedule, review: Review, actor: Actor, link: ReviewLink | None, now: datetime) -> Fact:
    after = {"review": str(review.public_id), "state": schedule.state} | ({"by": _label(actor, link)} if link else {})
    return schedule_fact(name, schedule, actor, now, after=after)
