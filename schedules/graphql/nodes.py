"""How a table becomes a type: by `node`, which lets nobody read past `visible_to`, whichever way the type was reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import strawberry_django
from strawberry.extensions import FieldExtension
from strawberry.types import Info as StrawberryInfo
from strawberry_django.relay import DjangoCursorConnection

from alwrity_scheduler.core.errors import Problem, Refused
from schedules.graphql.caller import Caller

Info: TypeAlias = StrawberryInfo[Caller, None]
Type = TypeVar("Type")
Narrow = Callable[[Any], Any]
if TYPE_CHECKING:
    # the library's own type wants relay's `Node`, whose ids say more than the API's do
    Rows: TypeAlias = list[Type]
else:
    Rows = DjangoCursorConnection


def node(model: Any, *, name: str, narrow: Narrow | None = None) -> Callable[[type[Type]], type[Type]]:
    """A type of the rows of `model`.

    The library hands every queryset of the type to `get_queryset`: those of roots, and those by which it fetches relations.
    `narrow`: what is left of the rows whoever asks.
    """

    def get_queryset(cls: Any, /, queryset: Any, info: Info, **_: Any) -> Any:
        found = queryset.visible_to(info.context.user)
        return found if narrow is None else narrow(found)

    def wrap(cls: type[Type]) -> type[Type]:
        setattr(cls, "get_queryset", classmethod(get_queryset))  # noqa: B010 - the class has none to mypy
        made: type[Type] = strawberry_django.type(model, name=name, description=(cls.__doc__ or "").strip() or None)(
            cls
        )
        return made

    return wrap


def public_id() -> Any:
    """The id by which the API names a row: its UUID."""
    return strawberry_django.field(field_name="public_id", description="The same id as in the REST API.")


def computed(**hints: Any) -> Callable[[Callable[..., Any]], Any]:
    """A field made from its row. `hints`: what the row needs besides its own columns (`annotate`, `prefetch_related`). Never
    `select_related`: what is joined is not fetched again through `visible_to` where a query asks for it."""
    made: Callable[[Callable[..., Any]], Any] = strawberry_django.field(**hints)
    return made


class FetchedTogether(FieldExtension):
    """A list on each row of a list comes with one query for all of them, or not at all.

    The library fetches it in advance unless it is asked for in two ways at once: that would be a query a row.
    """

    def resolve(self, next_: Callable[..., Any], source: Any, info: Info, **given: Any) -> Any:
        field: Any = info._field
        name = field.django_name or field.python_name
        if name not in getattr(source, "_prefetched_objects_cache", {}) and _stands_in_a_list(info.path):
            words = f"{info.field_name} is asked for in several ways on each row of a list. Ask for it in one way a request."
            raise Refused(Problem(field=info.field_name, message=words, code="list_twice"))
        return next_(source, info, **given)


def _stands_in_a_list(path: Any) -> bool:
    while path is not None:
        if isinstance(path.key, int):
            return True
        path = path.prev
    return False


def connected(field_name: str | None = None) -> Any:
    """A list of related rows, cut by cursor."""
    return strawberry_django.connection(field_name=field_name, extensions=[FetchedTogether()])
