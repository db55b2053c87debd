"""The lines of an invoice for programs: read by whoever sees it, added to and changed while it is a draft."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import principal
from billing import adjusting
from billing.api.invoices import InvoiceReader, LinePagination, LineSerializer, find
from billing.api.reading import ExactJSONParser
from billing.models import InvoiceLine, ProductGroup
from core.api import ONCE, IdempotentWrites, StrictSerializer, read
from core.errors import NotFound

LARGEST_POSITION = 2**31 - 1


class AddLineIn(StrictSerializer):
    """A line to add to a draft."""

    description = serializers.CharField(max_length=300, help_text="As the customer reads it.")
    amount = serializers.DecimalField(max_digits=20, decimal_places=4, help_text="Before tax; below zero takes off.")
    app = serializers.CharField(max_length=200, default="", allow_blank=True, help_text="The app it is about, if any.")
    group = serializers.ChoiceField(
        choices=ProductGroup.choices, default=ProductGroup.OTHER.value, help_text="Which credits may pay for it."
    )
    reason = serializers.CharField(max_length=500, help_text="Stays with the invoice; the customer does not see it.")


class ChangeLineIn(StrictSerializer):
    """What is charged instead; what rating said stays beside it."""

    amount = serializers.DecimalField(max_digits=20, decimal_places=4, help_text="0 waives the line.")
    reason = serializers.CharField(max_length=500, help_text="Stays with the invoice; the customer does not see it.")


class InvoiceLines(IdempotentWrites, InvoiceReader, ListAPIView[InvoiceLine]):
    """The lines of one invoice, in the order of the document."""

    serializer_class = LineSerializer
    pagination_class = LinePagination
    parser_classes = [ExactJSONParser]
    scopes = {"GET": "invoices:read", "POST": "invoices:write"}
    capabilities = {"GET": "invoices.view", "POST": "invoices.adjust"}

    def get_queryset(self) -> QuerySet[InvoiceLine]:
        if getattr(self, "swagger_fake_view", False):
            return InvoiceLine.objects.none()
        return find(self.request, self.kwargs["number"]).lines.select_related("invoice", "adjusts")

    @extend_schema(
        operation_id="invoices_lines_create", request=AddLineIn, responses={201: LineSerializer}, parameters=[ONCE]
    )
    def post(self, request: Request, number: str) -> Response:
        """Add a line to a draft; its sums are computed anew, and an approval of its run is withdrawn."""
        asked = read(AddLineIn, request)
        line = adjusting.add_line(find(request, number).pk, actor=principal(request).actor, **asked)
        return Response(LineSerializer(line).data, status=201)


class InvoiceLineDetail(IdempotentWrites, APIView):
    """One line of a draft."""

    parser_classes = [ExactJSONParser]
    scopes = {"PATCH": "invoices:write"}
    capabilities = {"PATCH": "invoices.adjust"}

    @extend_schema(request=ChangeLineIn, responses=LineSerializer, parameters=[ONCE])
    def patch(self, request: Request, number: str, position: int) -> Response:
        """Charge another amount for a line of a draft, or nothing; an approval of its run is withdrawn."""
        asked = read(ChangeLineIn, request)
        line = _line(request, number, position)
        return Response(LineSerializer(adjusting.change_line(line.pk, actor=principal(request).actor, **asked)).data)


def _line(request: Request, number: str, position: int) -> InvoiceLine:
    found = find(request, number)
    line = found.lines.filter(position=position).first() if position <= LARGEST_POSITION else None
    if line is None:
        raise NotFound(f"{found} has no line at position {position}.")
    return line
