"""What one request may cost, counted before anything is fetched; and which scopes it needs. Pure: knows graphql-core and no table.

Counted over the operation that would run, fragments taken out where they are spread:

* depth      how many fields stand in each other;
* aliases    how many fields are renamed;
* cost       the rows that could come back: each list by its `first`, `last` or `count`, times the lists around it; a thing that
             hangs on a row counts one for each row; a mutation counts `MUTATION_COST`.

Introspection costs nothing here: graphql-core bounds it itself.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    Lexer,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    Source,
    TokenKind,
    VariableNode,
    get_named_type,
    is_list_type,
    is_non_null_type,
)

from schedules.graphql import areas

MOST_DEPTH = 12
MOST_ALIASES = 30
MOST_TOKENS = 2_000
MOST_COST = 5_000
MOST_ROWS = 100
# rows of a list that takes no number: targets, attempts, media of a post
USUAL_ROWS = 5
MUTATION_COST = 500
# what waits for another machine
COSTLY = {"testAccount": 2_500}
# brackets of every kind in each other, of a document: the parser calls itself for each
MOST_BRACKETS = 60
_OPENING = (TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L)
_CLOSING = (TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R)
NUMBERS = ("first", "last", "count")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a request is not run: machine name, sentence, and the field it is about."""

    code: str
    message: str
    field: str = ""


@dataclass(slots=True)
class _Sum:
    """Of one selection set, for one row of what it is selected from."""

    depth: int = 0
    aliases: int = 0
    cost: int = 0

    def add(self, other: _Sum) -> None:
        self.depth = max(self.depth, other.depth)
        self.aliases += other.aliases
        self.cost += other.cost


def token_trouble(text: str) -> Trouble | None:
    """Too long a document, or text in it that no database can store. Unreadable ones are the parser's to refuse."""
    count = depth = deepest = 0
    lexer = Lexer(Source(text))
    try:
        while (token := lexer.advance()).kind is not TokenKind.EOF:
            count += 1
            depth += (token.kind in _OPENING) - (token.kind in _CLOSING)
            deepest = max(deepest, depth)
            if token.kind in (TokenKind.STRING, TokenKind.BLOCK_STRING) and not is_storable(token.value or ""):
                return Trouble("characters", "The document holds characters that cannot be stored.", "query")
    except Exception:
        return None
    if count > MOST_TOKENS:
        words = f"This document has {count:,} tokens; at most {MOST_TOKENS:,} are taken. Send less at once."
        return Trouble("too_many_tokens", words, "query")
    if deepest > MOST_BRACKETS:
        words = f"Brackets stand {deepest:,} deep in each other; at most {MOST_BRACKETS} are taken."
        return Trouble("too_deep", words, "query")
    return None


def is_storable(text: str) -> bool:
    """No NUL characters, no halves of surrogate pairs: every database can store it."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def is_cursor(text: str) -> bool:
    """Has it the shape of the cursors that lists give: base64 of a prefix and a list of texts that can be stored?"""
    try:
        prefix, _, words = base64.b64decode(text.encode("ascii"), validate=True).decode().partition(":")
        values = json.loads(words)
    except (ValueError, RecursionError):
        return False
    if prefix != "orderedcursor" or not isinstance(values, list):
        return False
    return all(is_storable(item) and not _is_huge(item) for item in texts_of(values))


def _is_huge(text: str) -> bool:
    """A whole number that no column holds."""
    digits = text.strip().lstrip("+-")
    return digits.isdecimal() and len(digits) > 18


def texts_of(value: Any) -> Iterator[str]:
    """Every text in a value of JSON, the names in objects among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


