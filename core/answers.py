"""How long the answers to writes with an idempotency key are kept, and that they are forgotten afterwards."""

from datetime import timedelta
from typing import Final

from django.db import connection

KEPT: Final = timedelta(days=30)  # a program that repeats a write does so within it
BATCH: Final = 5000


def forget_old() -> int:
    """Delete up to a batch of answers older than KEPT; return how many. Safe to run twice and beside itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from core_idempotencykey where id in (select id from core_idempotencykey"
            " where created_at < clock_timestamp() - make_interval(secs => %s)"
            " order by created_at limit %s for update skip locked)",
            [KEPT.total_seconds(), BATCH],
        )
        return int(cursor.rowcount)
