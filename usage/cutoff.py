"""The moment up to which everything is known: what a month close is built on, and can be asked again for ever."""

from datetime import datetime
from typing import Final

from usage import locks, pairing, store
from usage.models import Unpaired

TRIES: Final = 10  # drains beside intake, before intake must wait for a larger rest


def freeze() -> datetime:
    """Return a cut-off (by the database's clock) such that everything received before it is final as known at it.

    Every event stamped before it is committed and paired, and nothing will ever be recorded with an earlier
    stamp. Intake waits for the moments this takes; a backlog is paired before, while intake goes on. May be
    called at any time and any number of times.
    """
    for _ in range(TRIES):
        pairing.drain(limit=Unpaired.objects.count())  # not more: what keeps arriving would keep us here
        if Unpaired.objects.count() <= pairing.BATCH:
            break
    store.analyze()
    with store.writing() as cursor:
        locks.history(cursor)
        now = locks.no_receiving(cursor)
        while pairing.pair_batch(cursor, now):
            now = locks.history(cursor)  # held already: only the moment is new
        cutoff: datetime = cursor.execute(b"select clock_timestamp()").fetchall()[0][0]
    return cutoff
