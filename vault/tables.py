"""The lists of an account's pages, for staff and, with fewer columns, for the customer."""

from datetime import UTC, datetime
from typing import Any

import django_tables2 as tables
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Account
from billing.assembly import RUNNING
from billing.resource_shares import ResourcePart
from core import formatting
from core.exact import ZERO
from core.periods import Month, exact_seconds
from core.tables import (
    AmountColumn,
    DayColumn,
    MomentColumn,
    MonthColumn,
    StatusColumn,
    VaultTable,
    amount_markup,
)
from usage.addresses import resource_url
from usage.models import Interval, Ownership


class InvoiceTable(VaultTable):
    noun = "invoice"
    empty = "No invoice yet. The first one is drafted when the month is closed."
    number = tables.Column(
        linkify=lambda record: reverse("invoice", args=[record.number or record.pk]), empty_values=()
    )
    period_start = MonthColumn(verbose_name="Month")
    status = StatusColumn()
    payment_status = StatusColumn(verbose_name="Payment")
    total = AmountColumn()
    outstanding = AmountColumn(accessor="owed", order_by="outstanding")
    issued_on = DayColumn(verbose_name="Issued")
    due_on = DayColumn(verbose_name="Due")

    def render_number(self, record: Any) -> str:
        return str(record.number or "Draft")


class PaymentTable(VaultTable):
    noun = "payment"
    empty = "No payment yet. Cards are charged when an invoice falls due; transfers are recorded under Collections."
    received_on = DayColumn(verbose_name="Received")
    method = tables.Column()
    reference = tables.Column(attrs={"cell": {"class": "mono"}})
    amount = AmountColumn()
    applied = AmountColumn()
    unapplied = AmountColumn(empty_values=(), orderable=False)

    def render_unapplied(self, record: Any) -> SafeString:
        rest = record.amount - record.applied - record.refunded
        return self.columns["amount"].column.render(rest, record)


class CreditTable(VaultTable):
    noun = "credit"
    empty = "No credit was granted yet."
    requested_at = MomentColumn(verbose_name="Asked for")
    state = StatusColumn()
    amount = AmountColumn()
    balance = AmountColumn(verbose_name="Left")
    scope = tables.Column(orderable=False, empty_values=())
    expires_on = DayColumn(verbose_name="Ends")
    reason = tables.Column(orderable=False)
    requested_by = tables.Column(verbose_name="By")
    decided_by = tables.Column(verbose_name="Decided by")

    def render_scope(self, record: Any) -> str:
        return ", ".join(record.scope) or "Everything"

    def render_requested_by(self, value: str) -> str:
        return value.removeprefix("user:")

    def render_decided_by(self, value: str) -> str:
        return value.removeprefix("user:")


class CaseTable(VaultTable):
    noun = "case"
    empty = "Never past due: no case was opened."
    pk = tables.Column(verbose_name="Case", linkify=lambda record: f"/collections/cases/{record.pk}/")
    state = StatusColumn()
    opened_on = DayColumn(verbose_name="Opened")
    closed_on = DayColumn(verbose_name="Closed")
    currency = tables.Column()


class IntervalTable(VaultTable):
    """What ran, as the usage store knows it now; each row leads to its resource's own page."""

    noun = "interval"
    empty = "Nothing ran in this month. Usage appears within minutes of the source sending it."
    app = tables.Column()
    resource = tables.Column(linkify=lambda record: resource_url(record.resource))
    product = tables.Column()
    component = tables.Column()
    opened = MomentColumn()
    closed = MomentColumn(empty_values=())
    ran = tables.Column(
        verbose_name="In this month", empty_values=(), orderable=False, attrs={"cell": {"class": "num"}}
    )

    def __init__(self, *args: Any, month: Month, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.month, self.now = month, now.astimezone(UTC)

    def render_closed(self, record: Interval) -> SafeString | str:
        if record.closed is None:
            return "running"
        return format_html(
            '<time datetime="{}">{}</time>', formatting.iso(record.closed), formatting.moment(record.closed)
        )

    def render_ran(self, record: Interval) -> str:
        start, end = max(record.opened, self.month.start), min(record.closed or self.now, self.month.end)
        return formatting.duration(exact_seconds(end - start) if end > start else ZERO)


def intervals(account: Account, month: Month) -> QuerySet[Interval]:
    """What ran in ``month`` on resources and apps that ``account`` owned at some time of it."""
    owned = Ownership.objects.filter(
        Q(end=None) | Q(end__gt=month.start), account=account.code, start__lt=month.end, superseded_at=None
    )
    mine = Q(resource__in=owned.exclude(resource="").values("resource")) | Q(
        app__in=owned.filter(resource="").exclude(app="").values("app")
    )
    ran = Q(closed=None) | Q(closed__gt=month.start)
    return Interval.objects.filter(mine, ran, opened__lt=month.end, superseded_at=None)


class MonthResourceTable(VaultTable):
    """What each resource has of a month, largest first."""

    noun = "resource"
    empty = "No resource is like that. Clear the search, or choose another month."
    resource = tables.Column(empty_values=())
    amount = tables.Column(attrs={"cell": {"class": "num"}})
    used = tables.Column(attrs={"cell": {"class": "num"}})
    description = tables.Column(accessor="charge__description", verbose_name="Line")
    app = tables.Column(accessor="charge__kind__0", orderable=False)

    def __init__(self, *args: Any, currency: str, linked: bool, **kwargs: Any) -> None:
        self.currency, self.linked = currency, linked
        super().__init__(*args, **kwargs)

    def render_resource(self, record: ResourcePart) -> SafeString | str:
        if not record.resource:
            return "No resource of its own"
        if not self.linked:
            return format_html('<span class="mono">{}</span>', record.resource)
        return format_html('<a class="mono" href="{}">{}</a>', resource_url(record.resource), record.resource)

    def render_used(self, record: ResourcePart) -> str:
        if not record.charge.by_use:
            return formatting.NOTHING
        running = record.charge.kind[2] == RUNNING
        return formatting.duration(record.used) if running else formatting.quantity(record.used)

    def render_amount(self, record: ResourcePart) -> SafeString:
        return amount_markup(record.amount, self.currency)
