"""Many rows in one statement: what the engine writes in groups. Generic; the callers are services.

Django writes one UPDATE a row, or one CASE a value; both cost more than everything else that the engine does for a post.
Here the values travel as ONE parameter, a JSON document that the database itself unfolds into rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models

Values = Sequence[Any]


def insert(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Values],
    *,
    shared: Mapping[str, Any] | None = None,
    answer: Sequence[str] = (),
) -> list[Any]:
    """Insert `rows`, each with the values of `columns` (attribute names, like `job_id`), in the open transaction.

    `shared` is what every row has. With `answer`, the id and those columns of each new row, in no particular order and as
    the database answers them. Columns named nowhere get the model's default.
    """
    return _insert(model, columns, rows, shared or {}, "", answer)[0]


def insert_new(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Values],
    *,
    shared: Mapping[str, Any] | None = None,
    answer: Sequence[str] = (),
) -> tuple[int, list[Any]]:
    """The same, leaving out those that a unique constraint has already. Returns how many were new, and the answer."""
    answers, count = _insert(model, columns, rows, shared or {}, "ON CONFLICT DO NOTHING", answer)
    return count, answers


def _insert(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Values],
    shared: Mapping[str, Any],
    conflict: str,
    answer: Sequence[str],
) -> tuple[list[Any], int]:
    if not rows:
        return [], 0
    columns, rows, shared = _with_defaults(model, columns, rows, shared)
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(_column(model, name) for name in (*columns, *shared))
    picked = ", ".join([*(f"v.c{number}" for number in range(len(columns))), *["%s"] * len(shared)])
    source = f"{_unfolded(columns)} AS v{_types(model, columns)} WHERE true {conflict}"
    returning = f" RETURNING {', '.join(['id', *(_column(model, name) for name in answer)])}" if answer else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {picked} FROM {source}{returning}",
            [*(_prepared(model, name, value) for name, value in shared.items()), _document(model, columns, rows)],
        )
        if not answer:
            return [], cursor.rowcount
        answers = list(cursor.fetchall())
        return answers, len(answers)


def update(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Values],
    *,
    match: Sequence[str] = ("id",),
    shared: Mapping[str, Any] | None = None,
    adding: Mapping[str, int] | None = None,
    only: Mapping[str, Any] | None = None,
) -> set[int]:
    """Update rows in one statement: compare-and-set of many. Returns the ids of those that were changed.

    Each of `rows` has the values of `columns`. Those named in `match` must be what the row has; the others are written.
    `shared` is written to every row, `adding` is added, `only` must be what every row has.
    """
    if not rows:
        return set()
    table = connection.ops.quote_name(model._meta.db_table)
    source = f"{_unfolded(columns)} AS v{_types(model, columns)}"
    shared, adding, only = shared or {}, adding or {}, only or {}
    written = [f"{_column(model, name)} = v.c{columns.index(name)}" for name in columns if name not in match]
    written += [f"{_column(model, name)} = %s" for name in shared]
    written += [
        f"{_column(model, name)} = {table}.{_column(model, name)} + {int(step)}" for name, step in adding.items()
    ]
    wanted = [f"{table}.{_column(model, name)} = v.c{columns.index(name)}" for name in match]
    wanted += [f"{table}.{_column(model, name)} = %s" for name in only]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {', '.join(written)} FROM {source} WHERE {' AND '.join(wanted)} RETURNING {table}.id",
            [
                *(_prepared(model, name, value) for name, value in shared.items()),
                _document(model, columns, rows),
                *(_prepared(model, name, value) for name, value in only.items()),
            ],
        )
        return {pk for (pk,) in cursor.fetchall()}


def moment(value: Any) -> datetime:
    """A time as the database answers it to a statement of our own, as aware UTC."""
    at: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def prepared_moment(value: datetime) -> Any:
    """A time as a parameter of a statement of our own."""
    return connection.ops.adapt_datetimefield_value(value)


def _column(model: type[models.Model], name: str) -> str:
    return connection.ops.quote_name(_field(model, name).column)


@lru_cache(maxsize=500)
def _field(model: type[models.Model], name: str) -> Any:
    return next(field for field in model._meta.concrete_fields if field.attname == name)


def _prepared(model: type[models.Model], name: str, value: Any) -> Any:
    return _field(model, name).get_db_prep_save(value, connection)


def _with_defaults(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Values], shared: Mapping[str, Any]
) -> tuple[list[str], list[Values], dict[str, Any]]:
    """What is named nowhere: the default, one for all rows, or one for each where it must be unique."""
    missing = [
        field
        for field in model._meta.concrete_fields
        if field.attname not in columns
        and field.attname not in shared
        and not field.primary_key
        and (field.has_default() or not field.null)
    ]
    own = [field for field in missing if field.unique]
    defaults = {field.attname: field.get_default() for field in missing if not field.unique}
    filled: list[Values] = [[*row, *(field.get_default() for field in own)] for row in rows] if own else list(rows)
    return [*columns, *(field.attname for field in own)], filled, {**defaults, **shared}


# PostgreSQL unfolds objects by the names and types of a column list; SQLite arrays, by place.
def _unfolded(columns: Sequence[str]) -> str:
    if connection.vendor == "postgresql":
        return "json_to_recordset(%s::json)"
    picked = ", ".join(f"json_extract(value, '$[{number}]') AS c{number}" for number in range(len(columns)))
    return f"(SELECT {picked} FROM json_each(%s))"


def _types(model: type[models.Model], columns: Sequence[str]) -> str:
    if connection.vendor != "postgresql":
        return ""
    return f"({', '.join(f'c{number} {_type(model, name)}' for number, name in enumerate(columns))})"


@lru_cache(maxsize=500)
def _type(model: type[models.Model], name: str) -> str:
    return str(_field(model, name).cast_db_type(connection))


def _document(model: type[models.Model], columns: Sequence[str], rows: Sequence[Values]) -> str:
    postgres = connection.vendor == "postgresql"
    plain = [
        values if (convert := _converter(model, name, postgres)) is None else [convert(value) for value in values]
        for name, values in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    across: Iterable[Any] = zip(*plain, strict=True)
    if postgres:
        names = [f"c{number}" for number in range(len(columns))]
        across = (dict(zip(names, row, strict=True)) for row in across)
    return json.dumps(list(across), cls=DjangoJSONEncoder, separators=(",", ":"))


@lru_cache(maxsize=500)
def _converter(model: type[models.Model], name: str, postgres: bool) -> Callable[[Any], Any] | None:
    """What makes a value of this column plain JSON; None: it is that already."""
    field = _field(model, name)
    kind = field.get_internal_type()
    if kind == "DateTimeField":
        # with all its digits: Django's encoder would cut it to milliseconds
        return _iso if postgres else _prepared_by(field)
    if kind == "UUIDField":
        return str if postgres else _hex
    if kind == "JSONField":
        return None if postgres else _text
    if isinstance(field, models.CharField | models.TextField) and type(field).get_prep_value is not _CHAR:
        return _prepared_by(field)
    return None


_CHAR = models.CharField.get_prep_value


def _prepared_by(field: Any) -> Callable[[Any], Any]:
    return lambda value: None if value is None else field.get_db_prep_save(value, connection)


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _hex(value: UUID) -> str:
    return value.hex


def _text(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder)
