"""The receiver of ../shared: a process of its own, in which the npm packages standardwebhooks and svix check what we send."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from schedules.webhooks import services
from schedules.webhooks.models import Delivery, DeliveryAttempt, WebhookEndpoint
from schedules.webhooks.services import EndpointPlan
from tests.engine import run_due
from tests.integration.webhooks.conftest import deliver, happen
from tests.people import ACTOR
from tests.servers import real

NAME = "webhook_receiver"
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.xdist_group("webhook-receiver"),
    pytest.mark.skipif(bool(real.missing(NAME)), reason=real.missing(NAME) or "it is here"),
]


@pytest.fixture
def server():
    info = real.start(NAME)
    httpx.delete(info["log"])
    httpx.put(info["plan"], json={"statuses": []})
    return info


def test_the_npm_libraries_take_what_we_send(workspace, now, server):
    """Standard Webhooks' own and svix's: unchanged bytes, whatever letters they hold. Svix's wants its headers' names as well, so a
    gateway in front of it renames ours; what is checked is the same signature over the same text."""
    row, _ = services.create(
        workspace=workspace, plan=EndpointPlan(url=server["url"], event_types=["*"]), actor=ACTOR, now=now
    )
    row.secrets = {"secret": server["secret"]}
    row.save()
    happen(workspace, now + timedelta(seconds=1), object_label="Grüße 👋 \u2028 <b>")
    deliver(now + timedelta(seconds=1))
    [seen] = httpx.get(server["log"]).json()
    assert (seen["verified"], seen["answered"]) == (True, 200)
    assert Delivery.objects.get().state == "delivered"
    names = {f"svix-{part}": seen["headers"][f"webhook-{part}"] for part in ("id", "timestamp", "signature")}
    answer = httpx.post(server["svix_url"], content=seen["body"].encode(), headers=names)
    assert answer.json()["verified"] is True


def test_its_bad_days_are_taken_as_they_are(workspace, now, server):
    """A redirect is not followed, a hang-up is no answer, Retry-After is heeded, and in the end it has it, once, by its id."""
    row, _ = services.create(
        workspace=workspace,
        plan=EndpointPlan(url=server["url"].replace("/hook", "/redirect"), event_types=["job.*"]),
        actor=ACTOR,
        now=now,
    )
    row.secrets = {"secret": server["secret"]}
    row.save()
    happen(workspace, now + timedelta(seconds=1))
    deliver(now + timedelta(seconds=1))
    assert httpx.get(server["log"]).json() == []

    WebhookEndpoint.objects.update(url=server["url"])
    httpx.put(server["plan"], json={"statuses": [503, 500], "retry_after": 100, "hangup": True})
    for _ in range(3):
        at = Delivery.objects.get().run_at
        run_due(at)

    tries = DeliveryAttempt.objects.order_by("no").values_list("ending", "status")
    assert list(tries) == [("redirected", 302), ("broken", None), ("refused", 500), ("delivered", 200)]
    log = httpx.get(server["log"]).json()
    assert len({seen["headers"]["webhook-id"] for seen in log}) == 1
    assert all(seen["verified"] for seen in log)
