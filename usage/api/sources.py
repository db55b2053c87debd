"""The sources for programs: who speaks, how late, and up to where everything has arrived."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import clock, databases
from core.formatting import iso
from usage import feeds, watching
from usage.watching import Watched


class Sources(APIView):
    """Every source; they are few."""

    scopes = {"GET": "usage:read"}
    capabilities = {"GET": "sources.view"}

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """List every source with its state, lag and watermark, those that need a person first."""
        watched = watching.sources(now=clock.database_now(databases.usage()))
        return Response({"results": [_written(one) for one in watched]})


def _written(one: Watched) -> dict[str, Any]:
    source, mark = one.source, one.watermark
    feed = getattr(source, "feed", None)
    return {
        "name": source.name,
        "title": source.title,
        "owner": source.owner,
        "state": one.health,
        "cadence_seconds": source.cadence_seconds,
        "lateness_seconds": source.lateness_seconds,
        "last_heard": iso(one.last_heard) if one.last_heard else None,
        "newest_event": iso(source.last_event_at) if source.last_event_at else None,
        "lag_seconds": None if one.lag is None else int(one.lag.total_seconds()),
        "events_24h": one.events_24h,
        "watermark": iso(mark.until) if mark.until else None,
        "watermark_basis": mark.basis,
        "feed": feeds.standing(feed) if feed else None,
    }
