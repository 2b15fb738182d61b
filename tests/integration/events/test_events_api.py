"""The list of events, their kinds, and the stream as far as it needs no server."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from jsonschema import Draft202012Validator

from alwrity_scheduler.workspaces import services as workspaces
from alwrity_scheduler.workspaces.models import ApiToken, Membership
from schedules.events import stream
from schedules.events.catalogue import event_types, staying
from schedules.events.hub import hub
from schedules.web.context import STREAM
from tests.integration.api.callers import fields, signed_in
from tests.people import ACTOR, make_schedule

pytestmark = pytest.mark.django_db


def rename(workspace, now, *names):
    for name in names:
        workspaces.update_workspace(workspace=workspace, name=name, timezone="Europe/Berlin", actor=ACTOR, now=now)


def listened(response):
    """(last id, the events) of a stream that ends by itself."""
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "text/event-stream; charset=utf-8"
    blocks = b"".join(response.streaming_content).decode().strip().split("\n\n")
    lines = [dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")) for block in blocks]
    return lines[-1]["id"], [json.loads(line["data"]) for line in lines if "data" in line]


@pytest.fixture
def full(settings):
    """As many listen as may."""
    settings.STREAM = {"most": 0, "seconds": 900}


def test_events_are_listed_newest_first_and_as_their_schema_says(
    api, workspace, account, now, django_assert_max_num_queries
):
    make_schedule(workspace, [account], now)
    rename(workspace, now, "Team One")

    # the first use of a token is written down
    api.get("me/")
    with django_assert_max_num_queries(3):
        found = api.get("events/", page_size=3).json()

    assert [event["type"] for event in found["results"]] == [
        "workspace.changed",
        "schedule.created",
        "content.created",
    ]
    for event in found["results"]:
        described = api.get(f"event-types/{event['type']}/schema/").json()
        Draft202012Validator(described).validate(event)
        assert event["data"]["workspace"] == str(workspace.public_id)
    assert api.client.get(found["next"]).json()["results"][0]["type"] == "account.connected"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"type": "content.created"}, {"content.created"}),
        ({"type": "content.*,workspace.changed"}, {"content.created", "workspace.changed"}),
        ({"object": "workspace"}, {"workspace.created", "workspace.changed", "member.role_set"}),
        ({"object": "workspace:nobody"}, set()),
        ({"since": "2026-11-23T08:00:00Z", "type": "job.*"}, set()),
        ({"until": "2026-11-23T08:00:00Z"}, set()),
    ],
)
def test_events_can_be_narrowed(api, workspace, account, now, query, expected):
    make_schedule(workspace, [account], now)
    rename(workspace, now, "Team One")

    assert {event["type"] for event in api.get("events/", **query).json()["results"]} == expected


def test_a_kind_of_event_that_there_is_not_is_refused(api):
    assert fields(api.get("events/", type="job.danced")) == {"type": "unknown"}
    assert fields(api.get("events/stream", types="job.danced")) == {"types": "unknown"}
    assert api.get("event-types/job.danced/schema/").status_code == 404


def test_the_kinds_are_listed(api):
    listed = api.get("event-types/").json()["results"]

    assert [kind["name"] for kind in listed] == sorted(set(event_types) - set(staying()))
    circuits = api.get("event-types/", group="circuit").json()["results"]
    assert circuits[1] == {
        "name": "circuit.opened",
        "group": "circuit",
        "description": "A platform does not answer: its posts wait.",
        "objects": ["account", "service"],
        "schema_url": "/api/v1/event-types/circuit.opened/schema/",
    }
    assert api.client.get(circuits[1]["schema_url"])["Content-Type"] == "application/schema+json"


def test_strangers_hear_nothing_of_it(stranger, people, workspace, now, full):
    rename(workspace, now, "Secret plans")

    assert {event["data"]["workspace"] for event in stranger.get("events/").json()["results"]} == {
        str(people.other_workspace.public_id)
    }
    assert fields(stranger.get("events/stream", workspace=workspace.slug)) == {"workspace": "not_found"}
    # the place of a chain that is not theirs leads nowhere
    _id, heard = listened(stranger.get("events/stream", last_event_id=f"{workspace.pk}-0"))
    assert heard == []


def test_somebody_in_no_workspace_is_told_so(people):
    Membership.objects.filter(user=people.viewer).delete()

    response = signed_in(people.viewer).get("events/stream")

    assert response.status_code == 403
    assert fields(response) == {"workspace": "not_allowed"}


def test_the_stream_goes_on_where_it_ended(api, workspace, now, full):
    first, heard = listened(api.get("events/stream"))
    assert heard == []
    rename(workspace, now, "One", "Two")

    second, heard = listened(api.client.get("/api/v1/events/stream", HTTP_LAST_EVENT_ID=first))
    assert [event["data"]["after"]["name"] for event in heard] == ["One", "Two"]
    third, heard = listened(api.get("events/stream", last_event_id=second))
    assert (third, heard) == (second, [])
    assert heard == []
    # whoever comes with nothing gets nothing of the past, and whoever missed more than is kept gets it all the same
    assert len(listened(api.get("events/stream", last_event_id=f"{workspace.pk}-0"))[1]) > 4


def test_the_place_moves_on_past_what_was_not_asked_for(api, workspace, account, now, full):
    first, _ = listened(api.get("events/stream"))
    make_schedule(workspace, [account], now)
    rename(workspace, now, "One")

    second, heard = listened(api.get("events/stream", last_event_id=first, types="schedule.*"))

    assert [event["type"] for event in heard] == ["schedule.created"]
    assert listened(api.get("events/stream", last_event_id=second)) == (second, [])


def test_what_stays_here_is_no_event(people, workspace, now, full):
    """The history holds it; the list, the stream and the kinds do not, not even for an administrator."""
    people.owner.is_superuser = True
    people.owner.save()
    caller = signed_in(people.owner)
    first, _ = listened(caller.get("events/stream"))
    workspaces.update_person(person=people.author, actor=ACTOR, now=now, theme="dark")

    assert caller.get("audit/").json()["results"][0]["action"] == "person.settings_changed"
    assert caller.get("events/").json()["results"][0]["type"] != "person.settings_changed"
    place, heard = listened(caller.get("events/stream", last_event_id=first))
    assert (heard, place != first) == ([], True)
    assert caller.get("event-types/person.settings_changed/schema/").status_code == 404
    assert fields(caller.get("events/", type="person.*")) == {"type": "unknown"}


@pytest.mark.parametrize("place", ["x", "1", "1-", "1-2-3", "1-2.", "-", "1-9999999999999999999999"])
def test_a_place_that_is_none_is_refused(api, place):
    assert fields(api.get("events/stream", last_event_id=place)) == {"last_event_id": "invalid"}


def test_an_administrator_of_many_workspaces_says_which(people, monkeypatch, workspace, full):
    people.owner.is_superuser = True
    people.owner.save()
    caller = signed_in(people.owner)
    monkeypatch.setattr(stream, "MOST_CHAINS", 2)

    assert fields(caller.get("events/stream")) == {"workspace": "required"}
    assert listened(caller.get("events/stream", workspace=workspace.slug))[0].startswith(f"{workspace.pk}-")


@pytest.mark.parametrize("ending", ["left", "signed out", "token revoked", "deactivated"])
def test_whoever_may_no_longer_listen_is_let_go(people, api, workspace, now, monkeypatch, ending):
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr(stream, "CHECK_SECONDS", 0.0)
    caller = api if ending == "token revoked" else signed_in(people.viewer)
    chunks = iter(caller.get("events/stream").streaming_content)
    assert next(chunks).startswith(b"retry: 3000\nid: ")
    assert next(chunks) == b":\n\n"  # it goes on
    assert next(chunks) == b":\n\n"

    if ending == "left":
        Membership.objects.filter(user=people.viewer).delete()
    elif ending == "signed out":
        caller.client.logout()
    elif ending == "token revoked":
        workspaces.revoke_token(token=ApiToken.objects.get(), actor=ACTOR, now=now)
    else:
        people.viewer.is_active = False
        people.viewer.save()

    assert len(list(chunks)) <= 1
    assert hub.count == 0


def test_a_stream_has_an_end(api, monkeypatch, settings):
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.01)
    settings.STREAM = {"most": 4, "seconds": 0}

    assert len(list(api.get("events/stream").streaming_content)) == 2
    assert hub.count == 0


def test_somebody_of_some_accounts_is_shown_what_they_may_see(people, workspace, now, full):
    """Not what the hub has read for all."""
    asked = []
    person = people.viewer
    person.is_limited = True
    session = stream.open_session(
        person, workspace=workspace, types=frozenset(), last_id=f"{workspace.pk}-0", still=lambda: person
    )
    hub_after, hub.after = hub.after, lambda *place: asked.append(place)
    try:
        assert len(list(session.chunks())) > 2
    finally:
        hub.after = hub_after
    assert asked == []


def test_the_pages_know_the_streams_address(settings, people, client):
    assert reverse("api:event_stream") == STREAM
    client.force_login(people.owner)

    assert f'data-stream="{STREAM}?workspace={people.workspace.public_id}"' in client.get("/app/").content.decode()
    settings.STREAM = {"most": 0, "seconds": 900}
    assert "data-stream" not in client.get("/app/").content.decode()
