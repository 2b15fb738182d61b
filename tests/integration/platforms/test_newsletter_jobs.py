"""A newsletter through the engine: a worker that dies with a mail on its way, and what the engine makes of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from platforms.adapters.newsletter import journal
from platforms.models import MailDelivery
from schedules.engine.kinds import kinds
from schedules.models import Attempt, Job
from tests import engine
from tests.people import make_account, make_schedule
from tests.servers.smtp_script import GREETING, TAKEN, Script

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process is gone: nothing after this line happens."""


@pytest.fixture
def server(settings):
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    made = Script(*GREETING, *TAKEN, *TAKEN, *GREETING, *TAKEN)
    yield made
    made.close()


def test_a_worker_that_dies_with_a_mail_on_its_way_costs_nobody_a_second_one(server, workspace, now, monkeypatch):
    options = {
        "host": "127.0.0.1", "port": server.port, "security": "none", "from_address": "news@example.com",
        "recipients": "ana@x.test\nbo@x.test\ncy@x.test", "unsubscribe": "leave@example.com",
    }  # fmt: skip
    make_schedule(workspace, [make_account(workspace, now, platform="newsletter", options=options)], now)
    settle = journal.settle

    def die_with_the_second(delivery, *rest):
        if delivery.address == "bo@x.test":
            raise Killed
        settle(delivery, *rest)

    monkeypatch.setattr(journal, "settle", die_with_the_second)
    with pytest.raises(Killed):
        engine.run_due(now)
    monkeypatch.setattr(journal, "settle", settle)
    assert [row.state for row in MailDelivery.objects.all()] == ["sent", "sending", "pending"]

    after = now
    for kind in kinds.values():
        kind.rescue(now + timedelta(minutes=2), dead_workers=["tests"])
    for _ in range(8):
        after += timedelta(minutes=2)
        engine.run_due(after)

    job = Job.objects.get()
    assert (job.state, job.remote_url) == ("completed", "")
    assert [row.state for row in MailDelivery.objects.all()] == ["sent", "unsure", "sent"]
    assert [line for line in server.lines if line.startswith("RCPT")] == [
        f"RCPT TO:<{name}@x.test>" for name in ("ana", "bo", "cy")
    ]
    said = Attempt.objects.order_by("id").last().message
    assert "Sent to 2 of 3. May or may not have it, and will not be sent it again: bo@x.test." in said
