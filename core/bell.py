"""Doorbells: a queue message says only that work of a kind is waiting; the work itself is a domain row."""

from django_q.models import OrmQ
from django_q.tasks import async_task

CLUSTERS = ("money", "documents", "mail")


def ring(task: str, *, cluster: str) -> None:
    """Queue ``task`` (a dotted function without arguments) in the running transaction.

    The queue is a table of the same database, so a rolled-back transaction rings nothing.
    """
    async_task(task, cluster=cluster)


def waiting(cluster: str) -> int:
    """Return how many messages wait or are being worked on in ``cluster``."""
    return OrmQ.objects.filter(key=cluster).count()
