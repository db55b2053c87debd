"""What the last whole month would have come to under a contract that is not made yet; writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from accounts.models import Account
from billing import contracting, gathering, rating
from billing.assembly import Parked
from billing.contracting import OwnPrice
from billing.draft import DraftLine
from billing.month_lines import Contracted, month_lines
from billing.pricebook import Version, with_versions
from core import clock, databases
from core.money import total as exact_total
from core.periods import Month

PROPOSED: Final = -1  # no row has it


@dataclass(frozen=True, slots=True)
class Preview:
    """One month before credits and tax: as it is, and as it would be. ``waiting`` says why nothing can be said."""

    month: Month
    before: Decimal = Decimal(0)
    lines: Sequence[DraftLine] = ()
    waiting: str = ""

    @property
    def after(self) -> Decimal:
        return exact_total(line.amount for line in self.lines)

    @property
    def difference(self) -> Decimal:
        return self.after - self.before


def preview(account: Account, terms: Mapping[str, Any], prices: Sequence[OwnPrice], *, as_of: datetime) -> Preview:
    """Rate the last month that was over at ``as_of`` under the proposed terms; raise Invalid for what cannot be."""
    parsed = contracting.check(terms, prices, account.currency)
    month = Month.containing(as_of).previous
    facts = gathering.gather_for(
        gathering.facts_of([account]), month, clock.database_now(databases.usage()), clock.database_now()
    )
    used, current = facts.usage.get(account.code, ()), facts.contracts.get((account.pk, account.currency))
    book = with_versions(facts.book, _versions(prices, account.currency, month))
    try:
        before = exact_total(line.amount for line in month_lines(used, facts.book, account.currency, current))
        return Preview(month, before, month_lines(used, book, account.currency, Contracted(PROPOSED, parsed)))
    except Parked as parked:
        return Preview(month, waiting=parked.reason)


def _versions(prices: Sequence[OwnPrice], currency: str, month: Month) -> list[Version]:
    return [
        Version(
            PROPOSED - number,
            price.product,
            currency,
            rating.parse_price(dict(price.terms)),
            price.unit,
            month.start,
            month.end,
            PROPOSED,
        )
        for number, price in enumerate(prices)
    ]
