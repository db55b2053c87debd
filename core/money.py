"""Money: exact decimals, one rounding rule, exponents by currency."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Final

from core.errors import Invalid

# ISO 4217 currencies whose smallest coin is not a hundredth.
EXPONENTS: Final[Mapping[str, int]] = (
    dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
        0,
    )
    | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
    | dict.fromkeys(("CLF", "UYW"), 4)
)
DEFAULT_EXPONENT: Final = 2
ZERO: Final = Decimal(0)


def exponent(currency: str) -> int:
    """Return how many digits the currency has after the point: 0, 2, 3 or 4."""
    if len(currency) != 3 or not currency.isascii() or not currency.isupper():
        raise Invalid(f"{currency!r} is not a currency; use three capital letters, for example USD", field="currency")
    return EXPONENTS.get(currency, DEFAULT_EXPONENT)


def minor_unit(currency: str) -> Decimal:
    """Return the currency's smallest coin, e.g. 0.01 for USD and 1 for JPY."""
    return Decimal(1).scaleb(-exponent(currency))


def round_to_minor_unit(amount: Decimal, currency: str) -> Decimal:
    """Round half up (away from zero) to the smallest coin; called once, when a line is written."""
    rounded = amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP)
    return rounded if rounded else rounded.copy_abs()  # no "-0.00" on a document


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum; an empty one is zero."""
    return sum(amounts, ZERO)


def split(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Share a rounded ``amount`` by ``weights`` in whole coins so that the shares sum to it exactly.

    Largest remainder; ties go to the earlier share. All-zero weights share evenly.
    """
    if not weights:
        raise ValueError("nothing to split among")
    if any(weight < 0 for weight in weights):
        raise ValueError("weights must not be negative")
    weights = list(weights) if any(weights) else [Decimal(1)] * len(weights)
    whole, coin = sum(weights, ZERO), minor_unit(currency)
    exact = [amount * weight / whole for weight in weights]
    shares = [share.quantize(coin, rounding=ROUND_DOWN) for share in exact]
    missing = int((amount - sum(shares, ZERO)) / coin)
    step = coin if missing >= 0 else -coin
    by_remainder = sorted(range(len(shares)), key=lambda i: (-abs(exact[i] - shares[i]), i))
    for index in by_remainder[: abs(missing)]:
        shares[index] += step
    return shares


def plain(amount: Decimal) -> str:
    """Write a decimal without exponent and trailing zeros, for programs."""
    text = format(amount.normalize(), "f")
    return "0" if text == "-0" else text
