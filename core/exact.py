"""Arithmetic that never rounds in silence: Python's own decimal context would, at 28 digits and half to even."""

from collections.abc import Sequence
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from functools import reduce
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


def share(whole: Decimal, weights: Sequence[Decimal], places: int) -> list[Decimal]:
    """Share ``whole`` (zero or more) by ``weights`` in steps of ``places`` digits; the shares sum to it exactly.

    Largest remainder; ties go to the earlier share. The weights are zero or more and not all zero; ``whole`` has no
    more digits than ``places``. No share exceeds its weight when ``whole`` is at most their sum and they are whole
    steps themselves.
    """
    steps, weight_of_all = EXACT.scaleb(whole, places), reduce(EXACT.add, weights, ZERO)
    parts = [EXACT.divmod(EXACT.multiply(steps, weight), weight_of_all) for weight in weights]
    missing = int(EXACT.subtract(steps, reduce(EXACT.add, (part for part, _ in parts), ZERO)))
    first = set(sorted(range(len(parts)), key=lambda index: (-parts[index][1], index))[:missing])
    return [EXACT.scaleb(EXACT.add(part, index in first), -places) for index, (part, _) in enumerate(parts)]


def plain(amount: Decimal) -> str:
    """Write a decimal in full, without exponent and trailing zeros, for programs."""
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
