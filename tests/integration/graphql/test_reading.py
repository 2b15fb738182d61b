"""What each one who asks may read, at the roots and through relations; how lists are cut; how many queries it takes."""

from __future__ import annotations

import base64

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from graphql import get_named_type, is_object_type

from platforms.models import MediaAsset, MediaFolder, PlatformApp
from platforms.services import groups
from schedules.graphql.schema import schema
from schedules.models import (
    Attempt,
    ContentMedia,
    ContentTemplate,
    Dependency,
    Engagement,
    HashtagGroup,
    Job,
    Review,
    ReviewComment,
    ReviewPolicy,
    Schedule,
)
from schedules.notifications.models import Notice
from schedules.services import planning
from tests.people import ACTOR, make_account, make_schedule

ROOTS = {
    "workspaces": "slug",
    "accounts": "name",
    "accountGroups": "name",
    "contents": "title",
    "campaigns": "name",
    "milestones": "name",
    "schedules": "state",
    "jobs": "state",
    "audit": "action",
}
SINGLES = ("account", "content", "schedule", "job")
EVERYTHING = (
    "{" + " ".join(f"{root}(first: 50) {{ edges {{ node {{ {field} }} }} }}" for root, field in ROOTS.items()) + "}"
)
# all that hangs on a schedule, two lists deep
NESTED = """{ schedules(first: 30) { totalCount edges { node {
  id title nextRunAt description createdBy workspace { slug role }
  content { title media { position file { name url folder { name } } } variants { platform } campaign { name } workspace { slug }
    versions(first: 1) { edges { node { number } } } }
  targets { account { name workspace { slug } groups { name } health { state } } }
  nextOccurrences(count: 1) { at }
  waitsFor { waitsFor { title } }
  comments(first: 1) { edges { node { text } } }
  reviews(first: 1) { edges { node { title } } }
  jobs(first: 1) { totalCount edges { node { title timezone cause nominalLocal account { name } attempts { no }
    readings(first: 1) { edges { node { values } } } } } }
} } } }"""


@pytest.fixture
def things(people, account, schedule, now):
    """One of each in the team's workspace, and a schedule elsewhere."""
    groups.create(workspace=people.workspace, name="Brand", account_ids=[account.public_id], actor=ACTOR, now=now)
    planning.create_milestone(
        workspace=people.workspace, name="Fair", due_on=now.date(), campaign=None, actor=ACTOR, now=now
    )
    row = schedule.content
    row.campaign = type(row).campaign.field.related_model.objects.create(
        workspace=people.workspace, name="Autumn", created_at=now
    )
    row.save()
    other = make_account(people.other_workspace, now, name="Theirs")
    return make_schedule(people.other_workspace, [other], now, text="Theirs")


def found(data):
    return {root: len(value["edges"]) for root, value in data.items()}


def test_each_one_reads_what_is_in_the_own_workspace_and_nothing_else(callers, things):
    for who in ("owner", "author", "viewer", "token"):
        data = callers[who].ask(EVERYTHING)
        assert min(found(data).values()) >= 1
        assert found(data)["schedules"] == found(data)["workspaces"] == found(data)["accounts"] == 1
        assert "Theirs" not in str(data)
    for who in ("stranger", "foreign_token"):
        data = callers[who].ask(EVERYTHING)
        assert "News" not in str(data)
        assert "Autumn" not in str(data)
        assert found(data)["schedules"] == 1  # the one of the other workspace
        assert found(data)["campaigns"] == found(data)["milestones"] == 0
    # nothing was given to the outside reviewer to look at
    assert set(found(callers["reviewer"].ask(EVERYTHING)).values()) == {0}
    for who in ("revoked", "expired", "nobody"):
        response = callers[who].post(EVERYTHING)
        assert response.status_code == 401
        assert response["Content-Type"] == "application/problem+json"


