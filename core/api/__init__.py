"""What every API view shares: cursor paging, problem details, and writes that happen once."""

from core.api.idempotency import IdempotentWrites
from core.api.pagination import CursorPagination
from core.api.problems import problem, problem_response

__all__ = ["CursorPagination", "IdempotentWrites", "problem", "problem_response"]
