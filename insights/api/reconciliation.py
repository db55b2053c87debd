"""The five columns for programs."""

from datetime import datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import clock, databases
from core.errors import Invalid
from core.fields import moment
from core.formatting import iso
from core.money import plain
from insights import reconciliation
from insights.five_columns import AGREES, DIFFERS, WAITS, Column, Row
from insights.reconciliation import Explained
from usage import reconciling
from usage.manifests import HOUR

DAY = 24 * HOUR


class ReconciliationView(APIView):
    """What was stated, received, paired, rated and billed, per source, hour and meter."""

    scopes = {"GET": "usage:read"}
    capabilities = {"GET": "sources.view"}

    @extend_schema(
        parameters=[
            OpenApiParameter("source", str, description="its name; every source without it"),
            OpenApiParameter("from", OpenApiTypes.DATETIME, description="widened to whole hours; 24 hours before to"),
            OpenApiParameter("to", OpenApiTypes.DATETIME, description="exclusive; now without it; 31 days at most"),
            OpenApiParameter("state", str, enum=[AGREES, WAITS, DIFFERS]),
        ],
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> Response:
        """Compare the five columns hour by hour, newest first, with what explains every difference."""
        asked = request.query_params.dict()
        now = clock.database_now(databases.usage())
        last = _moment(asked, "to") or now
        span = reconciling.hours(_moment(asked, "from") or last - DAY, last)
        found = reconciliation.reconcile(reconciling.chosen(asked.get("source", "")), span, now=now)
        rows = [row for row in found.rows if asked.get("state", row.state) == row.state]
        return Response(
            {
                "from": iso(span.start),
                "to": iso(span.end),
                "states": {state: found.count(state) for state in (AGREES, WAITS, DIFFERS)},
                "totals": {name: _column(column) for name, column in found.totals.items()},
                "hours": [_row(row) for row in rows],
            }
        )


class HourView(APIView):
    """What became of the events of one hour."""

    scopes = {"GET": "usage:read"}
    capabilities = {"GET": "sources.view"}

    @extend_schema(
        parameters=[
            OpenApiParameter("source", str, required=True, description="its name"),
            OpenApiParameter("hour", OpenApiTypes.DATETIME, required=True, description="its start, UTC"),
            OpenApiParameter("meter", str, description="every meter without it"),
        ],
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> Response:
        """Say of one hour, resource by resource, whether its events are billed or what stopped them; 2,000 at most.

        What is not billed comes first.
        """
        asked = request.query_params.dict()
        at = _moment({"hour": asked.get("hour", "")} if asked.get("hour") else {}, "hour")
        if at is None or at != at.replace(minute=0, second=0, microsecond=0):
            raise Invalid("hour must be the start of a full hour, UTC.", field="hour")
        if not asked.get("source"):
            raise Invalid("source must name one source.", field="source")
        source = reconciling.chosen(asked["source"])[0]
        found = reconciliation.behind(source, at, _text(asked, "meter"))
        return Response({"source": source.name, "hour": iso(at), "resources": [_behind(one) for one in found]})


def _text(asked: dict[str, str], name: str) -> str:
    if "\0" in asked.get(name, ""):
        raise Invalid(f"{name} contains a NUL, which no text has.", field=name)
    return asked.get(name, "")


def _behind(one: Explained) -> dict[str, Any]:
    behind, placed = one.behind, one.behind.placed
    return {
        "resource": behind.resource,
        "account": placed.account or None,
        "product": placed.product,
        "meter": placed.meter,
        "events": placed.events,
        "quantity": plain(placed.quantity),
        "first": iso(behind.first),
        "last": iso(behind.last),
        "received": iso(behind.received),
        "code": one.stop,
        "detail": one.sentence,
    }


def _moment(asked: dict[str, str], name: str) -> datetime | None:
    found = moment(asked[name], name) if asked.get(name) else None
    if found is not None and not 2000 <= found.year <= 2190:
        raise Invalid(f"{name} lies outside the years 2000 to 2190.", field=name)
    return found


def _row(row: Row) -> dict[str, Any]:
    differences = [
        {"code": d.kind, "events": d.events, "quantity": plain(d.quantity), "detail": d.sentence}
        for d in row.differences
    ]
    columns = {name: _column(column) if column else None for name, column in row.columns().items()}
    said = {"source": row.source, "hour": iso(row.hour), "meter": row.meter, "state": row.state}
    return said | columns | {"differences": differences}


def _column(column: Column) -> dict[str, Any]:
    return {"events": column.events, "quantity": plain(column.quantity)}
