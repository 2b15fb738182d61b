"""Jobs: narrowed lists, attempts with what the platform said, and a person's verbs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from schedules.models import Attempt, AuditLog, Job
from tests.integration.api.callers import Caller, fields
from tests.people import People, make_account, make_schedule


def test_a_job_shows_every_attempt(api: Caller, job: Job, after: Callable[..., datetime]) -> None:
    common = {"job": job, "idempotency_key": "k", "worker": "w"}
    Attempt.objects.create(
        **common,
        no=1,
        started_at=after(hours=1),
        called_at=after(hours=1),
        finished_at=after(hours=1, milliseconds=250),
        outcome="failed",
        error_class="unavailable",
        message="The platform is down.",
        status_code=503,
        response={"error": "down"},
        request={"text": "secret plan"},
    )
    Attempt.objects.create(**common, no=2, started_at=after(hours=1, minutes=1))

    shown = api.get(f"jobs/{job.public_id}/").json()

    assert (shown["scheduled_for"], shown["scheduled_for_local"], shown["timezone"]) == (
        "2026-11-23T09:00:00Z",
        "2026-11-23T09:00:00+00:00",
        "UTC",
    )
    assert (shown["title"], shown["account"]["name"], shown["state"], shown["state_label"]) == (
        "A title",
        "News",
        "pending",
        "Scheduled",
    )
    first, second = shown["attempts"]
    assert (first["no"], first["outcome"], first["status_code"], first["message"]) == (
        1,
        "failed",
        503,
        "The platform is down.",
    )
    assert (first["response"], first["duration_ms"], first["called_at"]) == (
        {"error": "down"},
        250,
        "2026-11-23T09:00:00Z",
    )
    assert (second["no"], second["outcome"], second["duration_ms"], second["finished_at"]) == (
        2,
        "",
        None,
        None,
    )
    assert "request" not in first


def test_the_list_is_narrowed(
    api: Caller, job: Job, people: People, after: Callable[..., datetime], now: datetime
) -> None:
    other = make_account(people.workspace, now, name="Blog")
    later = Job.objects.get(schedule=make_schedule(people.workspace, [other], after(hours=5)))
    Job.objects.filter(pk=later.pk).update(state="failed")

    def found(**query: str) -> list[str]:
        answer = api.get("jobs/", **query)
        assert answer.status_code == 200, answer.json()
        return [row["id"] for row in answer.json()["results"]]

    first, second = str(job.public_id), str(later.public_id)
    assert found() == [second, first]
    assert found(state="failed") == [second]
    assert found(state="failed,pending") == [second, first]
    assert found(account=str(other.public_id)) == [second]
    assert found(schedule=str(job.schedule.public_id)) == [first]
    # half-open: `since` is in, `until` is out
    assert found(since="2026-11-23T09:00:00Z", until="2026-11-23T13:00:00Z") == [first]
    assert found(since="2026-11-23T10:00:00+01:00", until="2026-11-23T14:00:01+01:00") == [second, first]
    assert found(since="2026-11-24") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"state": "asleep"}, {"state": "invalid_choice"}),
        ({"account": "7"}, {"account": "invalid"}),
        ({"since": "yesterday"}, {"since": "invalid"}),
        ({"stat": "failed"}, {"stat": "unknown"}),
        ({"workspace": "elsewhere"}, {"workspace": "not_found"}),
    ],
)
def test_a_filter_that_is_none_is_refused(
    api: Caller, people: People, query: dict[str, str], expected: dict[str, str]
) -> None:
    answer = api.get("jobs/", **query)

    assert (answer.status_code, fields(answer)) == (422, expected)


# verb, body, states from which it goes, the state it leads to, the fact it tells
VERBS = (
    ("cancel", {}, ("pending", "blocked"), "cancelled", "job.cancelled"),
    ("retry", {}, ("failed", "missed", "cancelled"), "pending", "job.retried"),
    ("run-now", {}, ("pending",), "pending", "job.run_now"),
    ("confirm", {"remote_url": "https://example.com/1"}, ("unconfirmed",), "completed", "job.completed"),
    ("publish-again", {}, ("unconfirmed",), "pending", "job.retried"),
    ("dismiss", {}, ("unconfirmed",), "failed", "job.failed"),
)


@pytest.mark.parametrize(
    ("verb", "body", "old", "new", "fact"),
    [(verb, body, old, new, fact) for verb, body, olds, new, fact in VERBS for old in olds],
)
def test_a_verb_moves_the_job(
    api: Caller, job: Job, verb: str, body: dict[str, str], old: str, new: str, fact: str
) -> None:
    Job.objects.filter(pk=job.pk).update(state=old)

    answer = api.post(f"jobs/{job.public_id}/{verb}/", body)

    assert (answer.status_code, answer.json()["state"]) == (200, new)
    row = AuditLog.objects.of("job", job.public_id).first()
    assert row is not None
    assert (row.action, row.actor_kind) == (fact, "token")


@pytest.mark.parametrize(("verb", "body", "olds"), [row[:3] for row in VERBS])
def test_a_verb_at_the_wrong_time_is_refused(
    api: Caller, job: Job, verb: str, body: dict[str, str], olds: tuple[str, ...]
) -> None:
    for state in {"pending", "completed", "unconfirmed", "failed"} - set(olds):
        # a completed job has its address at the platform
        Job.objects.filter(pk=job.pk).update(state=state, remote_id="1")

        answer = api.post(f"jobs/{job.public_id}/{verb}/", body)

        assert (answer.status_code, fields(answer)) == (409, {"state": "invalid"})


def test_a_confirmation_needs_the_address(api: Caller, job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(state="unconfirmed")
    path = f"jobs/{job.public_id}/confirm/"

    assert fields(api.post(path)) == {"remote_url": "required"}
    assert fields(api.post(path, {"remote_url": "over there"})) == {"remote_url": "invalid"}
    done = api.post(path, {"remote_url": "https://example.com/1"}).json()
    assert (done["state"], done["remote_url"]) == ("completed", "https://example.com/1")


def test_jobs_are_narrowed_as_the_monitor_narrows_them(
    api: Caller, people: People, account: Any, now: datetime
) -> None:
    other = make_account(people.workspace, now, name="Elsewhere")
    made = make_schedule(people.workspace, [other], now, text="Lantern")
    Job.objects.filter(schedule=made).update(state="failed", error_class="auth")
    make_schedule(people.workspace, [account], now)

    for query in ({"q": "lantern"}, {"error_class": "auth,rejected"}, {"account": str(other.public_id)}):
        assert [row["state"] for row in api.get("jobs/", **query).json()["results"]] == ["failed"], query
    assert api.get("jobs/", platform="nowhere").json()["results"] == []
    assert api.get("jobs/", content_type="article").json()["results"] == []
    assert len(api.get("jobs/", platform="sandbox", content_type="post").json()["results"]) == 2
    assert list(fields(api.get("jobs/", error_class="made-up"))) == ["error_class"]


def test_many_jobs_are_answered_one_by_one(
    api: Caller, callers: dict[str, Caller], people: People, account: Any, now: datetime
) -> None:
    failed, waiting = (Job.objects.get(schedule=make_schedule(people.workspace, [account], now)) for _ in range(2))
    Job.objects.filter(pk=failed.pk).update(state="failed", error_class="auth")
    body = {"verb": "retry", "ids": [str(failed.public_id), str(waiting.public_id)]}

    assert callers["viewer"].post("jobs/bulk/", body).status_code == 403
    answer = api.post("jobs/bulk/", body).json()

    assert (answer["matched_count"], answer["done_count"], answer["refused_count"]) == (2, 1, 1)
    told = {row["id"]: row for row in answer["results"]}
    assert told[str(failed.public_id)]["state"] == "pending"
    assert "Only a failed, missed or cancelled post" in told[str(waiting.public_id)]["errors"][0]["message"]


def test_a_filter_means_what_the_verb_can_be_done_to_and_a_slip_does_nothing(
    api: Caller, people: People, account: Any, now: datetime
) -> None:
    failed, waiting = (Job.objects.get(schedule=make_schedule(people.workspace, [account], now)) for _ in range(2))
    Job.objects.filter(pk=failed.pk).update(state="failed")

    assert fields(api.post("jobs/bulk/", {"verb": "cancel", "filter": {"acount": "x"}})) == {"filter.acount": "unknown"}
    assert fields(api.post("jobs/bulk/", {"verb": "cancel", "filter": {"state": "gone"}})) == {
        "filter.state": "invalid"
    }
    assert fields(api.post("jobs/bulk/", {"verb": "cancel"})) == {"ids": "required"}
    assert api.post("jobs/bulk/", {"verb": "cancel", "filter": {}}).json()["done_count"] == 1
    states = dict(Job.objects.values_list("pk", "state"))
    assert states == {failed.pk: "failed", waiting.pk: "cancelled"}
