"""Is it alive, can it serve, how is it doing: the addresses that load balancers and Prometheus ask."""

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from core import clock
from monitoring import metrics, status


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked, so that a database's fault does not restart the web."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Every database answers and is migrated; otherwise 503 with what is missing."""
    try:
        waiting = sum(_waiting(alias) for alias in settings.DATABASES)
    except DatabaseError as error:
        return JsonResponse({"status": "unavailable", "database": type(error).__name__}, status=503)
    if waiting:
        return JsonResponse({"status": "unavailable", "migrations_waiting": waiting}, status=503)
    return JsonResponse({"status": "ok"})


def _waiting(alias: str) -> int:
    """Return how many migrations one database has not seen."""
    executor = MigrationExecutor(connections[alias])
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """The status as Prometheus text. It holds no customer's data; keep it inside by the proxy all the same."""
    return HttpResponse(metrics.render(status.take(at=clock.now())), content_type=metrics.CONTENT_TYPE)
