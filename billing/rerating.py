"""Rate a month again from what is known now, beside what was billed for it: writes nothing to the books."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Account
from billing import gathering
from billing.assembly import Parked
from billing.draft import DraftLine
from billing.gathering import AccountFacts, Facts
from billing.late import Billed, adjustments
from billing.month_lines import month_lines
from core import clock
from core.money import total as exact_total
from core.periods import Month
from usage import cutoff as usage_cutoff

CHUNK = 1000  # accounts looked at together


@dataclass(frozen=True, slots=True)
class Rerated:
    """One account's month: what it comes to now and what was billed, before credits and tax, and each difference."""

    account: str
    currency: str
    now: Decimal
    billed: Decimal
    differences: Sequence[DraftLine]
    waiting: str = ""  # why the month cannot be rated now


def rerate(month: Month) -> Iterator[Rerated]:
    """Yield every account that used something in ``month`` or was billed for it, in order of its code.

    A month that is not over is rated up to now. What a person changed on a line counts as rated.
    """
    cutoff = usage_cutoff.freeze()
    until = min(month.end, cutoff) if cutoff > month.start else month.end
    keys = list(Account.objects.order_by("code").values_list("pk", flat=True))
    for start in range(0, len(keys), CHUNK):
        accounts = gathering.facts_of(Account.objects.filter(pk__in=keys[start : start + CHUNK]).order_by("code"))
        facts = gathering.gather_for(accounts, month, cutoff, clock.database_now(), until=until)
        billed = gathering.billed([account.key for account in accounts], month, None)
        for account in accounts:
            lines = [line for currency, line in billed.get(account.key, ()) if currency == account.currency]
            if lines or account.code in facts.usage:
                yield _compare(account, facts, lines)


def _compare(account: AccountFacts, facts: Facts, billed: Sequence[Billed]) -> Rerated:
    before = exact_total(line.rated for line in billed)
    try:
        contract = facts.contracts.get((account.key, account.currency))
        lines = month_lines(facts.usage.get(account.code, ()), facts.book, account.currency, contract)
    except Parked as parked:
        return Rerated(account.code, account.currency, before, before, (), parked.reason)
    differences = adjustments(facts.month, lines, billed, None)
    return Rerated(account.code, account.currency, exact_total(line.amount for line in lines), before, differences)
