"""How roots find their rows: narrowed by the lists' own FilterSets, ordered, and one row by its id.

Rows are narrowed to what the caller may see by their type (`nodes.node`), not here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry
from django.db.models import QuerySet
from django.http import Http404
from strawberry_django.optimizer import OptimizerConfig, optimize

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.workspaces.models import Workspace
from schedules.graphql.nodes import Info

# Columns are all fetched: a computed field may read any of them. Relations are asked for by the type's own queryset.
OPTIMIZER = OptimizerConfig(enable_only=False, prefetch_custom_queryset=True)


@strawberry.enum(description="By when a row was made.")
class Order(Enum):
    NEWEST = "-id"
    OLDEST = "id"


def listed(
    info: Info,
    rows: QuerySet[Any],
    *,
    workspace: str | None = None,
    order: Order = Order.NEWEST,
    filters: Any = None,
    wanted: Any = None,
    workspace_path: str = "workspace",
) -> QuerySet[Any]:
    """The rows of a root list. `filters` is a FilterSet class, `wanted` the input that names its values."""
    if workspace is not None:
        room: Workspace = info.context.workspace_of(workspace)
        rows = rows.filter(**{workspace_path: room.pk})
    if filters is not None and wanted is not None:
        rows = narrowed(info, rows, filters, wanted)
    return rows.order_by(order.value)


def narrowed(info: Info, rows: QuerySet[Any], filters: Any, wanted: Any) -> QuerySet[Any]:
    """What the FilterSet leaves; Refused, with the names of the input, where it does not take a value."""
    found = filters(filter_values(wanted), queryset=rows, request=info.context.request)
    if not found.is_valid():
        raise Refused(
            Problem(field=f"filter.{name}", message=" ".join(str(words) for words in errors))
            for name, errors in found.errors.items()
        )
    narrow: QuerySet[Any] = found.qs
    return narrow


def filter_values(wanted: Any) -> dict[str, str]:
    """The input's fields as a query string has them; what was left out, or is null, narrows nothing."""
    given = {name: value for name, value in vars(wanted).items() if value is not None and value is not strawberry.UNSET}
    return {name: _as_text(value) for name, value in given.items()}


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return value.isoformat() if isinstance(value, datetime) else str(value)


def visible(info: Info, kind: Any, rows: QuerySet[Any] | None = None) -> QuerySet[Any]:
    """The rows of a type that the caller may see, with the relations that this request asks for."""
    model = kind.__strawberry_django_definition__.model
    found: QuerySet[Any] = kind.get_queryset(model._default_manager.all() if rows is None else rows, info)
    return found


def shown(info: Info, kind: Any, rows: QuerySet[Any] | None = None) -> QuerySet[Any]:
    return optimize(visible(info, kind, rows), info, config=OPTIMIZER)


def one(info: Info, kind: Any, public_id: Any) -> Any:
    """The row of that id, as this request wants to see it; None where there is none, or none that the caller may see."""
    wanted = uuid_of(public_id)
    return None if wanted is None else shown(info, kind).filter(public_id=wanted).first()


def again(info: Info, kind: Any, row: Any) -> Any:
    """A row that a service returned, read anew as this request wants to see it."""
    return shown(info, kind).get(pk=row.pk)


def to_change(info: Info, kind: Any, public_id: Any, *joined: str) -> Any:
    """The row that a mutation is about. Http404 where there is none that the caller may see."""
    wanted = uuid_of(public_id)
    row = None if wanted is None else visible(info, kind).select_related(*joined).filter(public_id=wanted).first()
    if row is None:
        raise Http404
    return row


def uuid_of(text: Any) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None


def ids_of(values: Iterable[Any], field: str) -> tuple[str, ...]:
    """Ids as the services take them. Refused where one is none."""
    found = []
    for value in values:
        if uuid_of(value) is None:
            raise Refused(Problem(field=field, message=f"{str(value)[:60]!r} is not an id."))
        found.append(str(uuid_of(value)))
    return tuple(found)
