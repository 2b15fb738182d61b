from datetime import datetime

from schedules.domain.rules import Recurrence


def split_at(rule: Recurrence, nominal_local: datetime) -> tuple[Recurrence, Recurrence]:
    raise NotImplementedError
