"""`manage.py` with the clock of the harness: the schedulers that are started as an operator starts them run through here."""

from __future__ import annotations

import sys

from tests.chaos import skew


def main() -> None:
    import django
    from django.core.management import execute_from_command_line

    django.setup()
    skew.install()
    execute_from_command_line(["manage.py", *sys.argv[1:]])


if __name__ == "__main__":
    main()
