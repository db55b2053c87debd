"""Payments for programs: an account's key sees its own, a member of staff's key all."""

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request

from accounts.authentication import principal
from collections_.models import Allocation, Payment


class AllocationSerializer(serializers.ModelSerializer[Allocation]):
    """How much of a payment settled which invoice."""

    invoice = serializers.CharField(source="invoice.number")

    class Meta:
        model = Allocation
        fields = ["invoice", "amount"]


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    """Money received; ``allocations`` say what it settled, and the rest is unapplied."""

    account = serializers.CharField(source="account.code")
    allocations = AllocationSerializer(many=True)

    class Meta:
        model = Payment
        fields = [
            "id",
            "account",
            "currency",
            "amount",
            "applied",
            "refunded",
            "method",
            "reference",
            "received_on",
            "allocations",
        ]


def _visible(request: Request) -> QuerySet[Payment]:
    found = Payment.objects.select_related("account").prefetch_related("allocations__invoice")
    mine = principal(request).account
    return found.filter(account=mine) if mine else found


class PaymentList(ListAPIView[Payment]):
    """List payments, newest first."""

    serializer_class = PaymentSerializer
    scopes = {"GET": "payments:read"}
    capabilities = {"GET": "payments.view"}
    for_accounts = True

    @extend_schema(parameters=[OpenApiParameter("account", str, description="Only of the account with this code.")])
    def get(self, request: Request, *args: object, **kwargs: object) -> object:  # type: ignore[override]
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Payment]:
        """``?account=`` narrows to one account's."""
        found = _visible(self.request)
        code = self.request.query_params.get("account")
        return found.filter(account__code=code) if code else found


class PaymentDetail(RetrieveAPIView[Payment]):
    """One payment by its id."""

    serializer_class = PaymentSerializer
    scopes = {"GET": "payments:read"}
    capabilities = {"GET": "payments.view"}
    for_accounts = True

    def get_queryset(self) -> QuerySet[Payment]:
        return _visible(self.request)
