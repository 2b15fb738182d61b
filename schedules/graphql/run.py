"""One request from its words to its answer: read, reckoned up, run. Knows nothing of HTTP but the statuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, OperationType, parse, validate

from alwrity_scheduler.workspaces import scopes
from schedules.graphql import errors, limits
from schedules.graphql.caller import Caller
from schedules.graphql.schema import schema

MALFORMED, NOT_ALLOWED, WRONG_METHOD = 400, 403, 405


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client sent. `may_change`: false for a GET."""

    query: str
    variables: Mapping[str, Any]
    operation_name: str | None
    may_change: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """200 once the operation was run, even where fields of it were refused; else why it was not."""

    status: int
    body: dict[str, Any]


def run(asked: Asked, caller: Caller) -> Answer:
    request_id = str(getattr(caller.request, "id", ""))

    def refused(status: int, *found: GraphQLError) -> Answer:
        return Answer(status, {"errors": errors.told(found, request_id)})

    if trouble := limits.token_trouble(asked.query):
        return refused(MALFORMED, _error(trouble))
    core = schema._schema
    try:
        document = parse(asked.query)
    except GraphQLError as error:
        return refused(MALFORMED, error)
    if wrong := validate(core, document, max_errors=20):
        return refused(MALFORMED, *wrong)
    operation = limits.operation_of(document, asked.operation_name)
    if operation is None:
        words = "Say by operationName which of the operations is meant, by the name that it has."
        return refused(MALFORMED, _error(limits.Trouble("operation", words, "operationName")))
    if operation.operation is OperationType.MUTATION and not asked.may_change:
        words = "A GET only reads. Send mutations by POST."
        return refused(WRONG_METHOD, _error(limits.Trouble("method", words, "query")))
    reckoning = limits.Reckoning(core, document, operation, asked.variables)
    if troubles := reckoning.run():
        return refused(MALFORMED, *map(_error, dict.fromkeys(troubles)))
    if missing := _missing_scopes(caller, reckoning):
        return refused(NOT_ALLOWED, *map(_error, missing))
    result: Any = schema.execute_sync(
        asked.query, variable_values=dict(asked.variables), context_value=caller, operation_name=asked.operation_name
    )
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = errors.told(result.errors, request_id)
    return Answer(200, body)


def _missing_scopes(caller: Caller, reckoning: limits.Reckoning) -> list[limits.Trouble]:
    held = scopes.scopes_of(caller.user)
    wanted = [(area, True) for area in sorted(reckoning.writes)]
    wanted += [(area, False) for area in sorted(reckoning.reads)]
    missing = [
        scopes.needed(area, writes=writes) for area, writes in wanted if not scopes.covers(held, area, writes=writes)
    ]
    words = "This needs the scope {}, which the token was not given. Make a token that has it."
    return [limits.Trouble("insufficient_scope", words.format(scope), "scope") for scope in missing]


def _error(trouble: limits.Trouble) -> GraphQLError:
    code = "not-allowed" if trouble.code == "insufficient_scope" else "malformed"
    problem = {"field": trouble.field, "message": trouble.message, "code": trouble.code}
    return GraphQLError(trouble.message, extensions={"code": code, "field": trouble.field, "problems": [problem]})
