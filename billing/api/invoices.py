"""Invoices for programs: an account's key sees its own issued ones, a member of staff's key all of real runs.

In an address ``{number}`` is an invoice's number, or its ``id``: a draft has no number yet.
"""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import principal
from billing import explaining, finding
from billing.documents import pdf as printing
from billing.documents import rendering
from billing.models import Invoice, InvoiceLine, InvoiceStatus, PaymentStatus
from core import api
from core.errors import Invalid, NotFound
from core.money import plain, round_to_minor_unit
from core.periods import Month

AMOUNTS = ("subtotal", "credits", "tax", "total", "settled", "credited", "outstanding")
FILTERS = [
    OpenApiParameter("month", str, description="Only of this month, as YYYY-MM."),
    OpenApiParameter("status", str, enum=InvoiceStatus.values),
    OpenApiParameter("payment_status", str, enum=PaymentStatus.values),
    OpenApiParameter("account", str, description="Only of the account with this code."),
]


class InvoiceSerializer(serializers.ModelSerializer[Invoice]):
    """One invoice; amounts are decimal strings with the currency's digits, ``period_end`` is not part of the period."""

    account = serializers.CharField(source="account.code")
    tax_rate = serializers.SerializerMethodField()

    class Meta:
        model = Invoice
        fields = [
            "id",
            "number",
            "account",
            "kind",
            "status",
            "payment_status",
            "currency",
            "period_start",
            "period_end",
            *AMOUNTS,
            "tax_name",
            "tax_rate",
            "issued_on",
            "due_on",
            "content_hash",
        ]

    def get_tax_rate(self, invoice: Invoice) -> str:
        """The rate as a fraction: 0.06 is 6 %."""
        return plain(invoice.tax_rate)

    def to_representation(self, invoice: Invoice) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(invoice)
        amounts = {name: coins(getattr(invoice, name), invoice.currency) for name in AMOUNTS}
        return shown | amounts | {"outstanding": coins(invoice.owed, invoice.currency)}


class LineSerializer(serializers.ModelSerializer[InvoiceLine]):
    """One line: a quantity at a price, rounded once."""

    adjusts = serializers.CharField(source="adjusts.number", default=None)
    quantity = serializers.SerializerMethodField()
    unit_amount = serializers.SerializerMethodField()
    amount = serializers.SerializerMethodField()

    class Meta:
        model = InvoiceLine
        fields = [
            "position",
            "kind",
            "app",
            "product",
            "component",
            "description",
            "quantity",
            "unit",
            "unit_amount",
            "amount",
            "period_start",
            "period_end",
            "adjusts",
        ]

    def get_quantity(self, line: InvoiceLine) -> str:
        return plain(line.quantity)

    def get_unit_amount(self, line: InvoiceLine) -> str | None:
        return None if line.unit_amount is None else plain(line.unit_amount)

    def get_amount(self, line: InvoiceLine) -> str:
        return coins(line.amount, line.invoice.currency)


class InvoiceReader(APIView):
    """What all views of invoices ask of a key."""

    scopes = {"GET": "invoices:read"}
    capabilities = {"GET": "invoices.view"}
    for_accounts = True


class InvoiceList(InvoiceReader, ListAPIView[Invoice]):
    """List invoices, newest first."""

    serializer_class = InvoiceSerializer

    @extend_schema(parameters=FILTERS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Invoice]:
        return _filtered(visible(self.request), self.request.query_params)


class InvoiceDetail(InvoiceReader):
    """One invoice."""

    @extend_schema(responses=InvoiceSerializer)
    def get(self, request: Request, number: str) -> Response:
        return Response(InvoiceSerializer(find(request, number)).data)


class LinePagination(api.CursorPagination):
    """Lines in the order of the document."""

    ordering = "position"


class InvoiceExplanation(InvoiceReader, ListAPIView[InvoiceLine]):
    """How each amount came about: measured use, price version, steps, the unrounded amount and a hash of the inputs."""

    pagination_class = LinePagination

    def get_queryset(self) -> QuerySet[InvoiceLine]:
        lines = find(self.request, self.kwargs["number"]).lines
        return lines.select_related("invoice__account", "price__product", "adjusts")

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response([_explained(line, request) for line in page or ()])


class InvoicePdf(InvoiceReader):
    """The document of one issued invoice."""

    @extend_schema(responses={(200, printing.MEDIA_TYPE): OpenApiResponse(OpenApiTypes.BINARY)})
    def get(self, request: Request, number: str) -> HttpResponse:
        found = find(request, number)
        headers = {"Content-Disposition": f'attachment; filename="{found.number}.pdf"'}
        return HttpResponse(rendering.content(found), content_type=printing.MEDIA_TYPE, headers=headers)


def visible(request: Request) -> QuerySet[Invoice]:
    """Return the invoices that whoever calls may see."""
    found = Invoice.objects.filter(shadow=False).select_related("account")
    mine = principal(request).account
    return found.filter(account=mine).exclude(status=InvoiceStatus.DRAFT) if mine else found


def find(request: Request, number: str) -> Invoice:
    """Return a visible invoice by its number or id; raise NotFound alike for none and for somebody else's."""
    named = {"pk": int(number)} if finding.is_key(number) else {"number": number}
    found = visible(request).filter(**named).first()
    if found is None:
        raise NotFound("There is no such invoice, or it is not yours.")
    return found


def _filtered(found: QuerySet[Invoice], asked: Any) -> QuerySet[Invoice]:
    if month := asked.get("month"):
        found = found.filter(period_start=Month.parse(month).first_day)
    for name, choices in (("status", InvoiceStatus.values), ("payment_status", PaymentStatus.values)):
        if value := asked.get(name):
            if value not in choices:
                raise Invalid(f"{value:.40} is not a {name}; use one of {', '.join(choices)}.", field=name)
            found = found.filter(**{name: value})
    code = asked.get("account")
    return found.filter(account__code=code) if code else found


def _explained(line: InvoiceLine, request: Request) -> dict[str, Any]:
    """What a person wrote as the reason of a change is for the house."""
    explained = explaining.as_json(explaining.explain(line))
    if principal(request).account is not None and line.author:
        explained["reason"] = ""
    return explained


def coins(amount: Any, currency: str) -> str:
    """Write an amount with the digits of its currency."""
    return f"{round_to_minor_unit(amount, currency):f}"
