"""Who acts: the database writes the audit trail itself and refuses a change without an actor."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection, transaction

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")


@contextmanager
def acting(actor: str, reason: str = "") -> Iterator[None]:
    """Open a transaction in which triggers attribute every change to ``actor``.

    ``actor`` is a stable name such as ``user:ada@example.com``, ``key:AbC123`` or ``run:7``. Blocks nest:
    the inner actor signs until its block ends, then the outer one signs again.
    """
    if not actor:
        raise ValueError("an empty actor cannot sign for a change")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select current_setting('vault.actor', true), current_setting('vault.reason', true)")
        before = cursor.fetchone()
        _sign(cursor, actor, reason)
        yield
        if not connection.needs_rollback:
            _sign(cursor, before[0] or "", before[1] or "")


def _sign(cursor: object, actor: str, reason: str) -> None:
    cursor.execute(  # type: ignore[attr-defined]
        "select set_config('vault.actor', %s, true), set_config('vault.reason', %s, true),"
        " set_config('vault.request', %s, true)",
        [actor, reason, REQUEST_ID.get()],
    )
