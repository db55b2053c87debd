"""The two locks of the usage store, always taken in this order: history first, then receiving.

Both end with their transaction. Neither is held while anything is computed that could be long.

``history``    whoever writes intervals or ownerships holds it alone, so that history has one line of time.
``receiving``  every intake shares it from before it stamps an event until the event is committed; who takes it
               alone therefore knows that whatever is stamped earlier than now can be seen, and nothing will
               be added to it. Corrections stamp their events under history alone: who means those too takes both.
"""

from datetime import datetime
from typing import Final

from usage.store import Cursor

HISTORY: Final = 7_564_101
RECEIVING: Final = 7_564_102
# The clock is read after the lock is held: the outer row exists only once the inner one does.
ALONE: Final = b"with held as materialized (select pg_advisory_xact_lock(%(key)b)) select clock_timestamp() from held"
# A plan that intake's connection keeps must not scan all keys because there were few when it was made.
SHARED: Final = b"""
with held as materialized (select pg_advisory_xact_lock_shared(%(key)b))
select clock_timestamp(), set_config('enable_seqscan', 'off', true) from held
"""


def history(cursor: Cursor) -> datetime:
    """Wait for the only right to write history; return the moment to stamp it with. May be asked for again."""
    return _take(cursor, ALONE, HISTORY)


def receiving(cursor: Cursor) -> datetime:
    """Share the right to receive; return the moment to stamp events with. The transaction scans no tables whole."""
    return _take(cursor, SHARED, RECEIVING)


def no_receiving(cursor: Cursor) -> datetime:
    """Wait until no intake is under way and keep new ones waiting; return that moment."""
    return _take(cursor, ALONE, RECEIVING)


def _take(cursor: Cursor, statement: bytes, key: int) -> datetime:
    moment: datetime = cursor.execute(statement, {"key": key}, prepare=True).fetchall()[0][0]
    return moment
