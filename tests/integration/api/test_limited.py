"""A member or token that was given one account: sees what is on it, and changes nothing that also goes elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from alwrity_scheduler.core.events import ENGINE, emit
from alwrity_scheduler.workspaces import services as workspaces
from schedules.models import Job, Schedule
from schedules.notifications import services as notices
from schedules.notifications.models import Notice
from schedules.services.facts import job_fact
from tests.integration.api.callers import Caller, fields, signed_in, with_token
from tests.people import ACTOR, People, Team, limit, make_account, make_schedule


@pytest.fixture
def scene(people: People, team: Team, now: Any) -> dict[str, Any]:
    """`mine` is given to the limited author, `other` is not; a schedule on each, and one on both."""
    mine, other = (make_account(people.workspace, now, name=name) for name in ("Mine", "Other"))
    limit(team.limited, [mine], now)
    return {
        "mine": mine,
        "other": other,
        "on_mine": make_schedule(people.workspace, [mine], now, text="a"),
        "on_other": make_schedule(people.workspace, [other], now, text="b"),
        "on_both": make_schedule(people.workspace, [mine, other], now, text="c"),
    }


@pytest.fixture(params=["person", "token"])
def api(request: Any, scene: dict[str, Any], people: People, team: Team, now: Any) -> Caller:
    if request.param == "person":
        return signed_in(team.limited)
    row, secret = workspaces.create_token(workspace=people.workspace, name="n8n", role="author", actor=ACTOR, now=now)
    limit(row, [scene["mine"]], now)
    return with_token(secret)


def ids(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.content
    return {row["id"] for row in answer.json()["results"]}


def named(*rows: Any) -> set[str]:
    return {str(row.public_id) for row in rows}


def test_lists_show_what_is_on_the_accounts_given(api, scene):
    assert ids(api.get("accounts/")) == named(scene["mine"])
    assert ids(api.get("schedules/")) == named(scene["on_mine"], scene["on_both"])
    assert ids(api.get("content/")) == named(scene["on_mine"].content, scene["on_both"].content)
    assert {row["account"]["id"] for row in api.get("jobs/").json()["results"]} == named(scene["mine"])


def test_what_is_elsewhere_is_not_there(api, scene):
    other, on_other = scene["other"], scene["on_other"]
    job = on_other.jobs.get()
    paths = (f"accounts/{other.public_id}/", f"schedules/{on_other.public_id}/", f"jobs/{job.public_id}/")
    assert [api.get(path).status_code for path in paths] == [404, 404, 404]


def test_the_history_tells_of_what_is_seen_only(api, scene):
    told = api.get("audit/", page_size=200).json()["results"]
    things = {(row["object"]["type"], row["object"]["id"]) for row in told}
    assert ("schedule", str(scene["on_mine"].public_id)) in things
    assert ("account", str(scene["mine"].public_id)) in things
    assert ("schedule", str(scene["on_other"].public_id)) not in things
    assert ("account", str(scene["other"].public_id)) not in things
    assert ("content", str(scene["on_other"].content.public_id)) not in things


def test_the_calendar_shows_the_accounts_given(api, scene, now):
    answer = api.get("calendar/", since="2026-11-23", until="2026-11-30")
    assert answer.status_code == 200, answer.content
    assert {row["account"]["id"] for row in answer.json()["results"]} == named(scene["mine"])


def test_a_schedule_that_also_goes_elsewhere_is_not_changed(api, scene):
    row = scene["on_both"]
    before = Schedule.objects.count(), Schedule.objects.values("state", "version").get(pk=row.pk)

    for verb in ("pause", "clone", "archive", "publish-now"):
        answer = api.post(f"schedules/{row.public_id}/{verb}/")
        assert answer.status_code == 403, verb
        assert fields(answer) == {"accounts": "not_granted"}, verb
        assert "Yours are Mine" in answer.json()["detail"]

    assert (Schedule.objects.count(), Schedule.objects.values("state", "version").get(pk=row.pk)) == before


def test_accounts_of_others_are_not_taken_off_a_schedule(api, scene):
    row = scene["on_both"]
    body = {"version": row.version, "accounts": [{"id": str(scene["mine"].public_id)}]}

    answer = api.patch(f"schedules/{row.public_id}/", body)

    assert fields(answer) == {"accounts": "not_granted"}
    assert row.targets.count() == 2


def test_words_that_others_publish_too_are_not_changed(api, scene):
    content = scene["on_both"].content
    answer = api.patch(f"content/{content.public_id}/", {"version": content.version, "text": "New"})
    assert fields(answer) == {"accounts": "not_granted"}


def test_one_schedules_on_the_accounts_given_and_on_no_other(api, scene):
    def body(account: Any) -> dict[str, Any]:
        rule = {"kind": "once", "at": "2026-12-01T09:00:00", "timezone": "UTC"}
        return {"content": {"text": "x"}, "accounts": [str(account.public_id)], "rule": rule, "state": "active"}

    assert api.post("schedules/", body(scene["mine"])).status_code == 201
    number = Schedule.objects.count()
    assert fields(api.post("schedules/", body(scene["other"]))) == {"accounts": "not_granted"}
    assert Schedule.objects.count() == number


def test_ones_own_schedule_is_worked_with_as_ever(api, scene):
    row = scene["on_mine"]
    assert api.post(f"schedules/{row.public_id}/pause/").status_code == 200
    assert api.post(f"schedules/{row.public_id}/resume/").status_code == 200


def test_whoever_is_not_limited_sees_all(scene, people):
    assert ids(signed_in(people.author).get("schedules/")) == named(
        scene["on_mine"], scene["on_other"], scene["on_both"]
    )


def test_a_draft_that_goes_nowhere_yet_is_ones_own(api, scene):
    rule = {"kind": "once", "at": "2026-12-01T09:00:00", "timezone": "UTC"}
    answer = api.post("schedules/", {"content": {"text": "x"}, "accounts": [], "rule": rule, "state": "draft"})
    assert answer.status_code == 201
    assert api.get(f"schedules/{answer.json()['id']}/").status_code == 200


def test_limited_members_hear_of_the_accounts_given(scene, people, team, now):
    for name in ("mine", "other"):
        job = scene[f"on_{name}"].jobs.get()
        Job.objects.filter(pk=job.pk).update(state="failed")
        job.refresh_from_db()
        emit(job_fact("job.failed", job, ENGINE, now))
    notices.follow(now=now)

    def told(person: Any) -> set[str]:
        return set(Notice.objects.filter(user=person).values_list("object_id", flat=True))

    assert told(team.limited) == named(scene["mine"])
    assert told(people.author) == named(scene["mine"], scene["other"])


SECRET = "Zebrafish"
# what a list wants to be asked with
ASKED = {"since": "2026-11-01T00:00:00Z", "until": "2026-12-31T00:00:00Z"}


def hide(row: Any) -> list[str]:
    """Words and ids by which anything that tells of this schedule is found."""
    type(row.content).objects.filter(pk=row.content_id).update(title=SECRET, text=SECRET, labels=[SECRET])
    ids = (row.public_id, row.content.public_id, row.jobs.get().public_id)
    return [SECRET, *map(str, ids)]


def telling(api: Caller, words: list[str]) -> dict[str, int]:
    """Those addresses that need no id and tell of it, asked as they are and with a span."""
    from schedules.api.urls import urlpatterns

    paths = [str(one.pattern) for one in urlpatterns if "<" not in str(one.pattern)]
    found = {}
    for path in paths:
        # the stream has no end
        if not path or path.startswith(("^", "events/stream", "schema", "docs", "redoc")):
            continue
        for query in ({}, ASKED):
            answer = api.client.get(f"/api/v1/{path}", query)
            body = answer.getvalue().decode() if answer.streaming else answer.content.decode()
            if answer.status_code >= 500 or any(word in body for word in words):
                found[path] = answer.status_code
    return found


def test_no_address_tells_of_what_is_elsewhere(api, scene, people):
    words = hide(scene["on_other"])
    seen = telling(signed_in(people.owner), words)
    # the lists are asked with what makes them tell at all
    assert {"schedules/", "jobs/", "content/", "audit/", "calendar/"} <= set(seen)
    assert telling(api, words) == {}


def test_figures_count_what_is_on_the_accounts_given(api, scene, people, now):
    Job.objects.filter(account=scene["other"]).update(
        state="completed", started_at=now, finished_at=now, run_at=now, remote_id="r"
    )
    for path in ("analytics/summary/", "analytics/executions/", "reports/activity/"):
        asked = {} if path == "analytics/summary/" else ASKED
        mine, all_of_it = (one.client.get(f"/api/v1/{path}", asked) for one in (api, signed_in(people.owner)))
        assert mine.status_code == 200, mine.content
        assert mine.json() != all_of_it.json(), path


def test_graphql_tells_of_the_accounts_given(scene, team, people):
    from tests.integration.graphql import callers as graphql

    jobs = "jobs(first: 9) { edges { node { account { name } %s } } }"
    inside = f"schedule {{ targets {{ account {{ name }} }} {jobs % ''} }}"
    asked = f"{{ accounts(first: 9) {{ edges {{ node {{ name }} }} }} {jobs % inside} }}"
    whole = graphql.signed_in(people.author).post(asked)
    assert whole.json().get("errors") is None, whole.json()
    assert '"Other"' in whole.content.decode()
    mine = graphql.signed_in(team.limited).post(asked)
    assert '"Mine"' in mine.content.decode()
    assert '"Other"' not in mine.content.decode()
