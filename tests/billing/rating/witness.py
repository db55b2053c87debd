"""A second, obvious rating: Fractions and loops over small grains, sharing no code with ``billing.rating``.

Every function takes the price as the JSON that was sent and returns the exact amount.
"""

from calendar import monthrange
from collections.abc import Sequence
from fractions import Fraction
from math import floor
from typing import Any

Json = dict[str, Any]
DIGITS = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3, "CLF": 4}


def half_up(amount: Fraction, currency: str) -> Fraction:
    """Round by adding half a coin and cutting."""
    coins = 10 ** DIGITS[currency]
    return Fraction(floor(amount * coins + Fraction(1, 2)), coins)


def month_seconds(period: str) -> int:
    year, month = map(int, period.split("-"))
    return monthrange(year, month)[1] * 24 * 60 * 60


def per_unit(price: Json, quantity: Fraction) -> Fraction:
    return Fraction(price["unit_amount"]) * quantity


def flat(price: Json, quantity: Fraction) -> Fraction:
    due = Fraction(0)
    while quantity > 0:
        due += Fraction(price["unit_amount"])
        quantity -= 1
    return due


def prorated(price: Json, seconds: Fraction, period: str) -> Fraction:
    return Fraction(price["unit_amount"]) / month_seconds(period) * seconds


def hourly_capped(price: Json, seconds: Fraction) -> Fraction:
    cost = Fraction(price["unit_amount"]) / 3600 * seconds
    cap = price["cap_amount"]
    return cost if cap is None or cost < Fraction(cap) else Fraction(cap)


def package(price: Json, quantity: Fraction) -> Fraction:
    cost, left = Fraction(0), quantity - Fraction(price.get("free_units", "0"))
    while left > 0:
        cost += Fraction(price["unit_amount"])
        left -= Fraction(price["package_size"])
    return cost


def tier_of(tiers: Sequence[Json], place: Fraction) -> int:
    """Look for the tier of one point of the ladder; a boundary still belongs to the lower one."""
    for index, tier in enumerate(tiers):
        if tier["up_to"] is None or place <= Fraction(tier["up_to"]):
            return index
    raise LookupError


def by_the_grain(price: Json, quantity: Fraction, grain: Fraction, charge: str) -> Fraction:
    """Walk up the ladder grain by grain, paying each at its tier and the flat amount on the first step into one."""
    cost, entered = Fraction(0), set[int]()
    if price.get("flat_at_zero"):
        entered.add(0)
    for step in range(1, int(quantity / grain) + 1):
        index = tier_of(price["tiers"], step * grain)
        entered.add(index)
        cost += grain * Fraction(price["tiers"][index].get(charge, "0"))
    return cost + sum(Fraction(price["tiers"][index].get("flat_amount", "0")) for index in entered)


def by_the_whole(price: Json, quantity: Fraction) -> Fraction:
    """Find the one tier that the quantity reaches and pay everything there (volume and stairs)."""
    if quantity == 0 and not price.get("flat_at_zero"):
        return Fraction(0)
    tier = price["tiers"][tier_of(price["tiers"], quantity)]
    return quantity * Fraction(tier.get("unit_amount", "0")) + Fraction(tier.get("flat_amount", "0"))


def percentage(price: Json, events: Sequence[Fraction]) -> Fraction:
    """Walk through the events with what is still free in hand; freedom ends with the first that is used up."""
    cost, used, number = Fraction(0), Fraction(0), 0
    limit, most = Fraction(price.get("free_units", "0")), int(price.get("free_events", "0"))
    free = bool(limit or most)
    for amount in events:
        number += 1
        if free and most and number > most:
            free = False
        if not free:
            paid = amount
        elif limit and used + amount > limit:
            free, paid = False, used + amount - limit
        else:
            used += amount
            continue
        cost += paid * Fraction(price["rate"]) + Fraction(price.get("fixed_amount", "0"))
    return cost
