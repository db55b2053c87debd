"""One account's month day by day and resource by resource: as billed once its invoice is issued, else as priced now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from accounts.models import Account
from billing import current
from billing.assembly import RUNNING
from billing.day_shares import Charge, Day, Use, by_day
from billing.draft import DraftLine
from billing.models import (
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceStatus,
    LineKind,
    PriceModel,
    RunAccount,
    RunShard,
    ShardPhase,
)
from billing.proration import cut
from billing.resource_shares import ResourcePart, by_resource
from core import clock
from core.exact import EXACT, ZERO
from core.money import total as exact_total
from core.periods import Month, Span
from usage import by_resource as resources
from usage import stretches
from usage.stretches import Kind, Used

OF_NO_DAY: Final = (LineKind.ADJUSTMENT, LineKind.MANUAL)  # of an invoice's month


@dataclass(frozen=True, slots=True)
class MonthUse:
    """A month up to ``as_of`` before credits and tax; ``charges`` sum to ``total``.

    ``invoice`` is the number it was billed under, empty when it was not (yet); ``others`` are that invoice's lines
    of other months and those that a person added. ``waiting`` says why nothing can be priced yet. ``forecast`` is
    that of the running month.
    """

    account: str
    month: Month
    as_of: datetime
    cutoff: datetime
    currency: str
    total: Decimal
    forecast: Decimal
    lines: Sequence[DraftLine | InvoiceLine]  # the month's own
    charges: Sequence[Charge]
    used: Used | None
    waiting: str = ""
    invoice: str = ""
    others: Sequence[Charge] = ()

    def days(self) -> list[Day]:
        """Return every day up to ``as_of`` with its share of each charge; their amounts sum to ``total``."""
        if self.used is None:
            return []
        return by_day(self.charges, (Use(*use) for use in self.used.by_kind()), self.used.spans, self.currency)

    def measured(self) -> set[Kind]:
        """Return the kinds that are counted quantities; the others are seconds (of a gauge: times its level)."""
        stretches = self.used.stretches.items() if self.used else ()
        return {kind for kind, of_kind in stretches if any(stretch.measured for stretch in of_kind)}

    def apps(self) -> list[tuple[str, Decimal]]:
        """Return what each app comes to, largest first; they sum to ``total``."""
        sums: dict[str, Decimal] = {}
        for charge in self.charges:
            sums[charge.kind[0]] = EXACT.add(sums.get(charge.kind[0], ZERO), charge.amount)
        return sorted(sums.items(), key=lambda app: (-app[1], app[0]))

    def resources(self, kind: Kind | None = None) -> list[ResourcePart]:
        """Return what each resource has of the charges (of one ``kind``), largest first; they sum to the charges."""
        if self.used is None:
            return []
        charges = [charge for charge in self.charges if kind is None or charge.kind == kind]
        whole = Span(self.used.spans[0].start, self.used.spans[-1].end)
        spans = cut(whole, [moment for charge in charges for moment in (charge.start, charge.end)])
        uses = resources.resource_usage(self.account, spans, cutoff=self.cutoff, kind=kind)
        return by_resource(charges, uses, spans, self.currency)


def month_use(account: Account, month: Month, *, as_of: datetime, cutoff: datetime | None = None) -> MonthUse:
    """Return the account's month: as on its issued invoice, else priced up to ``as_of``. Reads only.

    What is priced is as known at ``cutoff``, by default now.
    """
    issued = Invoice.objects.issued().exclude(status=InvoiceStatus.VOID)
    own = issued.filter(account=account, kind=InvoiceKind.PERIODIC, shadow=False, period_start=month.first_day)
    if (invoice := own.select_related("run").order_by("-pk").first()) is not None:
        return _billed(account, invoice)
    now = current.current_usage(account, as_of=as_of, month=month, cutoff=cutoff)
    return MonthUse(
        account.code, month, now.as_of, now.cutoff, now.currency, now.total, now.forecast, now.lines, now.charges,
        now.used,
        now.waiting,
    )  # fmt: skip


def _billed(account: Account, invoice: Invoice) -> MonthUse:
    """Share what was billed by the usage that its run knew."""
    month, cutoff = invoice.month, _cutoff(invoice)
    lines = list(invoice.lines.select_related("price").order_by("position"))
    own = [line for line in lines if line.kind not in OF_NO_DAY]
    charges = [_charge(line) for line in own]
    edges = [moment for charge in charges for moment in (charge.start, charge.end)]
    spans = current.day_spans(cut(month.span, edges))
    amount = exact_total(charge.amount for charge in charges)
    return MonthUse(
        account.code,
        month,
        month.end,
        cutoff,
        invoice.currency,
        amount,
        amount,
        own,
        charges,
        stretches.used(account.code, spans, [month.span], cutoff=cutoff),
        invoice=invoice.number or "",
        others=[_charge(line) for line in lines if line.kind in OF_NO_DAY],
    )


def _charge(line: InvoiceLine) -> Charge:
    kind = Kind(line.app, line.product, line.meter or RUNNING, line.component)
    flat = line.price is not None and line.price.model == PriceModel.FLAT
    by_use = line.kind == LineKind.USAGE
    return Charge(kind, line.description, line.amount, line.period_start, line.period_end, flat, by_use)


def _cutoff(invoice: Invoice) -> datetime:
    """Return the cut-off of the invoice's draft: its shard's, which a retry makes later than the run's."""
    entry = RunAccount.objects.filter(run=invoice.run, account_id=invoice.account_id).first() if invoice.run else None
    if invoice.run is None or entry is None:
        return invoice.issued_at or clock.database_now()
    shard = RunShard.objects.filter(run=invoice.run, phase=ShardPhase.DRAFT, number=entry.shard).first()
    return (shard and shard.cutoff) or invoice.run.cutoff
