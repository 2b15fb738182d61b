"""Webhooks over the API: who may, what is refused at which field, and that a secret goes out once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from alwrity_scheduler.core import clock
from alwrity_scheduler.workspaces import services as workspaces
from schedules.models import AuditLog
from schedules.webhooks import catalogue, collecting, services
from schedules.webhooks.models import Delivery, WebhookEndpoint
from tests.engine import run_due
from tests.integration.api.callers import Caller, fields, with_token
from tests.integration.webhooks.conftest import _one_receiver, deliver, happen, receiver  # noqa: F401
from tests.people import ACTOR
from tests.servers.double import Answer

pytestmark = pytest.mark.django_db
HOOK = {"url": "https://example.com/hook?key=abc", "event_types": ["job.*", "review.requested"]}


@pytest.fixture
def manager(people, now) -> Caller:
    """A manager's token: what an integrator of webhooks has."""
    return with_token(
        workspaces.create_token(workspace=people.workspace, name="n8n", role="manager", actor=ACTOR, now=now)[1]
    )


@pytest.fixture
def hook(manager) -> dict[str, Any]:
    made: dict[str, Any] = manager.post("webhooks/", HOOK).json()
    return made


def test_a_secret_goes_out_once(manager, hook):
    assert hook["secret"].startswith("whsec_")
    row = WebhookEndpoint.objects.get()
    assert row.secrets["secret"] == hook["secret"]
    rotated = manager.post(f"webhooks/{hook['id']}/rotate/")
    assert rotated["Cache-Control"] == "no-store"
    assert rotated.json()["secret"] not in ("", hook["secret"])
    assert rotated.json()["previous_secret_until"] == "2026-11-24T08:00:00Z"

    seen = [
        manager.get("webhooks/"),
        manager.get(f"webhooks/{hook['id']}/"),
        manager.post(f"webhooks/{hook['id']}/pause/"),
    ]
    seen += [manager.patch(f"webhooks/{hook['id']}/", {"description": "CRM"})]
    told = str(list(AuditLog.objects.values_list("before", "after", "object_label")))
    for secret in (hook["secret"], rotated.json()["secret"]):
        assert all(answer.status_code == 200 and secret not in answer.content.decode() for answer in seen)
        assert secret not in told
    assert "key=abc" not in told


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "webhooks/{id}/", None),
        ("patch", "webhooks/{id}/", {"description": "x"}),
        ("post", "webhooks/{id}/test/", None),
        ("post", "webhooks/{id}/pause/", None),
        ("post", "webhooks/{id}/rotate/", None),
        ("post", "webhooks/{id}/replay/", {"since": "2026-11-01T00:00:00Z"}),
        ("get", "webhooks/{id}/deliveries/", None),
        ("get", "webhooks/deliveries/{delivery}/", None),
        ("post", "webhooks/deliveries/{delivery}/replay/", None),
        ("delete", "webhooks/{id}/", None),
    ],
)
def test_only_who_manages_integrations_may(callers, people, hook, now, method, path, body):
    happen(people.workspace, now + timedelta(seconds=1))
    collecting.collect(now=now)
    path = path.format(id=hook["id"], delivery=Delivery.objects.get().public_id)
    expected = {
        "author": 403, "viewer": 403, "token": 403, "viewer_token": 403, "stranger": 404, "foreign_token": 404, "nobody": 401,
        "revoked": 401,
    }  # fmt: skip
    assert {name: callers[name].call(method, path, body).status_code for name in expected} == expected
    assert callers["owner"].call(method, path, body).status_code in (200, 202, 204, 409)


