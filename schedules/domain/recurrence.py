"""The door to recurrence: when a schedule fires, in its own time zone. Import from here.

Kinds: a single time, a cron expression, rules of RFC 5545. The truth is wall clock + zone + rule (ENGINE R6
to R11); no clock is read and nothing is stored. Behind the door: `rules` (values), `checks` (validate),
`cron`, `rrule`, `ical` (reading), `expansion` and `localtime` (wall clock to instants), `firing`
(occurrences), `splitting`, `wording`.
"""

from schedules.domain.checks import validate
from schedules.domain.firing import occurrences
from schedules.domain.localtime import LocalMoment, local_time
from schedules.domain.refusals import RuleProblem, RuleRefused
from schedules.domain.rules import EditAction, Occurrence, OccurrenceEdit, Recurrence, RuleKind
from schedules.domain.splitting import split_at
from schedules.domain.wording import describe

__all__ = [
    "EditAction",
    "LocalMoment",
    "Occurrence",
    "OccurrenceEdit",
    "Recurrence",
    "RuleKind",
    "RuleProblem",
    "RuleRefused",
    "describe",
    "local_time",
    "occurrences",
    "split_at",
    "validate",
]
