"""Claiming, finishing and giving back leased work; every lease is by the database's clock."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.db import connections, router, transaction
from django.db.backends.utils import CursorWrapper

from core.errors import VaultError
from core.models.work import LeasedWork, WorkState

Work = TypeVar("Work", bound=LeasedWork)


class LeaseLost(VaultError):
    """Another worker took the work over; whatever this one did must be rolled back."""

    code = "lease_lost"


_CLAIM = """
with due as materialized (
    select id from {table}
    where ((state = 'ready' and run_after <= clock_timestamp())
           or (state = 'leased' and lease_until < clock_timestamp())) {extra}
    order by run_after, id for update skip locked limit %s)
update {table} w set state = case when w.attempts >= %s then 'dead' else 'leased' end,
    attempts = w.attempts + case when w.attempts >= %s then 0 else 1 end, fence = w.fence + 1,
    last_error = case when w.attempts >= {most} and w.last_error = ''
        then 'Every try ended without an answer: the process died or ran out of time.' else w.last_error end,
    lease_until = clock_timestamp() + make_interval(secs => %s)
from due where w.id = due.id returning w.id, w.state
"""


def claim(
    model: type[Work], *, limit: int = 1, seconds: float = 60, where: str = "", params: tuple[Any, ...] = ()
) -> list[Work]:
    """Lease up to ``limit`` due rows for ``seconds`` and commit, so that the attempt counts whatever follows.

    A row whose lease ran out is due again; one that used up its attempts becomes dead instead of leased.
    ``where`` narrows the choice by a constant SQL condition of the caller's with ``params``.
    """
    sql = _CLAIM.format(table=model._meta.db_table, extra=f"and {where}" if where else "", most=model.max_attempts)
    with transaction.atomic(using=_database(model), durable=False), _cursor(model) as cursor:
        cursor.execute(sql, [*params, limit, model.max_attempts, model.max_attempts, seconds])
        leased = [row[0] for row in cursor.fetchall() if row[1] == WorkState.LEASED]
        # Read before the commit: whoever sleeps after it must find the fence moved on, not read the next one's.
        return list(model._default_manager.using(_database(model)).filter(pk__in=leased).order_by("pk"))


def finish(work: LeasedWork) -> None:
    """Mark ``work`` done inside the caller's transaction; raise LeaseLost when the fence moved on."""
    changed = (
        type(work)
        ._default_manager.filter(pk=work.pk, fence=work.fence, state=WorkState.LEASED)
        .update(state=WorkState.DONE, lease_until=None, last_error="")
    )
    if not changed:
        raise LeaseLost(f"{work} was taken over by another worker; its result is kept, this one is dropped")


def give_back(work: LeasedWork, error: str, *, delay_seconds: float = 10, waits: Sequence[float] = ()) -> None:
    """Return ``work`` for a later try, doubling the wait with each attempt; a lost lease is left alone.

    ``waits`` (seconds, after the first try, the second …) say it otherwise.
    """
    wait = waits[min(work.attempts, len(waits)) - 1] if waits else delay_seconds * 2 ** max(0, work.attempts - 1)
    state = WorkState.DEAD if work.attempts >= work.max_attempts else WorkState.READY
    with _cursor(type(work)) as cursor:
        cursor.execute(
            f"update {work._meta.db_table} set state = %s, lease_until = null, last_error = %s,"
            " run_after = clock_timestamp() + make_interval(secs => %s)"
            " where id = %s and fence = %s and state = 'leased'",
            [state, error[:2000], wait, work.pk, work.fence],
        )


def reason(error: Exception) -> str:
    """Say an error for the row of the work it ended: what it is and, unlike repr, which file it is about."""
    return f"{type(error).__name__}: {error}"


def hand_back(works: Iterable[LeasedWork]) -> None:
    """Return leased work that was not begun: it is due at once, and the claim does not count as an attempt."""
    for work in works:
        with _cursor(type(work)) as cursor:
            cursor.execute(
                f"update {work._meta.db_table} set state = 'ready', lease_until = null,"
                " attempts = greatest(attempts - 1, 0) where id = %s and fence = %s and state = 'leased'",
                [work.pk, work.fence],
            )


def due(model: type[LeasedWork]) -> int:
    """Return how many rows could be claimed now: what the tick looks at before it rings."""
    with _cursor(model) as cursor:
        cursor.execute(
            f"select count(*) from {model._meta.db_table} where (state = 'ready' and run_after <= clock_timestamp())"
            " or (state = 'leased' and lease_until < clock_timestamp())"
        )
        count: int = cursor.fetchone()[0]
    return count


def _database(model: type[LeasedWork]) -> str:
    """Return where the rows live: work of the usage store is claimed there."""
    alias: str = router.db_for_write(model)
    return alias


def _cursor(model: type[LeasedWork]) -> CursorWrapper:
    return connections[_database(model)].cursor()