def test_the_list_holds_what_one_may_manage(callers, people, hook, manager, django_assert_num_queries):
    assert [row["id"] for row in callers["owner"].get("webhooks/").json()["results"]] == [hook["id"]]
    assert callers["author"].get("webhooks/").json()["results"] == []
    assert callers["stranger"].get("webhooks/").json()["results"] == []
    assert fields(callers["author"].get("webhooks/", workspace="team")) == {"role": "not_allowed"}
    assert fields(callers["author"].post("webhooks/", HOOK)) == {"role": "not_allowed"}
    for number in range(5):
        manager.post("webhooks/", {**HOOK, "description": f"No. {number}"})
    with django_assert_num_queries(4):
        assert len(manager.get("webhooks/").json()["results"]) == 6


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"url": "example.com"}, {"url": "invalid"}),
        ({"url": "https://a:b@example.com/"}, {"url": "invalid"}),
        ({"url": "https://example.com/#x"}, {"url": "invalid"}),
        ({"url": "http://example.com/hook"}, {"url": "insecure"}),
        ({"url": "https://169.254.169.254/latest"}, {"url": "private"}),
        ({"url": "https://[::1]/"}, {"url": "private"}),
        ({"url": "https://example.com:99999/"}, {"url": "invalid"}),
        ({"event_types": ["job.complete"]}, {"event_types": "unknown"}),
        ({"event_types": []}, {"event_types": "empty"}),
        ({"filters": {"accounts": ["00000000-0000-0000-0000-000000000000"]}}, {"accounts": "not_found"}),
        ({"filters": {"label": ["x"]}}, {"filters.label": "unknown"}),
        ({"headers": {"Webhook-Id": "x"}}, {"headers": "invalid"}),
        ({"headers": {"X-Key": "a\nb"}}, {"headers": "invalid"}),
        ({"headers": {"X-Key": None}}, {"headers": "invalid"}),
        ({"secret": "whsec_own"}, {"secret": "unknown"}),
    ],
)
def test_what_is_refused_and_where(manager, change, refused):
    answer = manager.post("webhooks/", {**HOOK, **change})
    assert fields(answer) == refused
    assert WebhookEndpoint.objects.count() == 0


def test_a_change_names_its_version_and_leaves_the_rest(manager, hook):
    path = f"webhooks/{hook['id']}/"
    manager.patch(path, {"headers": {"X-Key": "one", "X-Other": "two"}, "filters": {"labels": ["launch"]}})
    changed = manager.patch(path, {**manager.get(path).json(), "headers": {"X-Key": None}, "event_types": ["*"]}).json()
    assert (changed["version"], changed["header_names"]) == (3, ["X-Key"])
    assert (changed["event_types"], changed["filters"], changed["url"]) == (["*"], {"labels": ["launch"]}, HOOK["url"])
    assert dict(WebhookEndpoint.objects.get().headers) == {"X-Key": "one"}
    stale = manager.patch(path, {"version": 2, "event_types": ["job.*"]})
    assert (stale.status_code, fields(stale)) == (409, {"version": "stale"})
    facts = AuditLog.objects.filter(action="webhook.changed").order_by("id")
    assert [sorted(fact.after) for fact in facts] == [["filters", "header_names"], ["event_types", "header_names"]]
    # nothing new is no change
    assert manager.patch(path, {"event_types": ["*"]}).json()["version"] == 3


def test_the_log_shows_each_try_and_sends_again(manager, people, receiver, now, monkeypatch):  # noqa: F811
    hook = manager.post("webhooks/", {**HOOK, "url": f"{receiver.url}/hook"}).json()
    real = clock.now
    monkeypatch.undo()  # the receiver's libraries look at the real time
    receiver.secret = hook["secret"]
    later = now + timedelta(seconds=1)
    happen(people.workspace, later, "job.completed", "job.failed", "schedule.created")
    receiver.next = [Answer(500, {"why": "no"})]
    deliver(later)
    monkeypatch.setattr(clock, "now", real)

    path = f"webhooks/{hook['id']}/"
    listed = manager.get(f"{path}deliveries/").json()["results"]
    assert sorted(row["type"] for row in listed) == ["job.completed", "job.failed"]
    [waiting] = manager.get(f"{path}deliveries/", state="pending").json()["results"]
    assert (waiting["tries"], waiting["status"]) == (1, 500)
    [done] = manager.get(f"{path}deliveries/", state="delivered,failed").json()["results"]
    whole = manager.get(f"webhooks/deliveries/{done['id']}/").json()
    assert [(one["status"], one["ending"]) for one in whole["attempts"]] == [(200, "delivered")]
    assert whole["payload"] == receiver.requests[-1].body.decode()
    assert manager.get(path).json()["last_24_hours"]["success_percent"] == 100

    again = manager.post(f"webhooks/deliveries/{done['id']}/replay/")
    assert again.status_code == 202
    assert (again.json()["event_id"], again.json()["origin"]) == (done["event_id"], "replay")
    assert again["Location"] == f"/api/v1/webhooks/deliveries/{again.json()['id']}/"
    assert fields(manager.post(f"webhooks/deliveries/{waiting['id']}/replay/")) == {"state": "state"}


