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


def ask_from_processes(*accounts, now, count=3):
    """How many of 40 questions each process got a yes for; `count` processes an account, all at once."""
    name = connection.settings_dict["NAME"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "alwrity_scheduler.settings"}
    if connection.vendor == "sqlite":
        environment["DATABASE_URL"] = f"sqlite:///{name}"
    commands = [[sys.executable, "-c", ASK, str(account.pk), now.isoformat()] for account in accounts] * count
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for command in commands]
    return [int(process.communicate(timeout=60)[0]) for process in running]


@pytest.fixture(autouse=True)
def sqlite_only():
    if connection.vendor != "sqlite":
        pytest.skip("the processes find the test database by its file name")


def test_three_processes_together_never_exceed_a_cap(people, now):
    """R32: limits hold across processes."""
    account = make_account(people.workspace, now, hourly_cap=7)
    assert sum(ask_from_processes(account, now=now)) == 7


def test_three_processes_together_send_one_probe(people, now, after):
    """R32: so does the one probe of an open circuit."""
    account = make_account(people.workspace, now)
    publishing.settle([CallResult(account_id=account.pk, error_class="unknown", message="x")] * 5, now)
    assert sum(ask_from_processes(account, now=after(seconds=31))) == 1


def test_r32_processes_on_accounts_of_one_app_never_exceed_its_budget(people, now):
    options = {"publish_url": "https://h.test/", "app_name": "team", "app_hourly_cap": 7}
    made = [make_account(people.workspace, now, name=name, platform="http", options=options) for name in "AB"]

    assert sum(ask_from_processes(*made, now=now, count=2)) == 7


def test_three_processes_on_three_accounts_of_a_service_send_one_probe(people, now, after):
    options = {"publish_url": "https://h.test/"}
    made = [make_account(people.workspace, now, name=name, platform="http", options=options) for name in "ABC"]
    publishing.settle(
        [CallResult(account_id=made[place % 3].pk, error_class="unknown", message="x") for place in range(6)], now
    )

    assert sum(ask_from_processes(*made, now=after(seconds=31), count=1)) == 1
