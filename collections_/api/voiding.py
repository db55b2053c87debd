"""Voiding an issued invoice by API: the same rules as the page."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import principal
from billing.api.invoices import InvoiceSerializer, find
from collections_ import voiding
from core import clock
from core.api import ONCE, IdempotentWrites, ReasonIn, read


class InvoiceVoid(IdempotentWrites, APIView):
    """The end of an invoice that should not exist."""

    scopes = {"POST": "invoices:write"}
    capabilities = {"POST": "invoices.credit"}

    @extend_schema(operation_id="invoices_void", request=ReasonIn, responses=InvoiceSerializer, parameters=[ONCE])
    def post(self, request: Request, number: str) -> Response:
        """Void an invoice on which nothing was paid or credited; its usage is billed again by the next run."""
        asked, found = read(ReasonIn, request), find(request, number)
        voiding.void(found.pk, reason=asked["reason"], actor=principal(request).actor, on=clock.today())
        return Response(InvoiceSerializer(find(request, number)).data)
