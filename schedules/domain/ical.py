"""A block of DTSTART, RRULE, EXRULE, RDATE and EXDATE lines as RFC 5545 writes them, and back to text.

Called by `recurrence`. A bare `FREQ=...` is a block of one rule. Lines that say something else are refused
by name: a rule read in part would post at the wrong time.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from schedules.domain import rrule
from schedules.domain.localtime import FIRST_YEAR, LAST_YEAR
from schedules.domain.refusals import RuleProblem, RuleRefused, refused
from schedules.domain.rrule import RRule
from schedules.domain.speech import gettext as _

PROPERTIES = ("DTSTART", "RRULE", "EXRULE", "RDATE", "EXDATE")
LONGEST_BLOCK = 100_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """A written date or time: naive `local`; `timezone` is "" (that of the rule), "UTC" or a TZID."""

    local: datetime
    timezone: str = ""
    is_date: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    start: Stamp | None = None
    rules: tuple[RRule, ...] = ()
    exception_rules: tuple[RRule, ...] = ()
    dates: tuple[Stamp, ...] = ()
    exception_dates: tuple[Stamp, ...] = ()

    def __str__(self) -> str:
        """A lone rule as `FREQ=...`, anything more as lines."""
        lines = [_stamp_line("DTSTART", self.start)] if self.start else []
        lines += [f"RRULE:{one}" for one in self.rules]
        lines += [f"EXRULE:{one}" for one in self.exception_rules]
        lines += [_stamp_line("RDATE", one) for one in self.dates]
        lines += [_stamp_line("EXDATE", one) for one in self.exception_dates]
        if len(lines) == 1 and self.rules:
            return str(self.rules[0])
        return "\n".join(lines)


def _stamp_line(name: str, stamp: Stamp) -> str:
    if stamp.is_date:
        return f"{name};VALUE=DATE:{stamp.local:%Y%m%d}"
    if stamp.timezone == "UTC":
        return f"{name}:{stamp.local:%Y%m%dT%H%M%S}Z"
    zone = f";TZID={stamp.timezone}" if stamp.timezone else ""
    return f"{name}{zone}:{stamp.local:%Y%m%dT%H%M%S}"


@lru_cache(maxsize=1024)
def parse(text: str) -> Block:
    """Raises RuleRefused that names every line it cannot read."""
    if len(text) > LONGEST_BLOCK:
        raise refused("expression", _("is longer than %(most)s characters") % {"most": LONGEST_BLOCK})
    lines = _unfold(text)
    if not lines:
        raise refused("expression", _("is empty; write a rule such as FREQ=WEEKLY;BYDAY=MO"))
    block = Block()
    problems: list[RuleProblem] = []
    for line in lines:
        try:
            block = _with_line(block, line)
        except RuleRefused as refusal:
            problems.extend(refusal.problems)
    if problems:
        raise RuleRefused(*problems)
    return block


def _unfold(text: str) -> list[str]:
    """Lines with their continuations (3.1: a line break and one space or tab) joined."""
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if line[:1] in (" ", "\t") and lines:
            lines[-1] += line[1:]
        elif line.strip():
            lines.append(line.strip())
    return lines


def _with_line(block: Block, line: str) -> Block:
    head, colon, value = line.partition(":")
    if not colon and "=" in line:
        return replace(block, rules=(*block.rules, rrule.parse(line)))
    name, *parameters = head.split(";")
    match name.strip().upper():
        case "RRULE":
            _refuse_parameters("RRULE", parameters)
            return replace(block, rules=(*block.rules, rrule.parse(value)))
        case "EXRULE":
            _refuse_parameters("EXRULE", parameters)
            return replace(block, exception_rules=(*block.exception_rules, rrule.parse(value)))
        case "RDATE":
            return replace(block, dates=(*block.dates, *_stamps("RDATE", parameters, value)))
        case "EXDATE":
            return replace(block, exception_dates=(*block.exception_dates, *_stamps("EXDATE", parameters, value)))
        case "DTSTART":
            return replace(block, start=_only_start(block, _stamps("DTSTART", parameters, value)))
        case _:
            known = ", ".join(PROPERTIES)
            raise refused(
                "expression",
                _("%(line)r is no line of a recurrence; known are %(known)s") % {"line": line[:40], "known": known},
            )


def _only_start(block: Block, found: list[Stamp]) -> Stamp:
    if block.start or len(found) != 1:
        raise refused("DTSTART", _("is given twice; give it once"))
    return found[0]


def _refuse_parameters(name: str, parameters: list[str]) -> None:
    if parameters:
        raise refused(
            name,
            _("%(parameters)r has no meaning here; write %(name)s:FREQ=...")
            % {"parameters": parameters[0][:40], "name": name},
        )


def _stamps(name: str, parameters: list[str], value: str) -> list[Stamp]:
    timezone, kind = "", ""
    for parameter in parameters:
        key, _sign, said = parameter.partition("=")
        match key.strip().upper():
            case "TZID":
                timezone = said.strip().strip('"')
            case "VALUE" if said.strip().upper() in ("DATE", "DATE-TIME", "PERIOD"):
                kind = said.strip().upper()
            case _:
                raise refused(
                    name, _("%(parameter)r is not known; TZID=... and VALUE=DATE are") % {"parameter": parameter[:40]}
                )
    return [_stamp(name, item.strip(), kind, timezone) for item in value.split(",")]


def _stamp(name: str, item: str, kind: str, timezone: str) -> Stamp:
    # Of a PERIOD only the beginning matters: a post has no length.
    text = item.partition("/")[0] if kind == "PERIOD" else item
    read = rrule.read_stamp(text.upper())
    if read is None or (kind and read[2] != (kind == "DATE")):
        raise refused(
            name,
            _("%(item)r cannot be read; write 20261231T090000 or, with VALUE=DATE, 20261231") % {"item": item[:40]},
        )
    local, is_utc, is_date = read
    if is_utc and timezone not in ("", "UTC"):
        raise refused(name, _("%(item)r ends in Z (UTC) and has a TZID; drop one of them") % {"item": item[:40]})
    if not FIRST_YEAR <= local.year <= LAST_YEAR:
        raise refused(
            name,
            _("%(item)r lies outside the years %(first_year)s to %(last_year)s")
            % {"item": item[:40], "first_year": FIRST_YEAR, "last_year": LAST_YEAR},
        )
    return Stamp(local, "UTC" if is_utc else timezone, is_date)
