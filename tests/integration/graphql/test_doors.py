"""How requests come in: by token or session, by POST or GET, one at a time; scopes; the page; the schema's words."""

from __future__ import annotations

import ast
import json
import logging
import re
from pathlib import Path

from django.core.cache import cache
from django.urls import reverse
from graphql import is_object_type

from alwrity_scheduler.workspaces.scopes import AREAS, SCOPES
from schedules import graphql
from schedules.graphql import areas, limits, view
from schedules.graphql.schema import schema
from schedules.models import Job
from tests.integration.graphql.callers import ADDRESS, signed_in

QUERY = "{ viewer { kind name scopes } }"


def problem(response, status):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    return response.json()


def test_a_token_and_a_person_say_who_they_are(owner, token):
    assert owner.ask(QUERY)["viewer"] == {"kind": "user", "name": "ana", "scopes": None}
    narrow = token("author", scopes=["jobs:read"])
    assert narrow.ask(QUERY)["viewer"] == {"kind": "token", "name": "API token n8n", "scopes": ["jobs:read"]}


def test_a_browsers_session_wants_the_csrf_token(people):
    caller = signed_in(people.owner, csrf=True)

    assert problem(caller.post(QUERY), 403)["detail"].startswith("CSRF")
    page = caller.client.get(ADDRESS, HTTP_ACCEPT="text/html")
    caller.client.credentials(HTTP_X_CSRFTOKEN=page.wsgi_request.META["CSRF_COOKIE"])
    assert caller.ask(QUERY)["viewer"]["name"] == "ana"


def test_a_get_reads_and_does_not_change(owner, schedule):
    query = "query($n: Int) { schedules(first: $n) { totalCount } }"
    read = owner.client.get(ADDRESS, {"query": query, "variables": '{"n": 3}'})
    assert read.json() == {"data": {"schedules": {"totalCount": 1}}}
    assert read["Cache-Control"] == "no-store"

    change = f'mutation {{ pauseSchedule(id: "{schedule.public_id}") {{ state }} }}'
    assert owner.client.get(ADDRESS, {"query": change}).status_code == 405
    schedule.refresh_from_db()
    assert schedule.state == "active"
    assert owner.client.get(ADDRESS, {"query": query, "variables": "{"}).json()["errors"][0]["field"] == "variables"


def test_several_requests_in_one_are_refused_and_so_is_what_is_no_request(owner):
    def sent(body):
        return problem(owner.client.post(ADDRESS, body, format="json"), 422)["errors"][0]

    assert sent([{"query": QUERY}, {"query": QUERY}])["code"] == "batch"
    assert sent({"query": QUERY, "qeury": ""})["field"] == "qeury"
    assert sent({"query": "  "})["field"] == "query"
    assert sent({"query": QUERY, "variables": [1]})["field"] == "variables"
    assert problem(owner.client.post(ADDRESS, b"{", content_type="application/json"), 400)
    assert problem(owner.client.post(ADDRESS, QUERY, content_type="text/plain"), 415)
    assert problem(owner.client.delete(ADDRESS), 405)


def test_a_body_larger_than_the_limit_is_refused_with_both_numbers(owner):
    detail = problem(owner.post(QUERY + " " * 300_000), 413)["detail"]

    assert "300," in detail
    assert "at most 262,144" in detail


def test_the_media_type_of_graphql_over_http(owner):
    response = owner.client.post(
        ADDRESS, {"query": QUERY}, format="json", HTTP_ACCEPT="application/graphql-response+json"
    )

    assert response["Content-Type"].startswith("application/graphql-response+json")
    assert response.json()["data"]["viewer"]["name"] == "ana"


def test_a_wrong_document_says_where(owner):
    error = owner.refusal("{ viewer { nmae } }")

    assert error["code"] == "malformed"
    assert "Did you mean 'name'" in error["message"]
    assert owner.refusal("query a { viewer { name } } query b { viewer { name } }")["field"] == "operationName"


