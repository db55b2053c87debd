"""Money: exact decimals, one rounding rule, exponents by currency."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, reduce
from typing import Final

from core.errors import Invalid
from core.exact import EXACT, WIDE, ZERO, plain, quotient, share

__all__ = ["ZERO", "exponent", "minor_unit", "plain", "round_ratio", "round_to_minor_unit", "split", "total"]


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


# ISO 4217, currencies and fund units in use. A code that is not here is a typing mistake, not a currency with cents.
CURRENCIES: Final = _codes(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
    CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD
    HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON
    RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX
    USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """
)
# Those whose smallest coin is not a hundredth.
EXPONENTS: Final[Mapping[str, int]] = (
    dict.fromkeys(_codes("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"), 0)
    | dict.fromkeys(_codes("BHD IQD JOD KWD LYD OMR TND"), 3)
    | dict.fromkeys(_codes("CLF UYW"), 4)
)
DEFAULT_EXPONENT: Final = 2


def exponent(currency: str) -> int:
    """Return how many digits the currency has after the point: 0, 2, 3 or 4."""
    if currency not in CURRENCIES:
        raise Invalid(
            f"{currency!r:.20} is not a currency; use its three capital letters, for example USD", field="currency"
        )
    return EXPONENTS.get(currency, DEFAULT_EXPONENT)


@cache
def minor_unit(currency: str) -> Decimal:
    """Return the currency's smallest coin, e.g. 0.01 for USD and 1 for JPY."""
    return Decimal(1).scaleb(-exponent(currency))


def round_to_minor_unit(amount: Decimal, currency: str) -> Decimal:
    """Round half up (away from zero) to the smallest coin; called once, when a line is written."""
    if not amount.is_finite():
        raise ValueError(f"{amount} is not an amount")
    rounded = amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP, context=WIDE)
    return rounded if rounded else rounded.copy_abs()  # no "-0.00" on a document


def round_ratio(numerator: Decimal, denominator: int, currency: str) -> Decimal:
    """Round the exact value of ``numerator / denominator`` half up to the smallest coin.

    A share of a month seldom has a finite decimal; rounding one that was already cut could be off by a coin.
    """
    return quotient(numerator, denominator, exponent(currency))


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum, however long the digits; an empty one is zero."""
    return reduce(EXACT.add, amounts, ZERO)


def split(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Share a rounded ``amount`` by ``weights`` in whole coins so that the shares sum to it exactly.

    Largest remainder; ties go to the earlier share. All-zero weights share evenly. An amount that is not
    a whole number of coins raises ValueError.
    """
    if not weights:
        raise ValueError("nothing to split among")
    if any(weight < 0 for weight in weights):
        raise ValueError("weights must not be negative")
    if amount != round_to_minor_unit(amount, currency):
        raise ValueError(f"{amount} is not a whole number of coins of {currency}")
    weights = list(weights) if any(weights) else [Decimal(1)] * len(weights)
    shares = share(amount.copy_abs(), weights, exponent(currency))
    return [part.copy_negate() if amount < 0 and part else part for part in shares]
