"""A post that takes several calls: its files first, then its parts, each an answer to the one before. For all adapters.

`run` makes what is left and never makes a part that may be there: before the first part of a later call it looks. Everything it
needs is in `state`, which is JSON, so that a poll in another process can go on:

    parts    what each part says, in the adapter's own terms
    done     what is known of the parts that are out: "id", "url" and whatever the adapter needs for the next
    look     the next part may be out already
    sent     a call of ours made one of them
    refused  [sentence, status, the platform's words]: the platform refused a part in the middle
    misses   how many polls in a row led nowhere
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Protocol

from alwrity_scheduler.core import clock
from platforms.contracts import Accepted, Published, RateInfo
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome

LEAST_SECONDS = 1.0  # with less time left no further call is begun
RETRY_SECONDS, LONGEST_RETRY_SECONDS, MOST_MISSES = 5.0, 600.0, 14
State = dict[str, Any]


class OutOfTime(Exception):
    """The time of this call is used up, and nothing is under way: the next poll does the rest."""


class Deadline:
    """How much is left of one call of an adapter, which makes several requests."""

    def __init__(self, seconds: float) -> None:
        self._end = clock.monotonic() + seconds

    def left(self) -> float:
        """Seconds for the next request. Raises OutOfTime when they would not do."""
        left = self._end - clock.monotonic()
        if left < LEAST_SECONDS:
            raise OutOfTime
        return left


class Steps(Protocol):
    """What a platform does for one post. All three may raise OutOfTime and the five errors."""

    consistency_seconds: float
    """How long after a lost answer a look can be believed."""

    def prepare(self, state: State) -> float | None:
        """Take the files up, as far as the time goes, and note it in the state. None: they are ready; else in how many seconds
        to ask again. Nothing is published by it."""
        ...

    def look(self, state: State, number: int) -> dict[str, Any] | None:
        """The part of this number, if it is out. Raises UnknownOutcome when it cannot tell."""
        ...

    def send(self, state: State, number: int) -> dict[str, Any]:
        """Make the part of this number. `rate` in the answer, a RateInfo, is taken out of it; `already` says that it was there."""
        ...


def run(steps: Steps, given: Mapping[str, Any], *, polling: bool) -> Published | Accepted:
    """Make what is left of the post. For `publish` the five errors, as long as no part is out; for `poll` only Rejected and
    UnknownOutcome."""
    state = copy.deepcopy(dict(given))
    if refused := state.get("refused"):
        raise Rejected(refused[0], status_code=refused[1], platform_message=refused[2])
    rate: list[RateInfo] = []
    try:
        wait = _go(steps, state, polling, rate)
    except OutOfTime:
        wait = 1.0
    except PlatformError as error:
        return _troubled(steps, state, error, polling)
    if wait is not None:
        return Accepted(remote_state=state, poll_after_seconds=wait, rate=rate[-1] if rate else None)
    return published(state, rate=rate[-1] if rate else None)


def find(steps: Steps, given: Mapping[str, Any]) -> Published | Accepted | None:
    """What is out of the post. Raises UnknownOutcome, and nothing else, when that cannot be told."""
    state = copy.deepcopy(dict(given))
    try:
        while len(state["done"]) < len(state["parts"]):
            part = steps.look(state, len(state["done"]))
            if part is None:
                break
            state["done"].append(part)
    except OutOfTime:
        raise UnknownOutcome("The look-up took too long.") from None
    except UnknownOutcome:
        raise
    except PlatformError as error:
        raise UnknownOutcome(
            f"The look-up told nothing. {error}",
            status_code=error.status_code,
            platform_message=error.platform_message,
            rate=error.rate,
        ) from error
    if not state["done"]:
        return None
    if len(state["done"]) == len(state["parts"]):
        return published(state)
    return Accepted(remote_state={**state, "look": True}, poll_after_seconds=1.0)


def published(state: Mapping[str, Any], *, rate: RateInfo | None = None) -> Published:
    """The finished post; its id and address are those of its first part."""
    first = state["done"][0]
    response: dict[str, Any] = {"id": first["id"]}
    if len(state["done"]) > 1:
        response["ids"] = [part["id"] for part in state["done"]]
    return Published(
        remote_id=first["id"],
        url=first["url"],
        response=response,
        already=not state.get("sent"),
        rate=rate,
        notes=tuple(state.get("notes", ())),
    )


def _go(steps: Steps, state: State, polling: bool, rate: list[RateInfo]) -> float | None:
    look = bool(state.pop("look", False)) or polling
    while (number := len(state["done"])) < len(state["parts"]):
        if look:
            there = _looked(steps, state, number)
            if there is not None:
                state["done"].append(there)
                continue
            look = False
        if number == 0 and (wait := _prepared(steps, state)) is not None:
            return wait
        made = steps.send(state, number)
        if (said := made.pop("rate", None)) is not None:
            rate.append(said)
        if not made.pop("already", False):
            state["sent"] = True
        state["done"].append(made)
        state.pop("misses", None)
    return None


def _looked(steps: Steps, state: State, number: int) -> dict[str, Any] | None:
    try:
        return steps.look(state, number)
    except Rejected as error:  # it is the look that was refused, and the part may be out
        raise UnknownOutcome(
            f"The look-up told nothing. {error}",
            status_code=error.status_code,
            platform_message=error.platform_message,
            rate=error.rate,
        ) from error


def _prepared(steps: Steps, state: State) -> float | None:
    try:
        return steps.prepare(state)
    except UnknownOutcome as error:
        # a file without a post is nothing that anybody sees
        raise Unavailable(
            f"A file could not be handed over. {error}",
            status_code=error.status_code,
            platform_message=error.platform_message,
            rate=error.rate,
        ) from error


def _troubled(steps: Steps, state: State, error: PlatformError, polling: bool) -> Accepted:
    """A call failed: what of it is the engine's, and what a poll can go on from."""
    out, parts = len(state["done"]), len(state["parts"])
    if not out and not polling:
        raise error
    if isinstance(error, Rejected):
        sentence = str(error)
        if out:
            sentence = (
                f"{out} of {parts} parts are out ({state['done'][0]['url']}), and part {out + 1} was refused. {error}"
            )
        if polling:
            raise Rejected(
                sentence, status_code=error.status_code, platform_message=error.platform_message, rate=error.rate
            )
        state["refused"] = [sentence, error.status_code, error.platform_message]
        return Accepted(remote_state=state, poll_after_seconds=1.0, rate=error.rate)
    pause = min(RETRY_SECONDS * 2 ** int(state.get("misses", 0)), LONGEST_RETRY_SECONDS)
    if isinstance(error, UnknownOutcome):
        pause = max(pause, steps.consistency_seconds)
    if not isinstance(error, RateLimited):
        state["misses"] = int(state.get("misses", 0)) + 1
    if state.get("misses", 0) >= MOST_MISSES:
        raise UnknownOutcome(
            f"{out} of {parts} parts are out, and the rest could not be sent. {error}",
            status_code=error.status_code,
            platform_message=error.platform_message,
            rate=error.rate,
        )
    if isinstance(error, AuthFailed):
        pause = max(pause, 60.0)
    state["look"] = True
    return Accepted(
        remote_state=state,
        poll_after_seconds=max(pause, error.retry_after_seconds or 0.0),
        response={"waits": str(error)[:300]},
        rate=error.rate,
    )
