"""The recovery desk's words: why a post needs a person, what is known of it, and what each button will do. Pure.

Read by `reads.recovery` for the page and the API, and by `services.facts` for whoever is told of an unconfirmed post.
Sentences hold no times: a time stands beside its sentence, because only the interface knows the reader's zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schedules.domain.misfire import REASON_WORDS, Verdict
from schedules.domain.speech import gettext as _
from schedules.domain.speech import gettext_noop, ngettext
from schedules.domain.states import JobState


class Cause(StrEnum):
    """Why a post is on the desk, the most urgent first."""

    UNCONFIRMED = "unconfirmed"  # it may be out or not
    FAILED = "failed"
    MISSED = "missed"
    SIGN_IN = "sign_in"  # its account must be connected again
    ON_HOLD = "on_hold"  # a person paused its schedule, its account or the workspace

    @property
    def label(self) -> str:
        return _(CAUSE_LABELS[self])


CAUSE_LABELS = {
    Cause.UNCONFIRMED: gettext_noop("Unconfirmed"),
    Cause.FAILED: gettext_noop("Failed"),
    Cause.MISSED: gettext_noop("Missed"),
    Cause.SIGN_IN: gettext_noop("Waiting for sign-in"),
    Cause.ON_HOLD: gettext_noop("On hold"),
}

_CAUSES = {
    JobState.UNCONFIRMED: Cause.UNCONFIRMED,
    JobState.FAILED: Cause.FAILED,
    JobState.MISSED: Cause.MISSED,
}


class Verb(StrEnum):
    """What a person can do with a post on the desk; the names are those of the API."""

    CONFIRM = "confirm"
    PUBLISH_AGAIN = "publish-again"
    LOOK_AGAIN = "look-again"
    RETRY = "retry"
    PUBLISH_NOW = "publish-now"
    RESLOT = "reslot"
    DISCARD = "discard"
    CANCEL = "cancel"  # not of the desk: the job monitor's, for posts that are still to go out


# confirming needs each post's own address, so it is never done to many at once
BULK_VERBS = (Verb.RETRY, Verb.PUBLISH_NOW, Verb.RESLOT, Verb.LOOK_AGAIN, Verb.PUBLISH_AGAIN, Verb.DISCARD)
MONITOR_VERBS = (Verb.RETRY, Verb.CANCEL)

LOOKED_FIRST = gettext_noop("Only do this after you looked at the account and the post is not there.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back from one call: the platform's own words where it gave some. `at` is aware UTC."""

    words: str
    at: datetime | None
    status_code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that the words depend on.

    `can_look_up`: the platform can say whether it has the post. `looking`: it is being asked at this moment;
    `next_look_at`: when it is asked next. `last_answer` is of the last attempt, `last_look` of the last look-up.
    """

    state: JobState
    reason: str
    message: str
    account: str
    scheduled_for: datetime
    account_state: str = "active"
    schedule_state: str = "active"
    workspace_paused: bool = False
    attempt_count: int = 0
    max_attempts: int = 5
    look_count: int = 0
    last_answer: Answer | None = None
    last_look: Answer | None = None
    can_look_up: bool = False
    looking: bool = False
    next_look_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """One known thing; `at` (aware UTC) belongs behind the words."""

    words: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One button: its verb, its words, and what it will do."""

    verb: Verb
    label: str
    effect: str


def cause_of(state: str, reason: str) -> Cause | None:
    """None for a post that needs nobody."""
    if state == JobState.BLOCKED:
        return Cause.SIGN_IN if reason == "auth" else Cause.ON_HOLD
    if is_settled(state, reason):
        return None
    return _CAUSES.get(JobState(state))


def is_settled(state: str, reason: str) -> bool:
    """A person gave an unconfirmed post up: it counts as failed, and nobody need look at it again."""
    return state == JobState.FAILED and reason == "by_person"


# ---- what happened

_AGAIN = gettext_noop("Sends the post a second time.")
_FAILED = {
    "rejected": gettext_noop("The platform refused the post. It was not published, and is not tried again by itself."),
    "invalid": gettext_noop("The post breaks a rule of its platform, so it was not sent."),
    "exhausted": gettext_noop(
        "The platform could not be reached or was not ready, and every attempt has been used up."
    ),
    "deadline": gettext_noop(
        "The platform was not ready for so long that the post passed its deadline. It was not published."
    ),
    "unloadable": gettext_noop("The account could not be used, so nothing was sent."),
}
_UNCONFIRMED = {
    "worker_lost": gettext_noop("The scheduler stopped while the post was being sent."),
    "cannot_tell": gettext_noop("The platform was asked several times and could not say whether it has the post."),
}
_HELD = {
    "schedule_paused": gettext_noop("Its schedule is paused."),
    "in_review": gettext_noop("Its words were changed and wait for approval."),
    "account_paused": gettext_noop("The account %(account)s is paused."),
    "workspace_paused": gettext_noop("The workspace is paused."),
}