def test_a_span_is_sent_again_each_event_once(manager, people, hook, now):
    row = WebhookEndpoint.objects.get()
    happen(people.workspace, now + timedelta(seconds=1), *["job.completed"] * 4)
    collecting.collect(now=now)
    ids = list(Delivery.objects.order_by("id").values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=ids[:3]).update(state="failed")
    Delivery.objects.filter(pk=ids[3]).update(state="delivered")
    Delivery.objects.create(  # the third one came through by hand already
        endpoint=row, event_id=Delivery.objects.get(pk=ids[2]).event_id, event_type="job.completed", event_at=now, body="{}",
        origin="replay", state="delivered", run_at=now, created_at=now,
    )  # fmt: skip
    path, span = f"webhooks/{hook['id']}/replay/", {"since": "2026-11-23T00:00:00Z", "until": "2026-11-24T00:00:00Z"}

    assert manager.post(path, {**span, "dry_run": True}).json() == {"count": 2, "replayed": False}
    assert manager.post(path, {**span, "which": "all", "dry_run": True}).json()["count"] == 4
    assert manager.post(path, span).json() == {"count": 2, "replayed": True}
    assert manager.post(path, span).json()["count"] == 0, "they are on their way now"
    made = Delivery.objects.filter(origin="replay", state="pending").order_by("id")
    assert [one.event_id for one in made] == list(
        Delivery.objects.filter(pk__in=ids[:2]).order_by("id").values_list("event_id", flat=True)
    )
    assert AuditLog.objects.get(action="webhook.replayed").after["count"] == 2
    assert fields(manager.post(path, {"since": span["until"], "until": span["since"]})) == {"until": "invalid"}


def test_what_happens_during_a_pause_waits_and_a_test_goes_out_all_the_same(manager, people, hook, now):
    manager.post(f"webhooks/{hook['id']}/pause/")
    happen(people.workspace, now + timedelta(seconds=1))
    collecting.collect(now=now)
    assert Delivery.objects.get().state == "held"
    tested = manager.post(f"webhooks/{hook['id']}/test/")
    assert (tested.status_code, tested.json()["type"], tested.json()["state"]) == (202, "webhook.test", "pending")
    assert manager.post(f"webhooks/{hook['id']}/resume/").json()["state"] == "active"
    assert set(Delivery.objects.values_list("state", flat=True)) == {"pending"}
    assert list(AuditLog.objects.filter(object_type="webhook").order_by("id").values_list("action", flat=True)) == [
        "webhook.created", "webhook.paused", "webhook.resumed",
    ]  # fmt: skip


def test_deleting_ends_everything_and_forgets_the_secrets(manager, people, hook, now):
    happen(people.workspace, now + timedelta(seconds=1))
    collecting.collect(now=now)
    assert manager.delete(f"webhooks/{hook['id']}/").status_code == 204
    assert manager.get(f"webhooks/{hook['id']}/").status_code == 404
    row = WebhookEndpoint.objects.get()
    assert dict(row.secrets) == {}
    assert Delivery.objects.get().state == "cancelled"
    assert run_due(now + timedelta(days=1)) == 0
    services.tidy(now=now)
    assert (WebhookEndpoint.objects.count(), Delivery.objects.count()) == (0, 0)


def test_old_deliveries_go_and_waiting_ones_stay(people, hook, now):
    happen(people.workspace, now + timedelta(seconds=1), *["job.completed"] * 3)
    collecting.collect(now=now)
    first, *_ = Delivery.objects.order_by("id")
    Delivery.objects.exclude(pk=first.pk).update(state="delivered")
    services.tidy(now=now + timedelta(days=29))
    assert Delivery.objects.count() == 3
    services.tidy(now=now + timedelta(days=31))
    assert list(Delivery.objects.all()) == [first]


def test_every_name_that_can_be_chosen_is_one_that_is_told(api):
    found = {row["name"] for row in api.get("event-types/").json()["results"]}
    assert {"job.completed", "webhook.disabled"} <= set(catalogue.types()) <= found
