"""The recovery desk of the API: what needs a person, why, what each verb does; single verbs and many at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schedules.models import Attempt, AuditLog, Job, JobCheck
from tests.engine import ScriptedAdapter
from tests.integration.api.callers import Caller, fields
from tests.people import People, make_account, make_schedule


@pytest.fixture
def on_desk(people: People, account: Any, now: datetime) -> Callable[..., Job]:
    """`on_desk("failed", reason="rejected")`: a post of yesterday in that state."""

    def put(state: str, *, reason: str = "", of: Any = None, **values: Any) -> Job:
        made = make_schedule(people.workspace, [of or account], now - timedelta(days=1))
        job = Job.objects.get(schedule=made)
        Job.objects.filter(pk=job.pk).update(state=state, reason=reason, **values)
        job.refresh_from_db()
        return job

    return put


def test_the_desk_says_what_happened_what_is_known_and_what_each_verb_does(
    api: Caller, on_desk: Callable[..., Job], now: datetime
) -> None:
    job = on_desk("failed", reason="rejected", attempt_count=1, error_message="Refused.")
    Attempt.objects.create(
        job=job, no=1, idempotency_key="k", worker="w", started_at=now, finished_at=now, outcome="rejected",
        status_code=422, message="Refused.", response={"platform_message": "Too long by 3"},
    )  # fmt: skip

    (row,) = api.get("recovery/").json()["results"]

    assert (row["id"], row["cause"], row["cause_label"]) == (str(job.public_id), "failed", "Failed")
    assert row["what_happened"] == (
        "The platform refused the post. It was not published, and is not tried again by itself."
    )
    assert row["known"] == [
        {"words": "It was due", "at": "2026-11-22T08:00:00Z", "at_local": "2026-11-22T08:00:00+00:00"},
        {"words": "1 attempt was made; the schedule allows 5 in a row.", "at": None, "at_local": None},
        {
            "words": "The last answer: “Too long by 3” (HTTP 422)",
            "at": "2026-11-23T08:00:00Z",
            "at_local": "2026-11-23T08:00:00+00:00",
        },
    ]
    assert [item["verb"] for item in row["verbs"]] == ["retry", "reslot", "discard"]
    assert row["verbs"][2] == {
        "verb": "discard", "label": "Discard", "effect": "Ends it: it is not published. You can undo this.",
    }  # fmt: skip
    assert [item["outcome"] for item in row["attempts"]] == ["rejected"]


def test_the_desk_is_narrowed_and_paged(
    api: Caller, on_desk: Callable[..., Job], people: People, now: datetime
) -> None:
    other = make_account(people.workspace, now, name="Blog")
    ids = {
        "failed": on_desk("failed", reason="exhausted"),
        "missed": on_desk("missed", reason="too_late"),
        "unconfirmed": on_desk("unconfirmed", of=other),
        "sign_in": on_desk("blocked", reason="auth"),
        "on_hold": on_desk("blocked", reason="schedule_paused"),
    }
    on_desk("failed", reason="by_person")
    on_desk("completed", remote_id="1")

    def found(**query: str) -> list[str]:
        answer = api.get("recovery/", **query)
        assert answer.status_code == 200, answer.json()
        return [row["id"] for row in answer.json()["results"]]

    for cause, job in ids.items():
        assert found(cause=cause) == [str(job.public_id)]
    assert len(found()) == 5
    assert found(account=str(other.public_id)) == [str(ids["unconfirmed"].public_id)]
    assert found(q="no such words") == []
    assert len(found(q="a title", workspace="team")) == 5
    first = api.get("recovery/", page_size="2").json()
    assert (len(first["results"]), bool(first["next"])) == (2, True)
    assert fields(api.get("recovery/", cause="bored")) == {"cause": "invalid_choice"}
    assert fields(api.get("recovery/", state="failed")) == {"state": "unknown"}


def test_the_desk_asks_no_query_a_row(api: Caller, on_desk: Callable[..., Job], django_assert_num_queries: Any) -> None:
    on_desk("unconfirmed", reason="unknown")
    api.get("recovery/")  # the first call of a token notes when it was used
    with django_assert_num_queries(3):
        api.get("recovery/")
    for _ in range(5):
        on_desk("unconfirmed", reason="unknown")
        on_desk("failed", reason="exhausted")

    with django_assert_num_queries(3):
        assert len(api.get("recovery/").json()["results"]) == 11


def test_a_post_gets_a_new_time_in_its_schedules_zone(api: Caller, people: People, account: Any, now: datetime) -> None:
    made = make_schedule(
        people.workspace, [account], now, timezone="Europe/Berlin", start_local=datetime(2026, 11, 24, 9)
    )
    job = Job.objects.get(schedule=made)
    Job.objects.filter(pk=job.pk).update(state="missed", reason="too_late")

    shown = api.post(f"jobs/{job.public_id}/reslot/", {"at": "2026-12-01T09:00:00"}).json()

    assert (shown["state"], shown["scheduled_for"], shown["scheduled_for_local"]) == (
        "pending",
        "2026-12-01T08:00:00Z",
        "2026-12-01T09:00:00+01:00",
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"at": "required"}),
        ({"at": None}, {"at": "null"}),
        ({"at": "tomorrow"}, {"at": "invalid"}),
        ({"at": "2026-11-23T08:00:00"}, {"at": "invalid"}),
        ({"at": "9999-12-31T23:00:00"}, {"at": "invalid"}),
        ({"at": "0001-01-01T00:00:00"}, {"at": "invalid"}),
        ({"at": "9999-12-31T23:00:00-12:00"}, {"at": "invalid"}),
        ({"at": "2026-12-01T09:00:00", "timezone": "Mars"}, {"timezone": "invalid"}),
        ({"at": "2026-12-01T09:00:00", "to": "x"}, {"to": "unknown"}),
    ],
)
def test_a_new_time_that_is_none_is_refused_at_its_field(
    api: Caller, on_desk: Callable[..., Job], body: dict[str, Any], expected: dict[str, str]
) -> None:
    answer = api.post(f"jobs/{on_desk('failed').public_id}/reslot/", body)

    assert (answer.status_code, fields(answer)) == (422, expected)


def test_an_unconfirmed_post_gets_a_new_time_only_after_somebody_looked(
    api: Caller, on_desk: Callable[..., Job]
) -> None:
    path, at = f"jobs/{on_desk('unconfirmed').public_id}/reslot/", "2026-12-01T09:00:00Z"

    assert fields(api.post(path, {"at": at})) == {"seen_absent": "required"}
    assert api.post(path, {"at": at, "seen_absent": True}).json()["state"] == "pending"


def test_discard_and_undo(api: Caller, on_desk: Callable[..., Job]) -> None:
    job = on_desk("missed", reason="too_late")

    assert api.post(f"jobs/{job.public_id}/discard/").json()["state"] == "cancelled"
    undone = api.post(f"jobs/{job.public_id}/undo/").json()
    assert (undone["state"], undone["reason"]) == ("missed", "too_late")
    assert fields(api.post(f"jobs/{job.public_id}/undo/")) == {"state": "invalid"}


def test_look_again_plans_a_look_up(api: Caller, on_desk: Callable[..., Job]) -> None:
    job = on_desk("unconfirmed")

    assert api.post(f"jobs/{job.public_id}/look-again/").status_code == 200
    assert JobCheck.objects.get(job=job).state == "pending"


def test_look_again_where_the_platform_cannot_be_asked(
    api: Caller, on_desk: Callable[..., Job], people: People, platform: ScriptedAdapter, now: datetime
) -> None:
    platform.can_find = False
    job = on_desk("unconfirmed", of=make_account(people.workspace, now, name="Mute", platform="scripted"))

    answer = api.post(f"jobs/{job.public_id}/look-again/")

    assert (answer.status_code, fields(answer)) == (422, {"state": "impossible"})


# ---- many at once


def test_many_are_retried_and_each_refusal_is_told(api: Caller, on_desk: Callable[..., Job]) -> None:
    failed, missed, unsure = on_desk("failed"), on_desk("missed"), on_desk("unconfirmed")
    stranger = "019ab000-0000-7000-8000-000000000000"

    answer = api.post(
        "recovery/bulk/",
        {"verb": "retry", "ids": [str(failed.public_id), str(missed.public_id), str(unsure.public_id), stranger]},
    ).json()

    assert (answer["matched_count"], answer["done_count"], answer["refused_count"], answer["left_count"]) == (
        4,
        2,
        2,
        0,
    )
    by_id = {item["id"]: item for item in answer["results"]}
    assert by_id[str(failed.public_id)] == {
        "id": str(failed.public_id),
        "done": True,
        "state": "pending",
        "errors": [],
    }
    assert by_id[str(unsure.public_id)]["errors"][0]["message"] == (
        "Only a failed, missed or cancelled post can be retried. It is unconfirmed now."
    )
    assert by_id[stranger]["errors"][0]["code"] == "not_found"
    unsure.refresh_from_db()
    assert unsure.state == "unconfirmed"
    assert AuditLog.objects.filter(action="job.retried", actor_kind="token").count() == 2


def test_a_filter_takes_all_that_match(api: Caller, on_desk: Callable[..., Job]) -> None:
    on_desk("failed")
    on_desk("missed")

    answer = api.post("recovery/bulk/", {"verb": "discard", "filter": {"cause": "missed"}}).json()

    assert answer["done_count"] == 1
    assert sorted(Job.objects.values_list("state", flat=True)) == ["cancelled", "failed"]


def test_many_get_new_times_in_their_order(api: Caller, on_desk: Callable[..., Job]) -> None:
    jobs = [on_desk("failed"), on_desk("failed"), on_desk("failed")]

    answer = api.post(
        "recovery/bulk/",
        {
            "verb": "reslot",
            "filter": {},
            "at": "2026-12-01T09:00:00",
            "timezone": "Europe/Berlin",
            "gap_seconds": 600,
        },
    )

    assert answer.json()["done_count"] == 3
    times = [Job.objects.get(pk=job.pk).run_at.isoformat() for job in jobs]
    assert times == ["2026-12-01T08:00:00+00:00", "2026-12-01T08:10:00+00:00", "2026-12-01T08:20:00+00:00"]


def test_unconfirmed_posts_are_sent_again_only_when_somebody_looked(api: Caller, on_desk: Callable[..., Job]) -> None:
    body = {"verb": "publish-again", "ids": [str(on_desk("unconfirmed").public_id)]}

    assert fields(api.post("recovery/bulk/", body)) == {"seen_absent": "required"}
    assert api.post("recovery/bulk/", {**body, "seen_absent": True}).json()["done_count"] == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"verb": "retry"}, {"ids": "required"}),
        ({"verb": "retry", "ids": [], "filter": {}}, {"ids": "min_length"}),
        ({"verb": "confirm", "filter": {}}, {"verb": "invalid_choice"}),
        ({"verb": "reslot", "filter": {}}, {"at": "required"}),
        ({"verb": "reslot", "filter": {}, "at": "2026-01-01T00:00:00"}, {"at": "invalid"}),
        ({"verb": "retry", "filter": {"cause": "x"}}, {"filter.cause": "invalid_choice"}),
        ({"verb": "retry", "filter": {"states": "x"}}, {"filter.states": "unknown"}),
    ],
)
def test_an_order_that_is_none_is_refused(api: Caller, body: dict[str, Any], expected: dict[str, str]) -> None:
    answer = api.post("recovery/bulk/", body)

    assert (answer.status_code, fields(answer)) == (422, expected)


def test_many_are_for_those_who_may(callers: dict[str, Caller], on_desk: Callable[..., Job]) -> None:
    job = on_desk("failed")
    body = {"verb": "discard", "ids": [str(job.public_id)]}

    statuses = {
        who: callers[who].post("recovery/bulk/", body).status_code for who in ("viewer", "viewer_token", "nobody")
    }
    foreign = callers["stranger"].post("recovery/bulk/", body).json()

    assert statuses == {"viewer": 403, "viewer_token": 403, "nobody": 401}
    assert (foreign["done_count"], foreign["refused_count"]) == (0, 1)
    job.refresh_from_db()
    assert job.state == "failed"


def test_the_desk_of_others_is_not_shown(callers: dict[str, Caller], on_desk: Callable[..., Job]) -> None:
    on_desk("failed")

    assert callers["stranger"].get("recovery/").json()["results"] == []
    assert len(callers["viewer"].get("recovery/").json()["results"]) == 1


README = Path(__file__).parents[3] / "schedules" / "api" / "README.md"


def test_the_examples_of_the_readme_work(api: Caller, on_desk: Callable[..., Job]) -> None:
    examples = re.findall(r"^POST /api/v1/(recovery/\S+)\n(\{.*\})$", README.read_text(), re.MULTILINE)
    done = []
    for path, body in examples:
        job = on_desk(json.loads(body)["filter"]["cause"])
        answer = api.post(path, json.loads(body))
        done.append((answer.status_code, answer.json()["done_count"]))
        job.refresh_from_db()
        assert job.state == "pending"

    assert done == [(200, 1), (200, 1), (200, 1)]
