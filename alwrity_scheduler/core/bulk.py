"""Rows by the thousand: one statement of plain values, for the few places where building model instances is what costs.

`bulk_create` prepares every field of every row; here a row is a tuple of what differs, and what is the same is sent once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connections, models, router


def insert_new(
    model: type[models.Model],
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    same: Mapping[str, Any] | None = None,
) -> int:
    """Insert `rows`, leaving out those that a unique constraint has already; returns how many were new.

    `names` are the attributes (`schedule_id`) that each tuple gives, in its order; all other columns get the value in
    `same` or the field's default. No instance is made and no signal sent. Runs in the caller's transaction.
    """
    if not rows:
        return 0
    connection = connections[router.db_for_write(model)]
    fields = {field.attname: field for field in model._meta.concrete_fields}
    varying = [fields[name] for name in names]
    fixed = [field for name, field in fields.items() if name not in names and not isinstance(field, models.AutoField)]
    given = same or {}
    constants = [
        field.get_db_prep_save(given.get(field.attname, field.get_default()), connection=connection) for field in fixed
    ]
    columns = [
        [field.get_db_prep_save(value, connection=connection) for value in values]
        for field, values in zip(varying, zip(*rows, strict=True), strict=True)
    ]
    quoted = ", ".join(connection.ops.quote_name(str(field.column)) for field in [*varying, *fixed])
    into = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({quoted})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = ", ".join(f"%s::{field.db_type(connection)}[]" for field in varying)
            names_of = [f"c{number}" for number in range(len(varying))]
            values = ", ".join([*(f"u.{name}" for name in names_of), *["%s"] * len(fixed)])
            # all of it is names of the model's own columns
            source = f"SELECT {values} FROM unnest({arrays}) AS u({', '.join(names_of)})"  # noqa: S608
            cursor.execute(f"{into} {source} ON CONFLICT DO NOTHING", [*constants, *columns])
        else:
            source = f"VALUES ({', '.join(['%s'] * (len(varying) + len(fixed)))})"
            cursor.executemany(
                f"{into} {source} ON CONFLICT DO NOTHING", [(*row, *constants) for row in zip(*columns, strict=True)]
            )
        inserted: int = cursor.rowcount
    return inserted
