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


def drain(handlers: Mapping[str, Sequence[Handler]], *, limit: int = 500) -> int:
    """Deliver waiting messages, each in a transaction of its own; return how many were delivered.

    Handlers must be idempotent. A failing one leaves its message, which is tried again after a doubling wait.
    """
    delivered = 0
    while delivered < limit and _deliver_next(handlers):
        delivered += 1
    return delivered


def _deliver_next(handlers: Mapping[str, Sequence[Handler]]) -> bool:
    with transaction.atomic():
        message = (
            OutboxMessage.objects.select_for_update(skip_locked=True)
            .extra(where=["run_after <= clock_timestamp()"])
            .order_by("run_after", "pk")
            .first()
        )
        if message is None:
            return False
        try:
            with transaction.atomic():
                for handle in handlers.get(message.topic, ()):
                    handle(message.payload)
        except Exception as error:  # a subscriber's fault must not stop the others' news
            _postpone(message, repr(error))
        else:
            message.delete()
    return True


def _postpone(message: OutboxMessage, error: str) -> None:
    wait = min(3600, 5 * 2**message.attempts)
    with connection.cursor() as cursor:
        cursor.execute(
            "update core_outboxmessage set attempts = attempts + 1, last_error = %s,"
            " run_after = clock_timestamp() + make_interval(secs => %s) where id = %s",
            [error[:2000], wait, message.pk],
        )
