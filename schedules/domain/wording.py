from schedules.domain.rules import Recurrence


def describe(rule: Recurrence) -> str:
    return rule.expression
