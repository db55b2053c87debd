"""One account's whole story in one place: what it owes, uses, paid and was given, and everything anybody changed."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import django_tables2 as tables
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import permissions, registering
from accounts.gates import StaffRequest, staff
from accounts.models import Account
from billing.models import Invoice
from collections_ import wording
from collections_.models import Case, ChargeAttempt, Payment
from core import clock, formatting
from core.models import AuditEntry
from core.periods import Month
from core.tables import VaultTable
from vault import story
from vault import tables as lists
from vault.standing import Standing, standing
from vault.views.audit import page_of

Context = dict[str, Any]
RECENT: Final = 5
TRIES: Final = 20  # the newest charges that are shown


@require_safe
@staff("accounts.view")
def account(request: StaffRequest, code: str) -> HttpResponse:
    """The overview: where it stands, the newest invoices and changes. What this month comes to is fetched beside it."""
    found = registering.find(code)
    stands = standing(found, as_of=clock.today())
    invoices = Invoice.objects.filter(account=found, shadow=False).order_by("-period_start", "-pk")
    context = _frame(request, found, "overview") | {
        "standing": stands,
        "facts": _facts(found, stands),
        "invoices": invoices[:RECENT],
        "happenings": story.tell(_by_people(found)[:RECENT]),
    }
    return render(request, "accounts/overview.html", context)


@require_safe
@staff("accounts.view")
def part(request: StaffRequest, code: str, part: str) -> HttpResponse:
    """One part of the story, paged."""
    compose = PARTS.get(part)
    if compose is None:
        raise Http404
    found = registering.find(code)
    return render(request, f"accounts/{part}.html", _frame(request, found, part) | compose(request, found))


def _frame(request: StaffRequest, found: Account, part: str) -> Context:
    return {"account": found, "part": part, "may_edit": permissions.has(request.user, "accounts.edit")}


def _facts(found: Account, stands: Standing) -> list[tuple[str, str]]:
    days = found.payment_terms_days
    return [
        ("Invoices go to", found.email),
        ("Delivery", found.get_delivery_display()),
        ("Payment terms", f"{days} days" if days else "Due on the day of issue"),
        ("Card", str(stands.card) if stands.card else "None on file"),
        ("Address", ", ".join(found.address.splitlines())),
        ("Country and region", " · ".join(filter(None, (found.country, found.region)))),
        ("Tax", " · ".join(filter(None, (found.tax_id, "exempt" if found.tax_exempt else "")))),
        ("Registered", formatting.day(found.created_at)),
    ]


def _by_people(found: Account) -> QuerySet[AuditEntry]:
    """Leave out what programs do by themselves, which is most of it; the history has everything."""
    signed = Q(actor__startswith="user:") | Q(actor__startswith="key:")
    return AuditEntry.objects.filter(signed, account_id=found.pk).order_by("-pk")


def _listed(request: StaffRequest, table: VaultTable) -> Context:
    tables.RequestConfig(request, paginate={"per_page": 50, "silent": True}).configure(table)
    return {"table": table}


def _usage(request: StaffRequest, found: Account) -> Context:
    month = Month.parse(request.GET["month"]) if request.GET.get("month") else Month.containing(clock.today())
    rows = lists.intervals(found, month)
    return _listed(request, lists.IntervalTable(rows, month=month, now=clock.now(), order_by="app")) | {"month": month}


def _invoices(request: StaffRequest, found: Account) -> Context:
    rows = Invoice.objects.filter(account=found, shadow=False)
    return _listed(request, lists.InvoiceTable(rows, order_by="-period_start"))


def _payments(request: StaffRequest, found: Account) -> Context:
    attempts = ChargeAttempt.objects.filter(invoice__account=found).select_related("invoice").order_by("-pk")[:TRIES]
    rows = Payment.objects.filter(account=found)
    return _listed(request, lists.PaymentTable(rows, order_by="-received_on")) | {
        "attempts": [(attempt, wording.why(attempt.decline_code, attempt.decline_class)) for attempt in attempts],
        "may_record": permissions.has(request.user, "collections.work"),
    }


def _cases(request: StaffRequest, found: Account) -> Context:
    return _listed(request, lists.CaseTable(Case.objects.filter(account=found), order_by="-opened_on"))


def _history(request: StaffRequest, found: Account) -> Context:
    return page_of(AuditEntry.objects.filter(account_id=found.pk), request.GET.get("before", ""))


PARTS: Final[Mapping[str, Callable[[StaffRequest, Account], Context]]] = {
    "usage": _usage,
    "invoices": _invoices,
    "payments": _payments,
    "cases": _cases,
    "history": _history,
}
