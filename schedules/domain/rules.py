"""The values of a schedule's rule and of what it gives, read by everything in this package."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# A rule that counts is counted from its start for every window, about a microsecond a time: this keeps it under a second.
MOST_COUNTED = 100_000


class RuleKind(StrEnum):
    """How a rule is written."""

    ONCE = "once"
    CRON = "cron"
    RRULE = "rrule"


class EditAction(StrEnum):
    """What a person did to a single occurrence."""

    SKIP = "skip"
    MOVE = "move"


@dataclass(frozen=True, slots=True, kw_only=True)
class OccurrenceEdit:
    """A change to the occurrence with this nominal wall-clock time (and `fold`, where it exists twice)."""

    nominal_local: datetime
    action: EditAction
    moved_to_local: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """A rule as a person wrote it; wall-clock times are naive.

    `expression` is empty for ONCE, a cron expression for CRON, and for RRULE either `FREQ=...` or a block
    of DTSTART, RRULE, EXRULE, RDATE and EXDATE lines. `start_local` is the moment (ONCE), the earliest
    wall-clock time (CRON) or DTSTART (RRULE). `until_local` is the last wall-clock time, itself included.
    `limit` counts from `start_local`; what EXDATE or an edit leaves out counts too. `fold` belongs to ONCE:
    1 is the second of two equal times.
    """

    kind: RuleKind
    expression: str = ""
    timezone: str
    start_local: datetime
    fold: int = 0
    until_local: datetime | None = None
    limit: int | None = None
    edits: tuple[OccurrenceEdit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One time a rule fires. The nominal time stays what it is when an edit moves `fires_at`."""

    nominal_local: datetime
    nominal_at: datetime
    fires_at: datetime
    edited: bool
    shift: str
