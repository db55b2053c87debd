"""What people narrow the list of invoices by; the querystring is the saved view."""

from datetime import date
from typing import Any, Final

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from billing.models import Invoice, InvoiceStatus, PaymentStatus
from core import clock
from core.errors import VaultError
from core.periods import Month

PAST_DUE: Final = "past_due"
STATUSES: Final = (
    (InvoiceStatus.DRAFT, "Draft"),
    (InvoiceStatus.OPEN, "Open"),
    (PAST_DUE, "Past due"),
    (InvoiceStatus.PAID, "Paid"),
    (InvoiceStatus.VOID, "Void"),
    (InvoiceStatus.UNCOLLECTIBLE, "Uncollectible"),
)


class MonthField(forms.CharField):
    """YYYY-MM as the first day of the month."""

    widget = forms.TextInput(attrs={"type": "month"})

    def clean(self, value: Any) -> date | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return Month.parse(text).first_day
        except VaultError as error:
            raise ValidationError(str(error)) from None


class MonthFilter(django_filters.Filter):  # type: ignore[misc]  # django-filter ships no types
    field_class = MonthField


class InvoiceFilter(django_filters.FilterSet):  # type: ignore[misc]  # as above
    """Month, status, payment, account or number, currency and smallest total. A wrong value finds nothing."""

    q = django_filters.CharFilter(
        method="search",
        label="Account or number",
        widget=forms.TextInput(attrs={"placeholder": "Name, code or number"}),
    )
    month = MonthFilter(field_name="period_start", label="Month")
    status = django_filters.ChoiceFilter(choices=STATUSES, method="in_status", label="Status", empty_label="Any")
    payment = django_filters.ChoiceFilter(
        choices=PaymentStatus.choices, field_name="payment_status", label="Payment", empty_label="Any"
    )
    currency = django_filters.CharFilter(
        lookup_expr="iexact", label="Currency", max_length=3, widget=forms.TextInput(attrs={"size": 4})
    )
    min_total = django_filters.NumberFilter(
        field_name="total",
        lookup_expr="gte",
        label="Total from",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "size": 10}),
    )

    class Meta:
        model = Invoice
        fields: tuple[str, ...] = ()

    def search(self, found: QuerySet[Invoice], name: str, text: str) -> QuerySet[Invoice]:
        text = text.strip()
        by_account = Q(account__code__icontains=text) | Q(account__name__icontains=text)
        return found.filter(by_account | Q(number__icontains=text))

    def in_status(self, found: QuerySet[Invoice], name: str, status: str) -> QuerySet[Invoice]:
        if status == PAST_DUE:
            return found.filter(status=InvoiceStatus.OPEN, due_on__lt=clock.today())
        return found.filter(status=status)

    @property
    def found(self) -> QuerySet[Invoice]:
        """The invoices that match; none while a value is wrong, so that no total misleads."""
        matching: QuerySet[Invoice] = self.qs if self.form.is_valid() else Invoice.objects.none()
        return matching
