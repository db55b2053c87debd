"""Pages of events for programs: the explorer's cursors in the addresses to follow."""

from typing import Any

from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from core.api import CursorPagination
from usage import exploring


class EventPagination(CursorPagination):
    """As everywhere. A page may be short, even empty, and still have a ``next``: the search goes on from there."""

    address = ""
    shown = exploring.Page([])

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the events of the page that the request asks for."""
        self.address = request.build_absolute_uri()
        asked = request.query_params.dict()
        size = self.get_page_size(request) or self.page_size
        self.shown = exploring.page(exploring.question(asked), cursor=asked.get("cursor", ""), size=size)
        return list(self.shown.events)

    def get_next_link(self) -> str | None:
        return self._link(self.shown.older)

    def get_previous_link(self) -> str | None:
        return self._link(self.shown.newer)

    def _link(self, cursor: str) -> str | None:
        return replace_query_param(self.address, self.cursor_query_param, cursor) if cursor else None
