"""What every API view shares: cursor paging, problem details, and writes that happen once."""

from core.api.idempotency import IdempotentWrites
from core.api.pagination import CursorPagination
from core.api.problems import problem, problem_response
from core.api.reading import ONCE, NothingIn, ReasonIn, StrictSerializer, read

__all__ = [
    "ONCE",
    "CursorPagination",
    "IdempotentWrites",
    "NothingIn",
    "ReasonIn",
    "StrictSerializer",
    "problem",
    "problem_response",
    "read",
]
