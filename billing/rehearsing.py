"""Rehearse a price: rate the last months again with it, chunk by chunk, and see whose bill changes by how much."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction

from accounts.models import Account
from billing import gathering, rating
from billing.assembly import Parked
from billing.gathering import AccountFacts, Facts
from billing.models import Product, Rehearsal, RehearsedBill
from billing.month_lines import month_lines
from billing.pricebook import PriceBook, Version, with_versions
from core import bell, clock, databases, leases, sql
from core.errors import Conflict, Invalid
from core.models import WorkState
from core.money import exponent
from core.money import total as exact_total
from core.periods import Month

TASK: Final = "billing.tasks.rehearse"
CLUSTER: Final = "documents"  # never in the way of money
CHUNK: Final = 1_000  # accounts rated together
LEASE_SECONDS: Final = 300
TASK_SECONDS: Final = 60
MONTHS: Final = 3
PROPOSED: Final = -1  # no row has it


@dataclass(frozen=True, slots=True)
class Summary:
    """What a rehearsal found so far, in its currency: one bill per account that uses the product, over all months.

    ``dearer`` counts those who would have paid at least 20 % more, ``buckets`` by change in percent.
    """

    bills: int
    before: Decimal
    after: Decimal
    up: int
    down: int
    dearer: int
    buckets: Sequence[tuple[str, int]]


def begin(
    product: Product, currency: str, terms: Mapping[str, Any], unit: str, *, months: int = MONTHS, actor: str
) -> Rehearsal:
    """Start rehearsing a price over the last whole months; workers carry it on. Raises Invalid for impossible terms."""
    exponent(currency)
    parsed = rating.parse_price(dict(terms))
    if not 1 <= months <= 12:
        raise Invalid("Rehearse 1 to 12 months.", field="months")
    accounts = Account.objects.filter(currency=currency).count()
    if not accounts:
        raise Conflict(f"No account pays in {currency}; there is nothing to rehearse.")
    rehearsed = [Month.containing(clock.database_now()).previous]
    while len(rehearsed) < months:
        rehearsed.insert(0, rehearsed[0].previous)
    with transaction.atomic():
        made = Rehearsal.objects.create(
            product=product,
            currency=currency,
            terms=rating.price_as_json(parsed),
            unit=unit,
            months=[month.first_day for month in rehearsed],
            cutoff=clock.database_now(databases.usage()),
            accounts=accounts,
            created_by=actor,
        )
        bell.ring(TASK, cluster=CLUSTER)
    return made


def rehearse_waiting() -> int:
    """Carry waiting rehearsals on for up to a minute; return how many accounts were rated. Safe beside itself."""
    rated, until = 0, time.monotonic() + TASK_SECONDS
    while batch := leases.claim(Rehearsal, limit=1, seconds=LEASE_SECONDS):
        rated += _chunk(batch[0])
        if time.monotonic() > until:
            bell.ring(TASK, cluster=CLUSTER)
            break
    return rated


def sweep() -> None:
    """Ring for rehearsals whose doorbell was lost. Repeatable."""
    bell.ring_for_due(Rehearsal, TASK, cluster=CLUSTER)


def summary(rehearsal: Rehearsal) -> Summary:
    """Sum up what is rated so far."""
    with connection.cursor() as cursor:
        cursor.execute(sql.load("billing", "rehearsal_summary"), {"rehearsal": rehearsal.pk})
        bills, before, after, up, down, dearer, *counts = cursor.fetchone()
    names = ("-20 % or less", "-20 to 0 %", "no change", "0 to 20 %", "20 % or more")
    return Summary(bills, before, after, up, down, dearer, list(zip(names, counts, strict=True)))


def _chunk(work: Rehearsal) -> int:
    """Rate the next accounts and keep what came out together with how far it came."""
    found = Account.objects.filter(currency=work.currency, pk__gt=work.reached).order_by("pk")[:CHUNK]
    accounts = gathering.facts_of(found)
    try:
        bills, unrated = _bills(work, accounts)
    except Exception as error:  # it waits for its next try, the reason is on its row
        leases.give_back(work, leases.reason(error))
        return 0
    with transaction.atomic():
        RehearsedBill.objects.bulk_create(bills, ignore_conflicts=True)
        more = len(accounts) == CHUNK
        kept = Rehearsal.objects.filter(pk=work.pk, fence=work.fence, state=WorkState.LEASED).update(
            done=min(work.done + len(accounts), work.accounts),
            reached=accounts[-1].key if accounts else work.reached,
            unrated=work.unrated + unrated,
            attempts=0,
            state=WorkState.READY if more else WorkState.DONE,
            run_after=clock.database_now(),
            lease_until=None,
        )
        if not kept:
            raise leases.LeaseLost(f"{work} was taken over by another worker")
    return len(accounts)


def _bills(work: Rehearsal, accounts: Sequence[AccountFacts]) -> tuple[list[RehearsedBill], int]:
    bills, unrated = [], 0
    if not accounts:
        return [], 0
    for day in work.months:
        month = Month.containing(day)
        facts = gathering.gather_for(accounts, month, work.cutoff, work.created_at)
        changed = with_versions(facts.book, [_version(work, month)])
        for account in accounts:
            try:
                rated = _rated(work, account, facts, changed)
            except Parked:
                unrated += 1
                continue
            if rated:
                before, after = rated
                bills.append(
                    RehearsedBill(rehearsal=work, account_id=account.key, month=day, before=before, after=after)
                )
    return bills, unrated


def _rated(work: Rehearsal, account: AccountFacts, facts: Facts, changed: PriceBook) -> tuple[Decimal, Decimal] | None:
    """Return one month as it is and as it would have been; None for an account that did not use the product."""
    used = facts.usage.get(account.code, ())
    if not any(row.product == work.product.code for row in used):
        return None
    contract = facts.contracts.get((account.key, account.currency))
    before, after = (
        exact_total(line.amount for line in month_lines(used, book, work.currency, contract))
        for book in (facts.book, changed)
    )
    return before, after


def _version(work: Rehearsal, month: Month) -> Version:
    price = rating.parse_price(dict(work.terms))
    return Version(PROPOSED, work.product.code, work.currency, price, work.unit, month.start, month.end)
