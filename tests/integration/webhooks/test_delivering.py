"""From a fact to a receiver: what is sent, when it is sent again, and when nobody is told any more. Standard Webhooks 1.0."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import standardwebhooks

from alwrity_scheduler.core import clock
from schedules.models import AuditLog, EventCursor, Job
from schedules.webhooks import collecting, rules, sending, services
from schedules.webhooks.models import Delivery, DeliveryAttempt
from schedules.webhooks.services import EndpointPlan
from tests.engine import LEASE, claim_due, run_due
from tests.integration.webhooks.conftest import deliver, happen, make, states
from tests.people import ACTOR, make_schedule
from tests.servers.double import Answer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_jitter(monkeypatch):
    class Dice:
        @staticmethod
        def random() -> float:
            return 0.0

    monkeypatch.setattr(sending, "dice", Dice)


@pytest.fixture
def soon(now):
    """After the endpoint was made."""
    return now + timedelta(seconds=1)


def test_a_published_post_reaches_the_receiver_signed(workspace, account, platform, endpoint, receiver, soon):
    make_schedule(workspace, [account], soon, text="Grüße 👋")
    run_due(soon)

    deliver(soon)

    [request] = [item for item in receiver.requests if json.loads(item.body)["type"] == "job.completed"]
    event = json.loads(request.body)
    job = Job.objects.get()
    assert list(event) == ["type", "timestamp", "data"]
    assert event["timestamp"] == "2026-11-23T08:00:01Z"
    assert event["data"]["workspace"] == str(workspace.public_id)
    assert event["data"]["object"]["id"] == str(job.public_id)
    assert event["data"]["after"]["state"] == "completed"
    assert request.headers["content-type"] == "application/json"
    assert set(receiver.ids()) == set(receiver.seen), "both libraries take the unchanged bytes"
    assert set(states(endpoint)) == {"delivered"}

    tried = DeliveryAttempt.objects.filter(delivery__event_type="job.completed").get()
    assert (tried.no, tried.status, tried.ending, tried.message) == (1, 200, "delivered", "")
    assert json.loads(tried.answer_body) == {"ok": True}
    assert tried.answer_headers["x-trace"] == "7"
    assert tried.request_headers["webhook-id"] == request.headers["webhook-id"]
    assert tried.request_headers["webhook-signature"] != request.headers["webhook-signature"]


def test_a_fact_is_told_once_and_only_to_those_who_want_it(workspace, people, endpoint, receiver, now, soon):
    other = make(workspace, receiver, now, event_types=["schedule.created"])
    elsewhere = make(people.other_workspace, receiver, now, event_types=["*"])
    happen(workspace, now)  # at the very moment the endpoint was made: before it
    happen(workspace, soon, "job.completed", "schedule.created", "media.stored")

    collecting.collect(now=soon)
    collecting.collect(now=soon)
    EventCursor.objects.filter(consumer="webhooks").update(seq=0)  # whoever reads it all again adds nothing
    collecting.collect(now=soon)

    told = Delivery.objects.order_by("id").values_list("endpoint_id", "event_type")
    assert sorted(told) == sorted([(endpoint.pk, "job.completed"), (other.pk, "schedule.created")])
    assert states(elsewhere) == []
    ids = Delivery.objects.values_list("event_id", flat=True)
    assert len(set(ids)) == 2
    assert not [one for one in ids if "." in one]


def test_a_new_endpoint_does_not_read_up_the_history(workspace, receiver, now, soon):
    happen(workspace, now, *["job.completed"] * 5)
    row = make(workspace, receiver, now)
    place = EventCursor.objects.get(consumer="webhooks", chain=workspace.pk).seq
    assert place >= 5

    collecting.collect(now=soon)
    assert states(row) == []


@pytest.mark.parametrize(
    ("filters", "is_told"),
    [
        ({"platforms": ["scripted"]}, True),
        ({"platforms": ["x"]}, False),
        ({"accounts": ["its own"]}, True),
        ({"labels": ["launch"], "campaigns": ["Winter"]}, True),
        ({"labels": ["launch"], "campaigns": ["Summer"]}, False),
        ({"labels": ["other"]}, False),
    ],
)
def test_filters_narrow_by_what_a_fact_is_about(workspace, account, receiver, now, soon, filters, is_told):
    from schedules.models import Campaign, ContentItem

    schedule = make_schedule(workspace, [account], now)
    winter = Campaign.objects.create(workspace=workspace, name="Winter", created_at=now)
    ContentItem.objects.filter(pk=schedule.content_id).update(labels=["launch"], campaign=winter)
    job = Job.objects.get()
    if "accounts" in filters:
        filters = {"accounts": [str(account.public_id)]}
    row = make(workspace, receiver, now, event_types=["*"], filters=filters)

    happen(workspace, soon, "job.completed", object_id=str(job.public_id))
    happen(workspace, soon, "schedule.edited", object_type="schedule", object_id=str(schedule.public_id))
    happen(workspace, soon, "token.created", object_type="api_token", object_id="x")
    collecting.collect(now=soon)

    told = sorted(Delivery.objects.filter(endpoint=row).values_list("event_type", flat=True))
    assert told == (["job.completed", "schedule.edited"] if is_told else [])


def test_the_id_stays_and_the_timestamp_does_not(workspace, endpoint, receiver, soon, monkeypatch):
    happen(workspace, soon)
    receiver.next[:] = [Answer(500), Answer(503)]
    real = clock.now()
    monkeypatch.setattr(sending.clock, "now", lambda: real - timedelta(seconds=90))
    deliver(soon)
    monkeypatch.setattr(sending.clock, "now", lambda: real)
    at = soon
    for _ in range(2):
        at = Delivery.objects.get().run_at
        run_due(at)

    assert len(set(receiver.ids())) == 1
    assert len(receiver.ids()) == 3
    first, *_, last = receiver.requests
    assert first.headers["webhook-timestamp"] != last.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != last.headers["webhook-signature"]
    assert first.body == last.body
    assert states(endpoint) == ["delivered"]
    endings = DeliveryAttempt.objects.order_by("no").values_list("no", "status", "ending")
    assert list(endings) == [(1, 500, "refused"), (2, 503, "slow_down"), (3, 200, "delivered")]


def test_it_is_tried_over_a_day_and_then_failed(workspace, endpoint, receiver, soon):
    happen(workspace, soon)
    receiver.next[:] = [Answer(500)] * 40
    collecting.collect(now=soon)
    offsets = []
    row = Delivery.objects.get()
    while row.state == "pending":
        offsets.append(row.run_at - soon)
        run_due(row.run_at)
        row.refresh_from_db()

    assert (row.state, row.reason, row.tries, row.last_status) == ("failed", "exhausted", 10, 500)
    assert [round(offset.total_seconds() / 60, 1) for offset in offsets[:6]] == [0.0, 0.1, 1.1, 6.1, 36.1, 96.1]
    assert timedelta(hours=23) < offsets[-1] < timedelta(hours=26)


@pytest.mark.parametrize(
    ("answer", "ending", "at_least"),
    [
        (Answer(429, headers={"Retry-After": "600"}), "slow_down", timedelta(minutes=10)),
        (Answer(503), "slow_down", timedelta(seconds=30)),
        (Answer(302, headers={"Location": "/hook"}), "redirected", timedelta(seconds=5)),
        (Answer(404), "refused", timedelta(seconds=5)),
    ],
)
def test_only_2xx_is_taken_and_retry_after_is_heeded(workspace, endpoint, receiver, soon, answer, ending, at_least):
    happen(workspace, soon)
    receiver.next[:] = [answer]
    deliver(soon)

    row = Delivery.objects.get()
    assert (row.state, row.attempts.get().ending) == ("pending", ending)
    assert len(receiver.requests) == 1, "a redirect is not followed"
    assert row.run_at - soon >= at_least
    if ending == "slow_down":
        # nothing else goes there meanwhile either
        happen(workspace, soon)
        deliver(soon + timedelta(seconds=20))
        assert len(receiver.requests) == 1


def test_410_switches_it_off_and_tells(workspace, endpoint, receiver, soon):
    happen(workspace, soon, *["job.completed"] * 6)
    receiver.next[:] = [Answer(410)]
    deliver(soon)

    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.state_reason) == ("disabled", "gone")
    fact = AuditLog.objects.get(action="webhook.disabled")
    assert (fact.actor_kind, fact.after["reason"]) == ("engine", "gone")
    gone_out = len(receiver.requests)
    assert gone_out <= rules.AT_ONCE
    happen(workspace, soon)
    deliver(soon + timedelta(hours=1))
    assert len(receiver.requests) == gone_out
    assert "pending" not in states(endpoint)


def test_a_receiver_that_is_down_for_an_hour_misses_nothing(workspace, endpoint, receiver, soon, monkeypatch):
    """The circuit: after five failures in a row one probe goes at a time, and everything else waits untried."""
    down = True
    monkeypatch.setattr(receiver, "misbehaves", lambda request: down)
    receiver.next[:] = [Answer(500)] * 500
    for minute in range(60):
        at = soon + timedelta(minutes=minute)
        happen(workspace, at)
        deliver(at)
    endpoint.refresh_from_db()
    assert endpoint.failures >= rules.BREAKS_AT
    tried_while_down = len(receiver.requests)
    assert tried_while_down < 60, "one at a time looks whether it is back"
    assert Delivery.objects.filter(tries=0).count() > 40

    down = False
    at = soon + timedelta(hours=1)
    for _ in range(20):
        at += timedelta(seconds=60)
        deliver(at)
    assert len(set(receiver.seen)) == 60
    assert set(states(endpoint)) == {"delivered"}
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.failing_since, endpoint.open_until) == (0, None, None)


def test_an_endpoint_that_fails_for_five_days_is_switched_off(workspace, endpoint, receiver, soon):
    receiver.next[:] = [Answer(500)] * 2000
    for hours in range(0, 5 * 24 + 12, 6):
        at = soon + timedelta(hours=hours)
        happen(workspace, at)
        deliver(at)
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.state_reason) == ("disabled", "failing")
    assert AuditLog.objects.get(action="webhook.disabled").at >= soon + timedelta(days=5)
    assert "pending" not in states(endpoint)


def test_at_most_four_at_once_go_to_one_endpoint(workspace, endpoint, receiver, soon):
    happen(workspace, soon, *["job.completed"] * 10)
    collecting.collect(now=soon)
    assert len(claim_due(soon)) == rules.AT_ONCE
    assert claim_due(soon) == []


def test_a_private_address_is_refused_when_it_is_called(workspace, endpoint, receiver, soon, settings):
    settings.OUTBOUND_ALLOW = []
    happen(workspace, soon)
    deliver(soon)
    assert receiver.requests == []
    tried = DeliveryAttempt.objects.get()
    assert tried.ending == "address_refused"
    assert "OUTBOUND_ALLOW" in tried.message


def test_killed_between_request_and_answer_it_goes_again_with_the_same_id(workspace, endpoint, receiver, soon):
    happen(workspace, soon)
    collecting.collect(now=soon)
    [(kind, _claim, task)] = claim_due(soon)
    kind.perform(task)  # it arrived; then the process ends, and nobody writes what came of it

    later = soon + LEASE + timedelta(seconds=1)
    assert run_due(later) == 0, "the lease still holds it"
    assert kind.rescue(later) == 1
    run_due(later)

    assert len(receiver.seen) == 2
    assert len(set(receiver.seen)) == 1
    assert states(endpoint) == ["delivered"]
    endings = DeliveryAttempt.objects.order_by("no").values_list("no", "ending")
    assert list(endings) == [(1, "interrupted"), (2, "delivered")]


def test_what_was_claimed_and_not_begun_was_no_try(workspace, endpoint, receiver, soon):
    happen(workspace, soon)
    collecting.collect(now=soon)
    [(kind, claim, task)] = claim_due(soon)
    kind.release([(claim, task)], soon)
    row = Delivery.objects.get()
    assert (row.state, row.tries, row.attempts.count()) == ("pending", 0, 0)


def test_no_whole_answer_is_told_apart_from_no_receiver(workspace, receiver, now, soon):
    endpoint = make(workspace, receiver, now)
    happen(workspace, soon)
    receiver.drop = 1
    deliver(soon)
    nobody = EndpointPlan(url="http://127.0.0.1:9/hook", event_types=["job.*"])
    services.update(endpoint=endpoint, plan=nobody, actor=ACTOR, now=soon)
    run_due(Delivery.objects.get().run_at)

    assert list(DeliveryAttempt.objects.order_by("no").values_list("ending", flat=True)) == ["broken", "unreachable"]
    assert Delivery.objects.get().last_message.startswith("127.0.0.1")


def test_both_secrets_sign_for_a_day(workspace, endpoint, receiver, soon):
    old = receiver.secret
    _, new = services.rotate(endpoint=endpoint, actor=ACTOR, now=soon)
    happen(workspace, soon)
    deliver(soon)
    [request] = receiver.requests
    assert receiver.seen, "the receiver that knows the old one takes it"
    standardwebhooks.Webhook(new).verify(request.body.decode(), request.headers)

    later = soon + timedelta(hours=25)
    services.tidy(now=later)
    endpoint.refresh_from_db()
    assert list(endpoint.secrets) == ["secret"]
    happen(workspace, later)
    deliver(later)
    assert receiver.requests[-1].headers["webhook-signature"].count("v1,") == 1
    receiver.secret = new
    assert receiver.hook(receiver.requests[-1]).status == 200
    receiver.secret = old
    assert receiver.hook(receiver.requests[-1]).status == 401


def test_own_headers_go_out_and_are_not_shown(workspace, receiver, now, soon):
    make(workspace, receiver, now, headers={"X-Gateway-Key": "hush-hush"})
    happen(workspace, soon)
    deliver(soon)
    assert receiver.requests[0].headers["x-gateway-key"] == "hush-hush"
    tried = DeliveryAttempt.objects.get()
    assert tried.request_headers["X-Gateway-Key"] == "[hidden]"
    assert "hush" not in json.dumps(list(AuditLog.objects.values("before", "after")))


def test_what_is_long_is_cut_to_fit(workspace, endpoint, receiver, soon):
    happen(workspace, soon, after={"message": "ü" * 30_000, "state": "failed"})
    receiver.next[:] = [Answer(500, b"<p>\x00" + b"x" * 9000)]
    deliver(soon)
    [request] = receiver.requests
    data = json.loads(request.body)["data"]
    assert len(request.body) < 20_000
    assert (data["truncated"], data["after"]["state"], len(data["after"]["message"])) == (True, "failed", 501)
    body = DeliveryAttempt.objects.get().answer_body
    assert len(body) == rules.MOST_ANSWER_BYTES
    assert "\x00" not in body


def test_a_secret_that_cannot_be_read_says_so_and_is_tried_again(workspace, endpoint, receiver, soon, settings):
    import base64

    happen(workspace, soon)
    settings.ENCRYPTION_KEYS = [base64.urlsafe_b64encode(b"other" + bytes(27)).decode()]
    deliver(soon)
    assert receiver.requests == []
    assert DeliveryAttempt.objects.get().ending == "secret_unreadable"
    assert states(endpoint) == ["pending"]
