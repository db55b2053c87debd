"""The shape every way to price shares: usage in, an exact amount and the steps to it out."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from core.errors import Invalid
from core.exact import plain, quotient
from core.money import round_ratio
from core.periods import Month

# Digits after the point of a value that has no finite decimal (a share of a month); for people, never for rounding.
UNROUNDED_PLACES: Final = 20
QUANTITY_PLACES: Final = 10


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used: ``quantity`` in the meter's unit, or in seconds of ``month`` for a price by time.

    ``events`` are the amounts behind the quantity, in order of time, for prices that charge by the event.
    """

    quantity: Decimal
    month: Month | None = None
    events: tuple[Decimal, ...] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an explanation: ``quantity`` at ``unit_amount`` makes ``amount``, in words ``label``."""

    label: str
    quantity: Decimal
    unit_amount: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Rated:
    """The exact amount ``numerator / denominator`` in the price's currency, and the steps that add up to it."""

    numerator: Decimal
    steps: tuple[Step, ...]
    denominator: int = 1

    @property
    def exact(self) -> Fraction:
        """The amount itself, with no rounding of any kind."""
        return Fraction(self.numerator) / self.denominator

    @property
    def unrounded(self) -> Decimal:
        """The amount as a decimal: exact, except that a division is shown to 20 digits after the point."""
        return self.numerator if self.denominator == 1 else quotient(self.numerator, self.denominator, UNROUNDED_PLACES)

    def rounded(self, currency: str) -> Decimal:
        """Round the exact amount half up to the smallest coin: once, for the line."""
        return round_ratio(self.numerator, self.denominator, currency)


def steps_as_json(steps: tuple[Step, ...]) -> list[dict[str, str]]:
    """Write steps for programs and for storage; decimals are plain strings."""
    return [
        {
            "label": step.label,
            "quantity": plain(step.quantity),
            "unit_amount": plain(step.unit_amount),
            "amount": plain(step.amount),
        }
        for step in steps
    ]


def month_of(usage: Usage) -> Month:
    """Return the month that a price by time divides by; raise Invalid when the usage names none."""
    if usage.month is None:
        raise Invalid("period is missing: a price by time needs the month it is charged for.", field="period")
    return usage.month
