"""The status page's figures for programs. Staff keys only."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import clock
from monitoring import status
from usage.watching import Watched


class ClusterOut(serializers.Serializer[status.Cluster]):
    """One group of workers."""

    name = serializers.CharField()
    alive = serializers.BooleanField()
    beat_at = serializers.DateTimeField(allow_null=True)
    waiting = serializers.IntegerField(help_text="Messages in its queue.")


class WorkOut(serializers.Serializer[status.WorkKind]):
    """One kind of leased work by state."""

    name = serializers.CharField()
    ready = serializers.IntegerField()
    leased = serializers.IntegerField()
    expired = serializers.IntegerField()
    dead = serializers.IntegerField()
    oldest_due_seconds = serializers.IntegerField()


class SweepOut(serializers.Serializer[object]):
    """How the latest run of one sweep went."""

    name = serializers.CharField()
    ran_at = serializers.DateTimeField()
    error = serializers.CharField()


class SourceOut(serializers.Serializer[Watched]):
    """A source that something is expected of."""

    name = serializers.CharField(source="source.name")
    state = serializers.CharField(source="health")
    explanation = serializers.CharField()
    last_heard = serializers.DateTimeField(allow_null=True)
    watermark = serializers.DateTimeField(source="watermark.until", allow_null=True)
    quarantined = serializers.IntegerField()


class StatusOut(serializers.Serializer[status.Status]):
    """Everything that the status page shows."""

    at = serializers.DateTimeField()
    healthy = serializers.BooleanField()
    clusters = ClusterOut(many=True)
    work = WorkOut(many=True)
    sweeps = SweepOut(many=True)
    outbox = serializers.IntegerField()
    unpaired = serializers.IntegerField()
    unpaired_oldest_seconds = serializers.IntegerField()
    quarantined = serializers.IntegerField()
    months_missing = serializers.ListField(child=serializers.CharField(), help_text="Months ahead without a partition.")
    database_bytes = serializers.IntegerField()
    connections = serializers.IntegerField()
    sources = SourceOut(many=True)


class StatusView(APIView):
    """Workers, queues, work and sweeps as they stand now."""

    scopes = {"GET": "status:read"}
    capabilities = {"GET": "status.view"}

    @extend_schema(responses=StatusOut)
    def get(self, request: Request) -> Response:
        """Return the status."""
        return Response(StatusOut(status.take(at=clock.now())).data)
