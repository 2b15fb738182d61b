"""How lists are cut: by cursor, so that rows arriving meanwhile neither repeat nor hide a row."""

from typing import Any

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """Newest first, 50 a page unless `page_size` says otherwise, at most 200. Follow `next` as it is."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> tuple[str, ...]:
        return view.ordering() or (self.ordering,) if hasattr(view, "ordering") else (self.ordering,)
