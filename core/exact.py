"""Arithmetic that never rounds in silence: Python's own decimal context would, at 28 digits and half to even."""

from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import Final

ZERO: Final = Decimal(0)

# 18 digits before and 30 after the point on both sides of a product still leave room; whatever does not fit raises.
EXACT: Final = Context(
    prec=250, Emax=999_999, Emin=-999_999, traps=[DivisionByZero, Inexact, InvalidOperation, Overflow]
)
# For the one deliberate rounding, which may drop digits but must never run out of them.
WIDE: Final = Context(prec=250, Emax=999_999, Emin=-999_999, traps=[DivisionByZero, InvalidOperation, Overflow])


def quotient(numerator: Decimal, denominator: int, places: int) -> Decimal:
    """Return ``numerator / denominator`` with ``places`` digits after the point, half up (away from zero).

    The decision is taken on the exact remainder, never on a quotient that was rounded before.
    """
    whole, rest = EXACT.divmod(EXACT.scaleb(numerator.copy_abs(), places), Decimal(denominator))
    if EXACT.add(rest, rest) >= denominator:
        whole = EXACT.add(whole, 1)
    rounded = EXACT.scaleb(whole, -places)
    return rounded.copy_negate() if numerator < 0 and whole else rounded


def plain(amount: Decimal) -> str:
    """Write a decimal in full, without exponent and trailing zeros, for programs."""
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
