"""The scheduler stops between request and answer: what the engine makes of each way to a chat. Nothing doubled, nothing lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from platforms.services import publishing
from schedules.models import Attempt, Job
from schedules.services import outcomes
from tests.conftest import NOW
from tests.contract.networks import discord, discord_webhook, slack, slack_webhook, telegram
from tests.engine import claim_due, run_due
from tests.people import make_account, make_schedule
from tests.servers.discord import Discord
from tests.servers.slack import Slack
from tests.servers.telegram import Telegram

pytestmark = pytest.mark.django_db
WAYS = {
    "telegram": (Telegram, telegram.account, "unconfirmed"),
    "discord": (Discord, discord.account, "completed"),
    "discord by webhook": (Discord, discord_webhook.account, "unconfirmed"),
    "slack": (Slack, slack.account, "completed"),
    "slack by webhook": (Slack, slack_webhook.account, "unconfirmed"),
}


@pytest.fixture(params=WAYS)
def way(request, workspace, settings):
    """(the double, the job on it, the state in which the job is to end)"""
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    make, account_of, end = WAYS[request.param]
    double = make()
    found = account_of(double.url)
    account = make_account(
        workspace, NOW, platform=found.platform, credentials=dict(found.credentials), options=dict(found.options)
    )
    yield double, Job.objects.get(schedule=make_schedule(workspace, [account], NOW)), end
    double.stop()


def an_hour_of_looks():
    for minutes in range(1, 60, 3):
        run_due(NOW + timedelta(minutes=minutes))


def test_the_worker_dies_after_the_platform_has_the_post(way):
    double, job, end = way
    ((_, _, task),) = claim_due(NOW, worker="doomed")
    publishing.send(task.publication, timeout=5)  # and nobody writes down what came of it
    assert outcomes.rescue(NOW + timedelta(seconds=1), dead_workers=["doomed"]) == 1

    an_hour_of_looks()

    job.refresh_from_db()
    assert (job.state, double.texts()) == (end, ["Hello"])
    assert Attempt.objects.filter(job=job, purpose="publish").count() == 1


def test_the_worker_dies_before_the_request(way):
    double, job, end = way
    claim_due(NOW, worker="doomed")
    outcomes.rescue(NOW + timedelta(seconds=1), dead_workers=["doomed"])

    an_hour_of_looks()

    job.refresh_from_db()
    # where it can be looked up it is sent after all; where it cannot, a person is asked
    assert (job.state, double.texts()) == (end, ["Hello"] if end == "completed" else [])


def test_the_answer_is_lost(way):
    double, job, end = way
    double.drop = 1
    run_due(NOW)

    an_hour_of_looks()

    job.refresh_from_db()
    assert (job.state, double.texts()) == (end, ["Hello"])
