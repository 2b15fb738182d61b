"""The verbs: what they do, whom they refuse and in which words, and that nothing stays behind of what was refused."""

from __future__ import annotations

from schedules.models import AuditLog, ContentItem, Job, Schedule
from schedules.services import approval
from tests.integration.graphql.callers import ADDRESS
from tests.people import ACTOR, make_schedule

CREATE = """mutation($input: ScheduleInput!, $content: ContentInput, $contentId: ID, $state: String! = "draft") {
  createSchedule(input: $input, content: $content, contentId: $contentId, state: $state) {
    id state version title rule { kind at timezone expression } targets { offsetSeconds account { name } } } }"""
WORDS = {"title": "Launch", "text": "We are live."}
AT = {"kind": "once", "at": "2026-12-01T09:00:00", "timezone": "Europe/Berlin"}


def rule(account, **values):
    return {"rule": AT, "targets": [{"account": str(account.public_id)}], **values}


def fields(error):
    return {item["field"]: item["code"] for item in error["problems"]}


def verb(name, row, answer="state"):
    return f'mutation {{ {name}(id: "{row.public_id}") {{ {answer} }} }}'


def test_content_is_made_and_changed_in_part(author):
    made = author.ask(
        "mutation($input: ContentInput!) { createContent(input: $input) { id version title labels createdBy } }",
        input={**WORDS, "labels": ["autumn"], "variants": [{"platform": "sandbox", "text": "Short."}]},
    )["createContent"]
    assert (made["version"], made["labels"], made["createdBy"]) == (1, ["autumn"], "ben")

    change = """mutation($id: ID!, $version: Int!, $input: ContentInput!) {
      updateContent(id: $id, version: $version, input: $input) { version title text variants { text } } }"""
    changed = author.ask(change, id=made["id"], version=1, input={"title": "Later"})["updateContent"]
    assert changed == {"version": 2, "title": "Later", "text": "We are live.", "variants": [{"text": "Short."}]}

    stale = author.error(change, id=made["id"], version=1, input={"title": "Too late"})
    assert stale["code"] == "stale-version"
    assert ContentItem.objects.get(public_id=made["id"]).title == "Later"
    assert AuditLog.objects.filter(action="content.edited", actor_label="ben").count() == 1


def test_a_schedule_is_made_in_one_call_and_goes_to_work(author, account):
    made = author.ask(CREATE, input=rule(account), content=WORDS, state="active")["createSchedule"]

    assert made["state"] == "active"
    assert made["rule"] == {
        "kind": "once",
        "at": "2026-12-01T09:00:00",
        "timezone": "Europe/Berlin",
        "expression": None,
    }
    assert made["targets"] == [{"offsetSeconds": 0, "account": {"name": "News"}}]
    row = Schedule.objects.get(public_id=made["id"])
    assert (row.created_by.username, row.content.text) == ("ben", "We are live.")


WRONG = [
    ({"rule": {"kind": "once", "at": "soon", "timezone": "UTC"}}, "rule.at"),
    ({"rule": {"kind": "once", "at": "2026-12-01", "timezone": "UTC"}}, "rule.at"),
    ({"rule": {"kind": "once", "at": "2026-12-01T09:00:00"}}, "rule.timezone"),
    ({"rule": {**AT, "timezone": "Mars/Dome"}}, "rule.timezone"),
    ({"rule": {**AT, "at": "2020-01-01T09:00:00"}}, "rule.at"),
    ({"rule": {"kind": "cron", "expression": "61 * * * *", "timezone": "UTC"}}, "rule.expression"),
    ({"rule": {"kind": "rrule", "rrule": "FREQ=DAILY", "timezone": "UTC"}}, "rule.start"),
    ({"rule": {**AT, "count": 3}}, "rule.count"),
    ({"rule": {"kind": "sometimes"}}, "rule.kind"),
    ({"rule": None}, "rule"),
    ({"targets": []}, "targets"),
    ({"targets": [{"account": "no-id"}]}, "targets"),
    ({"graceSeconds": -1}, "graceSeconds"),
    ({"priority": 11}, "priority"),
    ({"retry": {"maxAttempts": 99}}, "retry.maxAttempts"),
    ({"content": {**WORDS, "title": "x" * 301}}, "content.title"),
    ({"content": {**WORDS, "link": "nowhere"}}, "content.link"),
    ({"content": None}, "content"),
    ({"state": "archived"}, "state"),
]


def test_what_is_wrong_is_named_as_it_was_sent_and_nothing_stays(author, account):
    for values, field in WRONG:
        sent = {"content": WORDS, "state": "active", **values}
        content, state = sent.pop("content"), sent.pop("state")
        error = author.error(CREATE, input={**rule(account), **sent}, content=content, state=state)
        assert error["code"] == "invalid"
        assert list(fields(error)) == [field]

    assert not Schedule.objects.exists()
    assert not ContentItem.objects.exists()