def what_happened(case: Case) -> str:
    """What became of the post, in one or two sentences."""
    match cause_of(case.state, case.reason):
        case Cause.UNCONFIRMED:
            first = _UNCONFIRMED.get(
                case.reason, gettext_noop("The platform gave no clear answer when the post was sent.")
            )
            return _together(first, gettext_noop("It may be there or not, so it is never sent again by itself."))
        case Cause.FAILED:
            return _(_FAILED.get(case.reason, gettext_noop("It was not published, and is not tried again by itself.")))
        case Cause.MISSED:
            known = case.reason in set(Verdict)
            return (
                _(REASON_WORDS.get(Verdict(case.reason), "")) if known else _("Its time went by. It was not published.")
            )
        case Cause.SIGN_IN:
            return _signed_out(case)
        case Cause.ON_HOLD:
            held = _(_HELD.get(case.reason, gettext_noop("It is on hold."))).replace("%(account)s", case.account)
            return " ".join([held, _("The post waits, and goes on by itself when the pause ends.")])
    return case.message or _("It needs nobody.")


def _signed_out(case: Case) -> str:
    if case.account_state == "disconnected":
        words = _("The account %(account)s was disconnected. The post waits; nothing was sent.")
    else:
        words = _(
            "The platform no longer accepts the sign-in of %(account)s. The post waits, and goes on by itself when the "
            "account is connected again."
        )
    return words % {"account": case.account}


# ---- what is known


def known(case: Case) -> tuple[Known, ...]:
    """The facts, in the order in which a person asks for them."""
    found = [Known(_("It was due"), case.scheduled_for), _attempts(case)]
    if case.last_answer:
        found.append(Known(_answered(case.last_answer), case.last_answer.at))
    elif case.message and case.state in (JobState.FAILED, JobState.UNCONFIRMED):
        found.append(Known(_("The reason given: %(reason)s") % {"reason": _sentence(_(case.message))}))
    if case.look_count and case.last_look:
        times = ngettext("Looked up once.", "Looked up %(n)s times.", case.look_count) % {"n": case.look_count}
        found.append(Known(f"{times} {_looked(case.last_look)}", case.last_look.at))
    if case.state == JobState.UNCONFIRMED:
        found.append(_coming_look(case))
    if case.schedule_state == "archived":
        found.append(Known(_("Its schedule is archived. Restore the schedule first to publish the post after all.")))
    return tuple(found)


def _attempts(case: Case) -> Known:
    if not case.attempt_count:
        return Known(_("Nothing was sent to the platform."))
    words = ngettext(
        "%(n)s attempt was made; the schedule allows %(most)s in a row.",
        "%(n)s attempts were made; the schedule allows %(most)s in a row.",
        case.attempt_count,
    )
    return Known(words % {"n": case.attempt_count, "most": case.max_attempts})


def _answered(answer: Answer) -> str:
    words = _("The last answer: “%(words)s”") if answer.words.strip() else _("The last answer had no words")
    return _with_code(words, answer)


def _looked(answer: Answer) -> str:
    words = _("The last look-up: “%(words)s”") if answer.words.strip() else _("The last look-up had no words")
    return _with_code(words, answer)


def _with_code(words: str, answer: Answer) -> str:
    code = f" (HTTP {answer.status_code})" if answer.status_code else ""
    return words % {"words": _(answer.words.strip())} + code


def _together(*sentences: str) -> str:
    return " ".join(_(words) for words in sentences if words)


def _sentence(words: str) -> str:
    words = words.strip()
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _coming_look(case: Case) -> Known:
    if case.looking:
        return Known(_("It is being looked up at this moment; wait for the answer before you decide."))
    if case.next_look_at:
        return Known(_("It is looked up again by itself"), case.next_look_at)
    if case.can_look_up:
        return Known(_("It is not looked up again by itself."))
    return Known(
        _("This platform cannot be asked, so somebody has to look at %(account)s.") % {"account": case.account}
    )


# ---- what each button will do


