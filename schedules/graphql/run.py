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


@dataclass(frozen=True, slots=True)
class Ready:
    """A request that may be run. changes: it is a mutation. reaches_out: a verb of it waits for another machine."""

    asked: Asked
    caller: Caller
    changes: bool
    reaches_out: bool

    def run(self) -> Answer:
        result: Any = schema.execute_sync(
            self.asked.query,
            variable_values=dict(self.asked.variables),
            context_value=self.caller,
            operation_name=self.asked.operation_name,
        )
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = errors.told(result.errors, _request_id(self.caller))
        return Answer(200, body)


def prepare(asked: Asked, caller: Caller) -> Ready | Answer:
    """Read and reckon up what was sent; an answer where it is not run."""

    def refused(status: int, *found: GraphQLError) -> Answer:
        return Answer(status, {"errors": errors.told(found, _request_id(caller))})

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
    changes = operation.operation is OperationType.MUTATION
    if changes and not asked.may_change:
        words = "A GET only reads. Send mutations by POST."
        return refused(WRONG_METHOD, _error(limits.Trouble("method", words, "query")))
    reckoning = limits.Reckoning(core, document, operation, asked.variables)
    if troubles := reckoning.run():
        return refused(MALFORMED, *map(_error, dict.fromkeys(troubles)))
    if missing := _missing_scopes(caller, reckoning):
        return refused(NOT_ALLOWED, *map(_error, missing))
    return Ready(asked, caller, changes, reckoning.reaches_out)


def _request_id(caller: Caller) -> str:
    return str(getattr(caller.request, "id", ""))


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
