"""Tax: once per rate per invoice, on the taxable sum; rounding each line instead is unlawful in some countries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.errors import Conflict
from core.exact import EXACT, ZERO
from core.money import round_to_minor_unit


@dataclass(frozen=True, slots=True)
class Rate:
    """A tax as printed, its rate as a fraction (0.06 is 6 %), and the place and half-open days it is due for.

    A blank ``region`` means the whole country, ``valid_to`` None that no end is known.
    """

    name: str
    rate: Decimal
    country: str = ""
    region: str = ""
    valid_from: date = date.min
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class TaxLine:
    """What one rate makes of the taxable sum it applies to; ``amount`` is rounded half up."""

    name: str
    rate: Decimal
    taxable: Decimal
    amount: Decimal


def tax_lines(taxable: Iterable[tuple[Rate, Decimal]], currency: str) -> tuple[TaxLine, ...]:
    """Return one line per name and rate, in order of first appearance.

    ``taxable`` are rounded amounts after credits, each with its rate; a rate of zero keeps its line, because
    the invoice must state it. A negative sum gives a negative tax.
    """
    sums: dict[tuple[str, Decimal], Decimal] = {}
    for rate, amount in taxable:
        key = (rate.name, rate.rate)
        sums[key] = EXACT.add(sums.get(key, ZERO), amount)
    return tuple(
        TaxLine(name, rate, amount, round_to_minor_unit(EXACT.multiply(amount, rate), currency))
        for (name, rate), amount in sums.items()
    )


def rate_for(rates: Sequence[Rate], *, country: str, region: str, on: date) -> Rate | None:
    """Return the rate of a place on a day: the region's own, else the country's; None when none is due.

    Two that claim the same place and day raise Conflict: guessing a tax is worse than holding an invoice.
    """
    valid = [rate for rate in rates if rate.country == country and _holds(rate, on)]
    for place in (region, "") if region else ("",):
        found = [rate for rate in valid if rate.region == place]
        if len(found) > 1:
            where = f"{country}-{place}" if place else country
            raise Conflict(f"{len(found)} tax rates apply in {where} on {on}; end all but one of them.")
        if found:
            return found[0]
    return None


def _holds(rate: Rate, on: date) -> bool:
    return rate.valid_from <= on and (rate.valid_to is None or on < rate.valid_to)
