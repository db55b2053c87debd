"""How one line's amount came about: as a part of the invoice's page, or as a page of its own."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from accounts.gates import StaffRequest, staff
from billing import explaining, finding


@require_safe
@staff("invoices.view")
def invoice_line(request: StaffRequest, key: str, line: int) -> HttpResponse:
    """The explanation; htmx asks for it when somebody opens a line."""
    found = finding.invoice(key)
    explanation = explaining.explain(finding.line(found, line))
    part = bool(request.headers.get("HX-Request"))
    template = "billing/_invoice_explanation.html" if part else "billing/invoice_line.html"
    context = {"invoice": found, "explanation": explanation, "back": f"/invoices/{key}/"}
    answer = render(request, template, context)
    patch_vary_headers(answer, ["HX-Request"])
    return answer
