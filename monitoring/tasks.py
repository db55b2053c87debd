"""What the workers do for monitoring: beat, and sweep up what a lost doorbell left lying."""

import logging
import time

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from monitoring import heartbeat

log = logging.getLogger(__name__)

_RECORD = """
insert into monitoring_sweep (name, ran_at, seconds, error, failed_since)
values (%(name)s, clock_timestamp(), %(seconds)s, %(error)s, case when %(error)s <> '' then clock_timestamp() end)
on conflict (name) do update
set ran_at = excluded.ran_at, seconds = excluded.seconds, error = excluded.error,
    failed_since = case when excluded.error <> '' then coalesce(monitoring_sweep.failed_since, excluded.ran_at) end
"""


def beat_money() -> None:
    """Show that the money cluster works through its queue."""
    heartbeat.beat("money")


def beat_documents() -> None:
    """Show that the documents cluster works through its queue."""
    heartbeat.beat("documents")


def beat_mail() -> None:
    """Show that the mail cluster works through its queue."""
    heartbeat.beat("mail")


def tick() -> int:
    """Run every sweep of settings.SWEEPS; one that fails stops none of the others. Returns how many failed.

    Safe to run twice and beside itself: each sweep only rings bells or claims rows that nobody holds.
    """
    heartbeat.beat("tick")
    return sum(not sweep(name) for name in settings.SWEEPS)


def sweep(name: str) -> bool:
    """Run one sweep function by its dotted name and record how it went; return whether it went well."""
    started, error = time.monotonic(), ""
    try:
        import_string(name)()
    except Exception as failure:  # whatever it was, the other sweeps still have their work to do
        log.exception("sweep %s failed", name)
        error = f"{type(failure).__name__}: {failure}"[:2000]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_RECORD, {"name": name, "seconds": time.monotonic() - started, "error": error})
    return not error
