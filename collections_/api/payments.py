"""Payments for programs: an account's key sees its own, a member of staff's key all; staff record what the bank got."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import registering
from accounts.authentication import principal
from accounts.models import Account
from billing.api.reading import ExactJSONParser
from billing.models import Invoice
from collections_ import paying
from collections_.allocation import Settlement
from collections_.models import Allocation, Payment
from core import clock
from core.api import ONCE, IdempotentWrites, NothingIn, StrictSerializer, read
from core.errors import Invalid


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


class PaymentIn(StrictSerializer):
    """Money that reached the bank."""

    account = serializers.CharField(max_length=200, help_text="Its code.")
    amount = serializers.DecimalField(max_digits=24, decimal_places=4)
    currency = serializers.CharField(max_length=3, help_text="The account's; said again so that nobody mistakes it.")
    method = serializers.ChoiceField(choices=list(paying.METHODS.items()))
    reference = serializers.CharField(max_length=200, help_text="The bank's own; the same one is never recorded twice.")
    received_on = serializers.DateField()
    first = serializers.CharField(
        max_length=40, default="", help_text="The number of the invoice to settle first; then the oldest debts."
    )


class ShareSerializer(serializers.Serializer[Any]):
    """How much of a payment would settle which invoice."""

    invoice = serializers.CharField()
    amount = serializers.DecimalField(max_digits=24, decimal_places=4)


class PreviewSerializer(serializers.Serializer[Any]):
    """How a payment would be spread if it were recorded now."""

    allocations = ShareSerializer(many=True)
    unapplied = serializers.DecimalField(max_digits=24, decimal_places=4)


def _visible(request: Request) -> QuerySet[Payment]:
    found = Payment.objects.select_related("account").prefetch_related("allocations__invoice")
    mine = principal(request).account
    return found.filter(account=mine) if mine else found


class PaymentList(IdempotentWrites, ListAPIView[Payment]):
    """List payments, newest first."""

    serializer_class = PaymentSerializer
    parser_classes = [ExactJSONParser]
    scopes = {"GET": "payments:read", "POST": "payments:write"}
    capabilities = {"GET": "payments.view", "POST": "collections.work"}
    for_accounts = True  # to read; payments:write is not among an account's scopes

    @extend_schema(parameters=[OpenApiParameter("account", str, description="Only of the account with this code.")])
    def get(self, request: Request, *args: object, **kwargs: object) -> object:  # type: ignore[override]
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=PaymentIn,
        responses={200: PreviewSerializer, 201: PaymentSerializer},
        parameters=[ONCE, OpenApiParameter("preview", bool, description="Only say how it would be spread.")],
    )
    def post(self, request: Request) -> Response:
        """Record money that came in and settle the oldest debts with it; ``preview`` writes nothing of it."""
        terms = read(PaymentIn, request)
        account = registering.find(terms.pop("account"))
        first = _first(account, terms.pop("first"))
        _check_currency(account, terms["currency"])
        if _only_preview(request):
            settlement = paying.preview(account.pk, terms["currency"], terms["amount"], first=first)
            return Response(PreviewSerializer(_named(settlement)).data)
        payment = paying.record(account_id=account.pk, first=first, actor=principal(request).actor, **terms)
        return Response(PaymentSerializer(payment).data, status=201)

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


class PaymentApplication(IdempotentWrites, APIView):
    """The use of what a payment has left."""

    parser_classes = [ExactJSONParser]
    scopes = {"POST": "payments:write"}
    capabilities = {"POST": "collections.work"}

    @extend_schema(operation_id="payments_apply", request=None, responses=PaymentSerializer, parameters=[ONCE])
    def post(self, request: Request, pk: int) -> Response:
        """Settle the oldest debts, dated today, with what the payment has left."""
        read(NothingIn, request)
        payment = paying.apply_rest(pk, on=clock.today(), actor=principal(request).actor)
        return Response(PaymentSerializer(payment).data)


def _first(account: Account, number: str) -> int | None:
    if not number:
        return None
    owed = Invoice.objects.filter(status__in=paying.OWED, account=account, number=number, outstanding__gt=0).first()
    if owed is None:
        raise Invalid(f"{account} owes nothing on an invoice {number}.", field="first")
    return owed.pk


def _check_currency(account: Account, currency: str) -> None:
    if currency != account.currency:
        raise Invalid(f"{account} is billed in {account.currency}; record the payment in it.", field="currency")


def _only_preview(request: Request) -> bool:
    asked = request.query_params.get("preview", "false")
    if asked not in ("true", "false"):
        raise Invalid(f"preview is true or false; it is {asked!r:.40}.", field="preview")
    return asked == "true"


def _named(settlement: Settlement) -> dict[str, Any]:
    invoices = Invoice.objects.in_bulk([invoice for invoice, _ in settlement.shares])
    shares = [{"invoice": invoices[row].number, "amount": share} for row, share in settlement.shares]
    return {"allocations": shares, "unapplied": settlement.unapplied}
