"""Cursor paging: stable while rows arrive, and as fast on the last page as on the first."""

from rest_framework import pagination


class CursorPagination(pagination.CursorPagination):
    """``?limit=`` up to 200 rows; ``next`` and ``previous`` are the addresses to follow."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
