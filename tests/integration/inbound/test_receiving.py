"""Calls of other programs: who is believed, what is made, what is said when something is wrong, and what is never made twice."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import svix
from django.db import connections
from django.test import Client
from standardwebhooks import Webhook

from alwrity_scheduler.core import clock, sightings
from platforms.services import groups
from schedules.events.envelope import payload
from schedules.inbound import receiving, services
from schedules.inbound.models import HookCall
from schedules.inbound.services import HookPlan
from schedules.models import AuditLog, ContentItem, Job, Review, Schedule
from schedules.services import approval, slots
from tests.people import ACTOR, make_account

pytestmark = pytest.mark.django_db
CALL = {"data": {"title": "Fair", "text": "We are there.", "at": "2026-12-01T09:00:00", "zone": "Europe/Berlin"}}
WORDS = {"title": {"path": "data.title"}, "text": {"path": "data.text"}}


@pytest.fixture(autouse=True)
def _standing_clock(monkeypatch, now):
    monkeypatch.setattr(clock, "now", lambda: now)


@pytest.fixture
def make(workspace, now):
    def make(**plan):
        return services.create(
            workspace=workspace, plan=HookPlan(**{"name": "Zapier", "mapping": WORDS, **plan}), actor=ACTOR, now=now
        )

    return make


def signed(secret, body, now, message_id="msg_1"):
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, body),
    }


def post(hook, body, headers=None, kind="application/json"):
    return Client(enforce_csrf_checks=True).post(
        f"/hooks/{hook.token}/", body, content_type=kind, headers=headers or {}
    )


def call(hook, secret, now, data=None, message_id="msg_1"):
    body = json.dumps(CALL if data is None else data)
    return post(hook, body, signed(secret, body, now, message_id))


def wrong(response):
    assert response["Content-Type"] == "application/problem+json"
    return {(item["field"], item["path"], item["code"]) for item in response.json()["errors"]}


def test_a_signed_call_makes_a_draft_once(make, now, workspace):
    hook, secret = make()

    first = call(hook, secret, now)
    again = call(hook, secret, now)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    row = ContentItem.objects.get()
    assert first.json() == {"content": str(row.public_id), "schedule": None, "state": "draft"}
    assert (row.title, row.text, row.workspace) == ("Fair", "We are there.", workspace)
    told = payload(AuditLog.objects.get(action="content.created"))["data"]["actor"]
    assert told == {"kind": "hook", "id": str(hook.public_id), "label": "Zapier"}
    assert call(hook, secret, now, message_id="msg_2").status_code == 201
    assert ContentItem.objects.count() == 2


def test_what_svix_signs_is_taken_too(make, now):
    hook, secret = make()
    body = json.dumps(CALL)

    signature = svix.webhooks.Webhook(secret).sign("msg_9", now, body)
    given = {"webhook-id": "msg_9", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}

    assert post(hook, body, given).status_code == 201


@pytest.mark.parametrize("how", ["nothing", "another secret", "another body", "old", "not a number"])
def test_who_cannot_show_the_secret_is_not_believed(make, now, how):
    hook, secret = make()
    body, seen = json.dumps(CALL), []
    given = signed(secret, body, now)
    if how == "nothing":
        given = {}
    elif how == "another secret":
        given = signed("whsec_c2VjcmV0IG9mIHNvbWVib2R5IGVsc2U=", body, now)
    elif how == "another body":
        body = body.replace("Fair", "Fake")
    elif how == "old":
        given = signed(secret, body, now - timedelta(minutes=6))
    else:
        given["webhook-timestamp"] = "soon"
    sightings.subscribe(seen.append)
    try:
        response = post(hook, body, given)
    finally:
        sightings._listeners.remove(seen.append) if seen.append in sightings._listeners else None

    assert response.status_code == 401
    assert wrong(response) == set()
    assert [item.kind for item in seen] == ["hook.refused"]
    assert (ContentItem.objects.count(), HookCall.objects.get().status) == (0, 401)
    assert secret not in HookCall.objects.get().words


def test_a_secret_in_a_header_is_enough_where_it_was_chosen(make, now):
    hook, secret = make(proof="header", header="X-Key")
    body = json.dumps(CALL)

    assert post(hook, body, {"X-Key": secret[:-1]}).status_code == 401
    assert post(hook, body, signed(secret, body, now)).status_code == 401
    assert post(hook, body, {"x-key": secret, "Idempotency-Key": "a"}).status_code == 201
    assert post(hook, body, {"x-key": secret, "Idempotency-Key": "a"}).status_code == 200
    # without any id each call is one of its own
    assert [post(hook, body, {"x-key": secret}).status_code for _ in range(2)] == [201, 201]


def test_the_old_secret_works_for_a_day(make, now, monkeypatch):
    hook, old = make()
    new = services.rotate_secret(hook=hook, actor=ACTOR, now=now)

    assert [call(hook, secret, now, message_id=secret[:9]).status_code for secret in (old, new)] == [201, 201]
    later = now + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert [call(hook, secret, later, message_id=secret[:10]).status_code for secret in (old, new)] == [401, 201]


def test_form_fields_are_read_too(make, now):
    hook, secret = make(proof="header", mapping={"text": {"text": "{who} says {what}"}, "hashtags": {"path": "tag"}})

    response = post(
        hook, "who=Ana&what=h%C3%A9llo&tag=a&tag=b", {"X-Hook-Secret": secret}, "application/x-www-form-urlencoded"
    )

    assert response.status_code == 201
    row = ContentItem.objects.get()
    assert (row.text, row.hashtags) == ("Ana says héllo", ["a", "b"])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"data": {"title": "x"}}, {("text", "data.text", "missing")}),
        ({"data": {"title": {"a": 1}, "text": "x"}}, {("title", "data.title", "not_text")}),
        ({"data": {"title": "x" * 301, "text": "x"}}, {("title", "data.title", "invalid")}),
        ({"data": {"title": "", "text": ""}}, {("text", "data.text", "required")}),
        ([], {("title", "data.title", "missing"), ("text", "data.text", "missing")}),
        (3, {("body", "", "invalid")}),
    ],
)
def test_what_is_wrong_is_named_by_field_and_path(make, now, data, expected):
    hook, secret = make()

    response = call(hook, secret, now, data)

    assert response.status_code == 422
    assert wrong(response) == expected
    assert ContentItem.objects.count() == 0
    logged = HookCall.objects.get()
    assert (logged.status, logged.message_id) == (422, "")
    # nothing was made, so the same message may come again when it is mended
    assert call(hook, secret, now).status_code == 201


def test_what_is_no_json_or_too_much_is_refused(make, now, monkeypatch):
    hook, secret = make()
    body = "[" * 5000
    assert wrong(post(hook, body, signed(secret, body, now))) == {("body", "", "invalid")}
    assert post(hook, "x", kind="text/plain").status_code == 415
    assert post(hook, json.dumps({"a": "x" * receiving.MOST_BYTES})).status_code == 413
    assert Client().get(f"/hooks/{hook.token}/").status_code == 405
    assert Client().post("/hooks/nobody/", {}, content_type="application/json").status_code == 404
    services.update(
        hook=hook, plan=HookPlan(name="Zapier", mapping=WORDS, is_on=False), version=1, actor=ACTOR, now=now
    )
    assert call(hook, secret, now).status_code == 410


def test_a_hook_takes_so_many_calls_a_minute(make, now, monkeypatch):
    monkeypatch.setattr(receiving, "MOST_A_MINUTE", 2)
    hook, secret = make()
    assert [call(hook, secret, now, message_id=name).status_code for name in ("a", "b")] == [201, 201]

    response = call(hook, secret, now, message_id="c")

    assert (response.status_code, response["Retry-After"]) == (429, "60")
    later = now + timedelta(minutes=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert call(hook, secret, later, message_id="c").status_code == 201


def test_a_call_makes_a_schedule_at_its_own_time(make, now, workspace, account):
    other = make_account(workspace, now, name="Other", platform="scripted")
    group = groups.create(workspace=workspace, name="All", account_ids=[other.public_id], actor=ACTOR, now=now)
    hook, secret = make(
        makes="schedule",
        is_active=True,
        accounts=(str(account.public_id),),
        groups=(str(group.public_id),),
        mapping={**WORDS, "at": {"path": "data.at"}, "timezone": {"path": "data.zone?"}},
    )

    made = call(hook, secret, now).json()

    row = Schedule.objects.get()
    assert made == {
        "content": str(row.content.public_id),
        "schedule": str(row.public_id),
        "state": "active",
        "at": "2026-12-01T08:00:00+00:00",
        "timezone": "Europe/Berlin",
    }
    assert {target.account_id for target in row.targets.all()} == {account.pk, other.pk}
    for at, zone, expected in (
        ("2026-12-01T09:00:00Z", "Asia/Tokyo", "2026-12-01T09:00:00+00:00"),
        (str(1796115600), "Asia/Tokyo", "2026-12-01T09:00:00+00:00"),
        ("2026-12-01T09:00:00+09:00", "UTC", "2026-12-01T00:00:00+00:00"),
    ):
        data = {"data": {**CALL["data"], "at": at, "zone": zone}}
        assert call(hook, secret, now, data, message_id=f"{at}{zone}").json()["at"] == expected
    data = {"data": {**CALL["data"], "at": "soon", "zone": "Mars"}}
    assert wrong(call(hook, secret, now, data, "m")) == {("timezone", "data.zone", "invalid")}
    data["data"]["zone"] = "UTC"
    assert wrong(call(hook, secret, now, data, "m")) == {("at", "data.at", "invalid")}


def test_a_call_waits_some_minutes_or_for_a_free_posting_time(make, now, account):
    ids = (str(account.public_id),)
    soon, secret = make(makes="schedule", when="delay", delay_minutes=90, accounts=ids)
    made = call(soon, secret, now).json()
    assert (made["state"], made["at"]) == ("draft", "2026-11-23T09:30:00+00:00")

    queue, secret = make(name="Queue", makes="schedule", is_active=True, when="queue", accounts=ids)
    assert wrong(call(queue, secret, now)) == {("accounts", "", "no_slot")}
    slots.set_slots(account=account, times=[(1, now.time())], actor=ACTOR, now=now)
    made = [call(queue, secret, now, message_id=name).json() for name in ("a", "b")]
    assert [item["at"] for item in made] == ["2026-11-24T07:00:00+00:00", "2026-12-01T07:00:00+00:00"]
    assert Job.objects.filter(account=account).count() == 1  # the other is beyond the horizon


def test_where_approval_is_asked_for_the_post_waits_for_it(make, now, workspace, account):
    approval.set_policy(
        workspace=workspace, account=None, required=True, allow_own=False, reviewers=[], remind_after_hours=None,
        actor=ACTOR, now=now,
    )  # fmt: skip
    hook, secret = make(makes="schedule", is_active=True, when="delay", accounts=(str(account.public_id),))

    assert call(hook, secret, now).json()["state"] == "in_review"
    assert Review.objects.get().requested_label == "Zapier"
    assert Job.objects.count() == 0


def test_the_log_hides_secrets_and_forgets(make, now, monkeypatch):
    hook, secret = make(proof="header")
    body = json.dumps({**CALL, "api_key": "hunter2hunter2", "auth": {"token": "abcdefghijk"}})
    post(hook, body, {"X-Hook-Secret": secret})
    logged = HookCall.objects.get().body
    assert "hunter2" not in logged
    assert "abcdefghijk" not in logged
    assert "We are there." in logged

    monkeypatch.setattr(receiving, "LOGGED", 2)
    for _ in range(3):
        post(hook, body, {"X-Hook-Secret": secret})
    assert receiving.tidy(now=now + timedelta(hours=23)) == 0
    assert receiving.tidy(now=now + timedelta(hours=25)) == 2
    assert HookCall.objects.count() == 2


def test_no_secret_is_in_the_history(make, now):
    hook, secret = make()
    told = AuditLog.objects.filter(object_type="inbound_hook")
    services.rotate_secret(hook=hook, actor=ACTOR, now=now)
    services.remove(hook=hook, actor=ACTOR, now=now)

    assert list(told.order_by("seq").values_list("action", flat=True)) == [
        "hook.created",
        "hook.secret_rotated",
        "hook.removed",
    ]
    assert not [fact for fact in told if secret in str(fact.after) + str(fact.before) or hook.token in str(fact.after)]
    assert call(hook, secret, now).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_one_message_sent_many_times_at_once_makes_one_post(make, now):
    hook, secret = make()
    ready = threading.Barrier(6)

    def send(_number):
        try:
            ready.wait(10)
            return call(hook, secret, now).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as crowd:
        answers = list(crowd.map(send, range(6)))

    assert sorted(answers) == [200] * 5 + [201]
    assert ContentItem.objects.count() == 1
