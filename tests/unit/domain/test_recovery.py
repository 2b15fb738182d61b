"""The recovery desk's words: why a post is there, what is known, and what each button will do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from schedules.domain.recovery import BULK_VERBS, Answer, Case, Cause, Verb, bulk_effect, cause_of, known, options
from schedules.domain.recovery import what_happened as happened
from schedules.domain.states import NEEDS_YOU, JobState

DUE = datetime(2026, 11, 23, 8, tzinfo=UTC)


def case(state: str, reason: str = "", **values: Any) -> Case:
    return Case(
        **{
            "state": JobState(state),
            "reason": reason,
            "message": "",
            "account": "Harbour",
            "scheduled_for": DUE,
            **values,
        }
    )


CAUSES = [
    ("unconfirmed", "unknown", Cause.UNCONFIRMED),
    ("unconfirmed", "worker_lost", Cause.UNCONFIRMED),
    ("failed", "rejected", Cause.FAILED),
    # a person gave it up: nobody need look at it again
    ("failed", "by_person", None),
    ("missed", "too_late", Cause.MISSED),
    ("missed", "by_person", Cause.MISSED),
    ("blocked", "auth", Cause.SIGN_IN),
    ("blocked", "account_paused", Cause.ON_HOLD),
    ("blocked", "schedule_paused", Cause.ON_HOLD),
    ("blocked", "workspace_paused", Cause.ON_HOLD),
    ("pending", "", None),
    ("running", "", None),
    ("processing", "accepted", None),
    ("completed", "", None),
    ("cancelled", "by_person", None),
    ("superseded", "", None),
]


@pytest.mark.parametrize(("state", "reason", "cause"), CAUSES)
def test_why_a_post_is_on_the_desk(state: str, reason: str, cause: Cause | None) -> None:
    assert cause_of(state, reason) is cause


def test_every_state_that_needs_a_person_has_a_cause() -> None:
    assert all(cause_of(state, "anything") for state in NEEDS_YOU)


HAPPENED = [
    (
        ("missed", "too_late"),
        "Its time went by while nothing could publish it, and it was too late to publish it afterwards.",
    ),
    (
        ("missed", "coalesced"),
        "Several runs went by while nothing could publish them; only the latest of them is published.",
    ),
    (("missed", "skipped"), "Its time went by, and this schedule does not publish late."),
    (("missed", "deadline"), "It waited past its deadline."),
    (("missed", "of old"), "Its time went by. It was not published."),
    (
        ("unconfirmed", "unknown"),
        (
            "The platform gave no clear answer when the post was sent. "
            "It may be there or not, so it is never sent again by itself."
        ),
    ),
    (
        ("unconfirmed", "worker_lost"),
        (
            "The scheduler stopped while the post was being sent. "
            "It may be there or not, so it is never sent again by itself."
        ),
    ),
    (
        ("unconfirmed", "cannot_tell"),
        (
            "The platform was asked several times and could not say whether it has the post. "
            "It may be there or not, so it is never sent again by itself."
        ),
    ),
    (
        ("failed", "rejected"),
        "The platform refused the post. It was not published, and is not tried again by itself.",
    ),
    (("failed", "invalid"), "The post breaks a rule of its platform, so it was not sent."),
    (
        ("failed", "exhausted"),
        "The platform could not be reached or was not ready, and every attempt has been used up.",
    ),
    (
        ("failed", "deadline"),
        "The platform was not ready for so long that the post passed its deadline. It was not published.",
    ),
    (("failed", "unloadable"), "The account could not be used, so nothing was sent."),
    (("failed", ""), "It was not published, and is not tried again by itself."),
    (
        ("blocked", "auth"),
        (
            "The platform no longer accepts the sign-in of Harbour. The post waits, and goes on by itself when the account "
            "is connected again."
        ),
    ),
    (
        ("blocked", "schedule_paused"),
        "Its schedule is paused. The post waits, and goes on by itself when the pause ends.",
    ),
    (
        ("blocked", "account_paused"),
        "The account Harbour is paused. The post waits, and goes on by itself when the pause ends.",
    ),
    (
        ("blocked", "workspace_paused"),
        "The workspace is paused. The post waits, and goes on by itself when the pause ends.",
    ),
]


@pytest.mark.parametrize(("place", "words"), HAPPENED)
def test_what_happened_is_said_in_a_sentence(place: tuple[str, str], words: str) -> None:
    assert happened(case(*place)) == words


def test_a_disconnected_account_is_not_called_signed_out() -> None:
    words = happened(case("blocked", "auth", account_state="disconnected"))

    assert words == "The account Harbour was disconnected. The post waits; nothing was sent."


KNOWN = [
    (case("missed", "too_late"), ["It was due", "Nothing was sent to the platform."]),
    (
        case("failed", "invalid", message="The text is too long"),
        ["It was due", "Nothing was sent to the platform.", "The reason given: The text is too long."],
    ),
    (
        case(
            "failed",
            "exhausted",
            attempt_count=5,
            message="Down.",
            last_answer=Answer(words="Down.", at=DUE, status_code=503),
        ),
        ["It was due", "5 attempts were made; the schedule allows 5 in a row.", "The last answer: “Down.” (HTTP 503)"],
    ),
    (
        case("unconfirmed", "unknown", attempt_count=1, last_answer=Answer(words="", at=DUE)),
        [
            "It was due",
            "1 attempt was made; the schedule allows 5 in a row.",
            "The last answer had no words",
            "This platform cannot be asked, so somebody has to look at Harbour.",
        ],
    ),
    (
        case(
            "unconfirmed",
            "unknown",
            attempt_count=1,
            can_look_up=True,
            next_look_at=DUE,
            look_count=2,
            last_look=Answer(words="Not ready.", at=DUE, status_code=503),
        ),
        [
            "It was due",
            "1 attempt was made; the schedule allows 5 in a row.",
            "Looked up 2 times. The last look-up: “Not ready.” (HTTP 503)",
            "It is looked up again by itself",
        ],
    ),
    (
        case("unconfirmed", "unknown", attempt_count=1, can_look_up=True, looking=True),
        [
            "It was due",
            "1 attempt was made; the schedule allows 5 in a row.",
            "It is being looked up at this moment; wait for the answer before you decide.",
        ],
    ),
    (
        case("unconfirmed", "cannot_tell", attempt_count=1, can_look_up=True),
        [
            "It was due",
            "1 attempt was made; the schedule allows 5 in a row.",
            "It is not looked up again by itself.",
        ],
    ),
]


@pytest.mark.parametrize(("given", "words"), KNOWN)
def test_what_is_known_is_listed(given: Case, words: list[str]) -> None:
    assert [item.words for item in known(given)] == words


def test_times_stand_beside_their_words() -> None:
    assert [item.at for item in known(case("missed", "too_late"))] == [DUE, None]


BUTTONS = [
    (case("failed", "exhausted"), ["retry", "reslot", "discard"]),
    (case("missed", "too_late"), ["publish-now", "reslot", "discard"]),
    (case("unconfirmed"), ["confirm", "publish-again", "reslot", "discard"]),
    (case("unconfirmed", can_look_up=True), ["confirm", "publish-again", "look-again", "reslot", "discard"]),
    # it is being asked at this moment: asking twice is no use
    (case("unconfirmed", can_look_up=True, looking=True), ["confirm", "publish-again", "reslot", "discard"]),
    (case("blocked", "auth"), ["reslot", "discard"]),
    (case("blocked", "schedule_paused"), ["publish-now", "reslot", "discard"]),
    # the other pauses are not the author's to go round
    (case("blocked", "account_paused"), ["reslot", "discard"]),
    (case("blocked", "workspace_paused"), ["reslot", "discard"]),
    (case("blocked", "schedule_paused", account_state="needs_auth"), ["reslot", "discard"]),
    (case("blocked", "schedule_paused", workspace_paused=True), ["reslot", "discard"]),
    # what is archived is not published any more, but one may still say what became of it
    (case("failed", "exhausted", schedule_state="archived"), ["discard"]),
    (case("unconfirmed", schedule_state="archived", can_look_up=True), ["confirm", "look-again", "discard"]),
    (case("completed"), []),
]


@pytest.mark.parametrize(("given", "verbs"), BUTTONS)
def test_a_post_has_the_buttons_that_work(given: Case, verbs: list[str]) -> None:
    assert [item.verb for item in options(given)] == verbs


def effect(given: Case, verb: Verb) -> str:
    return next(item.effect for item in options(given) if item.verb is verb)


EFFECTS = [
    (
        case("unconfirmed"),
        Verb.PUBLISH_AGAIN,
        "Sends the post a second time. Only do this after you looked at the account and the post is not there.",
    ),
    (
        case("unconfirmed"),
        Verb.CONFIRM,
        "Marks it as published, with the address you paste. Nothing is sent.",
    ),
    (
        case("unconfirmed"),
        Verb.RESLOT,
        (
            "Gives it a new time and publishes it then, with all its attempts anew. Only do this after you looked at the "
            "account and the post is not there."
        ),
    ),
    (
        case("unconfirmed"),
        Verb.DISCARD,
        "Gives the post up: it counts as failed and is not sent again. If it is there after all, it stays there.",
    ),
    (case("failed", "exhausted"), Verb.RETRY, "Sends the post at once, with all its attempts anew."),
    (
        case("failed", "invalid"),
        Verb.RETRY,
        (
            "Sends the post at once, with all its attempts anew. Edit the post first: as it is, it will probably be refused "
            "again."
        ),
    ),
    (
        case("missed", "too_late", account_state="needs_auth"),
        Verb.PUBLISH_NOW,
        "Sends the post at once, although its time is over. It waits on hold until Harbour is connected again.",
    ),
    (
        case("missed", "too_late", schedule_state="paused"),
        Verb.PUBLISH_NOW,
        "Sends the post at once, although its time is over. It waits on hold until its schedule is resumed.",
    ),
    (
        case("failed", "exhausted", workspace_paused=True),
        Verb.RETRY,
        "Sends the post at once, with all its attempts anew. It waits on hold until the workspace is resumed.",
    ),
    (
        case("blocked", "schedule_paused", schedule_state="paused"),
        Verb.PUBLISH_NOW,
        "Sends this post at once; its schedule stays paused. If the attempt does not succeed, the post is on hold again.",
    ),
    (case("missed", "too_late"), Verb.DISCARD, "Ends it: it is not published. You can undo this."),
]


@pytest.mark.parametrize(("given", "verb", "words"), EFFECTS)
def test_a_button_says_what_it_will_do(given: Case, verb: Verb, words: str) -> None:
    assert effect(given, verb) == words


def test_confirming_is_never_done_to_many() -> None:
    assert Verb.CONFIRM not in BULK_VERBS
    assert all(bulk_effect(verb).endswith(".") for verb in BULK_VERBS)
