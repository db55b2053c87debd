"""Money given back of a payment, for programs: the same as the page."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import principal
from billing.api.reading import ExactJSONParser
from collections_ import refunding
from collections_.models import Payment, Refund
from core.api import ONCE, IdempotentWrites, StrictSerializer, read


class RefundOut(serializers.ModelSerializer[Refund]):
    """A refund and how it stands; above the asker's limit it is ``requested`` until a second person decides."""

    class Meta:
        model = Refund
        fields = [
            "id",
            "amount",
            "reason",
            "outcome",
            "gateway_refund_id",
            "decline_code",
            "requested_at",
            "answered_at",
        ]


class RefundIn(StrictSerializer):
    """How much goes back, in the payment's currency, and why."""

    amount = serializers.DecimalField(max_digits=24, decimal_places=4)
    reason = serializers.CharField(max_length=500)


class Refunds(IdempotentWrites, ListAPIView[Refund]):
    """The refunds of one payment, newest first."""

    serializer_class = RefundOut
    parser_classes = [ExactJSONParser]
    scopes = {"GET": "payments:read", "POST": "payments:write"}
    capabilities = {"GET": "payments.view", "POST": "collections.work"}

    def get_queryset(self) -> QuerySet[Refund]:
        if getattr(self, "swagger_fake_view", False):
            return Refund.objects.none()
        return Refund.objects.filter(payment=get_object_or_404(Payment, pk=self.kwargs["pk"]))

    @extend_schema(
        operation_id="payments_refunds_create", request=RefundIn, responses={201: RefundOut}, parameters=[ONCE]
    )
    def post(self, request: Request, pk: int) -> Response:
        """Give back what the payment has unapplied; workers carry it through the gateway."""
        made = refunding.request(pk, actor=principal(request).actor, **read(RefundIn, request))
        return Response(RefundOut(made).data, status=201)
