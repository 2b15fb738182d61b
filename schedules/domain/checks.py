"""Is a rule fit to be stored? Everything that is wrong with it at once, in words for a form."""

from collections.abc import Iterator

from schedules.domain import cron, ical
from schedules.domain.firing import nominal_times
from schedules.domain.ical import Block
from schedules.domain.localtime import FIRST_YEAR, LAST_YEAR, zone
from schedules.domain.refusals import RuleProblem, RuleRefused, refused
from schedules.domain.rules import MOST_COUNTED, EditAction, Recurrence, RuleKind
from schedules.domain.speech import gettext as _

NAIVE = "must be a wall-clock time without an offset; the zone stands in `timezone`"


def validate(rule: Recurrence) -> None:
    """Raises RuleRefused with everything that is wrong with the rule, a rule that can never fire included."""
    problems = [*_field_problems(rule), *_edit_problems(rule)]
    for check in (_check_zone, check_expression):
        try:
            check(rule)
        except RuleRefused as refusal:
            problems.extend(refusal.problems)
    if not problems and next(nominal_times(rule), None) is None:
        problems.append(RuleProblem("expression", _("never fires from its start on; change the rule or its end")))
    if problems:
        raise RuleRefused(*problems)


def _field_problems(rule: Recurrence) -> Iterator[RuleProblem]:
    if rule.start_local.tzinfo:
        yield RuleProblem("start_local", NAIVE)
    elif not FIRST_YEAR <= rule.start_local.year <= LAST_YEAR:
        yield RuleProblem(
            "start_local",
            _("must lie in the years %(first_year)s to %(last_year)s")
            % {"first_year": FIRST_YEAR, "last_year": LAST_YEAR},
        )
    elif rule.until_local and rule.until_local.tzinfo:
        yield RuleProblem("until_local", NAIVE)
    elif rule.until_local and rule.until_local < rule.start_local:
        yield RuleProblem("until_local", _("lies before the start; choose a later end"))
    if rule.limit is not None and not 1 <= rule.limit <= MOST_COUNTED:
        yield RuleProblem("limit", _("must be 1 to %(most)s; leave it empty for no limit") % {"most": MOST_COUNTED})
    if rule.fold not in (0, 1):
        yield RuleProblem("fold", _("is 0 for the first of two equal times or 1 for the second"))


def _edit_problems(rule: Recurrence) -> Iterator[RuleProblem]:
    if len({(edit.nominal_local, edit.nominal_local.fold) for edit in rule.edits}) < len(rule.edits):
        yield RuleProblem("edits", _("change the same occurrence twice; keep one of the two"))
    for edit in rule.edits:
        if edit.nominal_local.tzinfo or (edit.moved_to_local and edit.moved_to_local.tzinfo):
            yield RuleProblem("edits", NAIVE)
        if not all(FIRST_YEAR <= one.year <= LAST_YEAR for one in (edit.nominal_local, edit.moved_to_local) if one):
            yield RuleProblem(
                "edits",
                _("must lie in the years %(first_year)s to %(last_year)s")
                % {"first_year": FIRST_YEAR, "last_year": LAST_YEAR},
            )
        if edit.action is EditAction.MOVE and edit.moved_to_local is None:
            yield RuleProblem(
                "edits",
                _("%(nominal_local)s is to be moved; say where to")
                % {"nominal_local": f"{edit.nominal_local:%Y-%m-%d %H:%M}"},
            )
        if edit.action is EditAction.SKIP and edit.moved_to_local is not None:
            yield RuleProblem(
                "edits",
                _("%(nominal_local)s is skipped; it cannot be moved as well")
                % {"nominal_local": f"{edit.nominal_local:%Y-%m-%d %H:%M}"},
            )


def _check_zone(rule: Recurrence) -> None:
    zone(rule.timezone)


def check_expression(rule: Recurrence) -> None:
    match rule.kind:
        case RuleKind.ONCE:
            if rule.expression.strip():
                raise refused("expression", _("a single time has no rule; leave it empty"))
        case RuleKind.CRON:
            cron.parse(rule.expression)
        case RuleKind.RRULE:
            _check_block(rule, ical.parse(rule.expression))


def _check_block(rule: Recurrence, block: Block) -> None:
    for stamp in (*block.dates, *block.exception_dates):
        zone(stamp.timezone or "UTC")
    if block.start is None:
        return
    if block.start.timezone not in ("", rule.timezone):
        raise refused(
            "DTSTART",
            _("is in %(timezone)s, the schedule in %(wanted)s; make them agree")
            % {"timezone": block.start.timezone, "wanted": rule.timezone},
        )
    if block.start.local != rule.start_local:
        said, start = block.start.local.isoformat(), rule.start_local.isoformat()
        raise refused(
            "DTSTART",
            _("says %(said)s, the schedule starts at %(start)s; make them agree or drop the line")
            % {"said": said, "start": start},
        )
