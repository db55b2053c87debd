"""Find an account in seconds: every account with what it owes."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import django_tables2 as tables
from django import forms
from django.db.models import DecimalField, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from accounts import permissions
from accounts.gates import StaffRequest, staff
from accounts.models import Account, AccountKind
from billing.models import Invoice
from core import clock
from core.downloads import amount, csv_download
from core.tables import AmountColumn, DayColumn, StatusColumn, VaultTable, amount_markup, badge

PER_PAGE: Final = 50
STATES: Final = (
    ("", "Any"),
    ("active", "Active"),
    ("owing", "Owing"),
    ("past_due", "Past due"),
    ("closed", "Closed"),
)
SORTABLE: Final = frozenset({"name", "code", "email", "kind", "outstanding", "past_due", "created_at"})
NOTHING_OWED: Final = format_html('<span class="muted">{}</span>', "0")
AMOUNT: Final = DecimalField(max_digits=24, decimal_places=4)


class AccountFilter(forms.Form):
    q = forms.CharField(
        label="Search", required=False, widget=forms.TextInput(attrs={"placeholder": "Code, name or e-mail"})
    )
    status = forms.ChoiceField(choices=STATES, required=False)
    kind = forms.ChoiceField(choices=[("", "Any"), *AccountKind.choices], required=False)
    currency = forms.CharField(required=False, max_length=3)


class AccountTable(VaultTable):
    noun = "account"
    empty = "No account matches. Check the spelling, or clear a filter."
    name = tables.Column(verbose_name="Account", linkify=("account", {"code": tables.A("code")}))
    status = StatusColumn(orderable=False, empty_values=(), accessor="code", verbose_name="Status")
    outstanding = AmountColumn()
    past_due = AmountColumn()
    code = tables.Column()
    email = tables.Column(verbose_name="E-mail")
    kind = tables.Column()
    created_at = DayColumn(verbose_name="Since")

    def render_outstanding(self, value: Decimal, record: Account) -> SafeString:
        return amount_markup(value, record.currency) if value else NOTHING_OWED

    render_past_due = render_outstanding

    def render_status(self, record: Account) -> SafeString:
        return badge(status_of(record))


@require_safe
@staff("accounts.view")
def accounts(request: StaffRequest) -> HttpResponse:
    """The list, by search, filters and sorting."""
    form = AccountFilter(request.GET)
    table = AccountTable(_matching(form), order_by="name")
    tables.RequestConfig(request, paginate={"per_page": PER_PAGE, "silent": True}).configure(table)
    context = {
        "form": form,
        "table": table,
        "may_create": permissions.has(request.user, "accounts.edit"),
        "may_export": permissions.has(request.user, "exports.download"),
    }
    return render(request, "accounts/list.html", context)


@require_safe
@staff("exports.download")
def export(request: StaffRequest) -> StreamingHttpResponse:
    """The same accounts, all of them, as CSV."""
    header = ("code", "name", "email", "kind", "currency", "status", "outstanding", "past_due", "since")
    return csv_download("accounts", header, _rows(_matching(AccountFilter(request.GET)).order_by(_order(request))))


def status_of(account: Any) -> str:
    """Return one word for where an account of this list stands."""
    if account.past_due:
        return "past_due"
    return "closed" if account.closed_at else "active"


def _rows(found: QuerySet[Account]) -> Iterator[tuple[Any, ...]]:
    for account in found.iterator(chunk_size=2000):
        outstanding, past_due = account.outstanding, account.past_due  # type: ignore[attr-defined]  # annotated
        yield (
            account.code,
            account.name,
            account.email,
            account.kind,
            account.currency,
            status_of(account),
            amount(outstanding, account.currency),
            amount(past_due, account.currency),
            account.created_at,
        )


def _matching(form: AccountFilter) -> QuerySet[Account]:
    """Accounts with ``outstanding`` and ``past_due``, narrowed by whatever of the filter can be read."""
    form.is_valid()
    chosen = form.cleaned_data
    found: QuerySet[Account] = Account.objects.matching(chosen.get("q", ""))
    found = found.annotate(outstanding=_owed(Q()), past_due=_owed(Q(due_on__lt=clock.today())))
    if kind := chosen.get("kind"):
        found = found.filter(kind=kind)
    if currency := chosen.get("currency"):
        found = found.filter(currency=currency.upper())
    narrowed: dict[str, Q] = {
        "active": Q(closed_at=None),
        "closed": Q(closed_at__isnull=False),
        "owing": Q(outstanding__gt=0),
        "past_due": Q(past_due__gt=0),
    }
    return found.filter(narrowed.get(chosen.get("status", ""), Q()))


def _owed(condition: Q) -> Coalesce:
    invoices = Invoice.objects.open().filter(condition, account=OuterRef("pk")).order_by().values("account")
    owed = Subquery(invoices.annotate(sum=Sum("outstanding")).values("sum"), output_field=AMOUNT)
    return Coalesce(owed, Value(Decimal(0)), output_field=AMOUNT)


def _order(request: StaffRequest) -> str:
    asked = request.GET.get("sort", "")
    return asked if asked.removeprefix("-") in SORTABLE else "name"