def everything_of(kind, depth):
    """Every field of a type that wants nothing but a number, and of what hangs on it."""
    words = []
    for name, field in kind.fields.items():
        named = get_named_type(field.type)
        sized = "(first: 2)" if "first" in field.args else ""
        if not is_object_type(named):
            words.append(name)
        elif depth or name in ("edges", "node", "pageInfo"):
            words.append(
                f"{name}{sized} {{ {everything_of(named, depth - (name not in ('edges', 'node', 'pageInfo')))} }}"
            )
    return " ".join(words)


def test_every_field_of_every_list_answers(owner, people, account, things, job, now):
    workspace = {"workspace": people.workspace}
    Attempt.objects.create(
        job=job, no=1, idempotency_key="k", worker="w", started_at=now, called_at=now, finished_at=now
    )
    Engagement.objects.create(job=job, measured_at=now, values={"likes": 3})
    ReviewPolicy.objects.create(**workspace, account=account).reviewers.add(people.owner)
    Review.objects.create(**workspace, schedule=job.schedule, requested_label="ben", requested_at=now)
    ReviewComment.objects.create(schedule=job.schedule, label="ben", text="Hm.", at=now)
    HashtagGroup.objects.create(**workspace, name="Autumn", hashtags=["leaves"], created_at=now, updated_at=now)
    ContentTemplate.objects.create(**workspace, name="Fair", snapshot={"text": "Hi"}, created_at=now, updated_at=now)
    PlatformApp.objects.create(
        **workspace, platform="mastodon", client_id="us", secrets={"client_secret": "hush"}, set_at=now
    )
    folder = MediaFolder.objects.create(**workspace, name="Fair", created_at=now)
    asset = MediaAsset.objects.create(
        **workspace, folder=folder, file="x.png", kind="image", mime="image/png", size=3, checksum="c", original_name="x.png",
        created_at=now,
    )  # fmt: skip
    ContentMedia.objects.create(content=job.schedule.content, asset=asset, position=0)
    Notice.objects.create(
        **workspace, user=people.owner, kind="failed", key="k", object_type="job", object_id="1", first_at=now, last_at=now,
        words={"name": "News", "post": "A", "platform": "sandbox", "error": "No."},
    )  # fmt: skip

    roots = {name: field for name, field in schema._schema.query_type.fields.items() if "first" in field.args}
    for name, field in roots.items():
        if name in ("calendar", "recovery"):
            continue
        data = owner.ask(f"{{ {name}(first: 2) {{ {everything_of(get_named_type(field.type), 2)} }} }}")
        assert data[name]["edges"], name
        assert "hush" not in str(data)
    assert len(roots) >= 19


def test_a_thing_of_others_is_as_one_that_is_not_there(callers, account, schedule, job):
    ids = [row.public_id for row in (account, schedule.content, schedule, job)]
    query = "{" + " ".join(f'{name}(id: "{item}") {{ id }}' for name, item in zip(SINGLES, ids, strict=True)) + "}"

    assert callers["viewer"].ask(query) == {name: {"id": str(item)} for name, item in zip(SINGLES, ids, strict=True)}
    assert callers["stranger"].ask(query) == dict.fromkeys(SINGLES)
    assert callers["viewer"].ask('{ job(id: "no-id") { id } workspace(name: "elsewhere") { id } }') == {
        "job": None,
        "workspace": None,
    }


def test_no_relation_leads_into_a_workspace_that_is_not_ones_own(owner, people, schedule, account, things):
    """Rows that name each other over the border, as none of our services makes them."""
    Dependency.objects.create(
        workspace=people.workspace, schedule=schedule, waits_for=things, created_at=schedule.created_at
    )
    Job.objects.filter(schedule=schedule).update(account=things.targets.get().account)
    schedule.targets.update(account=things.targets.get().account)
    things.content.workspace = people.other_workspace
    Schedule.objects.filter(pk=schedule.pk).update(content=things.content)

    data = owner.ask(
        f'{{ schedule(id: "{schedule.public_id}") {{ content {{ text }} waitsFor {{ waitsFor {{ id content {{ text }} }} }}'
        " targets { account { name } } jobs(first: 5) { edges { node { account { name } } } } } }"
    )["schedule"]

    assert data["content"] is None
    assert data["waitsFor"] == [{"waitsFor": None}]
    assert data["targets"] == [{"account": None}]
    assert [edge["node"] for edge in data["jobs"]["edges"]] == [{"account": None}]