def test_what_goes_wrong_here_is_logged_once_and_answered_without_its_words(owner, schedule, monkeypatch, caplog):
    from schedules.reads import runs

    def broken(rule):
        raise RuntimeError("the inner words")

    monkeypatch.setattr(runs, "words_of", broken)
    with caplog.at_level(logging.ERROR):
        response = owner.post("{ schedules(first: 1) { edges { node { description } } } }")

    [error] = response.json()["errors"]
    assert "inner words" not in response.content.decode()
    assert error["extensions"] == {"code": "internal", "requestId": response["X-Request-ID"]}
    [record] = [item for item in caplog.records if item.levelno == logging.ERROR]
    assert record.action == "graphql_failed"


def test_requests_are_counted_with_those_of_the_rest_api(token, callers, settings):
    settings.API_RATE_LIMIT, settings.API_RATE_LIMIT_ANONYMOUS = 3, 1
    cache.clear()
    caller = token("author")

    first = caller.post(QUERY)
    caller.client.get("/api/v1/schedules/")
    answers = [caller.post(QUERY), caller.post(QUERY)]
    assert [answer.status_code for answer in (first, *answers)] == [200, 200, 429]
    assert [answer["RateLimit-Remaining"] for answer in (first, *answers)] == ["2", "0", "0"]
    assert "Retry-After" in answers[1]
    assert [callers["nobody"].post(QUERY).status_code for _ in range(2)] == [401, 429]
    cache.clear()


# scopes


def test_a_scope_lets_into_its_area_and_no_other(token, schedule, job):
    jobs = token("author", scopes=["jobs:read"])

    assert jobs.ask("{ jobs(first: 1) { edges { node { state } } } }")
    for wanted, area in (
        ("jobs(first: 1) { edges { node { account { name } } } }", "accounts:read"),
        ("jobs(first: 1) { edges { node { ... on Job { schedule { id } } } } }", "schedules:read"),
        ("schedules(first: 1) { totalCount }", "schedules:read"),
        ("audit(first: 1) { edges { cursor } }", "events:read"),
    ):
        error = jobs.refusal(f"{{ {wanted} }}", 403)
        assert (error["code"], error["field"]) == ("not-allowed", "scope")
        assert area in error["message"]


def test_reading_is_not_writing(token, schedule):
    change = f'mutation {{ pauseSchedule(id: "{schedule.public_id}") {{ state }} }}'

    assert "schedules:write" in token("author", scopes=["schedules:read"]).refusal(change, 403)["message"]
    assert token("author", scopes=["schedules:write"]).ask(change)["pauseSchedule"]["state"] == "paused"


def test_a_scope_gives_no_more_than_the_role(token, schedule):
    change = f'mutation {{ pauseSchedule(id: "{schedule.public_id}") {{ state }} }}'

    assert token("viewer", scopes=list(SCOPES)).error(change)["code"] == "not-allowed"


def test_every_type_and_every_mutation_is_of_an_area():
    """A new type that is in no area could be read by every token."""
    core = schema._schema
    named = {
        name.removesuffix("CursorConnection").removesuffix("CursorEdge")
        for name, kind in core.type_map.items()
        if is_object_type(kind) and not name.startswith("__") and name not in ("Query", "Mutation")
    }

    assert named == set(areas.TYPES) | areas.OPEN
    assert set(core.mutation_type.fields) == set(areas.MUTATIONS)
    assert {*areas.TYPES.values(), *areas.MUTATIONS.values()} <= set(AREAS)


# the schema, the page, and what is written about them