def test_a_schedule_is_changed_in_part_under_its_version(author, account):
    made = author.ask(CREATE, input=rule(account), content=WORDS)["createSchedule"]
    change = """mutation($id: ID!, $version: Int!, $input: ScheduleInput!, $content: ContentInput) {
      updateSchedule(id: $id, version: $version, input: $input, content: $content) {
        version priority tags rule { kind expression } content { text version } targets { offsetSeconds } } }"""
    daily = {"kind": "cron", "expression": "0 9 * * *", "timezone": "UTC"}

    changed = author.ask(
        change, id=made["id"], version=1, input={"priority": 2, "rule": daily}, content={"text": "New."}
    )
    assert changed["updateSchedule"] == {
        "version": 2, "priority": 2, "tags": [], "rule": {"kind": "cron", "expression": "0 9 * * *"},
        "content": {"text": "New.", "version": 2}, "targets": [{"offsetSeconds": 0}],
    }  # fmt: skip
    assert author.error(change, id=made["id"], version=1, input={"priority": 3})["code"] == "stale-version"
    assert author.error(change, id=made["id"], version=2, input={"tags": ["x" * 121]})["field"] == "tags"


def test_stored_content_is_scheduled_by_its_id(author, account, schedule, people, now):
    made = author.ask(CREATE, input=rule(account), contentId=str(schedule.content.public_id))["createSchedule"]
    assert Schedule.objects.get(public_id=made["id"]).content == schedule.content

    foreign = make_schedule(people.other_workspace, [], now, state="draft")
    error = author.error(CREATE, input=rule(account), contentId=str(foreign.content.public_id))
    assert fields(error) == {"contentId": "not_found"}


def test_the_verbs_of_a_schedule(author, schedule):
    def does(name, answer="state"):
        return author.ask(verb(name, schedule, answer))[name]

    assert does("pauseSchedule")["state"] == "paused"
    assert author.error(verb("pauseSchedule", schedule))["code"] == "illegal-transition"
    assert does("resumeSchedule")["state"] == "active"
    assert does("cloneSchedule", "id state")["state"] == "draft"
    [job] = does("publishNow", "state cause account { name }")
    assert job == {"state": "pending", "cause": "rule", "account": {"name": "News"}}
    assert does("archiveSchedule")["state"] == "archived"
    assert does("restoreSchedule")["state"] in ("draft", "paused")


def test_a_shift_and_a_move(author, schedule, job):
    shift = "mutation($id: ID!, $by: Int!) { shiftSchedule(id: $id, bySeconds: $by) { version rule { at } } }"
    assert author.ask(shift, id=str(schedule.public_id), by=3600)["shiftSchedule"]["rule"] == {
        "at": "2026-11-23T10:00:00"
    }
    assert author.error(shift, id=str(schedule.public_id), by=30)["field"] == "bySeconds"

    schedule.refresh_from_db()
    move = """mutation($key: String!, $at: String!, $version: Int!) {
      moveOccurrence(key: $key, at: $at, version: $version) { scope wasAt event { local version scheduleId } } }"""
    key = f"j{Job.objects.get(schedule=schedule, state='pending').pk}"
    moved = author.ask(move, key=key, at="2026-11-24T09:00:00", version=schedule.version)["moveOccurrence"]
    assert moved["event"]["local"] == "2026-11-24T09:00:00+01:00"
    assert moved["event"]["scheduleId"] == str(schedule.public_id)
    assert author.error(move, key="j999999", at="2026-11-24T09:00:00", version=1)["code"] == "not-found"


def test_the_verbs_of_a_job(author, job):
    for name, before, then in (
        ("cancelJob", "pending", "cancelled"),
        ("runJobNow", "pending", "pending"),
        ("retryJob", "failed", "pending"),
        ("publishJobAgain", "unconfirmed", "pending"),
        ("dismissJob", "unconfirmed", "failed"),
    ):
        Job.objects.filter(pk=job.pk).update(state=before, remote_id="")
        assert author.ask(verb(name, job, "state attempts { no }"))[name] == {"state": then, "attempts": []}
        Job.objects.filter(pk=job.pk).update(state="completed", remote_id="1")
        assert author.error(verb(name, job))["code"] == "illegal-transition"


def test_a_post_that_is_there_is_confirmed_by_its_address(author, job):
    Job.objects.filter(pk=job.pk).update(state="unconfirmed")
    confirm = "mutation($id: ID!, $url: String!) { confirmJob(id: $id, remoteUrl: $url) { state remoteUrl } }"

    assert author.error(confirm, id=str(job.public_id), url="there")["field"] == "remoteUrl"
    done = author.ask(confirm, id=str(job.public_id), url="https://example.com/1")["confirmJob"]
    assert done == {"state": "completed", "remoteUrl": "https://example.com/1"}


