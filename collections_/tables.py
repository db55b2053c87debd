"""The lists of collections: cases, payments, charges and what is owed by age."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import django_tables2 as tables
from django.utils.safestring import SafeString

from collections_ import wording
from collections_.models import Case, ChargeAttempt
from collections_.worklist import Next
from core import formatting
from core.tables import AmountColumn, DayColumn, MomentColumn, QuantityColumn, StatusColumn, VaultTable, badge

MONO = {"cell": {"class": "mono"}}
NOWRAP = {"cell": {"class": "nowrap"}}


class CaseTable(VaultTable):
    """Cases as ``worklist.cases`` annotates them; ``next_of`` says what is next for those on the page."""

    noun = "case"
    account = tables.Column(linkify=lambda record: f"/collections/cases/{record.pk}/", order_by="account__name")
    past_due = AmountColumn()
    invoices = QuantityColumn()
    age = tables.Column(accessor="oldest", verbose_name="Oldest", order_by="oldest", attrs=NOWRAP)
    coming = tables.Column(verbose_name="Next", empty_values=(), orderable=False)
    pauses = tables.Column(verbose_name="Paused", empty_values=(), orderable=False)
    assignee = tables.Column(order_by="assignee__email")
    opened_on = DayColumn(verbose_name="Opened")

    def __init__(self, *args: Any, as_of: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.as_of = as_of
        self.next_of: Mapping[int, Next] = {}

    def render_age(self, value: date) -> str:
        days = (self.as_of - value).days
        return f"{days} day{'' if days == 1 else 's'}"

    def render_coming(self, record: Case) -> str:
        if record.state == "closed":
            return "Closed"
        return self.next_of[record.pk].text if record.pk in self.next_of else "Nothing is past due"

    def render_pauses(self, record: Any) -> SafeString | str:
        if record.held_until:
            return badge("on_hold", f"On hold to {formatting.day(record.held_until)}")
        if record.promised_until:
            return badge("promised", f"Promised for {formatting.day(record.promised_until)}")
        return formatting.NOTHING


class PaymentTable(VaultTable):
    noun = "payment"
    received_on = DayColumn(verbose_name="Received")
    account = tables.Column(linkify=lambda record: f"/payments/{record.pk}/", order_by="account__name")
    method = tables.Column()
    reference = tables.Column(attrs=MONO)
    amount = AmountColumn()
    applied = AmountColumn()
    rest = AmountColumn(verbose_name="Left")

    def render_method(self, value: str) -> str:
        return value.replace("_", " ").capitalize()


class ChargeTable(VaultTable):
    noun = "charge"
    created_on = DayColumn(verbose_name="Day")
    account = tables.Column(
        accessor="invoice__account",
        linkify=lambda record: f"/payments/charges/{record.pk}/",
        order_by="invoice__account__name",
    )
    invoice = tables.Column(
        accessor="invoice__number",
        verbose_name="Invoice",
        linkify=lambda record: f"/invoices/{record.invoice.number}/",
        attrs=NOWRAP,
    )
    number = tables.Column(verbose_name="Try", attrs={"cell": {"class": "num"}})
    amount = AmountColumn()
    outcome = StatusColumn()
    why = tables.Column(accessor="decline_code", verbose_name="Why", empty_values=(), orderable=False)
    answered_at = MomentColumn(verbose_name="Answered")

    def render_why(self, record: ChargeAttempt) -> str:
        return wording.why(record.decline_code, record.decline_class) or formatting.NOTHING


class OwedTable(VaultTable):
    """Invoices with something outstanding, as ``owing.owed`` finds them."""

    noun = "invoice"
    number = tables.Column(verbose_name="Invoice", linkify=lambda record: f"/invoices/{record.number}/", attrs=NOWRAP)
    account = tables.Column(linkify=lambda record: f"/accounts/{record.account.code}/", order_by="account__name")
    due_on = DayColumn(verbose_name="Due")
    age = tables.Column(accessor="due_on", verbose_name="Days past due", order_by="-due_on")
    total = AmountColumn()
    outstanding = AmountColumn()
    payment_status = StatusColumn(verbose_name="Payment")

    def __init__(self, *args: Any, as_of: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.as_of = as_of
        self.columns["age"].column.attrs = {"cell": {"class": "num"}}

    def render_age(self, value: date) -> str:
        return str(max(0, (self.as_of - value).days))
