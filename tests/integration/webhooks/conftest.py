"""A receiver of our own that checks each signature with the two published libraries, and endpoints that lead to it."""

from __future__ import annotations

from typing import Any

import pytest
import standardwebhooks
import svix

from alwrity_scheduler.core.events import ENGINE, Fact, emit, unit
from schedules.webhooks import collecting, services
from schedules.webhooks.models import Delivery, WebhookEndpoint
from schedules.webhooks.services import EndpointPlan
from tests.engine import run_due
from tests.people import ACTOR
from tests.servers.double import Answer, Double, Request, route


class Receiver(Double):
    """`secret`: what it checks with. `seen`: ids in the order of their arrival, of those it took. A wrong signature is 401."""

    def __init__(self) -> None:
        self.secret = ""
        self.seen: list[str] = []
        super().__init__()

    @route("POST", "/hook")
    def hook(self, request: Request) -> Answer:
        try:
            standardwebhooks.Webhook(self.secret).verify(request.body.decode(), request.headers)
            svix.Webhook(self.secret).verify(request.body, request.headers)
        except (standardwebhooks.WebhookVerificationError, svix.WebhookVerificationError) as error:
            return Answer(401, {"error": str(error)})
        self.seen.append(request.headers["webhook-id"])
        return Answer(200, {"ok": True}, {"X-Trace": "7"})

    def ids(self) -> list[str]:
        """The id of everything that came, whatever was answered."""
        return [request.headers["webhook-id"] for request in self.requests]

    def forget(self) -> None:
        self.requests.clear()
        self.seen.clear()
        self.next.clear()
        self.drop = 0


@pytest.fixture(scope="session")
def _one_receiver():
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def receiver(_one_receiver):
    _one_receiver.forget()
    return _one_receiver


@pytest.fixture
def endpoint(workspace, receiver, now) -> WebhookEndpoint:
    """Everything that happens to posts, at the receiver."""
    return make(workspace, receiver, now)


def make(workspace: Any, receiver: Any, now: Any, **plan: Any) -> WebhookEndpoint:
    values = {"url": f"{receiver.url}/hook", "event_types": ["job.*"], **plan}
    row, receiver.secret = services.create(workspace=workspace, plan=EndpointPlan(**values), actor=ACTOR, now=now)
    return row


def happen(workspace: Any, at: Any, *names: str, **values: Any) -> None:
    """Facts of these names."""
    defaults = {"object_type": "job", "object_id": "7", "object_label": "Hello", "after": {"state": "completed"}}
    facts = [
        Fact(name=name, at=at, actor=ENGINE, workspace_id=workspace.pk, **{**defaults, **values})
        for name in names or ("job.completed",)
    ]
    with unit():
        emit(*facts)


def deliver(now: Any) -> int:
    """What happened becomes deliveries, and what is due is sent."""
    collecting.collect(now=now)
    return run_due(now)


def states(endpoint: WebhookEndpoint) -> list[str]:
    return list(Delivery.objects.filter(endpoint=endpoint).order_by("id").values_list("state", flat=True))
