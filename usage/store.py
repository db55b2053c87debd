"""The way to the usage store for statements that carry many rows: server-side, binary parameters.

Django's own cursor writes parameters into the statement as text, which halves the speed of a large batch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from django.db import connections, transaction
from psycopg.adapt import Dumper

from core import databases
from usage.arrays import Digests, Moments, Texts


class _Written(Dumper):
    """Passes on an array that is written already."""

    format = psycopg.pq.Format.BINARY

    def dump(self, obj: bytes) -> bytes:
        return obj


class _Texts(_Written):
    oid = 1009  # the types' numbers in pg_type, which never change


class _Moments(_Written):
    oid = 1185


class _Digests(_Written):
    oid = 1001


Cursor = psycopg.Cursor[tuple[Any, ...]]
ONLY_WHEN_ASKED: Final = 1_000_000_000  # times that a statement comes by before the driver prepares it unasked


@contextmanager
def cursor() -> Iterator[Cursor]:
    """Open a binary cursor on Django's connection to the usage store, inside whatever transaction it is in.

    ``execute(…, prepare=True)`` keeps the statement's plan for the connection: for one whose plan is the same
    whatever its parameters are. A pooler in between has to pass prepared statements on, as PgBouncer does from 1.21.
    """
    connection = connections[databases.usage()]
    connection.ensure_connection()
    connection.connection.prepare_threshold = ONLY_WHEN_ASKED
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as opened:
        opened.format = psycopg.pq.Format.BINARY
        for written, dumper in ((Texts, _Texts), (Moments, _Moments), (Digests, _Digests)):
            opened.adapters.register_dumper(written, dumper)
        yield opened
        # Who has just answered need not be asked whether it lives.
        connection.health_check_done = True  # type: ignore[attr-defined]


@contextmanager
def writing() -> Iterator[Cursor]:
    """Open a transaction of the usage store and a cursor in it."""
    with transaction.atomic(using=databases.usage()), cursor() as opened:
        yield opened


def analyze() -> None:
    """Tell the planner how large the tables are now: after a bulk import it would believe them empty for a minute."""
    with cursor() as opened:
        opened.execute(b"analyze (skip_locked) usage_event, usage_interval, usage_ownership")
