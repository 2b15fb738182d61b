"""The OpenAPI file: whole, valid, without warnings; and the pages that show it."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from django.test import Client
from django.utils import translation
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import OpenAPIV31SpecValidator

from alwrity_scheduler.workspaces.scopes import SCOPES
from schedules.api import schema, urls
from schedules.api.serializers.shown import Shown, name_of
from tests.integration.api import described
from tests.integration.api.callers import Caller

METHODS = {"get", "post", "put", "patch", "delete"}
# pages for people, and the answer where nothing is
NO_OPERATIONS = {"docs", "redoc", "nowhere"}


@pytest.fixture(scope="module")
def document():
    reset_generator_stats()
    return SchemaGenerator().get_schema(request=None, public=True)


def entries():
    """The addresses that are described; a second one of the same view says itself that it is not."""
    return [
        entry
        for entry in urls.urlpatterns
        if entry.name not in NO_OPERATIONS and entry.callback.initkwargs.get("schema", True) is not None
    ]


def operations(document):
    return [(path, method, one) for path, methods in document["paths"].items() for method, one in methods.items()]


def test_it_is_valid_and_made_without_a_warning(document):
    assert GENERATOR_STATS._warn_cache == {}
    assert GENERATOR_STATS._error_cache == {}
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()


def test_every_address_of_the_api_is_in_it(document):
    addresses = {"/api/v1/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(entry.pattern)) for entry in entries()}
    assert addresses == set(document["paths"])
    for entry in entries():
        path = "/api/v1/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(entry.pattern))
        handled = {name for name in METHODS if hasattr(entry.callback.cls, name)}
        assert set(document["paths"][path]) == handled, path


def test_every_operation_has_words_a_name_of_its_own_and_an_answer(document):
    names = [one["operationId"] for _, _, one in operations(document)]
    assert len(set(names)) == len(names)
    for path, method, one in operations(document):
        assert len(one["description"]) > 7, (path, method)
        assert one["summary"], (path, method)
        assert any(status.startswith("2") for status in one["responses"]), (path, method)
        assert "422" in one["responses"], (path, method)


def test_no_two_answers_share_a_name():
    """Components are told apart by their names alone: the second would be shown as the first."""
    found = [name_of(one) for one in below(Shown)]
    assert sorted(found) == sorted(set(found))


def below(kind):
    return {kind for one in kind.__subclasses__() for kind in (one, *below(one))}


def test_every_operation_says_by_which_scope_an_app_may_do_it(document):
    scheme = document["components"]["securitySchemes"]["oauth2"]["flows"]["authorizationCode"]
    assert set(scheme["scopes"]) == set(SCOPES)
    assert Client().get("/.well-known/oauth-authorization-server").json()["token_endpoint"] == scheme["tokenUrl"]
    of = {
        one["operationId"]: way["oauth2"]
        for _, _, one in operations(document)
        for way in one["security"]
        if "oauth2" in way
    }
    assert of["schedules_list"] == ["schedules:read"]
    assert of["schedules_create"] == ["schedules:write"]
    assert of["preflight"] == ["content:read"]
    assert {scope for scopes in of.values() for scope in scopes} <= set(SCOPES)


def test_every_operation_stands_under_a_described_tag(document):
    tags = {tag["name"] for tag in document["tags"]}
    assert {tag for _, _, one in operations(document) for tag in one["tags"]} == tags


def test_every_body_and_parameter_refuses_what_it_does_not_know(document):
    for path, method, one in operations(document):
        for kind, body in one.get("requestBody", {}).get("content", {}).items():
            schema = body["schema"]
            if "$ref" in schema:
                schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            assert schema["additionalProperties"] is False, (path, method, kind)


def test_no_answer_is_left_undescribed(document):
    assert [one["operationId"] for _, _, one in operations(document) if "2XX" in one["responses"]] == []


def test_the_check_of_answers_sees_a_name_too_many_and_a_false_type(api: Caller, schedule):
    """What holds all the other tests of this folder against the file can fail."""
    answer = api.get(f"schedules/{schedule.public_id}/")
    for change in ({"secret": "x"}, {"version": "1"}, {"state": "asleep"}, {"next_run_at": "soon"}):
        answer.content = json.dumps({**answer.json(), **change}).encode()
        assert described.faults("get", f"/api/v1/schedules/{schedule.public_id}/", answer), change


def test_anybody_may_read_it_as_json_or_yaml(db):
    client = Client()
    as_json = client.get("/api/v1/schema/")
    as_yaml = client.get("/api/v1/schema/?format=yaml")
    asked = client.get("/api/v1/schema/", headers={"accept": "application/yaml"})

    assert (as_json["Content-Type"], as_yaml["Content-Type"]) == ("application/json", "application/yaml")
    assert yaml.load(as_yaml.content, yaml.CSafeLoader) == as_json.json()
    assert asked.content == as_yaml.content
    assert client.get("/api/v1/schema/?colour=red").status_code == 422
    assert client.get("/api/v1/schema/?format=").status_code == 422


def test_it_is_made_once_whoever_asks_first_and_in_english(db, monkeypatch):
    """Swagger and Redoc, opened side by side by somebody who reads German."""
    schema._made.cache_clear()
    begun, made = threading.Barrier(3), []
    whole = SchemaGenerator.get_schema
    monkeypatch.setattr(SchemaGenerator, "get_schema", lambda *args, **names: made.append(1) or whole(*args, **names))

    def ask():
        with translation.override("de"):
            begun.wait(10)
            return schema.whole()

    with ThreadPoolExecutor(3) as threads:
        first, *others = [asked.result() for asked in [threads.submit(ask) for _ in range(3)]]

    assert made == [1]
    assert all(other is first for other in others)
    assert "Multiple values may be separated by commas." in json.dumps(first)


@pytest.mark.parametrize("page", ["docs", "redoc"])
def test_the_pages_bring_everything_along(page, client, db):
    answer = client.get(f"/api/v1/{page}/")
    words = answer.content.decode()

    assert answer.status_code == 200
    assert not re.search(r'(?:src|href)="(?:https?:)?//', words)
    assert "<style" not in words
    assert " style=" not in words
    assert not re.search(r"<script(?![^>]* src=)", words)
    policy = answer.headers["Content-Security-Policy"]
    # the directives come in any order
    assert "script-src 'self'" in policy.split("; ")
    assert "unsafe" not in policy


def test_options_says_which_methods_there_are(api: Caller):
    answer = api.client.options("/api/v1/jobs/bulk/")
    assert answer.status_code == 200
    assert answer.json() == {"methods": ["POST", "OPTIONS"], "described_at": "/api/v1/schema/"}


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("jobs/", {"page_size": "many"}, "page_size"),
        ("jobs/", {"page_size": "0"}, "page_size"),
        # a cursor whose place is no number
        ("jobs/", {"cursor": "cD1oZWxsbw=="}, "cursor"),
        ("media/", {"unused": "0.5"}, "unused"),
        # PostgreSQL takes no NUL
        ("jobs/", {"workspace": "a\0b"}, "workspace"),
        (
            "calendar/",
            {"since": "2026-12-01T00:00:00Z", "until": "2026-12-02T00:00:00Z", "conflicts": "maybe"},
            "conflicts",
        ),
    ],
)
def test_a_parameter_that_cannot_be_read_is_refused(api: Caller, path, query, field):
    answer = api.get(path, **query)
    assert answer.status_code == 422
    assert [item["field"] for item in answer.json()["errors"]] == [field]


def test_what_no_address_does_is_refused_before_anything_is_compared(api: Caller, account):
    answer = api.client.trace(f"/api/v1/accounts/{account.public_id}/posting-times/", headers={"if-match": ""})
    assert answer.status_code == 405


def test_a_query_is_text_whatever_it_means(api: Caller):
    span = {"since": "2026-12-01T00:00:00Z", "until": "2026-12-02T00:00:00Z"}
    assert api.get("calendar/", **span, conflicts="true").status_code == 200


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"version": "1"}, "version"),
        ({"version": True}, "version"),
        ({"version": 1, "name": 5}, "name"),
        ({"version": 1, "default_hashtags": ["a", 5]}, "default_hashtags.1"),
        ({"version": 1, "utm": {"source": 5}}, "utm.source"),
    ],
)
def test_json_has_the_types_that_are_declared(callers, account, value, field):
    answer = callers["owner"].patch(f"accounts/{account.public_id}/", value)
    assert answer.status_code == 422
    assert [item["field"] for item in answer.json()["errors"]] == [field]


def test_a_line_break_in_an_address_is_answered_by_the_api_too(api: Caller):
    answer = api.client.get("/api/v1/accounts/%0A/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
