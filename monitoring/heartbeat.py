"""Asking clusters for a sign of life and hearing it; all times are the database's."""

import os
import socket

from django.db import connection, transaction

from core import bell

ASK_AGAIN_SECONDS = 60.0
TICK_AGAIN_SECONDS = 15.0  # a tick lost with a killed server or worker holds up everything that waits for a sweep

_ASK = """
insert into monitoring_ring (name, asked_at, rung_at) values (%s, clock_timestamp(), clock_timestamp())
on conflict (name) do update
set asked_at = coalesce(monitoring_ring.asked_at, clock_timestamp()), rung_at = clock_timestamp()
where monitoring_ring.asked_at is null
   or monitoring_ring.rung_at < clock_timestamp() - make_interval(secs => %s)
returning name
"""
_BEAT = """
with answered as (update monitoring_ring set asked_at = null where name = %(name)s)
insert into monitoring_heartbeat (cluster, at, host, pid) values (%(name)s, clock_timestamp(), %(host)s, %(pid)s)
on conflict (cluster) do update set at = excluded.at, host = excluded.host, pid = excluded.pid
"""


def ask(name: str, task: str, *, cluster: str, again_after: float = ASK_AGAIN_SECONDS) -> bool:
    """Ring ``task``, which will call ``beat(name)``, unless an earlier ring still waits for its answer.

    One that has waited ``again_after`` seconds is rung again, in case it was lost. Returns whether it rang.
    So a cluster that hears nothing collects a few messages a minute, not one a second.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ASK, [name, again_after])
            rings = cursor.fetchone() is not None
        if rings:
            bell.ring(task, cluster=cluster)
    return rings


def beat(name: str) -> None:
    """Answer every ring so far."""
    with connection.cursor() as cursor:
        cursor.execute(_BEAT, {"name": name, "host": socket.gethostname()[:200], "pid": os.getpid()})


def silence(name: str) -> float:
    """Return for how many seconds ``name`` has owed an answer; 0 when it owes none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select extract(epoch from clock_timestamp() - asked_at)::float8 from monitoring_ring where name = %s",
            [name],
        )
        row = cursor.fetchone()
    return float(row[0]) if row and row[0] is not None else 0.0


def ask_cluster(cluster: str, *, again_after: float = ASK_AGAIN_SECONDS) -> bool:
    """Ask a cluster of workers for a sign of life, by a task that one of its workers must really carry out."""
    return ask(cluster, f"monitoring.tasks.beat_{cluster}", cluster=cluster, again_after=again_after)


def ask_tick() -> bool:
    """Ask for a sweep of everything that a lost doorbell may have left lying."""
    return ask("tick", "monitoring.tasks.tick", cluster="money", again_after=TICK_AGAIN_SECONDS)