def test_a_post_is_sent_for_approval_and_decided(owner, author, people, account, after, now):
    row = make_schedule(people.workspace, [account], after(hours=1), state="draft")
    approval.set_policy(
        workspace=people.workspace, account=None, required=True, allow_own=False, reviewers=[], remind_after_hours=None,
        actor=ACTOR, now=now,
    )  # fmt: skip

    def say(caller, name, comment=""):
        words = f', comment: "{comment}"' if comment else ""
        return (
            caller,
            f'mutation {{ {name}(schedule: "{row.public_id}"{words}) {{ state requestedBy schedule {{ state }} }} }}',
        )

    caller, query = say(author, "submitForApproval", "Please.")
    assert caller.ask(query)["submitForApproval"] == {
        "state": "waiting", "requestedBy": "ben", "schedule": {"state": "in_review"},
    }  # fmt: skip
    assert author.error(say(author, "approve")[1])["code"] == "not-allowed"
    assert owner.error(say(owner, "requestChanges")[1])["field"] == "comment"
    assert author.ask(f'mutation {{ withdrawReview(schedule: "{row.public_id}") {{ state }} }}')["withdrawReview"]
    author.ask(say(author, "submitForApproval")[1])
    assert owner.ask(say(owner, "approve")[1])["approve"]["schedule"] == {"state": "active"}


def test_an_account_is_put_to_the_test_by_those_who_may(owner, author, account):
    query = verb("testAccount", account, "ok message")

    assert owner.ask(query)["testAccount"]["ok"] is True
    assert author.error(query)["code"] == "not-allowed"


def test_a_viewer_may_not_and_a_stranger_finds_nothing(callers, schedule, job, account):
    for name, row in (
        ("pauseSchedule", schedule),
        ("publishNow", schedule),
        ("cloneSchedule", schedule),
        ("cancelJob", job),
        ("testAccount", account),
    ):
        query = verb(name, row, "ok" if row is account else "state")
        refused = callers["viewer"].error(query)
        assert (refused["code"], refused["field"]) == ("not-allowed", "role")
        for who in ("stranger", "foreign_token", "reviewer"):
            assert callers[who].error(query)["code"] == "not-found"
        for who in ("revoked", "expired", "nobody"):
            assert callers[who].post(query).status_code == 401

    schedule.refresh_from_db()
    assert (schedule.state, Job.objects.get().state) == ("active", "pending")


def test_a_viewer_makes_nothing(callers, account):
    assert callers["viewer"].error(CREATE, input=rule(account), content=WORDS)["code"] == "not-allowed"
    make = "mutation($input: ContentInput!) { createContent(input: $input) { id } }"
    assert callers["viewer"].error(make, input=WORDS)["code"] == "not-allowed"
    assert not ContentItem.objects.exists()


def test_of_several_verbs_the_refused_one_leaves_the_others(author, schedule, job):
    query = f"""mutation {{ a: pauseSchedule(id: "{schedule.public_id}") {{ state }} b: resumeSchedule(id: "no-id") {{ state }}
      c: cancelJob(id: "{job.public_id}") {{ state }} }}"""
    body = author.post(query).json()

    assert body["data"] == {"a": {"state": "paused"}, "b": None, "c": {"state": "cancelled"}}
    assert [error["path"] for error in body["errors"]] == [["b"]]


def test_with_a_key_a_mutation_is_done_once_and_all_of_it_or_nothing(author, account, schedule):
    def sent(key, query, **variables):
        body = {"query": query, "variables": variables}
        return author.client.post(ADDRESS, body, format="json", HTTP_IDEMPOTENCY_KEY=key)

    first, second = (sent("k1", CREATE, input=rule(account), content=WORDS) for _ in range(2))
    assert first.json()["data"]["createSchedule"]["id"] == second.json()["data"]["createSchedule"]["id"]
    assert second["Idempotency-Replayed"] == "true"
    assert Schedule.objects.count() == 2
    assert sent("k1", CREATE, input=rule(account), content={"text": "Other."}).status_code == 422

    both = (
        f'mutation {{ pauseSchedule(id: "{schedule.public_id}") {{ state }} resumeSchedule(id: "no-id") {{ state }} }}'
    )
    body = sent("k2", both).json()
    assert body["data"] is None
    assert body["errors"][0]["extensions"]["code"] == "not-found"
    schedule.refresh_from_db()
    assert schedule.state == "active"
    assert not AuditLog.objects.filter(action="schedule.paused").exists()
    # what was refused is not kept: mended, it is done under the same key
    assert sent("k2", verb("pauseSchedule", schedule)).json()["data"] == {"pauseSchedule": {"state": "paused"}}
    assert "Idempotency-Replayed" not in sent("k3", "{ viewer { name } }")
