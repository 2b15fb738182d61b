"""What is wrong with a rule, in words a person can act on.

Raised by the parsers of this package and by `recurrence.validate`; shown as it is by forms, API and
`next_runs`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """One thing that is wrong: the field it stands in and what to write instead."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class RuleRefused(ValueError):
    """The rule cannot be read in full, or contradicts itself."""

    def __init__(self, *problems: RuleProblem) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems: tuple[RuleProblem, ...] = problems


def refused(field: str, message: str) -> RuleRefused:
    return RuleRefused(RuleProblem(field, message))
