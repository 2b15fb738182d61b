"""The pages of webhooks: made with a secret shown once, looked at, tried, sent again, switched and deleted."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from schedules.webhooks import collecting, services
from schedules.webhooks.models import Delivery, WebhookEndpoint
from tests.integration.webhooks.conftest import _one_receiver, happen, receiver  # noqa: F401
from tests.people import ACTOR

pytestmark = pytest.mark.django_db
URL = "https://crm.example.com/hook?key=abc"


def plan(**values):
    return {"url": URL, "description": "CRM", "event_types": ["job.*"], "labels": "", "headers": "", **values}


@pytest.fixture
def hook(team, now):
    row, _ = services.create(
        workspace=team.workspace,
        plan=services.EndpointPlan(url=URL, event_types=["job.*"], description="CRM", headers={"X-Key": "hush"}),
        actor=ACTOR,
        now=now,
    )
    return row


def test_a_webhook_is_made_and_its_secret_shown_once(owner, team):
    answer = owner.post(
        reverse("web:webhook_new"), plan(event_types=["job.*", "review.requested"], labels="launch\n\nvip")
    )

    row = WebhookEndpoint.objects.get()
    body = answer.content.decode()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert row.secrets["secret"] in body
    assert (row.event_types, row.filters) == (["job.*", "review.requested"], {"labels": ["launch", "vip"]})
    for name in ("webhooks", "webhook", "webhook_edit"):
        page = owner.get(reverse(f"web:{name}", args=[row.public_id] if name != "webhooks" else []))
        assert page.status_code == 200
        assert row.secrets["secret"] not in page.content.decode()


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_made(owner, team):
    answer = owner.post(reverse("web:webhook_new"), plan(url="http://10.0.0.1/", headers="no colon"))
    assert answer.status_code == 422
    assert "Write each header as Name: value" in answer.content.decode()
    answer = owner.post(reverse("web:webhook_new"), plan(url="https://10.0.0.1/", event_types=[]))
    assert answer.status_code == 422
    assert re.search(r'href="#id_event_types"', answer.content.decode())
    answer = owner.post(reverse("web:webhook_new"), plan(url="https://10.0.0.1/"))
    assert "is an address of a private network" in answer.content.decode()
    assert WebhookEndpoint.objects.count() == 0


def test_editing_keeps_stored_headers_and_minds_the_version(owner, hook):
    page = reverse("web:webhook_edit", args=[hook.public_id])
    assert "X-Key: •••" in owner.get(page).content.decode()
    assert "hush" not in owner.get(page).content.decode()
    saved = owner.post(page, plan(version=1, headers="X-Key: •••\nX-New: 2", event_types=["*"]))
    assert saved.status_code == 303
    hook.refresh_from_db()
    assert dict(hook.headers) == {"X-Key": "hush", "X-New": "2"}
    stale = owner.post(page, plan(version=1))
    assert stale.status_code == 422
    assert "Somebody changed this webhook meanwhile" in stale.content.decode()


def test_the_log_and_a_delivery_show_each_try(owner, team, hook, now):
    happen(team.workspace, now + timedelta(seconds=1), "job.completed", "job.failed")
    collecting.collect(now=now)
    row = Delivery.objects.get(event_type="job.failed")
    row.attempts.create(
        no=1, at=now, duration_ms=1234, status=500, ending="refused", message="It answered 500.",
        request_headers={"webhook-id": row.event_id}, answer_headers={"server": "x"}, answer_body="<b>oops</b>",
    )  # fmt: skip
    Delivery.objects.filter(pk=row.pk).update(tries=1, last_status=500, state="failed")

    log = owner.get(reverse("web:webhook", args=[hook.public_id])).content.decode()
    assert log.count("/app/webhooks/deliveries/") == 2
    only = owner.get(reverse("web:webhook", args=[hook.public_id]) + "?state=failed").content.decode()
    assert only.count("/app/webhooks/deliveries/") == 1
    page = owner.get(reverse("web:webhook_delivery", args=[row.public_id])).content.decode()
    assert "&lt;b&gt;oops&lt;/b&gt;" in page
    assert "It answered 500." in page
    assert row.event_id in page


def test_the_pages_ask_a_known_number_of_queries(owner, team, hook, now, django_assert_max_num_queries):
    happen(team.workspace, now + timedelta(seconds=1), *["job.completed"] * 12)
    collecting.collect(now=now)
    for number in range(4):
        services.create(
            workspace=team.workspace, plan=services.EndpointPlan(url=URL, event_types=["*"], description=f"No. {number}"),
            actor=ACTOR, now=now,
        )  # fmt: skip
    delivery = reverse("web:webhook_delivery", args=[Delivery.objects.latest("id").public_id])
    with django_assert_max_num_queries(7):
        owner.get(reverse("web:webhooks"))
    with django_assert_max_num_queries(10):
        owner.get(reverse("web:webhook", args=[hook.public_id]))
    with django_assert_max_num_queries(6):
        owner.get(delivery)


def test_verbs(owner, hook):
    def act(verb):
        return owner.post(reverse("web:webhook_act", args=[hook.public_id, verb]))

    act("pause")
    hook.refresh_from_db()
    assert hook.state == "paused"
    act("resume")
    old = hook.secrets["secret"]
    rotated = act("rotate")
    hook.refresh_from_db()
    assert hook.state == "active"
    assert hook.secrets["secret"] != old
    assert hook.secrets["secret"] in rotated.content.decode()
    assert act("test").status_code == 303
    assert Delivery.objects.get().event_type == "webhook.test"
    assert act("explode").status_code == 404
    assert act("delete").headers["Location"] == reverse("web:webhooks")
    assert owner.get(reverse("web:webhook", args=[hook.public_id])).status_code == 404


def test_a_span_is_counted_before_it_is_sent_again(owner, team, hook, now):
    happen(team.workspace, now + timedelta(seconds=1), *["job.completed"] * 3)
    collecting.collect(now=now)
    Delivery.objects.update(state="failed")
    at = reverse("web:webhook_replay", args=[hook.public_id])
    span = {"since": "2026-11-23T00:00", "until": "2026-11-24T00:00", "which": "failed"}

    counted = owner.post(at, span)
    assert "3 events are sent again." in counted.content.decode()
    assert Delivery.objects.count() == 3
    assert owner.post(at, {**span, "sure": "1"}).status_code == 303
    assert Delivery.objects.filter(origin="replay").count() == 3
    assert "nothing of that kind" in owner.post(at, span).content.decode()
    assert owner.post(at, {**span, "until": "2026-11-22T00:00"}).status_code == 422

    [first, *_] = Delivery.objects.filter(state="failed").order_by("id")
    again = owner.post(reverse("web:webhook_delivery_replay", args=[first.public_id]))
    made = Delivery.objects.order_by("-id").first()
    assert again.headers["Location"] == reverse("web:webhook_delivery", args=[made.public_id])
    assert made.event_id == first.event_id


@pytest.mark.parametrize("name", ["webhooks", "webhook_new", "webhook", "webhook_edit", "webhook_delivery"])
def test_who_may_see_them(owner, author, viewer, stranger, team, hook, now, name):
    happen(team.workspace, now + timedelta(seconds=1))
    collecting.collect(now=now)
    ids = {"webhook": hook, "webhook_edit": hook, "webhook_delivery": Delivery.objects.get()}
    at = reverse(f"web:{name}", args=[ids[name].public_id] if name in ids else [])
    assert owner.get(at).status_code == 200
    assert author.get(at).status_code == viewer.get(at).status_code == 403
    if name in ids:
        assert stranger.get(at).status_code == 404
    else:
        assert str(hook.public_id) not in stranger.get(at).content.decode()
    assert b"/app/webhooks/" not in viewer.get(reverse("web:team")).content
    assert b"/app/webhooks/" in owner.get(reverse("web:team")).content