class Reckoning:
    """One operation of a valid document, reckoned up."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        self.schema, self.operation, self.variables = schema, operation, variables
        self.fragments = {
            item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)
        }
        self.defaults = {item.variable.name.value: item.default_value for item in operation.variable_definitions or ()}
        self.known: dict[str, _Sum] = {}
        self.troubles: list[Trouble] = []
        self.reads: set[str] = set()
        self.writes: set[str] = set()
        self.reaches_out = False

    def run(self) -> list[Trouble]:
        """What is wrong with it, the number and the limit in each sentence. Fills `reads`, `writes` (areas) and `reaches_out`."""
        is_mutation = self.operation.operation is OperationType.MUTATION
        root = self.schema.mutation_type if is_mutation else self.schema.query_type
        assert root is not None
        total = self._set(self.operation.selection_set, root)
        for name, code, found, most in (
            ("levels deep", "too_deep", total.depth, MOST_DEPTH),
            ("aliases", "too_many_aliases", total.aliases, MOST_ALIASES),
        ):
            if found > most:
                self.troubles.append(Trouble(code, f"This has {found:,} {name}; at most {most:,} are taken.", "query"))
        if total.cost > MOST_COST:
            words = f"This costs {total.cost:,}; at most {MOST_COST:,} are taken. Ask for fewer rows, or for fewer lists in lists."
            self.troubles.append(Trouble("too_costly", words, "query"))
        self.cost = total.cost
        return self.troubles

    def _set(self, selections: SelectionSetNode, parent: Any) -> _Sum:
        found = _Sum()
        for item in selections.selections:
            if isinstance(item, FieldNode):
                found.add(self._field(item, parent))
            elif isinstance(item, InlineFragmentNode):
                found.add(self._set(item.selection_set, self._on(item, parent)))
            elif isinstance(item, FragmentSpreadNode):
                found.add(self._fragment(item.name.value))
        return found

    def _on(self, item: InlineFragmentNode, parent: Any) -> Any:
        return parent if item.type_condition is None else self.schema.type_map[item.type_condition.name.value]

    def _fragment(self, name: str) -> _Sum:
        """Each fragment is reckoned up once, however often it is spread: otherwise a few lines could keep us busy for hours."""
        if name not in self.known:
            fragment = self.fragments[name]
            self.known[name] = self._set(
                fragment.selection_set, self.schema.type_map[fragment.type_condition.name.value]
            )
        return self.known[name]

    def _field(self, item: FieldNode, parent: GraphQLObjectType) -> _Sum:
        name = item.name.value
        own = _Sum(depth=1, aliases=1 if item.alias else 0)
        if name.startswith("__"):
            own.depth = 0
            return own
        declared = parent.fields[name]
        named = get_named_type(declared.type)
        if parent is self.schema.mutation_type:
            self.writes.add(areas.MUTATIONS[name])
            own.cost = COSTLY.get(name, MUTATION_COST)
            self.reaches_out = self.reaches_out or name in COSTLY
        if not isinstance(named, GraphQLObjectType):
            return own
        if area := areas.of_type(named.name):
            self.reads.add(area)
        rows = self._rows(item, declared)
        wrapper = name in ("edges", "node", "pageInfo")
        if not wrapper:
            own.cost += rows
        if item.selection_set is not None:
            inside = self._set(item.selection_set, named)
            own.depth += inside.depth
            own.aliases += inside.aliases
            own.cost += (1 if wrapper else rows) * inside.cost
        return own

    def _rows(self, item: FieldNode, declared: Any) -> int:
        """How many rows the field may bring. Troubles: a page without a size, or too large a one."""
        name = item.name.value
        given = {argument.name.value: argument.value for argument in item.arguments or ()}
        if "first" in declared.args:
            if get_named_type(declared.type).name.endswith("CursorConnection"):
                self._check_cursors(name, given)
            asked = ((key, self._number(given[key])) for key in ("first", "last") if key in given)
            sizes = {key: size for key, size in asked if size is not None}
            if len(sizes) != 1:
                words = f"Say how many of {name} are wanted: first or last, at most {MOST_ROWS}."
                self.troubles.append(Trouble("page_size", words, name))
                return MOST_ROWS
            [(key, size)] = sizes.items()
            if not 1 <= size <= MOST_ROWS:
                words = f"{size:,} rows are asked for by {key}; give a number from 1 to {MOST_ROWS}."
                self.troubles.append(Trouble("page_size", words, f"{name}.{key}"))
            return min(max(size, 1), MOST_ROWS)
        if "count" in declared.args:
            number = self._number(given["count"]) if "count" in given else declared.args["count"].default_value
            return min(max(number if isinstance(number, int) else USUAL_ROWS, 1), MOST_ROWS)
        if name == "edges":
            return 1
        kind = declared.type.of_type if is_non_null_type(declared.type) else declared.type
        return USUAL_ROWS if is_list_type(kind) else 1

    def _check_cursors(self, name: str, given: Mapping[str, Any]) -> None:
        for key in ("after", "before"):
            value = given.get(key)
            if isinstance(value, VariableNode):
                text = self.variables.get(value.name.value)
            else:
                text = getattr(value, "value", None)
            if isinstance(text, str) and not is_cursor(text):
                words = "This is no cursor of this list. Take one that it gave."
                self.troubles.append(Trouble("cursor", words, f"{name}.{key}"))

    def _number(self, value: Any) -> int | None:
        """What an argument says, if that is a whole number; what it is otherwise is refused when it is run."""
        if isinstance(value, VariableNode):
            name = value.name.value
            if name in self.variables:
                found = self.variables[name]
                return found if isinstance(found, int) and not isinstance(found, bool) else None
            value = self.defaults.get(name)
        return int(value.value) if isinstance(value, IntValueNode) else None


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """The operation that would run; None where that cannot be said."""
    found = list(_operations(document))
    if name:
        return next((item for item in found if item.name is not None and item.name.value == name), None)
    return found[0] if len(found) == 1 else None


def _operations(document: DocumentNode) -> Iterator[OperationDefinitionNode]:
    return (item for item in document.definitions if isinstance(item, OperationDefinitionNode))