def options(case: Case) -> tuple[Option, ...]:
    """The buttons of this post, the likeliest first."""
    cause = cause_of(case.state, case.reason)
    if cause is None:
        return ()
    found = {
        Cause.UNCONFIRMED: _for_unconfirmed,
        Cause.FAILED: _for_failed,
        Cause.MISSED: _for_missed,
        Cause.SIGN_IN: lambda case: [_reslot(case)],
        Cause.ON_HOLD: _for_held,
    }[cause](case)
    if case.schedule_state == "archived":
        found = [item for item in found if item.verb in (Verb.CONFIRM, Verb.LOOK_AGAIN)]
    return (*found, _discard(cause))


def _for_unconfirmed(case: Case) -> list[Option]:
    found = [
        Option(
            Verb.CONFIRM,
            _("It is there: mark as published"),
            _("Marks it as published, with the address you paste. Nothing is sent."),
        ),
        Option(
            Verb.PUBLISH_AGAIN,
            _("It is not there: publish again"),
            f"{_together(_AGAIN, LOOKED_FIRST)}{_waits(case)}",
        ),
    ]
    if case.can_look_up and not case.looking:
        words = _(
            "Asks the platform within a few seconds whether it has the post. The post cannot appear twice by this."
        )
        found.append(Option(Verb.LOOK_AGAIN, _("Look again"), words))
    return [*found, _reslot(case, f" {_(LOOKED_FIRST)}")]


def _for_failed(case: Case) -> list[Option]:
    words = _("Sends the post at once, with all its attempts anew.")
    if case.reason in ("rejected", "invalid"):
        words += " " + _("Edit the post first: as it is, it will probably be refused again.")
    return [Option(Verb.RETRY, _("Retry now"), words + _waits(case)), _reslot(case)]


def _for_missed(case: Case) -> list[Option]:
    words = _("Sends the post at once, although its time is over.")
    return [Option(Verb.PUBLISH_NOW, _("Publish now"), words + _waits(case)), _reslot(case)]


def _for_held(case: Case) -> list[Option]:
    if case.reason != "schedule_paused" or case.account_state != "active" or case.workspace_paused:
        return [_reslot(case)]
    words = _(
        "Sends this post at once; its schedule stays paused. If the attempt does not succeed, the post is on hold again."
    )
    return [Option(Verb.PUBLISH_NOW, _("Publish now"), words), _reslot(case)]


def _reslot(case: Case, more: str = "") -> Option:
    words = _("Gives it a new time and publishes it then, with all its attempts anew.")
    return Option(Verb.RESLOT, _("New time"), words + more + _waits(case))


def _discard(cause: Cause) -> Option:
    if cause is Cause.UNCONFIRMED:
        words = _(
            "Gives the post up: it counts as failed and is not sent again. If it is there after all, it stays there."
        )
        return Option(Verb.DISCARD, _("Discard"), words)
    return Option(Verb.DISCARD, _("Discard"), _("Ends it: it is not published. You can undo this."))


def _waits(case: Case) -> str:
    """What still stands in the way of a post that is sent now."""
    if case.workspace_paused:
        return " " + _("It waits on hold until the workspace is resumed.")
    if case.schedule_state == "paused":
        return " " + _("It waits on hold until its schedule is resumed.")
    if case.account_state == "paused":
        words = _("It waits on hold until %(account)s is resumed.")
    elif case.account_state != "active":
        words = _("It waits on hold until %(account)s is connected again.")
    else:
        return ""
    return " " + words % {"account": case.account}


def bulk_effect(verb: Verb) -> str:
    """What a verb does to several posts at once."""
    return _together(*_BULK[verb])


_BULK: dict[Verb, tuple[str, ...]] = {
    Verb.RETRY: (
        gettext_noop("Sends the failed and missed posts at once."),
        gettext_noop("Unconfirmed posts are left alone."),
    ),
    Verb.PUBLISH_NOW: (
        gettext_noop("Sends failed and missed posts at once, and those that only their schedule's pause holds."),
        gettext_noop("Unconfirmed posts are left alone."),
    ),
    Verb.RESLOT: (
        gettext_noop(
            "Gives the posts new times, in their order: the first of each account at the start, the next ones behind it."
        ),
    ),
    Verb.DISCARD: (gettext_noop("Ends the posts: they are not published. You can undo this."),),
    Verb.LOOK_AGAIN: (
        gettext_noop(
            "Asks the platforms again about unconfirmed posts, where they can be asked. No post can appear twice by this."
        ),
    ),
    Verb.PUBLISH_AGAIN: (gettext_noop("Sends unconfirmed posts a second time."), LOOKED_FIRST),
}
