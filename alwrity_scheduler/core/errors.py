"""Expected failures with words for people. Interfaces turn them into form errors and problem details."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with one field, and how to mend it."""

    field: str
    message: str
    code: str = "invalid"


class Refused(Exception):
    """The input was not accepted; nothing was changed. Carries at least one Problem."""

    status = 422

    def __init__(self, problems: Iterable[Problem] | Problem) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in self.problems))


class StaleVersion(Refused):
    """Somebody changed the same thing in between; the caller must look at the new version first."""

    status = 409


class IllegalTransition(Refused):
    """The thing is not in a state in which this can be done."""

    status = 409


class NotAllowed(Refused):
    """The person or token may see the thing but not do this to it."""

    status = 403