def test_nothing_of_the_library_is_loaded_before_the_first_request():
    """Every process of the product starts in less than two seconds, and most are never asked anything here."""
    here = Path(graphql.__file__).parent
    for name in ("__init__", "urls", "view", "caller"):
        tree = ast.parse((here / f"{name}.py").read_text())
        loaded = {
            part if isinstance(node, ast.Import) else f"{node.module}.{part}"
            for node in tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for part in (alias.name for alias in node.names)
        }
        assert not [item for item in loaded if item.split(".")[0] in ("strawberry", "strawberry_django", "graphql")]
        ours = {item.removeprefix("schedules.graphql.").split(".")[0] for item in loaded if "schedules.graphql" in item}
        assert ours <= {"view", "caller"}


def test_the_example_of_the_readme_runs(owner, job):
    words = (Path(graphql.__file__).parent / "README.md").read_text()
    [example] = re.findall(r"-d '(\{.*?\})'", words, re.DOTALL)

    response = owner.client.post(ADDRESS, example, content_type="application/json")
    assert response.json() == {"data": {"jobs": {"edges": []}}}
    Job.objects.update(state="failed")
    response = owner.client.post(ADDRESS, example, content_type="application/json")
    [edge] = response.json()["data"]["jobs"]["edges"]
    assert edge["node"] == {"title": "A title", "account": {"name": "News"}, "attempts": []}


def test_the_readme_names_the_limits_that_are_kept():
    words = (Path(graphql.__file__).parent / "README.md").read_text()

    for kept in (
        f"depth {limits.MOST_DEPTH}, {limits.MOST_ALIASES} aliases, {limits.MOST_TOKENS:,}",
        f"{view.MOST_BYTES // 1024} KB, cost {limits.MOST_COST:,}",
        f"counts {limits.USUAL_ROWS};",
        f"a mutation {limits.MUTATION_COST}, `testAccount` {limits.COSTLY['testAccount']:,}",
    ):
        assert kept in words


def test_the_schema_has_no_field_for_a_secret():
    core = schema._schema
    names = {
        f"{kind.name}.{name}".lower()
        for kind in core.type_map.values()
        if hasattr(kind, "fields") and not kind.name.startswith("__")
        for name in kind.fields
    }

    assert "account.name" in names
    for word in (
        "credential",
        "secret",
        "password",
        "digest",
        "token",
        "email",
        "grant",
        "appkey",
        "signature_",
        "networks",
    ):
        assert not [name for name in names if word in name]


def test_the_schema_is_for_those_who_are_let_in(callers):
    address = reverse("graphql:schema")
    response = callers["viewer"].client.get(address, HTTP_ACCEPT="text/html")

    assert response.status_code == 200
    assert response.content.decode() == str(schema)
    assert callers["nobody"].client.get(address).status_code == 401


def test_the_page_needs_no_other_host_and_no_inline_script(callers):
    response = callers["viewer"].client.get(ADDRESS, HTTP_ACCEPT="text/html,*/*;q=0.8")
    page = response.content.decode()

    assert response.status_code == 200
    assert page.count("<h1") == 1
    assert "style=" not in page
    assert "<script>" not in page
    assert "unpkg" not in page
    assert reverse("graphql:schema") in page
    away = callers["nobody"].client.get(ADDRESS, HTTP_ACCEPT="text/html")
    assert away.status_code == 302
    assert away["Location"].startswith(reverse("login"))


def test_without_javascript_the_page_asks_by_get(owner):
    response = owner.client.get(ADDRESS, {"query": QUERY, "variables": ""}, HTTP_ACCEPT="text/html,*/*;q=0.8")

    assert json.loads(response.content)["data"]["viewer"]["name"] == "ana"


def test_the_page_speaks_the_persons_language_and_programs_hear_english(people, django_assert_max_num_queries):
    people.owner.language = "de"
    people.owner.save()
    caller = signed_in(people.owner)

    with django_assert_max_num_queries(8):
        page = caller.client.get(ADDRESS, HTTP_ACCEPT="text/html")
    assert page["Content-Language"] == "de"
    assert 'lang="de"' in page.content.decode()
    assert caller.error('{ jobs(first: 1, workspace: "none") { totalCount } }')["message"].startswith("You are in no")
