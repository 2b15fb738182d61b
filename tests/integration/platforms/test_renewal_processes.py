"""No two processes renew the same sign-in: refresh tokens work once (RFC 9700). Real processes, a real token address."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.db import connection

from alwrity_scheduler.core import clock
from platforms.models import PlatformAccount
from schedules.models import CredentialRefresh
from schedules.services import refreshing
from tests.contract.conftest import Recorder
from tests.people import make_account, make_people

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
RENEW = """
import os
import django
django.setup()
from alwrity_scheduler.core import clock
from schedules.models import CredentialRefresh
from tests.engine import run_due
while not os.path.exists(os.environ["ENOUGH"]):
    CredentialRefresh.objects.filter(state="pending").update(run_at=clock.database_now())
    run_due(clock.database_now(), worker="w")
"""


@pytest.fixture
def recorder(tmp_path):
    running = Recorder(tmp_path / "log.jsonl")
    yield running
    running.stop()


def test_three_processes_that_renew_all_the_time_never_use_a_token_twice(db, recorder, tmp_path):
    if connection.vendor != "sqlite":
        pytest.skip("the processes find the test database by its file name")
    now = clock.database_now()
    options = {"publish_url": recorder.url, "token_url": f"{recorder.url}/token", "client_id": "us"}
    account = make_account(
        make_people(now).workspace, now, platform="http", options=options, credentials={"refresh_token": "first"}
    )
    refreshing.plan(now=now)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "alwrity_scheduler.settings",
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "OUTBOUND_ALLOW": "127.0.0.1",
        "ENOUGH": str(tmp_path / "enough"),
    }

    running = [subprocess.Popen([sys.executable, "-c", RENEW], env=environment) for _ in range(3)]
    until = time.monotonic() + 100
    while recorder.log()["tokens"]["calls"] <= 12 and time.monotonic() < until:
        time.sleep(0.1)
    (tmp_path / "enough").touch()
    codes = [process.wait(timeout=120) for process in running]

    seen = recorder.log()["tokens"]
    account = PlatformAccount.objects.get(pk=account.pk)
    assert codes == [0, 0, 0]
    assert seen["calls"] > 12
    assert seen["most_at_once"] == 1
    assert (account.state, account.refresh_state) == ("active", "ok")
    assert CredentialRefresh.objects.get().state == "pending"
    assert account.credentials_expire_at > now + timedelta(minutes=50)
