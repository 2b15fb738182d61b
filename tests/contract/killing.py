"""A post made with a break after each of its requests in turn, and settled as the engine does it.

`lost`: the request is carried out and its answer never comes. `killed`: so is the process, and with it all that the call knew: what
goes on is the look-up, or the poll with the state that was stored last (`schedules.services.checks`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from alwrity_scheduler.core import http
from platforms.base import Adapter
from platforms.contracts import Accepted, Publication, Published
from platforms.errors import Unavailable, UnknownOutcome

MOST_STEPS = 80
WAYS = ("lost", "killed")


class Killed(BaseException):
    """The process ended between the request and its answer."""


class NeedsAPerson(Exception):
    """The platform offers no way to tell: the engine stops and asks."""


class Break:
    """Counts the requests that leave, and breaks after the one numbered `at` (-1: never)."""

    def __init__(self, monkeypatch: Any, at: int = -1, way: str = "lost") -> None:
        self.count, self.at, self.way = 0, at, way
        self._request = http.request
        monkeypatch.setattr(http, "request", self._sent)

    def _sent(self, *words: Any, **named: Any) -> http.Response:
        answer = self._request(*words, **named)
        self.count += 1
        if self.count - 1 != self.at:
            return answer
        if self.way == "killed":
            raise Killed
        raise http.MaybeSent("the answer never came")


def settled(
    adapter: Adapter, publication: Publication, *, secrets: Sequence[str] = (), first: float = 20.0
) -> Published:
    """Publish, look up, poll, publish again, until it is known to be out. No stored state may hold one of the secrets.

    first: the seconds that publishing has; with none, what can go on in a poll is left to it.
    """
    step: str = "publish"
    state: dict[str, Any] = {}
    absences = unknowns = 0
    for _ in range(MOST_STEPS):
        try:
            if step == "publish":
                result: Published | Accepted | None = adapter.publish(publication, timeout=first)
                publication = replace(publication, earlier=True)
            elif step == "find":
                result = adapter.find(publication, timeout=20)
            else:
                result = adapter.poll(publication.account, state, timeout=20)
        except Killed:
            step = "find" if step == "publish" else step
            publication = replace(publication, earlier=True)
            continue
        except Unavailable:
            assert step == "publish", "a poll or a look-up may not say that nothing was posted"
            publication = replace(publication, earlier=True)
            continue
        except UnknownOutcome as error:
            unknowns += 1
            if unknowns > 3:
                raise NeedsAPerson(str(error)) from error
            step = "find" if step == "publish" else step
            continue
        if isinstance(result, Published):
            return result
        if isinstance(result, Accepted):
            stored = json.dumps(dict(result.remote_state))
            assert not [secret for secret in secrets if secret in stored]
            step, state = "poll", json.loads(stored)
        else:
            absences += 1
            step = "publish" if absences % 2 == 0 else "find"
    raise AssertionError("it never came to an end")
