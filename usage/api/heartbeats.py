"""A source that has nothing to report says that it is alive; silence then means that something is broken."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.formatting import iso
from usage import sources
from usage.authentication import IsSource, SourceAuthentication
from usage.models import Source
from usage.models.source import HEARTBEATS


class Heartbeats(APIView):
    """The pulse of a source."""

    authentication_classes = [SourceAuthentication]
    permission_classes = [IsSource]
    reports = HEARTBEATS

    @extend_schema(request=None, responses={200: {"type": "object"}})
    def post(self, request: Request) -> Response:
        """Say that this source is alive. Repeat at least as often as its cadence asks."""
        source = cast(Source, request.auth)
        return Response({"source": source.name, "at": iso(sources.heartbeat(source))})
