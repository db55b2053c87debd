"""The only module that reads the time; everything below the edges takes it as a parameter."""

from datetime import UTC, date, datetime

from django.db import connections


def now() -> datetime:
    """Return the moment by this machine's clock, in UTC: for pages and logs, never for leases."""
    return datetime.now(UTC)


def today() -> date:
    """Return today's UTC date: the default of every ``as_of`` at the edge."""
    return now().date()


def database_now(using: str = "default") -> datetime:
    """Return the database's clock, which orders cut-offs, leases and receipts on all machines."""
    with connections[using].cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment
