#!/usr/bin/env python
"""The door for operators: every command starts here."""

import os
import sys


def main() -> None:
    from alwrity_scheduler import bootstrap

    bootstrap.require_python()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alwrity_scheduler.settings")
    if sys.argv[1:2] == ["quickstart"]:
        bootstrap.prepare_data_folder()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
