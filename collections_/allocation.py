"""Cash application: a payment settles the oldest debts first; what is left over is returned, never lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.exact import ZERO


@dataclass(frozen=True, slots=True)
class Debt:
    """What one invoice still owes, in the payment's currency."""

    invoice: int
    number: str
    due_on: date
    outstanding: Decimal
    written_off: bool = False  # settled last, unless the payer chose it


@dataclass(frozen=True, slots=True)
class Settlement:
    """Shares of a payment by invoice, in the order of settling, and ``unapplied``: what no debt took."""

    shares: tuple[tuple[int, Decimal], ...]
    unapplied: Decimal


def allocate(payment: Decimal, debts: Sequence[Debt], *, first: int | None = None) -> Settlement:
    """Apply ``payment`` to the oldest debts first, to those written off last.

    ``first`` names an invoice that the payer chose to settle before all others.

    The shares and the rest sum to the payment; no share exceeds its debt. A negative payment raises ValueError.
    """
    if payment < 0:
        raise ValueError(f"a payment cannot be negative: {payment}")
    shares: list[tuple[int, Decimal]] = []
    for debt in sorted(debts, key=lambda debt: (debt.invoice != first, debt.written_off, debt.due_on, debt.number)):
        share = min(payment, max(debt.outstanding, ZERO))
        if share > 0:
            shares.append((debt.invoice, share))
            payment -= share
    return Settlement(tuple(shares), payment)
