"""Payments: the list, one payment's story, and recording one that reached the bank."""

from collections.abc import Iterator
from typing import Any, Final

import django_tables2 as tables
from django.contrib import messages
from django.db.models import F, Q, QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import permissions
from accounts.gates import StaffRequest, staff
from accounts.models import Account
from billing.models import Invoice
from collections_ import paying, wording
from collections_.allocation import Settlement
from collections_.forms import PayerForm, PaymentFilter, PaymentForm
from collections_.models import Chargeback, Payment, Refund
from collections_.tables import PaymentTable
from collections_.views.worklist import tabs
from core import clock, formatting
from core.downloads import csv_download
from core.errors import VaultError
from core.forms import blame

PER_PAGE: Final = 50


@require_safe
@staff("payments.view")
def payments(request: StaffRequest) -> HttpResponse:
    """Every payment, newest first."""
    if "outcome" in request.GET:  # a question about charges, which are tries, not payments
        return redirect(f"/payments/charges/?{request.GET.urlencode()}")
    form = PaymentFilter(request.GET)
    table = PaymentTable(_matching(form), order_by="-received_on")
    tables.RequestConfig(request, paginate={"per_page": PER_PAGE, "silent": True}).configure(table)
    context = {
        "form": form,
        "table": table,
        "tabs": tabs(request),
        "may_export": permissions.has(request.user, "exports.download"),
        "may_work": permissions.has(request.user, "collections.work"),
    }
    return render(request, "collections/payments.html", context)


@require_safe
@staff("exports.download")
def export(request: StaffRequest) -> StreamingHttpResponse:
    """The same payments, all of them, as CSV."""
    header = ("received_on", "account", "method", "reference", "currency", "amount", "applied", "refunded", "by")
    return csv_download("payments", header, _rows(_matching(PaymentFilter(request.GET)).order_by("-received_on", "pk")))


@require_safe
@staff("payments.view")
def payment(request: StaffRequest, pk: int) -> HttpResponse:
    """One payment: where it came from and what it settled."""
    found = get_object_or_404(Payment.objects.select_related("account", "attempt"), pk=pk)
    rest = found.amount - found.applied - found.refunded
    facts = [
        ("Received", formatting.day(found.received_on)),
        ("Method", found.method.replace("_", " ").capitalize()),
        ("Reference", found.reference),
        ("Recorded by", wording.actor(found.recorded_by)),
        ("Recorded", formatting.moment(found.recorded_at)),
    ]
    context = {
        "payment": found,
        "facts": facts,
        "rest": rest,
        "allocations": found.allocations.select_related("invoice").order_by("pk"),
        "refunds": Refund.objects.filter(payment=found).order_by("pk"),
        "may_refund": rest > 0 and found.attempt and permissions.has(request.user, "collections.work"),
        "may_decide": permissions.has(request.user, "credits.approve"),
        "may_work": permissions.has(request.user, "collections.work"),
        "chargebacks": Chargeback.objects.filter(payment=found).order_by("pk"),
        "may_charge_back": found.amount > found.refunded and permissions.has(request.user, "collections.work"),
        "may_apply": rest > 0 and permissions.has(request.user, "collections.work"),
    }
    return render(request, "collections/payment.html", context)


@require_POST
@staff("collections.work")
def apply(request: StaffRequest, pk: int) -> HttpResponse:
    """Settle debts with what a payment has left."""
    paying.apply_rest(pk, on=clock.today(), actor=request.user.actor)
    messages.success(request, "The oldest debts are settled with what was left.")
    return redirect("payment", pk)


@require_safe
@staff("collections.work")
def payer(request: StaffRequest) -> HttpResponse:
    """Ask whose payment is to be recorded."""
    form = PayerForm(request.GET or None)
    if form.is_valid():
        code = form.cleaned_data["code"].strip()
        if Account.objects.filter(code=code).exists():
            return redirect("record_payment", code)
        form.add_error("code", f"There is no account {code}. Search for it at the top of the page.")
    return render(request, "collections/payer.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@staff("collections.work")
def record(request: StaffRequest, code: str) -> HttpResponse:
    """Record a payment of one account: first see what it would settle, then book it."""
    account = get_object_or_404(Account, code=code)
    form = PaymentForm(request.POST or None, account=account, initial={"received_on": clock.today()})
    shares: list[dict[str, Any]] | None = None
    rest = None
    if request.method == "POST" and form.is_valid():
        try:
            if "book" in request.POST:
                return redirect("payment", _book(request, account, form).pk)
            settlement = _preview(account, form)
            shares, rest = _named(settlement), settlement.unapplied
        except VaultError as error:
            blame(form, error)
    context = {"account": account, "form": form, "shares": shares, "rest": rest}
    return render(request, "collections/record_payment.html", context)


def _book(request: StaffRequest, account: Account, form: PaymentForm) -> Payment:
    typed = dict(form.cleaned_data)
    first = typed.pop("first")
    booked = paying.record(
        account_id=account.pk,
        currency=account.currency,
        first=first.pk if first else None,
        actor=request.user.actor,
        **typed,
    )
    messages.success(request, f"{formatting.amount_with_currency(booked.amount, booked.currency)} is booked.")
    return booked


def _preview(account: Account, form: PaymentForm) -> Settlement:
    first = form.cleaned_data["first"]
    return paying.preview(account.pk, account.currency, form.cleaned_data["amount"], first=first.pk if first else None)


def _named(settlement: Settlement) -> list[dict[str, Any]]:
    invoices = Invoice.objects.in_bulk([invoice for invoice, _ in settlement.shares])
    return [
        {"invoice": invoices[pk], "amount": share, "rest": invoices[pk].outstanding - share}
        for pk, share in settlement.shares
    ]


def _matching(form: PaymentFilter) -> QuerySet[Payment]:
    """The payments that the filter asks for, with ``rest``; whatever of it cannot be read narrows nothing."""
    form.is_valid()
    chosen = form.cleaned_data
    found = Payment.objects.select_related("account").annotate(rest=F("amount") - F("applied") - F("refunded"))
    if text := chosen.get("q", "").strip():
        found = found.filter(
            Q(account__code__icontains=text) | Q(account__name__icontains=text) | Q(reference__icontains=text)
        )
    if method := chosen.get("method"):
        found = found.filter(method=method)
    if since := chosen.get("since"):
        found = found.filter(received_on__gte=since)
    if until := chosen.get("until"):
        found = found.filter(received_on__lte=until)
    applied = {"yes": Q(rest=0), "no": Q(rest__gt=0)}
    return found.filter(applied.get(chosen.get("applied", ""), Q()))


def _rows(found: QuerySet[Payment]) -> Iterator[tuple[Any, ...]]:
    for one in found.iterator(chunk_size=2000):
        amounts = (one.currency, one.amount, one.applied, one.refunded)
        yield (one.received_on, one.account.code, one.method, one.reference, *amounts, wording.actor(one.recorded_by))
