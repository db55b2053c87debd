"""What most people would write first: a REST-framework serializer, one by one, and bulk_create. A peer for intake.py.

    DATABASE_URL=… .venv/bin/gunicorn -c python:vault.web bench.peer

The same server, driver, database and columns; a bearer secret is looked up, each event is checked and stored once, the
answer comes after commit. It has none of Vault's middleware, quarantine, bells, answers per event or conflicts.
"""

import hashlib
import json
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vault.settings")

from django.conf import settings

settings.MIDDLEWARE = []
settings.ROOT_URLCONF = __name__

from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()

from django.db import models, transaction  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from usage.models import SourceCredential  # noqa: E402


class Reported(models.Model):
    """A row of the peer's table."""

    source_id = models.BigIntegerField()
    event_id = models.CharField(max_length=200)
    type = models.CharField(max_length=8)
    time = models.DateTimeField()
    resource = models.CharField(max_length=200)
    product = models.CharField(max_length=200)
    meter = models.CharField(max_length=100)
    component = models.CharField(max_length=100)
    app = models.CharField(max_length=200)
    account = models.CharField(max_length=200)
    quantity = models.DecimalField(max_digits=38, decimal_places=12, null=True)
    body_hash = models.BinaryField()
    received_at = models.DateTimeField()

    class Meta:
        app_label = "usage"
        managed = False
        db_table = "bench_peer"


class ReportedSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(max_length=200)
    type = serializers.ChoiceField(choices=["open", "close", "measured", "gauge"])
    time = serializers.DateTimeField()
    resource = serializers.CharField(max_length=200)
    product = serializers.CharField(max_length=200)
    meter = serializers.CharField(max_length=100, default="duration")
    component = serializers.CharField(max_length=100, default="", allow_blank=True)
    app = serializers.CharField(max_length=200, default="", allow_blank=True)
    account = serializers.CharField(max_length=200, default="", allow_blank=True)
    quantity = serializers.DecimalField(max_digits=30, decimal_places=12, min_value=0, default=None, allow_null=True)


class Events(APIView):
    """Take a batch in."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    def post(self, request: Request) -> Response:
        secret = request.headers["Authorization"].partition(" ")[2]
        source = SourceCredential.objects.get(prefix=secret[3:13]).source_id
        serializer = ReportedSerializer(data=request.data, many=True)
        serializer.is_valid(raise_exception=True)
        now = timezone.now()
        with transaction.atomic():
            Reported.objects.bulk_create(
                [
                    Reported(source_id=source, event_id=said.pop("id"), body_hash=hashed, received_at=now, **said)
                    for said, hashed in zip(serializer.validated_data, map(digest, request.data), strict=True)
                ],
                ignore_conflicts=True,
            )
        return Response({"accepted": len(serializer.validated_data)})


def digest(said: dict[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()


urlpatterns = [path("api/v1/usage/events", Events.as_view())]
