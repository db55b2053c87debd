"""The lists of runs, and of one run's roster."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import django_tables2 as tables
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from billing import reviewing
from billing.models import Outcome, Run, RunAccount
from billing.reviewing import Amount, Summary
from billing.tables.columns import AccountColumn, signed
from core.tables import AmountColumn, MomentColumn, MonthColumn, QuantityColumn, VaultTable, amount_markup, badge

TONES: Final = {"drafting": "info", "review": "warn", "closed": "good"}
# Where a person mends what holds or fails an account, by the roster's reason code.
REMEDIES: Final = {
    "unpriced": ("Unpriced usage", "/usage/unbilled/?kind=unpriced&month={month}"),
    "unowned": ("Unowned usage", "/usage/unbilled/?kind=unowned&month={month}"),
    "overlap": ("Usage problems", "/usage/problems/"),
}


class RunTable(VaultTable):
    """Runs, newest first, each with how its roster stands and what it comes to."""

    noun = "run"
    wide = True
    empty = "No run is like that. Clear a filter, or open the month's run."
    month = MonthColumn(linkify=lambda record: f"/runs/{record.pk}/")
    shadow = tables.Column(verbose_name="Kind")
    state = tables.Column()
    accounts = QuantityColumn(accessor="pk", orderable=False)
    invoices = QuantityColumn(accessor="pk", orderable=False)
    zero = QuantityColumn(accessor="pk", orderable=False)
    held = QuantityColumn(accessor="pk", orderable=False)
    failed = QuantityColumn(accessor="pk", orderable=False)
    pending = QuantityColumn(accessor="pk", orderable=False, verbose_name="To do")
    total = tables.Column(accessor="pk", orderable=False, attrs={"cell": {"class": "num"}})
    opened_at = MomentColumn(verbose_name="Opened")
    approved_by = tables.Column(orderable=False)

    @cached_property
    def summaries(self) -> dict[int, Summary]:
        """The summaries of the rows on this page, all at once."""
        return reviewing.summaries([row.record for row in self.paginated_rows])

    def render_shadow(self, value: bool) -> SafeString | str:
        return badge("shadow") if value else "Real"

    def render_state(self, record: Run) -> SafeString:
        return state_badge(record)

    def render_accounts(self, record: Run) -> str:
        return f"{self.summaries[record.pk].accounts:,}"

    def render_invoices(self, record: Run) -> str:
        outcomes = self.summaries[record.pk].outcomes
        return f"{outcomes[Outcome.DRAFTED] + outcomes[Outcome.ISSUED]:,}"

    def render_zero(self, record: Run) -> str:
        return self._count(record, Outcome.ZERO)

    def render_held(self, record: Run) -> str:
        return self._count(record, Outcome.HELD)

    def render_failed(self, record: Run) -> str:
        return self._count(record, Outcome.FAILED)

    def render_pending(self, record: Run) -> str:
        return self._count(record, Outcome.PENDING)

    def render_opened_at(self, record: Run) -> SafeString | str:
        return signed(record.opened_at, record.opened_by)

    def render_approved_by(self, record: Run) -> SafeString | str:
        return signed(record.approved_at, record.approved_by)

    def render_total(self, record: Run) -> SafeString | str:
        return amounts_markup(self.summaries[record.pk].amounts)

    def _count(self, record: Run, outcome: Outcome) -> str:
        return f"{self.summaries[record.pk].outcomes[outcome]:,}"


class RosterTable(VaultTable):
    """Accounts of one run that ended the same way; held and failed ones say why and what to do."""

    noun = "account"
    empty = "No account of the roster is here."
    account = AccountColumn(order_by="account__code")
    reason = tables.Column(order_by=("reason_code", "reason"), verbose_name="Why", attrs={"td": {"class": "prose"}})
    total = AmountColumn(currency="account__currency", order_by=("account__currency", "total"))
    before = AmountColumn(
        accessor="account_id", currency="account__currency", orderable=False, verbose_name="Month before"
    )
    invoice = tables.Column(orderable=False, empty_values=())
    todo = tables.Column(orderable=False, empty_values=(), verbose_name="What to do")

    def __init__(self, *args: Any, run: Run, outcome: str, may_hold: bool, ended: bool, **kwargs: Any) -> None:
        self.run, self.outcome, self.may_hold, self.ended = run, outcome, may_hold, ended
        hidden = [] if outcome in (Outcome.HELD, Outcome.FAILED) else ["reason"]
        hidden += ["total", "invoice"] if outcome in (Outcome.PENDING, Outcome.ZERO, Outcome.FAILED) else []
        hidden += ["todo"] if ended or outcome in (Outcome.PENDING, Outcome.ISSUED) else []
        super().__init__(*args, exclude=hidden, **kwargs)

    @cached_property
    def month_before(self) -> dict[tuple[int, str], Decimal]:
        """What the accounts on this page were billed for the month before, all at once."""
        return reviewing.month_before(self.run, [row.record.account_id for row in self.paginated_rows])

    def render_before(self, record: RunAccount) -> SafeString | str:
        currency = record.account.currency
        total = self.month_before.get((record.account_id, currency))
        return "—" if total is None else amount_markup(total, currency)

    def render_reason(self, record: RunAccount) -> SafeString:
        return format_html("{} {}", badge(record.reason_code, tone="quiet"), record.reason)

    def render_invoice(self, record: RunAccount) -> SafeString | str:
        if record.invoice is None:
            return "—"
        return format_html('<a href="/invoices/{}/">{}</a>', record.invoice.pk, record.invoice.number or "draft")

    def render_todo(self, record: RunAccount) -> SafeString | str:
        return format_html_join(" · ", '<a href="{}">{}</a>', self._remedies(record)) or "—"

    def _remedies(self, record: RunAccount) -> Iterable[tuple[str, str]]:
        if self.outcome in (Outcome.HELD, Outcome.FAILED) and record.reason_code in REMEDIES:
            label, href = REMEDIES[record.reason_code]
            yield href.format(month=f"{self.run.month:%Y-%m}"), label
        if self.outcome == Outcome.HELD and record.invoice is not None:
            yield f"/invoices/{record.invoice.pk}/", "Look at the draft"
        if not self.may_hold:
            return
        base = f"/runs/{record.run_id}/accounts/{record.account.code}"
        by_hand = record.reason_code == "manual"
        if self.outcome == Outcome.HELD and (by_hand or record.invoice is not None):
            yield f"{base}/release/", "Release"
        if self.outcome in (Outcome.FAILED, Outcome.HELD) and not by_hand:
            yield f"{base}/retry/", "Retry"
        if self.outcome in (Outcome.DRAFTED, Outcome.ZERO, Outcome.FAILED):
            yield f"{base}/hold/", "Hold"


def state_badge(run: Run) -> SafeString:
    """Return a run's state as a badge."""
    return badge(run.state, label=run.get_state_display(), tone=TONES.get(run.state, ""))


def amounts_markup(amounts: Iterable[Amount]) -> SafeString | str:
    """Return amounts of several currencies, one below the other."""
    return format_html_join(SafeString("<br>"), "{}", ((amount_markup(a.total, a.currency),) for a in amounts)) or "—"
