"""What banks took back of a payment, for programs: the same as the page."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import principal
from billing.api.reading import ExactJSONParser
from collections_ import charging_back
from collections_.models import AllocationReversal, Chargeback, Payment
from core.api import ONCE, IdempotentWrites, StrictSerializer, read


class ReversalOut(serializers.ModelSerializer[AllocationReversal]):
    """How much of which invoice is owed again."""

    invoice = serializers.CharField(source="allocation.invoice.number")

    class Meta:
        model = AllocationReversal
        fields = ["invoice", "amount"]


class ChargebackOut(serializers.ModelSerializer[Chargeback]):
    """What a bank took back, and what is owed again because of it."""

    reversals = ReversalOut(many=True)

    class Meta:
        model = Chargeback
        fields = ["id", "reference", "amount", "reason", "taken_on", "recorded_at", "reversals"]


class ChargebackIn(StrictSerializer):
    """What a bank took back, in the payment's currency."""

    reference = serializers.CharField(max_length=200, help_text="The bank's own; never recorded twice.")
    amount = serializers.DecimalField(max_digits=24, decimal_places=4)
    reason = serializers.CharField(max_length=500)
    taken_on = serializers.DateField()


class Chargebacks(IdempotentWrites, ListAPIView[Chargeback]):
    """The chargebacks of one payment, newest first."""

    serializer_class = ChargebackOut
    parser_classes = [ExactJSONParser]
    scopes = {"GET": "payments:read", "POST": "payments:write"}
    capabilities = {"GET": "payments.view", "POST": "collections.work"}

    def get_queryset(self) -> QuerySet[Chargeback]:
        if getattr(self, "swagger_fake_view", False):
            return Chargeback.objects.none()
        found = get_object_or_404(Payment, pk=self.kwargs["pk"])
        return Chargeback.objects.filter(payment=found).prefetch_related("reversals__allocation__invoice")

    @extend_schema(
        operation_id="payments_chargebacks_create",
        request=ChargebackIn,
        responses={201: ChargebackOut},
        parameters=[ONCE],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Record what a bank took back; what it had settled is owed again."""
        made = charging_back.record(pk, actor=principal(request).actor, **read(ChargebackIn, request))
        return Response(ChargebackOut(made).data, status=201)
