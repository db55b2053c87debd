"""Credits onto lines: which grant pays for what, never more than there is on either side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.exact import ZERO
from core.money import total


@dataclass(frozen=True, slots=True)
class Grant:
    """A credit as the period finds it.

    ``scope`` are the product groups it may pay for (empty: all), ``partners`` whether third parties' products
    too. Periods that start on or after ``expires_on`` cannot use it. ``cap`` is the most one period may take,
    ``taken`` what this period took already. A lower ``key`` is older.
    """

    key: int
    balance: Decimal
    scope: frozenset[str] = frozenset()
    partners: bool = True
    expires_on: date | None = None
    cap: Decimal | None = None
    taken: Decimal = ZERO

    @property
    def available(self) -> Decimal:
        """What this period may still take."""
        return self.balance if self.cap is None else max(ZERO, min(self.balance, self.cap - self.taken))

    def covers(self, line: "Chargeable") -> bool:
        """Say whether the grant may pay for the line at all."""
        return (not self.scope or line.group in self.scope) and (self.partners or not line.partner)


@dataclass(frozen=True, slots=True)
class Chargeable:
    """One rounded invoice line; a negative one (an adjustment) lowers what credits may pay."""

    key: int
    group: str
    amount: Decimal
    partner: bool = False


@dataclass(frozen=True, slots=True)
class Application:
    """``amount`` of one grant, used on one line."""

    grant: int
    line: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """Who paid for what, and ``rest``: the sum of the lines that no credit paid."""

    applications: tuple[Application, ...]
    rest: Decimal

    def by_grant(self) -> Mapping[int, Decimal]:
        """Return what each grant pays, in the order in which grants were used."""
        return _sums((application.grant, application.amount) for application in self.applications)

    def by_line(self) -> Mapping[int, Decimal]:
        """Return what is paid of each line: lower the taxable amount by it when credits come before tax."""
        return _sums((application.line, application.amount) for application in self.applications)


def allocate(grants: Iterable[Grant], lines: Sequence[Chargeable], *, period_start: date) -> Allocation:
    """Apply grants to lines; the same input gives the same answer in any order of grants.

    Grants: the one that expires first, then scoped before general, then the oldest. Each pays first for the
    lines that the fewest later grants could pay for, so that a general credit does not take a scoped one's work.
    """
    queue = sorted((grant for grant in grants if _usable(grant, period_start)), key=_priority)
    open_amounts = _creditable(lines)
    applications: list[Application] = []
    for place, grant in enumerate(queue):
        left, later = grant.available, queue[place + 1 :]
        covered = [line for line in lines if open_amounts[line.key] > 0 and grant.covers(line)]
        for line in sorted(covered, key=lambda line: sum(other.covers(line) for other in later)):
            share = min(left, open_amounts[line.key])
            if share > 0:
                applications.append(Application(grant.key, line.key, share))
                open_amounts[line.key] -= share
                left -= share
    paid = total(application.amount for application in applications)
    return Allocation(tuple(applications), total(line.amount for line in lines) - paid)


def _usable(grant: Grant, period_start: date) -> bool:
    return grant.available > 0 and (grant.expires_on is None or period_start < grant.expires_on)


def _priority(grant: Grant) -> tuple[date, bool, int]:
    return (grant.expires_on or date.max, not grant.scope and grant.partners, grant.key)


def _creditable(lines: Sequence[Chargeable]) -> dict[int, Decimal]:
    """Return what credits may pay of each line: negative lines are first set against positive ones.

    Their own group's come first, then the others in order, so that the rest of an invoice is never pushed below
    what it would be without credits, nor below zero.
    """
    left = {line.key: max(line.amount, ZERO) for line in lines}
    for negative in (line for line in lines if line.amount < 0):
        owed = -negative.amount
        same = (negative.group, negative.partner)
        for line in sorted(lines, key=lambda line: (line.group, line.partner) != same):
            share = min(owed, left[line.key])
            left[line.key] -= share
            owed -= share
    return left


def _sums(pairs: Iterable[tuple[int, Decimal]]) -> dict[int, Decimal]:
    sums: dict[int, Decimal] = {}
    for key, amount in pairs:
        sums[key] = sums.get(key, ZERO) + amount
    return sums
