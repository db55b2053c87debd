"""Corrections of an issued invoice for programs: its credit notes, and taking back parts of it."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import principal
from billing import credit_notes
from billing.api.credits import CreditOut
from billing.api.invoices import InvoiceReader, coins, find
from billing.api.reading import CoinsField, ExactJSONParser
from billing.models import CreditNote, CreditNoteLine, Invoice
from core import clock
from core.api import ONCE, IdempotentWrites, StrictSerializer, read
from core.errors import Invalid


class NoteLineOut(serializers.ModelSerializer[CreditNoteLine]):
    """Part of one line, taken back; before tax."""

    position = serializers.IntegerField(source="line.position")
    description = serializers.CharField(source="line.description")
    amount = serializers.SerializerMethodField()

    class Meta:
        model = CreditNoteLine
        fields = ["position", "description", "amount", "settlement"]

    def get_amount(self, line: CreditNoteLine) -> str:
        return coins(line.amount, line.note.currency)


class NoteOut(serializers.ModelSerializer[CreditNote]):
    """A credit note: what it takes back of its invoice, with its share of the tax."""

    invoice = serializers.CharField(source="invoice.number")
    subtotal = CoinsField()
    tax = CoinsField()
    total = CoinsField()
    granted = CoinsField(help_text="Of the total: was paid already and became credits.")
    lines = NoteLineOut(many=True)

    class Meta:
        model = CreditNote
        fields = [
            "number",
            "invoice",
            "currency",
            "reason",
            "subtotal",
            "tax",
            "total",
            "granted",
            "issued_on",
            "lines",
        ]


class TakenIn(StrictSerializer):
    """What to take back of one line."""

    position = serializers.IntegerField(min_value=1)
    amount = serializers.DecimalField(max_digits=20, decimal_places=4, help_text="Before tax, above zero.")


class CorrectionIn(StrictSerializer):
    """What to take back of an issued invoice."""

    lines = TakenIn(many=True, allow_empty=False)
    reason = serializers.CharField(max_length=500, help_text="Printed on the credit note.")


class CorrectionOut(serializers.Serializer[Any]):
    """What a correction became: a note by line, and credits for what of it was paid already."""

    credit_note = NoteOut(source="note")
    credits = CreditOut(source="grants", many=True)


class CreditNotes(IdempotentWrites, InvoiceReader, ListAPIView[CreditNote]):
    """The credit notes of one invoice, newest first."""

    serializer_class = NoteOut
    parser_classes = [ExactJSONParser]
    scopes = {"GET": "invoices:read", "POST": "invoices:write"}
    capabilities = {"GET": "invoices.view", "POST": "invoices.credit"}

    def get_queryset(self) -> QuerySet[CreditNote]:
        if getattr(self, "swagger_fake_view", False):
            return CreditNote.objects.none()
        notes = find(self.request, self.kwargs["number"]).credit_notes
        return notes.select_related("invoice").prefetch_related("lines__line", "lines__note")

    @extend_schema(
        operation_id="invoices_credit_notes_create",
        request=CorrectionIn,
        responses={201: CorrectionOut},
        parameters=[ONCE],
    )
    def post(self, request: Request, number: str) -> Response:
        """Take back parts of an issued invoice: less is owed, and what was paid already becomes a credit."""
        asked, found = read(CorrectionIn, request), find(request, number)
        correction = credit_notes.issue(
            found.pk,
            _by_row(found, asked["lines"]),
            reason=asked["reason"],
            actor=principal(request).actor,
            on=clock.today(),
        )
        return Response(CorrectionOut(correction, context={"staff": True}).data, status=201)


def _by_row(found: Invoice, asked: list[dict[str, Any]]) -> dict[int, Any]:
    """Return the amounts by the lines' rows; a position that is not there, or is there twice, is an Invalid."""
    rows = dict(found.lines.values_list("position", "pk"))
    amounts: dict[int, Any] = {}
    for index, taken in enumerate(asked):
        row = rows.get(taken["position"])
        if row is None or row in amounts:
            wrong = "is named twice" if row else "is not on the invoice"
            raise Invalid(f"Line {taken['position']} {wrong}.", field=f"lines[{index}].position")
        amounts[row] = taken["amount"]
    return amounts
