"""How lists are cut: by cursor, so that rows arriving meanwhile neither repeat nor hide a row."""

from __future__ import annotations

from typing import Any

from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from alwrity_scheduler.core.errors import Problem, Refused


class NewestFirst(CursorPagination):
    """Newest first, 50 a page unless `page_size` says otherwise, at most 200. Follow `next` as it is."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def get_page_size(self, request: Request) -> int:
        text = request.query_params.get("page_size")
        if text is None:
            return self.page_size
        if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= self.max_page_size):
            raise Refused(Problem(field="page_size", message=f"Give a number from 1 to {self.max_page_size}."))
        return int(text)

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> Any:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, OverflowError) as error:
            # a cursor that we did not make: what it holds is no place in this list
            raise Refused(
                Problem(field="cursor", message="This cursor leads nowhere. Follow `next` as it is.")
            ) from error

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> tuple[str, ...]:
        return view.ordering() or (self.ordering,) if hasattr(view, "ordering") else (self.ordering,)
