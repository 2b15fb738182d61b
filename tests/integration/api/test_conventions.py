"""What holds for every address: once for each key, only on what was looked at, within a rate, only what was asked for."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, connections
from rest_framework.generics import GenericAPIView

from alwrity_scheduler.core import clock
from alwrity_scheduler.workspaces import services as workspaces
from platforms.models import PlatformAccount
from schedules.api import urls
from schedules.api.views.door import Door
from schedules.models import ContentItem, IdempotencyKey, Schedule
from schedules.services import pruning
from tests.integration.api.callers import Caller, fields, with_token
from tests.people import ACTOR, People

pytestmark = pytest.mark.django_db


@pytest.fixture
def token_secret(people: People, now: datetime) -> str:
    return workspaces.create_token(workspace=people.workspace, name="n8n", role="author", actor=ACTOR, now=now)[1]


def key(caller: Caller, name: str) -> None:
    caller.client.credentials(**{**caller.client._credentials, "HTTP_IDEMPOTENCY_KEY": name})


def test_a_post_sent_again_with_its_key_gets_the_first_answer(callers: dict[str, Caller], body: dict[str, Any]) -> None:
    key(callers["token"], "k-1")

    first, second = (callers["token"].post("schedules/", body) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert (first["Location"], first["ETag"]) == (second["Location"], second["ETag"])
    assert Schedule.objects.count() == 1


def test_a_key_belongs_to_its_caller(callers: dict[str, Caller], people: People) -> None:
    for who in ("token", "foreign_token"):
        key(callers[who], "k-1")
        assert callers[who].post("content/", {"text": who}).status_code == 201
    assert ContentItem.objects.count() == 2


def test_a_key_sent_with_another_request_is_refused(callers: dict[str, Caller], people: People) -> None:
    key(callers["token"], "k-1")
    callers["token"].post("content/", {"text": "One"})

    answer = callers["token"].post("content/", {"text": "Two"})

    assert answer.status_code == 422
    assert fields(answer) == {"Idempotency-Key": "idempotency_key_reused"}
    assert ContentItem.objects.count() == 1


def test_after_a_refusal_the_key_is_free(callers: dict[str, Caller], people: People) -> None:
    key(callers["token"], "k-1")

    assert callers["token"].post("content/", {"txt": "Two"}).status_code == 422
    assert not IdempotencyKey.objects.exists()
    assert callers["token"].post("content/", {"text": "Two"}).status_code == 201


@pytest.mark.parametrize(("reaches_out", "seconds", "code", "made"), [
    (False, 1, "idempotency_in_flight", 0),
    (True, 1, "idempotency_in_flight", 0),
    # its process died: nothing was kept of it
    (False, 100, None, 1),
    # … or something may be out in the world
    (True, 100, "idempotency_outcome_unknown", 0),
])  # fmt: skip
def test_a_key_that_is_held(
    callers: dict[str, Caller], people: People, reaches_out: bool, seconds: int, code: str | None, made: int
) -> None:
    key(callers["token"], "k-1")
    callers["token"].post("content/", {"text": "One"})
    ContentItem.objects.all().delete()
    held_until = clock.now() + timedelta(seconds=90 - seconds)
    IdempotencyKey.objects.update(status=0, holder="another", held_until=held_until, reaches_out=reaches_out)

    answer = callers["token"].post("content/", {"text": "One"})

    assert answer.status_code == (409 if code else 201)
    if code:
        assert fields(answer) == {"Idempotency-Key": code}
    if code == "idempotency_in_flight":
        assert answer["Retry-After"] == "1"
    assert ContentItem.objects.count() == made


def test_a_key_is_plain_and_old_ones_go(callers: dict[str, Caller], people: People) -> None:
    for malformed in ("two words", ""):
        key(callers["token"], malformed)
        assert fields(callers["token"].post("content/", {"text": "One"})) == {"Idempotency-Key": "malformed"}
    key(callers["token"], '"quoted"')
    callers["token"].post("content/", {"text": "One"})
    assert IdempotencyKey.objects.get().key == "quoted"
    # what was answered may hold a secret that is shown once
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM schedules_idempotencykey")
        assert "One" not in cursor.fetchone()[0]

    pruning.prune(now=clock.now() + timedelta(hours=25))

    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_post_twenty_times_at_once_makes_one_row(people: People, token_secret: str) -> None:
    statuses: list[int] = []
    start = threading.Barrier(20)

    def send() -> None:
        caller = with_token(token_secret)
        key(caller, "at-once")
        start.wait()
        statuses.append(caller.post("content/", {"text": "Once"}).status_code)
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ContentItem.objects.count() == 1
    assert set(statuses) <= {201, 409}
    assert 201 in statuses


@pytest.mark.django_db(transaction=True)
def test_fifty_clients_racing_edits_never_lose_one(schedule: Schedule, token_secret: str) -> None:
    """Each adds a tag of its own to those it saw. An edit that was answered 200 is there at the end."""
    path = f"schedules/{schedule.public_id}/"
    won: list[str] = []
    failed: list[Any] = []
    start = threading.Barrier(50)

    def edit(number: int) -> None:
        caller = with_token(token_secret)
        start.wait()
        seen = caller.get(path)
        caller.client.credentials(**{**caller.client._credentials, "HTTP_IF_MATCH": seen["ETag"]})
        answer = caller.patch(path, {"tags": [*seen.json()["tags"], f"t{number}"]})
        if answer.status_code == 200:
            won.append(f"t{number}")
        elif answer.status_code != 412:
            failed.append(answer.content)
        connections.close_all()

    threads = [threading.Thread(target=edit, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    schedule.refresh_from_db()
    assert failed == []
    assert won
    assert sorted(schedule.tags) == sorted(won)


def test_a_change_names_what_it_was_made_from(callers: dict[str, Caller], schedule: Schedule) -> None:
    path, token = f"schedules/{schedule.public_id}/", callers["token"]
    seen = token.get(path)["ETag"]
    changed = token.client.patch("/api/v1/" + path, {"tags": ["a"]}, format="json", HTTP_IF_MATCH=seen)
    late = token.client.post(f"/api/v1/{path}pause/", {}, format="json", HTTP_IF_MATCH=seen)

    assert (changed.status_code, late.status_code) == (200, 412)
    assert fields(late) == {"If-Match": "precondition_failed"}
    assert changed["ETag"] == token.get(path)["ETag"] != seen
    paused = token.client.post(f"/api/v1/{path}pause/", {}, format="json", HTTP_IF_MATCH=changed["ETag"])
    assert paused.status_code == 200
    schedule.refresh_from_db()
    assert (schedule.state, schedule.tags) == ("paused", ["a"])


def test_an_account_is_tested_only_as_it_was_seen(callers: dict[str, Caller], account: PlatformAccount) -> None:
    path = f"/api/v1/accounts/{account.public_id}/test/"
    answer = callers["token"].client.post(path, {}, format="json", HTTP_IF_MATCH='"another"')
    assert answer.status_code in (403, 412)
    answer = callers["owner"].client.post(path, {}, format="json", HTTP_IF_MATCH='"another"')
    assert answer.status_code == 412


def test_only_the_fields_that_were_asked_for(callers: dict[str, Caller], schedule: Schedule) -> None:
    token = callers["token"]
    listed = token.get("schedules/", fields="id,content.title").json()["results"]
    one = token.get(f"schedules/{schedule.public_id}/", fields="state").json()

    assert listed == [{"id": str(schedule.public_id), "content": {"title": schedule.content.title}}]
    assert one == {"state": schedule.state}
    refused = token.get("schedules/", fields="id,nonsense")
    assert (refused.status_code, fields(refused)) == (422, {"fields": "unknown"})


def test_lists_in_another_order(callers: dict[str, Caller], people: People) -> None:
    for text in ("a", "b", "c"):
        callers["token"].post("content/", {"text": text})

    def texts(**query: Any) -> list[str]:
        return [row["text"] for row in callers["token"].get("content/", **query).json()["results"]]

    assert texts() == texts(ordering="-created") == ["c", "b", "a"]
    assert texts(ordering="created") == ["a", "b", "c"]
    assert fields(callers["token"].get("content/", ordering="text")) == {"ordering": "invalid"}


def test_a_caller_is_told_its_rate_and_stopped_at_its_end(
    callers: dict[str, Caller], people: People, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    settings.API_RATE_LIMIT, settings.API_RATE_LIMIT_ANONYMOUS = 2, 1
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 12, 1, 9, 0, 20, tzinfo=UTC))

    answers = [callers["viewer"].get("content/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert {answer["RateLimit-Limit"] for answer in answers} == {"2"}
    assert answers[2]["Retry-After"] == answers[2]["RateLimit-Reset"] == "40"
    assert answers[0]["RateLimit-Policy"] == "2;w=60"
    # others have their own, and who is nobody has one too
    assert callers["author"].get("content/").status_code == 200
    assert [callers["nobody"].get("content/").status_code for _ in range(2)] == [401, 429]
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 12, 1, 9, 1, 0, tzinfo=UTC))
    assert callers["viewer"].get("content/").status_code == 200


@pytest.mark.parametrize(("scopes", "reads", "writes"), [
    ([], 200, 201), (["content:read"], 200, 403), (["content:write"], 200, 201), (["jobs:write"], 403, 403),
])  # fmt: skip
def test_a_token_does_what_its_scopes_say(people: People, scopes: list[str], reads: int, writes: int) -> None:
    row, secret = workspaces.create_token(
        workspace=people.workspace, name="narrow", role="author", actor=ACTOR, now=clock.now()
    )
    row.scopes = scopes
    row.save(update_fields=["scopes"])
    caller = with_token(secret)

    assert caller.get("content/").status_code == reads
    answer = caller.post("content/", {"text": "Hi"})
    assert answer.status_code == writes
    if writes == 403:
        assert fields(answer) == {"scope": "insufficient_scope"}
    # looking is reading, though it is a POST
    check = caller.post("content/check/", {"content": {"text": "Hi"}, "accounts": []})
    assert check.status_code == (403 if reads == 403 else check.status_code)
    if reads == 200:
        assert check.status_code != 403


def test_every_change_of_a_row_knows_what_an_if_match_is_about() -> None:
    views = {entry.callback.cls for entry in urls.urlpatterns if "public_id" in str(entry.pattern)}
    changing = {view for view in views if {"post", "put", "patch", "delete"} & set(vars(view)) or hasattr(view, "act")}
    assert len(changing) > 50
    for view in changing:
        own_rows = view.get_queryset is not GenericAPIView.get_queryset
        assert own_rows or view.current is not Door.current, view


@pytest.mark.parametrize(
    ("path", "query"),
    [("jobs/", "schedule="), ("jobs/", "ordering="), ("accounts/", "group="), ("content/", "content_type="),
     ("jobs/export/", "state="), ("schedules/", "runs_since="), ("jobs/", "error_class=,,"), ("jobs/", "state=failed,")],
)  # fmt: skip
def test_a_parameter_without_a_value_is_refused_unless_it_is_text(api: Caller, path: str, query: str) -> None:
    """A program that lost the id it meant to send would otherwise be given everything."""
    name = query.partition("=")[0]
    assert fields(api.get(f"{path}?{query}")) == {name: "blank"}
    assert api.get(f"{path.removesuffix('export/')}?q=&fields=").status_code == 200


@pytest.mark.parametrize("moment", ["0118-02-07T02:56:13+19:19", "2026-11-26T09:43:44-21:02", "9999-12-31T23:00:00Z"])
def test_a_time_is_an_instant_whatever_its_offset(api: Caller, moment: str) -> None:
    """PostgreSQL knows offsets of less than 16 hours; Python those of less than a day."""
    quoted = moment.replace("+", "%2B")
    for path in ("jobs/?since=", "jobs/?until=", "schedules/?runs_since=", "audit/?since=", "events/?until="):
        assert api.get(f"{path}{quoted}").status_code == 200, path
    assert fields(api.get("jobs/?since=0001-01-01T00:00:00%2B10:00")) == {"since": "invalid"}


def test_the_largest_version_there_could_be_is_out_of_date_too(api: Caller, schedule: Schedule) -> None:
    most = 2**31 - 1
    for path in (f"content/{schedule.content.public_id}/", f"schedules/{schedule.public_id}/"):
        assert fields(api.patch(path, {"version": most})) == {"version": "stale"}, path
