"""The lists of credits, and of where one of them went."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.models import CreditApplication, CreditGrant, CreditState, ProductGroup
from billing.tables.columns import AccountColumn, signed, who
from core.periods import Month
from core.tables import AmountColumn, DayColumn, MonthColumn, StatusColumn, VaultTable, badge

TONES: Final = {"requested": "warn", "active": "good", "refused": "bad"}


class CreditTable(VaultTable):
    """Credits, newest first, as they stand on ``today``."""

    noun = "credit"
    wide = True
    empty = "No credit is like that. Clear a filter to see more."
    pk = tables.Column(verbose_name="Credit", linkify=lambda record: f"/credits/{record.pk}/")
    account = AccountColumn(order_by="account__code")
    state = tables.Column()
    amount = AmountColumn(order_by=("currency", "amount"))
    balance = AmountColumn(verbose_name="Left", order_by=("currency", "balance"))
    expires_on = DayColumn(verbose_name="Ends")
    reason = tables.Column(orderable=False, attrs={"td": {"class": "prose"}})
    requested_at = tables.Column(verbose_name="Asked for")
    decided_by = tables.Column(orderable=False, verbose_name="Decided by")

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def render_pk(self, value: int) -> str:
        return f"#{value}"

    def render_state(self, record: CreditGrant) -> SafeString:
        word = state_of(record, self.today)
        return badge(word, tone=TONES.get(word, ""))

    def render_reason(self, record: CreditGrant) -> SafeString | str:
        if not record.scope and record.partners:
            return record.reason
        only = scope_in_words(record.scope, partners=record.partners)
        return format_html('{}<br><span class="muted small">Only for: {}</span>', record.reason, only)

    def render_requested_at(self, record: CreditGrant) -> SafeString | str:
        return signed(record.requested_at, record.requested_by)

    def render_decided_by(self, value: str) -> str:
        return who(value)


class ApplicationTable(VaultTable):
    """The invoices that took something of one credit."""

    noun = "invoice"
    empty = "No invoice has taken anything of it yet."
    invoice = tables.Column(orderable=False)
    month = MonthColumn(accessor="invoice__period_start", verbose_name="Month")
    status = StatusColumn(accessor="invoice__status", orderable=False)
    amount = AmountColumn(currency="grant__currency", verbose_name="Taken")

    def render_invoice(self, record: CreditApplication) -> SafeString:
        return format_html('<a href="/invoices/{}/">{}</a>', record.invoice.pk, record.invoice)


def state_of(grant: CreditGrant, today: date) -> str:
    """Return one word for where a credit stands: an active one may be spent or expired.

    It is expired when not even the month before ``today``'s, whose invoices may still be drafts, can use it.
    """
    if grant.state != CreditState.ACTIVE:
        return grant.state
    if not grant.balance:
        return "spent"
    return "expired" if grant.expires_on is not None and grant.expires_on <= last_usable(today) else "active"


def last_usable(today: date) -> date:
    """Return the start of the oldest month whose invoices may still take a credit."""
    return Month.containing(today).previous.first_day


def scope_in_words(scope: Sequence[str], *, partners: bool) -> str:
    """Say what a credit may pay for: ``Application dynos, Data services``."""
    named = ", ".join(str(ProductGroup(group).label) for group in scope) or "Everything"
    return named if partners else f"{named}, not third parties'"
