"""Hooks over the API and on their pages: who may, what is shown once, and trying without storing."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from alwrity_scheduler.core import clock
from alwrity_scheduler.workspaces import services as workspaces
from schedules.inbound import services
from schedules.inbound.models import HookCall, InboundHook
from schedules.inbound.services import HookPlan
from schedules.models import ContentItem
from tests.integration.api.callers import fields, signed_in, with_token
from tests.people import ACTOR

pytestmark = pytest.mark.django_db
NOBODYS = "0190a0d0-0000-7000-8000-000000000000"
WAYS = (
    ("get", ""), ("patch", ""), ("delete", ""), ("get", "calls/"), ("post", "rotate/"), ("post", "preview/"),
)  # fmt: skip
BODY = {"name": "Zapier", "mapping": {"title": {"path": "data.title"}, "text": {"text": "New: {data.title}"}}}


@pytest.fixture(autouse=True)
def _standing_clock(monkeypatch, now):
    monkeypatch.setattr(clock, "now", lambda: now)


@pytest.fixture
def owner(people):
    return signed_in(people.owner)


@pytest.fixture
def hook(workspace, now):
    row, _secret = services.create(workspace=workspace, plan=HookPlan(**BODY), actor=ACTOR, now=now)
    return row


def test_a_hook_is_made_changed_tried_and_removed(owner, workspace, account):
    made = owner.post("hooks/", BODY)
    assert made.status_code == 201, made.content
    shown = made.json()
    assert shown["secret"].startswith("whsec_")
    assert shown["address"].endswith(f"/hooks/{InboundHook.objects.get().token}/")
    assert made["Location"] == f"/api/v1/hooks/{shown['id']}/"
    where = f"hooks/{shown['id']}/"
    assert "secret" not in owner.get(where).json()
    assert [row["name"] for row in owner.get("hooks/").json()["results"]] == ["Zapier"]

    tried = owner.post(f"{where}preview/", {"call": {"data": {"title": "Fair"}}})
    assert tried.json() == {"content": {"title": "Fair", "text": "New: Fair"}, "schedule": None}
    assert fields(owner.post(f"{where}preview/", {"call": {"data": {}}})) == {"title": "missing", "text": "missing"}
    assert (ContentItem.objects.count(), HookCall.objects.count()) == (0, 0)

    # what was shown may be sent back as it is
    changed = owner.patch(where, {**owner.get(where).json(), "is_on": False})
    assert (changed.status_code, changed.json()["is_on"], changed.json()["version"]) == (200, False, 2)
    assert owner.patch(where, {"version": 1, "is_on": True}).status_code == 409
    turned = owner.post(f"{where}rotate/").json()
    assert turned["secret"] not in ("", shown["secret"])
    assert owner.delete(where).status_code == 204
    assert owner.get(where).status_code == 404


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": " "}, {"name": "blank"}),
        ({"mapping": {}}, {"mapping.text": "required"}),
        ({"mapping": {"text": {"path": "a..b"}}}, {"mapping.text": "invalid"}),
        ({"mapping": {"text": {"text": "x {a..b}"}}}, {"mapping.text": "invalid"}),
        ({"mapping": {"text": {}}}, {"mapping.text": "invalid"}),
        ({"mapping": {"text": {"text": "x"}, "media": {"path": "a"}}}, {"mapping.media": "unknown"}),
        ({"makes": "schedule", "when": "queue"}, {"accounts": "required"}),
        ({"makes": "schedule", "accounts": [NOBODYS]}, {"accounts": "not_found", "mapping.at": "required"}),
        ({"proof": "header", "header": "Cookie"}, {"header": "invalid"}),
        ({"colour": "red"}, {"colour": "unknown"}),
    ],
)  # fmt: skip
def test_what_a_hook_cannot_be_is_refused(owner, workspace, change, expected):
    assert fields(owner.post("hooks/", {**BODY, **change})) == expected
    assert InboundHook.objects.count() == 0


def test_a_name_is_taken_once(owner, hook):
    assert fields(owner.post("hooks/", BODY)) == {"name": "taken"}


def test_hooks_are_for_those_who_manage_them(people, workspace, hook, now):
    where = f"hooks/{hook.public_id}/"
    token = workspaces.create_token(workspace=workspace, name="t", role="author", actor=ACTOR, now=now)[1]
    for caller in (signed_in(people.author), signed_in(people.viewer), with_token(token)):
        assert caller.get("hooks/").json()["results"] == []
        for method, path in WAYS:
            assert caller.call(method, where + path, {"version": 1}).status_code == 403
        assert caller.post("hooks/", BODY).status_code == 403
    stranger = signed_in(people.stranger)
    for method, path in WAYS:
        assert stranger.call(method, where + path, {"version": 1}).status_code == 404


def test_calls_are_listed_newest_first(owner, hook, now, django_assert_max_num_queries):
    for number in range(3):
        HookCall.objects.create(hook=hook, at=now, status=201, message_id=f"m{number}", body="{}")

    with django_assert_max_num_queries(7):
        found = owner.get(f"hooks/{hook.public_id}/calls/").json()["results"]

    assert [row["message_id"] for row in found] == ["m2", "m1", "m0"]


# ---- the pages


@pytest.fixture
def page(people):
    client = Client()
    client.force_login(people.owner)
    return client


FORM = {"name": "Zapier", "proof": "signature", "makes": "draft", "when": "at", "is_on": "on"}


def test_a_person_makes_a_hook_and_sees_its_secret_once(page, workspace):
    assert b"No hook yet" in page.get(reverse("web:hooks")).content
    made = page.post(reverse("web:hook_new"), {**FORM, "map-title": "{data.title}", "map-text": "New: {data.title}"})

    row = InboundHook.objects.get()
    assert row.mapping == {"title": {"path": "data.title"}, "text": {"text": "New: {data.title}"}}
    assert row.secrets["key"] in made.content.decode()
    assert made["Cache-Control"] == "no-store"
    shown = page.get(reverse("web:hook", args=[row.public_id])).content.decode()
    assert row.secrets["key"] not in shown
    assert "{data.title}" in shown
    assert services.address_of(row) in page.get(reverse("web:hooks")).content.decode()


def test_a_person_tries_a_call_and_nothing_is_stored(page, workspace):
    given = {**FORM, "map-text": "New: {data.title}", "sample": json.dumps({"data": {"title": "Fair"}}), "try": "1"}

    tried = page.post(reverse("web:hook_new"), given)

    assert tried.status_code == 200
    assert b"New: Fair" in tried.content
    assert b"{data.title}" in tried.content
    assert (InboundHook.objects.count(), ContentItem.objects.count()) == (0, 0)
    assert page.post(reverse("web:hook_new"), {**given, "sample": "no"}).status_code == 422
    missing = page.post(reverse("web:hook_new"), {**given, "sample": "{}"})
    assert missing.status_code == 422
    assert b"The call has no data.title" in missing.content


def test_a_person_saves_turns_and_removes_a_hook(page, hook):
    where = reverse("web:hook", args=[hook.public_id])
    given = {**FORM, "name": "Make", "map-link": "{url}", "version": "1"}
    assert page.post(where, given).status_code == 303
    hook.refresh_from_db()
    assert (hook.name, hook.mapping) == ("Make", {"link": {"path": "url"}})
    assert page.post(where, {**given, "name": "Late"}).status_code == 422  # of the version before
    old = hook.secrets["key"]
    turned = page.post(reverse("web:hook_act", args=[hook.public_id, "rotate"])).content.decode()
    hook.refresh_from_db()
    assert hook.secrets["key"] != old
    assert hook.secrets["key"] in turned
    assert page.post(reverse("web:hook_act", args=[hook.public_id, "dance"])).status_code == 404
    page.post(reverse("web:hook_act", args=[hook.public_id, "remove"]))
    assert InboundHook.objects.count() == 0


@pytest.mark.parametrize("name", ["hooks", "hook_new", "hook"])
def test_the_pages_are_for_those_who_manage_hooks(people, hook, name, django_assert_max_num_queries):
    where = reverse(f"web:{name}", args=[hook.public_id] if name == "hook" else [])
    client = Client()
    assert client.get(where).status_code == 302
    for person, expected in ((people.author, 403), (people.stranger, 404 if name == "hook" else 200)):
        client.force_login(person)
        assert client.get(where).status_code == expected
    client.force_login(people.owner)
    with django_assert_max_num_queries(10):
        response = client.get(where)
    assert response.content.count(b"<h1") == 1
    assert b" style=" not in response.content
