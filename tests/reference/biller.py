"""Bill a small platform by hand: Fractions, loops over pairs of moments, no database, no code of Vault's.

Times are integer seconds. A platform is a list of resources; each ran on products during segments, and changed
hands at most once. What a source reports late is known only to the second close.
"""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import floor

MONTHLY = {"basic": 7, "standard-1x": 25, "standard-2x": 50, "performance-m": 250, "mini-postgres": 5}
FLAT = {"eco": 5}
Key = tuple[str, str, str]  # app, process, product


@dataclass(frozen=True)
class Segment:
    """A resource ran on ``product`` during [opened, closed); ``late`` says what the first close did not know."""

    product: str
    opened: int
    closed: int | None
    late: str = ""  # "", "all" of it, or its "close"

    def known(self, again: bool) -> "tuple[int, int | None] | None":
        if again or not self.late:
            return (self.opened, self.closed)
        return None if self.late == "all" else (self.opened, None)


@dataclass(frozen=True)
class Resource:
    """What ran where, whose it was, and from when it was another's."""

    name: str
    app: str
    process: str
    owner: str
    segments: tuple[Segment, ...]
    taker: str = ""
    taken_at: int = 0

    def owner_at(self, second: int) -> str:
        return self.taker if self.taker and second >= self.taken_at else self.owner


@dataclass
class Bill:
    """One account's month: ``lines`` are every rounded amount that is not nothing."""

    lines: list[Fraction]
    subtotal: Fraction
    credits: Fraction
    tax: Fraction
    total: Fraction


def half_up(amount: Fraction) -> Fraction:
    """Round to cents, ties away from zero."""
    cents = floor(abs(amount) * 100 + Fraction(1, 2))
    return Fraction(cents if amount >= 0 else -cents, 100)


def rated(platform: list[Resource], account: str, start: int, end: int, again: bool) -> dict[Key, Fraction]:
    """What ``account`` owes per app, process and product for [start, end), as known then or now."""
    seconds: dict[Key, int] = defaultdict(int)
    subscriptions: dict[Key, set[str]] = defaultdict(set)
    for resource in platform:
        for segment in resource.segments:
            known = segment.known(again)
            if known is None:
                continue
            opened, closed = max(known[0], start), min(known[1] if known[1] is not None else end, end)
            moments = sorted({opened, closed, *([resource.taken_at] if resource.taker else [])})
            for first, second in pairwise(moments):
                if first < opened or second > closed or opened >= closed:
                    continue
                if resource.owner_at(first) == account:
                    key = (resource.app, resource.process, segment.product)
                    seconds[key] += second - first
                    subscriptions[key].add(resource.name)
    owed = {}
    for key, used in seconds.items():
        product = key[2]
        if product in FLAT:
            owed[key] = Fraction(FLAT[product] * len(subscriptions[key]))
        else:
            owed[key] = half_up(Fraction(MONTHLY[product] * used, end - start))
    return owed


def bill(lines: list[Fraction], balance: Fraction, tax_rate: Fraction) -> Bill | None:
    """Add up one month; None when there is nothing to bill."""
    lines = sorted(line for line in lines if line)
    if not lines:
        return None
    subtotal = sum(lines, Fraction(0))
    credit = min(balance, max(subtotal, Fraction(0)))
    tax = half_up((subtotal - credit) * tax_rate)
    return Bill(lines, subtotal, credit, tax, subtotal - credit + tax)


def two_months(
    platform: list[Resource], account: str, months: list[tuple[int, int]], balance: Fraction, tax_rate: Fraction
) -> list[Bill | None]:
    """Bill the first month as known then, the second as known now with the first one's difference."""
    first = rated(platform, account, *months[0], again=False)
    one = bill(list(first.values()), balance, tax_rate)
    if one:
        balance -= one.credits
    now = rated(platform, account, *months[0], again=True)
    differences = [now.get(key, Fraction(0)) - first.get(key, Fraction(0)) for key in first.keys() | now.keys()]
    second = rated(platform, account, *months[1], again=True)
    return [one, bill([*second.values(), *differences], balance, tax_rate)]
