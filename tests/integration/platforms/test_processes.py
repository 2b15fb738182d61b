"""Limits hold across processes: real ones, on one database (R32)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.db import connection

from platforms.contracts import CallResult
from platforms.services import publishing
from tests.people import make_account

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
ASK = """
import sys, django
from datetime import datetime
django.setup()
from platforms.models import PlatformAccount
from platforms.services.publishing import admit
account, now = PlatformAccount(pk=int(sys.argv[1])), datetime.fromisoformat(sys.argv[2])
print(sum(admit([account], now)[account.pk].allowed for _ in range(40)))
"""


def ask_from_processes(account, now, count=3):
    """How many of 40 questions each process got a yes for."""
    name = connection.settings_dict["NAME"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "alwrity_scheduler.settings"}
    if connection.vendor == "sqlite":
        environment["DATABASE_URL"] = f"sqlite:///{name}"
    command = [sys.executable, "-c", ASK, str(account.pk), now.isoformat()]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(count)]
    return [int(process.communicate(timeout=60)[0]) for process in running]


@pytest.fixture(autouse=True)
def sqlite_only():
    if connection.vendor != "sqlite":
        pytest.skip("the processes find the test database by its file name")


def test_three_processes_together_never_exceed_a_cap(people, now):
    """R32: limits hold across processes."""
    account = make_account(people.workspace, now, hourly_cap=7)
    assert sum(ask_from_processes(account, now)) == 7


def test_three_processes_together_send_one_probe(people, now, after):
    """R32: so does the one probe of an open circuit."""
    account = make_account(people.workspace, now)
    publishing.settle([CallResult(account_id=account.pk, error_class="unknown", message="x")] * 5, now)
    assert sum(ask_from_processes(account, after(seconds=31))) == 1
