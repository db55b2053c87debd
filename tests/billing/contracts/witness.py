"""A second, obvious reading of a contract: Fractions, one step after the other, sharing no code with ``billing``.

A line is (app, product, group, partner, unit price, use); prices are per unit, so that the rest can be told apart.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Any

Json = dict[str, Any]
DIGITS = {"USD": 2, "JPY": 0, "KWD": 3}


@dataclass
class Line:
    app: str
    product: str
    group: str
    partner: bool
    unit_amount: Fraction
    use: Fraction
    charged: Fraction = Fraction(0)
    left: Fraction = Fraction(0)


def half_up(amount: Fraction, currency: str) -> Fraction:
    coins = 10 ** DIGITS[currency]
    sign = -1 if amount < 0 else 1
    return sign * Fraction(floor(abs(amount) * coins + Fraction(1, 2)), coins)


def charge(lines: list[Line], terms: Json, currency: str, month: str) -> Fraction:
    """Return what the month costs under the terms."""
    for line in lines:
        line.left = line.use
        line.charged = half_up(line.unit_amount * line.left, currency)
    for allowance in terms.get("allowances", []):
        cover(lines, allowance, currency)
    off = discounted(lines, terms.get("discounts", []), currency, month)
    spent = sum((line.charged for line in lines), Fraction(0)) - off
    if commitment := terms.get("commitment"):
        amount = Fraction(commitment["amount"])
        if spent < amount:
            spent = amount
        else:
            spent -= half_up((spent - amount) * Fraction(commitment.get("overage_rate", "0")), currency)
    spent = max(spent, Fraction(terms.get("minimum_spend", "0")))
    return min(spent, Fraction(terms["maximum_spend"])) if "maximum_spend" in terms else spent


def cover(lines: list[Line], allowance: Json, currency: str) -> None:
    """Hand out the allowance in grains of 1/1000, always to the line that has got least of its fair share so far."""
    named = [line for line in lines if line.product in allowance["products"]]
    apps = {line.app for line in named} if allowance.get("per") == "app" else {None}
    for app in apps:
        pooled = [line for line in named if app is None or line.app == app]
        used = sum(line.left for line in pooled)
        whole = min(Fraction(allowance["quantity"]), used)
        if not whole:
            continue
        fair = [line.left * whole / used for line in pooled]
        got = [Fraction(floor(share * 1000), 1000) for share in fair]
        while sum(got) < whole:
            lacking = [share - have for share, have in zip(fair, got, strict=True)]
            got[lacking.index(max(lacking))] += Fraction(1, 1000)
        for line, free in zip(pooled, got, strict=True):
            line.left -= free
            line.charged = half_up(line.unit_amount * line.left, currency)


def discounted(lines: list[Line], discounts: list[Json], currency: str, month: str) -> Fraction:
    groups = sorted({(line.group, line.partner) for line in lines})
    left = {key: Fraction(sum(x.charged for x in lines if (x.group, x.partner) == key)) for key in groups}
    off = Fraction(0)
    for discount in discounts:
        if "until" in discount and month > discount["until"]:
            continue
        scope = {key: Fraction(sum(line.charged for line in lines if fits(line, discount, key))) for key in groups}
        for key, share in shares(discount, {key: base for key, base in scope.items() if base > 0}, currency).items():
            off += min(share, left[key])
            left[key] -= min(share, left[key])
    return off


def fits(line: Line, discount: Json, key: tuple[str, bool]) -> bool:
    everything = not discount.get("products") and not discount.get("groups")
    named = line.product in discount.get("products", []) or line.group in discount.get("groups", [])
    own = discount.get("partners", True) or not line.partner
    return (line.group, line.partner) == key and (everything or named) and own


def shares(discount: Json, scope: dict[Any, Fraction], currency: str) -> dict[Any, Fraction]:
    if "rate" in discount:
        return {key: half_up(base * Fraction(discount["rate"]), currency) for key, base in scope.items()}
    base, coin = sum(scope.values()), Fraction(1, 10 ** DIGITS[currency])
    whole = Fraction(min(Fraction(discount["amount"]), base)) if scope else Fraction(0)
    fair = {key: whole * part / base for key, part in scope.items()}
    got = {key: floor(share / coin) * coin for key, share in fair.items()}
    while sum(got.values()) < whole:
        first = max(scope, key=lambda key: (fair[key] - got[key], -sorted(scope).index(key)))
        got[first] += coin
    return got
