"""The outbox: a fact and its announcement commit together; subscribers hear it at least once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import connection, transaction

from core.models.outbox import OutboxMessage

Handler = Callable[[Mapping[str, Any]], None]


def add(topic: str, key: str, payload: Mapping[str, Any]) -> None:
    """Announce a fact in the running transaction; the same fact is announced once."""
    OutboxMessage.objects.bulk_create(
        [OutboxMessage(topic=topic, key=key, payload=dict(payload))], ignore_conflicts=True
    )


# The try is counted and the next one set before the work, so that news which kills its worker holds up no other.
_CLAIM = """
update core_outboxmessage
set attempts = attempts + 1,
    run_after = clock_timestamp() + make_interval(secs => least(3600, 5 * power(2, least(attempts, 20))))
where id = (select id from core_outboxmessage where run_after <= clock_timestamp()
            order by run_after, id for update skip locked limit 1)
returning id, attempts
"""


def drain(handlers: Mapping[str, Sequence[Handler]], *, limit: int = 500) -> int:
    """Deliver up to ``limit`` waiting messages, each in a transaction of its own; return how many were delivered.

    Handlers must be idempotent. A message whose handler fails, or dies, is tried again after a doubling wait.
    """
    delivered = 0
    for _ in range(limit):
        claimed = _claim()
        if claimed is None:
            break
        delivered += _deliver(*claimed, handlers)
    return delivered


def _claim() -> tuple[int, int] | None:
    """Count a try of the next message that is due, and commit; return its key and that count."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM)
        found: tuple[int, int] | None = cursor.fetchone()
    return found


def _deliver(key: int, attempt: int, handlers: Mapping[str, Sequence[Handler]]) -> bool:
    """Tell one message's subscribers and delete it; return whether that was done here."""
    mine = OutboxMessage.objects.filter(pk=key, attempts=attempt)
    try:
        with transaction.atomic():
            message = mine.select_for_update().first()
            if message is None:  # we slept so long that another drain took it over
                return False
            for handle in handlers.get(message.topic, ()):
                handle(message.payload)
            message.delete()
    except Exception as error:  # a subscriber's fault must not stop the others' news
        mine.update(last_error=repr(error)[:2000])
        return False
    return True
