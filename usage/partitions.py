"""The months of usage_event, each in a partition of its own: made ahead, and made on demand when one is missing.

There is no default partition: rows that lie in one would have to be moved out before their month could be made, under
a lock that intake waits for.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from core import clock, databases
from core.periods import Month
from usage import store

AHEAD: Final = 3  # months that are there before they begin
_THERE: Final = b"""
select substring(c.relname from '[0-9]{4}_[0-9]{2}$')
from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = 'usage_event'::regclass order by 1
"""


def ensure(months: Iterable[Month]) -> list[Month]:
    """Make the partitions that are missing, each with its indexes, checks and triggers; return those.

    Repeatable and safe beside itself. Neither intake nor a reader waits for it: the lock it takes on the whole
    (SHARE UPDATE EXCLUSIVE) keeps out only others that would change the table.
    """
    made = []
    with store.writing() as cursor:
        for month in sorted(set(months)):
            if cursor.execute(b"select usage_event_month(%(start)b)", {"start": month.start}).fetchall()[0][0]:
                made.append(month)
    return made


def there() -> list[Month]:
    """Return the months that have a partition, in order."""
    with store.cursor() as cursor:
        return [Month.parse(name.replace("_", "-")) for (name,) in cursor.execute(_THERE).fetchall()]


def missing(now: datetime, *, ahead: int = AHEAD - 1) -> list[Month]:
    """Return the months that should be there and are not: the one of ``now``, and those ``ahead`` of it.

    The sweep makes one more, so that it has a month's time before anybody is called.
    """
    wanted = [Month.containing(now)]
    while len(wanted) <= ahead:
        wanted.append(wanted[-1].next)
    present = set(there())
    return [month for month in wanted if month not in present]


def sweep() -> None:
    """Make the months ahead; a repeat finds none missing."""
    if gaps := missing(clock.database_now(databases.usage()), ahead=AHEAD):
        ensure(gaps)
