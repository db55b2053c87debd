"""Gather everything that one shard's drafts are made of; no lock is held while this runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from accounts.models import Account
from billing import catalogue, suspicions, tax, unsettled, waivers
from billing.assembly import RUNNING, MeteredUsage
from billing.judging import EarlierMonth
from billing.late import NOBODY, Billed, Thing
from billing.models import Invoice, InvoiceKind, InvoiceStatus, Outcome, Run, RunAccount, RunShard, RunState
from billing.month_lines import Contracted
from billing.pricebook import PriceBook
from core import sql
from core.periods import Month
from usage import amended, metering
from usage.metering import UsageRow

Rows = Mapping[str, Sequence[MeteredUsage]]  # by the account's code
Contracts = Mapping[tuple[int, str], Contracted]  # by account (row) and currency


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """An account as its invoice needs it."""

    key: int
    code: str
    currency: str
    country: str
    region: str
    tax_exempt: bool


@dataclass(frozen=True, slots=True)
class LateMonth:
    """A month billed before, as it looks today: usage, prices, what was billed, and the month's own invoices."""

    month: Month
    book: PriceBook
    usage: Rows
    billed: Mapping[int, Sequence[tuple[str, Billed]]]  # by account: currency and line
    originals: Mapping[int, tuple[int, str]]  # by account: the month's own invoice (row, number)
    contracts: Contracts
    rostered: frozenset[int]  # the accounts that the month's run knew
    amended: Mapping[str, Mapping[Thing, Sequence[str]]]  # by code: the corrections since it was billed, in words

    def of(self, account: AccountFacts) -> EarlierMonth:
        """Return the month of one account, as its adjustments are told from."""
        return EarlierMonth(
            self.month,
            self.book,
            self.usage.get(account.code, ()),
            self.billed.get(account.key, ()),
            self.originals.get(account.key),
            self.amended.get(account.code, NOBODY),
            self.contracts.get((account.key, account.currency)),
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the drafts of some accounts are made of."""

    month: Month
    accounts: Sequence[AccountFacts]
    book: PriceBook
    usage: Rows
    late: Sequence[LateMonth]
    tax_rates: Sequence[tax.Rate]
    parked: Mapping[str, tuple[str, str]]  # by code: why usage cannot be trusted yet
    taken: Mapping[int, str]  # by account: a live invoice of the month outside this run
    before: Mapping[int, Sequence[Decimal]]  # by account: totals of the latest invoices, newest first
    contracts: Contracts


def accounts_of(run: Run, shard: int) -> list[AccountFacts]:
    """Return the accounts of a shard that are to be drafted: all but those a person holds, in roster order."""
    roster = RunAccount.objects.filter(run=run, shard=shard)
    roster = roster.exclude(outcome=Outcome.HELD, reason_code="manual").exclude(outcome=Outcome.ISSUED)
    columns = ("account_id", *(f"account__{name}" for name in ("code", "currency", "country", "region", "tax_exempt")))
    return [AccountFacts(*row) for row in roster.order_by("account_id").values_list(*columns)]


def gather(run: Run, shard: RunShard) -> Facts:
    """Load the facts of one shard as known at its cut-off; a repeat loads the same."""
    month, cutoff = Month.containing(run.month), shard.cutoff or run.cutoff
    prices_at = max(run.prices_at, cutoff)
    until = min(cutoff, month.end) if run.shadow and month.start < cutoff else month.end
    return gather_for(accounts_of(run, shard.number), month, cutoff, prices_at, until=until, run=run)


def gather_for(
    accounts: Sequence[AccountFacts],
    month: Month,
    cutoff: datetime,
    prices_at: datetime,
    *,
    until: datetime | None = None,
    run: Run | None = None,
) -> Facts:
    """Load the facts of any accounts for any month: for a shard, a preview or a second look."""
    keys = [account.key for account in accounts]
    contracts, book = _prices(keys, month, prices_at, until)
    return Facts(
        month,
        accounts,
        book,
        _usage(accounts, month, book, cutoff, prices_at),
        _late(accounts, month, cutoff, prices_at) if run else [],
        catalogue.load_tax_rates(),
        suspicions.of(month, cutoff, {account.code for account in accounts}, prices_at) if run else {},
        _taken(keys, month, run) if run and not run.shadow else {},
        _totals_before(keys, month) if run else {},
        contracts,
    )


def facts_of(accounts: Iterable[Account]) -> list[AccountFacts]:
    """Return what an invoice needs of some accounts."""
    return [AccountFacts(row.pk, row.code, row.currency, row.country, row.region, row.tax_exempt) for row in accounts]


def _prices(
    account_ids: Sequence[int], month: Month, known_at: datetime, until: datetime | None = None
) -> tuple[Contracts, PriceBook]:
    """Load the accounts' contracts in a month, and the price list with what is their own."""
    contracts = catalogue.load_contracts(account_ids, month, known_at=known_at)
    owned = [contract.key for contract in contracts.values()]
    return contracts, catalogue.load_book(month, known_at=known_at, until=until, contracts=owned)


def _usage(
    accounts: Sequence[AccountFacts], month: Month, book: PriceBook, cutoff: datetime, known_at: datetime
) -> Rows:
    """Return what the accounts used, less what was accepted as not billed."""
    rows: dict[str, list[UsageRow]] = {}
    for row in metering.account_usage([account.code for account in accounts], book.spans, cutoff=cutoff):
        rows.setdefault(row.account, []).append(row)
    waived = waivers.unpriced([account.key for account in accounts], month, known_at)
    for account in accounts if waived else ():
        if account.key in waived and account.code in rows:
            rows[account.code] = waivers.left(rows[account.code], book.spans, waived[account.key])
    return rows


def _late(accounts: Sequence[AccountFacts], month: Month, cutoff: datetime, prices_at: datetime) -> list[LateMonth]:
    """Look again at the months that closed runs may have billed wrongly, each for its own accounts."""
    by_key = {account.key: account for account in accounts}
    return [
        look_again([by_key[key] for key in keys], run, month, cutoff, prices_at)
        for run, keys in unsettled.runs_to_look_at(list(by_key), month)
    ]


def look_again(
    accounts: Sequence[AccountFacts], run: Run, month: Month, cutoff: datetime, prices_at: datetime
) -> LateMonth:
    """Look at a closed run's month again, as ``month`` will bill what differs, for the accounts of the run's roster.

    Others are not its to correct.
    """
    earlier = Month.containing(run.month)
    contracts, book = _prices([account.key for account in accounts], earlier, prices_at)
    rostered = RunAccount.objects.filter(run=run, account_id__in=[account.key for account in accounts])
    keys = sorted(rostered.values_list("account_id", flat=True))
    accounts = [account for account in accounts if account.key in set(keys)]
    originals = Invoice.objects.filter(
        account_id__in=keys, period_start=earlier.first_day, kind=InvoiceKind.PERIODIC, shadow=False
    ).exclude(status__in=[InvoiceStatus.VOID, InvoiceStatus.DRAFT])
    return LateMonth(
        earlier,
        book,
        _usage(accounts, earlier, book, cutoff, prices_at),
        billed(keys, earlier, month),
        {account: (key, number or "") for account, key, number in originals.values_list("account_id", "pk", "number")},
        contracts,
        frozenset(keys),
        _amended([account.code for account in accounts], earlier, _billed_at(earlier, month), cutoff),
    )


def _billed_at(earlier: Month, month: Month) -> datetime:
    """Return the cut-off of the last closed run before ``month`` that billed or adjusted ``earlier``."""
    runs = Run.objects.filter(shadow=False, state=RunState.CLOSED, month__gte=earlier.first_day)
    return max(runs.filter(month__lt=month.first_day).values_list("cutoff", flat=True))


def _amended(
    codes: Sequence[str], month: Month, since: datetime, cutoff: datetime
) -> dict[str, dict[Thing, list[str]]]:
    """Return by account and thing which amendments changed the usage of ``month`` since it was billed."""
    found: dict[str, dict[Thing, list[str]]] = {}
    for cause in amended.causes(codes, month.span, since=since, cutoff=cutoff):
        meter = "" if cause.meter == RUNNING else cause.meter
        thing = (cause.app, cause.product, cause.component, meter)
        found.setdefault(cause.account, {}).setdefault(thing, []).append(str(cause))
    return found


def billed(account_ids: Sequence[int], month: Month, now_billing: Month | None) -> dict[int, list[tuple[str, Billed]]]:
    """Return what all invoices but those of ``now_billing`` say about ``month``: by account, with its currency."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.load("billing", "billed_lines"),
            {
                "accounts": list(account_ids),
                "start": month.start,
                "end": month.end,
                "month": now_billing.first_day if now_billing else None,
            },
        )
        lines: dict[int, list[tuple[str, Billed]]] = {}
        for account, currency, *line in cursor.fetchall():
            lines.setdefault(account, []).append((currency, Billed(*line)))
    return lines


def _taken(account_ids: Sequence[int], month: Month, run: Run) -> dict[int, str]:
    """Return which invoice bills the month already: its own, or a later one that bills it as adjustments."""
    live = Invoice.objects.filter(account_id__in=account_ids, kind=InvoiceKind.PERIODIC, shadow=False).exclude(
        status=InvoiceStatus.VOID
    )
    others = live.filter(period_start=month.first_day).exclude(run=run, status=InvoiceStatus.DRAFT)
    later = live.filter(
        period_start__gt=month.first_day, lines__period_start__gte=month.start, lines__period_start__lt=month.end
    ).exclude(status=InvoiceStatus.DRAFT, run__state__in=[RunState.CLOSED, RunState.CANCELLED])
    return {invoice.account_id: str(invoice) for invoice in [*later.distinct(), *others]}


def _totals_before(account_ids: Sequence[int], month: Month) -> dict[int, list[Decimal]]:
    oldest = Month(month.year - 1, month.number).first_day if month.year > 2000 else month.first_day
    rows = (
        Invoice.objects.filter(account_id__in=account_ids, kind=InvoiceKind.PERIODIC, shadow=False)
        .filter(period_start__lt=month.first_day, period_start__gte=oldest)
        .exclude(status__in=[InvoiceStatus.DRAFT, InvoiceStatus.VOID])
        .order_by("account_id", "-period_start")
        .values_list("account_id", "total")
    )
    totals: dict[int, list[Decimal]] = {}
    for account, total in rows:
        totals.setdefault(account, []).append(total)
    return totals