def test_credentials_are_not_even_loaded(owner, account):
    with CaptureQueriesContext(connection) as queries:
        data = owner.ask(f'{{ account(id: "{account.public_id}") {{ name handle options utm groups {{ name }} }} }}')

    assert data["account"]["name"] == "News"
    read = [query["sql"] for query in queries if 'FROM "platforms_platformaccount"' in query["sql"]]
    assert read
    assert not [sql for sql in read if '"platforms_platformaccount"."credentials"' in sql]


def test_a_nested_question_takes_as_many_queries_for_thirty_rows_as_for_one(owner, people, account, now, after):
    def make(number):
        row = make_schedule(people.workspace, [account], after(hours=number), text=f"Post {number}")
        job = Job.objects.get(schedule=row)
        Attempt.objects.create(job=job, no=1, idempotency_key="k", worker="w", started_at=now, outcome="failed")

    def asked():
        with CaptureQueriesContext(connection) as queries:
            edges = owner.ask(NESTED)["schedules"]["edges"]
        assert all(edge["node"]["jobs"]["edges"][0]["node"]["attempts"] for edge in edges)
        return len(edges), len(queries)

    make(1)
    first = asked()
    for number in range(2, 31):
        make(number)
    many = asked()

    assert first[0] == 1
    assert many[0] == 30
    assert many[1] == first[1] <= 32


def test_a_nested_list_in_two_ways_is_refused_rather_than_fetched_row_by_row(owner, schedule, job):
    query = "{ schedules(first: 2) { edges { node { a: jobs(first: 1) { totalCount } b: jobs(first: 2) { totalCount } } } } }"
    error = owner.error(query)

    assert error["problems"][0]["code"] == "list_twice"
    one = f'{{ schedule(id: "{schedule.public_id}") {{ a: jobs(first: 1) {{ totalCount }} b: jobs(last: 2) {{ totalCount }} }} }}'
    assert owner.ask(one) == {"schedule": {"a": {"totalCount": 1}, "b": {"totalCount": 1}}}


def test_pages_follow_each_other_without_a_row_twice(owner, people, account, after):
    for number in range(5):
        make_schedule(people.workspace, [account], after(hours=number + 1), text=f"Post {number}")
    query = "query($after: String) { schedules(first: 2, after: $after, order: OLDEST) { edges { node { content { text } } }"
    query += " pageInfo { hasNextPage endCursor } } }"

    seen, cursor = [], None
    while True:
        page = owner.ask(query, after=cursor)["schedules"]
        seen += [edge["node"]["content"]["text"] for edge in page["edges"]]
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert seen == [f"Post {number}" for number in range(5)]
    back = owner.ask("{ schedules(last: 2) { edges { node { content { text } } } } }")["schedules"]["edges"]
    assert [edge["node"]["content"]["text"] for edge in back] == ["Post 1", "Post 0"]


def test_a_cursor_of_something_else_is_refused(owner, schedule):
    def asked(cursor):
        return owner.post("query($after: String) { schedules(first: 2, after: $after) { totalCount } }", after=cursor)

    huge = base64.b64encode(b'orderedcursor:["9999999999999999999999"]').decode()
    for cursor in ("x", "é", "b3RoZXI6WyIxIl0=", "b3JkZXJlZGN1cnNvcjp7", huge):
        assert asked(cursor).status_code == 400
    for cursor in ("b3JkZXJlZGN1cnNvcjpbXQ==", "b3JkZXJlZGN1cnNvcjpbIngiXQ=="):
        assert asked(cursor).json()["errors"][0]["extensions"]["field"] == "after"


