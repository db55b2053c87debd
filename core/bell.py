"""Doorbells: a queue message says only that work of a kind is waiting; the work itself is a domain row."""

from django_q.models import OrmQ
from django_q.tasks import async_task

from core import clock, leases
from core.models.work import LeasedWork

CLUSTERS = ("money", "documents", "mail")
ENOUGH_WAITING = 20  # messages; each makes a worker drain all there is, so more would ring in vain


def ring(task: str, *, cluster: str) -> None:
    """Queue ``task`` (a dotted function without arguments) in the running transaction.

    The queue is a table of the same database, so a rolled-back transaction rings nothing.
    """
    async_task(task, cluster=cluster)


def waiting(cluster: str) -> int:
    """Return how many messages of ``cluster`` no worker has taken yet.

    One that was taken does not count: what a killed worker held is given out again only ten minutes later, and must
    not keep anybody from ringing until then.
    """
    count: int = OrmQ.objects.filter(key=cluster, lock__lte=clock.now()).count()
    return count


def ring_for_due(model: type[LeasedWork], task: str, *, cluster: str) -> None:
    """Ring ``task`` when rows of ``model`` are due and few messages wait: what a sweep does for a lost bell."""
    if waiting(cluster) < ENOUGH_WAITING and leases.due(model):
        ring(task, cluster=cluster)
