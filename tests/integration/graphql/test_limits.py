"""What one request may cost: each refusal names the number and the limit, and nothing was fetched."""

from __future__ import annotations

import json

import pytest
from django.test.utils import CaptureQueriesContext
from graphql import get_introspection_query, parse

from schedules.graphql import limits
from schedules.graphql.schema import schema
from tests.integration.graphql.callers import ADDRESS

QUERY = "query($q: String) { contents(first: 1, filter: {q: $q}) { totalCount } }"


def refused(owner, query, **variables):
    from django.db import connection

    with CaptureQueriesContext(connection) as queries:
        error = owner.refusal(query, **variables)
    assert not [item["sql"] for item in queries if "schedules_" in item["sql"]]
    return error["problems"][0]["code"], error["message"]


def reckoned(query, **variables):
    document = parse(query)
    reckoning = limits.Reckoning(schema._schema, document, limits.operation_of(document, None), variables)
    return reckoning.run(), reckoning.cost


def test_depth(owner):
    deep = (
        "schedule { content { schedules(first: 1) { edges { node { jobs(first: 1) { edges { node { schedule { content {"
    )
    deep += " campaign { id } } } } } } } } } } }"
    code, words = refused(owner, f'{{ job(id: "x") {{ {deep} }} }}')

    assert code == "too_deep"
    assert "13 levels" in words
    assert "at most 12" in words


def test_cost_is_rows_times_rows(owner):
    jobs = "jobs(first: 100) { edges { node { state } } }"
    code, words = refused(owner, f"{{ schedules(first: 100) {{ edges {{ node {{ id {jobs} }} }} }} }}")

    assert code == "too_costly"
    assert "10,100" in words  # a hundred schedules, each with a hundred jobs
    assert "at most 5,000" in words


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        ("{ schedules(first: 7) { edges { node { state } } } }", 7),
        ("query($n: Int = 8) { schedules(first: $n) { edges { node { state } } } }", 8),
        (
            "{ schedules(last: 3) { edges { node { content { title } nextOccurrences(count: 4) { at } } } } }",
            3 + 3 + 12,
        ),
        ("{ jobs(first: 2) { edges { node { attempts { no } } } } viewer { name } }", 2 + 2 * limits.USUAL_ROWS + 1),
        (
            "{ ...a ...a } fragment a on Query { jobs(first: 2) { ...b } } fragment b on JobCursorConnection { totalCount }",
            4,
        ),
        ('mutation { a: pauseSchedule(id: "x") { id } b: pauseSchedule(id: "y") { id } }', 1002),
        ("{ __schema { types { name fields { name } } } __typename }", 0),
    ],
)
def test_what_a_request_costs(query, cost):
    assert reckoned(query) == ([], cost)


def test_a_variable_counts_by_its_value():
    query = "query($n: Int) { jobs(first: $n) { totalCount } }"

    assert reckoned(query, n=40) == ([], 40)
    assert [trouble.code for trouble in reckoned(query)[0]] == ["page_size"]


def test_a_list_says_how_many_and_never_more_than_a_hundred(owner):
    for arguments, words in (
        ("", "first or last, at most 100"),
        ("(first: 101)", "101 rows"),
        ("(first: 0)", "0 rows"),
        ("(last: -5)", "-5 rows"),
        ("(first: 2, last: 2)", "first or last"),
    ):
        code, said = refused(owner, f"{{ jobs{arguments} {{ totalCount }} }}")
        assert code == "page_size"
        assert words in said


def test_aliases_and_tokens(owner):
    names = " ".join(f"a{number}: viewer {{ name }}" for number in range(31))
    assert refused(owner, f"{{ {names} }}") == ("too_many_aliases", "This has 31 aliases; at most 30 are taken.")

    code, words = refused(owner, "{ viewer { " + "name " * 2_000 + "} }")
    assert code == "too_many_tokens"
    assert "2,005 tokens; at most 2,000" in words


def test_more_than_ten_mutations_at_once_are_too_many(owner):
    verbs = " ".join(f'm{number}: pauseSchedule(id: "x") {{ id }}' for number in range(10))
    code, words = refused(owner, f"mutation {{ {verbs} }}")

    assert code == "too_costly"
    assert "5,010" in words


def test_fragments_that_double_each_other_are_reckoned_up_at_once(owner):
    """Thirty fragments of two spreads each stand for a thousand million fields."""
    chain = " ".join(
        f"fragment f{number} on Schedule {{ content {{ schedules(first: 1) {{ edges {{ node {{ ...f{number + 1} }} }} }} }}"
        f" x: content {{ schedules(first: 1) {{ edges {{ node {{ ...f{number + 1} }} }} }} }} }}"
        for number in range(20)
    )
    document = parse(f'{{ schedule(id: "x") {{ ...f0 }} }} {chain} fragment f20 on Schedule {{ id }}')
    reckoning = limits.Reckoning(schema._schema, document, limits.operation_of(document, None), {})

    assert {"too_deep", "too_costly", "too_many_aliases"} == {trouble.code for trouble in reckoning.run()}


def test_brackets_that_would_exhaust_the_parser_are_refused(owner):
    code, words = refused(owner, "{ viewer " * 200 + "}" * 200)

    assert code == "too_deep"
    assert "200 deep" in words


def test_whoever_is_let_in_may_ask_for_the_schema_but_not_in_circles(owner):
    assert len(owner.ask(get_introspection_query())["__schema"]["types"]) > 50
    circle = "fields { type { fields { type { fields { type { fields { name } } } } } } }"
    assert "introspection" in owner.post(f"{{ __schema {{ types {{ {circle} }} }} }}").json()["errors"][0]["message"]


def test_text_that_no_database_can_store_is_refused_wherever_it_stands(owner):
    assert refused(owner, '{ contents(first: 1, filter: {q: "a\\u0000"}) { totalCount } }')[0] == "characters"
    half = json.dumps({"query": QUERY, "variables": {"q": "\ud800"}})
    assert owner.client.post(ADDRESS, half, content_type="application/json").status_code == 422
    half = json.dumps({"query": QUERY, "\ud800": 1})
    assert owner.client.post(ADDRESS, half, content_type="application/json").status_code == 422
    assert owner.ask(QUERY, q="\\u0000")
