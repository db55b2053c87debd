"""How what is taken back of an invoice's lines is settled: less is owed, then credits. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.exact import ZERO

OWED: Final = "owed"
CREDIT: Final = "credit"


@dataclass(frozen=True, slots=True)
class Part:
    """Part of one line, before tax, and how it is given back."""

    line: int
    amount: Decimal
    settlement: str


def owed_part(most: Decimal, outstanding: Decimal, tax: Callable[[Decimal], Decimal], coin: Decimal) -> Decimal:
    """Return the largest part of ``most`` that, with its ``tax``, is not above ``outstanding``; in whole coins.

    ``tax`` never falls as the amount grows.
    """
    low, high = 0, int(most / coin)
    while low < high:
        middle = (low + high + 1) // 2
        if coin * middle + tax(coin * middle) <= outstanding:
            low = middle
        else:
            high = middle - 1
    return coin * low


def split(asked: Iterable[tuple[int, Decimal]], owed: Decimal) -> list[Part]:
    """Let the first lines lower what is owed, by ``owed`` in all, and make the rest credits; sums to what was asked."""
    parts = []
    for line, amount in asked:
        lowers = min(amount, owed)
        owed -= lowers
        if lowers:
            parts.append(Part(line, lowers, OWED))
        if amount > lowers:
            parts.append(Part(line, amount - lowers, CREDIT))
    assert owed == ZERO  # noqa: S101  the caller asks for no more than the lines come to
    return parts
