"""Quotes for programs: what a usage would cost, under a price given inline or a product's own. Writes nothing."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing import offering
from billing.api.reading import ExactJSONParser
from core import clock

INLINE = OpenApiExample(
    "A price given inline",
    {"currency": "USD", "price": {"model": "per_unit", "unit_amount": "0.05"}, "quantity": "6"},
    request_only=True,
)
STORED = OpenApiExample(
    "A product's own price",
    {
        "currency": "USD",
        "product": "standard-1x",
        "period": "2026-10",
        "intervals": [["2026-10-01T00:00:00Z", "2026-10-16T12:00:00Z"]],
    },
    request_only=True,
)
ANSWER = OpenApiExample(
    "An answer",
    {
        "amount": "0.30",
        "currency": "USD",
        "unrounded": "0.30",
        "rounding": "once, half up to 0.01",
        "steps": [{"label": "per unit", "quantity": "6", "unit_amount": "0.05", "amount": "0.30"}],
    },
    response_only=True,
)


class QuoteIn(serializers.Serializer[Any]):
    """What would be used, and under which price. For the schema: ``billing.quoting`` is what reads it."""

    currency = serializers.CharField(help_text="ISO 4217.")
    price = serializers.DictField(required=False, help_text="A price; or name a product.")
    product = serializers.CharField(required=False, help_text="A product's code; its own price counts.")
    at = serializers.DateTimeField(required=False, help_text="Which version of the product's price; default: now.")
    quantity = serializers.CharField(required=False, help_text="A decimal as a string.")
    events = serializers.ListField(child=serializers.CharField(), required=False, help_text="Amounts one by one.")
    period = serializers.CharField(required=False, help_text="A month, YYYY-MM, for prices by time.")
    intervals = serializers.ListField(
        child=serializers.ListField(child=serializers.DateTimeField()),
        required=False,
        help_text="Pairs of times, half-open, for prices by time.",
    )


class StepOut(serializers.Serializer[Any]):
    """One line of the explanation."""

    label = serializers.CharField()  # type: ignore[assignment]  # a field's own label is another thing
    quantity = serializers.CharField()
    unit_amount = serializers.CharField()
    amount = serializers.CharField()


class QuoteOut(serializers.Serializer[Any]):
    """The price of it, and how it came about; decimals are strings."""

    amount = serializers.CharField()
    currency = serializers.CharField()
    unrounded = serializers.CharField()
    rounding = serializers.CharField()
    steps = StepOut(many=True)
    product = serializers.CharField(required=False)
    price = serializers.DictField(required=False, help_text="The product's terms that counted.")
    unit = serializers.CharField(required=False)
    valid_from = serializers.DateTimeField(required=False)
    valid_to = serializers.DateTimeField(required=False, allow_null=True)


class Quotes(APIView):
    """What would it cost?"""

    parser_classes = [ExactJSONParser]
    scopes = {"POST": "quotes:write"}
    capabilities = {"POST": "prices.view"}
    for_accounts = True

    @extend_schema(request=QuoteIn, responses={200: QuoteOut}, examples=[INLINE, STORED, ANSWER])
    def post(self, request: Request) -> Response:
        """Price a usage exactly, by the code that rates invoices. Nothing is written, so it may be repeated."""
        return Response(offering.quote(request.data, now=clock.now()))