def test_lists_are_narrowed_like_those_of_the_rest_api(owner, schedule, account, job):
    def number(filters):
        found = owner.ask(f"{{ schedules(first: 9, filter: {{{filters}}}) {{ edges {{ node {{ id }} }} }} }}")
        return len(found["schedules"]["edges"])

    assert number('state: ["active", "draft"]') == 1
    assert number('state: ["paused"]') == 0
    assert number(f'account: "{account.public_id}", needsYou: false, runsSince: "2026-11-23T00:00:00Z"') == 1
    assert number('q: "Hel", kind: "recurring"') == 0
    assert owner.error('{ jobs(first: 1, filter: {state: ["gone"]}) { totalCount } }')["field"] == "filter.state"
    assert owner.error('{ jobs(first: 1, workspace: "elsewhere") { totalCount } }')["field"] == "workspace"


def test_how_a_schedule_does_and_what_a_rule_would_give(owner, callers, schedule):
    health = (
        f'{{ scheduleHealth(id: "{schedule.public_id}") {{ verdict late nextRunAt obstacles {{ code message }} }} }}'
    )
    rule = """query($rule: RuleInput!, $count: Int = 2) { rulePreview(rule: $rule, count: $count) {
      description timezone occurrences { local shift } } }"""

    assert owner.ask(health)["scheduleHealth"]["nextRunAt"] == "2026-11-23T09:00:00+00:00"
    assert callers["stranger"].ask(health) == {"scheduleHealth": None}
    found = owner.ask(rule, rule={"kind": "cron", "expression": "30 9 * * *", "timezone": "Europe/Berlin"})[
        "rulePreview"
    ]
    assert [one["local"] for one in found["occurrences"]] == ["2026-11-23T09:30:00+01:00", "2026-11-24T09:30:00+01:00"]
    assert owner.error(rule, rule={"kind": "cron", "expression": "x", "timezone": "UTC"})["field"] == "rule.expression"
    assert owner.error(rule, rule={"kind": "once", "at": "2026-12-01T09:00:00Z"}, count=101)["field"] == "count"


def test_notifications_are_a_persons_own(owner, callers, people, now):
    for person, key in ((people.owner, "mine"), (people.author, "theirs")):
        Notice.objects.create(
            workspace=people.workspace, user=person, kind="failed", key=key, object_type="job", object_id=key,
            words={"name": "News", "post": "A", "platform": "sandbox", "error": "No."}, needs_act=True, first_at=now, last_at=now,
        )  # fmt: skip
    query = "{ notifications(first: 5, filter: {open: true, unread: true}) { edges { node { objectId open words } } } }"

    assert [edge["node"]["objectId"] for edge in owner.ask(query)["notifications"]["edges"]] == ["mine"]
    assert callers["token"].error(query)["code"] == "not-allowed"


def test_the_calendar_and_the_desk_are_cut_by_cursor(owner, people, account, after, now):
    for number in (1, 2, 3):
        make_schedule(people.workspace, [account], after(hours=number))
    Job.objects.update(state="failed", error_class="fatal")
    calendar = """query($after: String) { calendar(since: "2026-11-23T00:00:00Z", until: "2026-11-24T00:00:00Z", first: 2,
      after: $after, filter: {looks: ["failed"]}) {
      totalCount pageInfo { endCursor hasNextPage } edges { node { local jobId } } } }"""
    desk = """query($after: String) { recovery(first: 2, after: $after, filter: {cause: "failed"}) {
      pageInfo { endCursor hasNextPage } edges { node { jobId cause whatHappened verbs { verb } } } } }"""

    for query, root in ((calendar, "calendar"), (desk, "recovery")):
        first = owner.ask(query)[root]
        second = owner.ask(query, after=first["pageInfo"]["endCursor"])[root]
        ids = [edge["node"]["jobId"] for page in (first, second) for edge in page["edges"]]
        assert len(set(ids)) == 3
        assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    far = '{ calendar(since: "2026-11-23T00:00:00Z", until: "2027-11-24T00:00:00Z", first: 2) { totalCount } }'
    assert owner.error(far)["field"] == "until"
    assert (
        owner.error('{ recovery(first: 2, filter: {cause: "nothing"}) { edges { cursor } } }')["field"]
        == "filter.cause"
    )
