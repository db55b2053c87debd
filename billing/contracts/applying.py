"""What a contract changes on one month's invoice: every effect is a line of its own, after the usage it is about.

The order is fixed: allowances, discounts, commitment, minimum, maximum (``docs/algorithms/contracts.md``).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from billing.assembly import Parked
from billing.contracts.terms import Allowance, Commitment, Discount, Terms
from billing.draft import CONTRACT, CONTRACT_METER, DraftLine, stored
from billing.rating import Price, steps_as_json
from billing.rating.flat import Flat
from billing.rating.hourly_capped import SECONDS as HOUR
from billing.rating.lines import RatedLine, is_by_time, rate_line
from billing.rating.shape import Step
from core.exact import EXACT, ZERO, share
from core.money import round_to_minor_unit, split
from core.money import total as exact_total
from core.periods import Month

OTHER: Final = "other"
ONE: Final = Decimal(1)
GROUPS: Final = {"dyno": "dynos", "addon": "add-ons", "data": "data services", OTHER: "all else"}


def contract_lines(
    lines: Sequence[DraftLine],
    terms: Terms,
    price_of: Callable[[int], Price],
    currency: str,
    month: Month,
    *,
    whole_month: bool = True,
) -> list[DraftLine]:
    """Return the lines that ``terms`` add to the usage ``lines`` of ``month``; ``price_of`` gives a version's price.

    Together with ``lines`` they sum to what is charged. While the month runs (not ``whole_month``) nothing is made
    up to a commitment or a minimum yet. Raises Parked when an allowance mixes time with counted units.
    """
    made: list[DraftLine] = list(_allowances(lines, terms.allowances, price_of, currency, month))
    made += _discounts([*lines, *made], terms.discounts, currency, month)
    for bound in (_commitment, _minimum, _maximum):
        spent = exact_total(line.amount for line in [*lines, *made])
        made += bound(spent, terms, currency, month, whole_month)
    return [line for line in made if line.amount]


def _allowances(
    lines: Sequence[DraftLine],
    allowances: Iterable[Allowance],
    price_of: Callable[[int], Price],
    currency: str,
    month: Month,
) -> Iterator[DraftLine]:
    left = [line.usage or ZERO for line in lines]  # what no allowance covers yet
    for allowance in allowances:
        for pooled in _pools(lines, allowance, price_of):
            used = [left[index] for index in pooled]
            free = _shared(_pool(allowance, lines[pooled[0]], price_of), used)
            for index, covered in zip(pooled, free, strict=True):
                if not covered:
                    continue
                effect = _covered(lines[index], allowance, left[index], covered, price_of, currency, month)
                if effect.amount <= 0:  # with volume prices less use may cost more: then it is not made less
                    yield effect
                    left[index] = EXACT.subtract(left[index], covered)


def _pools(
    lines: Sequence[DraftLine], allowance: Allowance, price_of: Callable[[int], Price]
) -> Iterable[Sequence[int]]:
    """Return the lines (by index) that share the allowance: all of the account's, or each app's own."""
    pools: Mapping[str, list[int]] = defaultdict(list)
    for index, line in enumerate(lines):
        if line.price is not None and line.product in allowance.products and not isinstance(price_of(line.price), Flat):
            pools[line.app if allowance.per == "app" else ""].append(index)
    for pooled in pools.values():
        if len({_by_time(lines[index], price_of) for index in pooled}) > 1:
            raise Parked(
                "contract", f"{allowance.name} covers products priced by time and by count; make two of it, then retry."
            )
    return pools.values()


def _pool(allowance: Allowance, line: DraftLine, price_of: Callable[[int], Price]) -> Decimal:
    return EXACT.multiply(allowance.quantity, HOUR) if _by_time(line, price_of) else allowance.quantity


def _by_time(line: DraftLine, price_of: Callable[[int], Price]) -> bool:
    assert line.price is not None  # noqa: S101  _pools has left the others out
    return is_by_time(price_of(line.price))


def _shared(pool: Decimal, used: Sequence[Decimal]) -> list[Decimal]:
    """Share the pool by use, to the last digit that any use has, and no more to anybody than was used."""
    whole = min(pool, exact_total(used))
    if not whole:
        return [ZERO] * len(used)
    places = max(0, *(-int(value.as_tuple().exponent) for value in (pool, *used)))
    return share(whole, used, places)


def _covered(
    line: DraftLine,
    allowance: Allowance,
    used: Decimal,
    free: Decimal,
    price_of: Callable[[int], Price],
    currency: str,
    month: Month,
) -> DraftLine:
    """Take from a line's amount what the free part of its use makes cheaper, so that the rest is rated as if alone."""
    assert line.price is not None  # noqa: S101  _pools has left the others out
    price = price_of(line.price)
    before = rate_line(price, used, month, currency)
    after = rate_line(price, EXACT.subtract(used, free), month, currency)
    return _line(
        f"{allowance.name} · {line.description}",
        allowance.name,
        after.amount - before.amount,
        month,
        line=line,
        unrounded=after.unrounded - before.unrounded,
        quantity=stored(after.quantity - before.quantity),
        steps=_difference(before, after),
    )


def _difference(before: RatedLine, after: RatedLine) -> tuple[Step, ...]:
    return (
        Step("what the allowance leaves", after.quantity, after.unit_amount or ZERO, after.unrounded),
        Step("less the whole use", -before.quantity, before.unit_amount or ZERO, -before.unrounded),
    )


def _discounts(
    lines: Sequence[DraftLine], discounts: Iterable[Discount], currency: str, month: Month
) -> Iterator[DraftLine]:
    """Each discount is taken off the amounts before any discount; a group never goes below zero by them."""
    left: dict[tuple[str, bool], Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        left[line.group, line.partner] += line.amount
    for discount in discounts:
        if discount.until is not None and month > discount.until:
            continue
        scope = _scope(lines, discount)
        for key, off in zip(scope, _off(discount, list(scope.values()), currency), strict=True):
            taken = max(ZERO, min(off, left[key]))
            left[key] -= taken
            if taken:
                yield _line(
                    f"{discount.name} · {_named(*key)}" if len(scope) > 1 else discount.name,
                    discount.name,
                    -taken,
                    month,
                    group=key[0],
                    partner=key[1],
                    steps=(Step(_label(discount), scope[key], -(discount.rate or ZERO), -taken),),
                )


def _named(group: str, partner: bool) -> str:
    words = GROUPS.get(group, group)
    return f"{words} of third parties" if partner else words


def _scope(lines: Sequence[DraftLine], discount: Discount) -> dict[tuple[str, bool], Decimal]:
    """Return what is charged in the discount's scope, by group and whether a third party's."""
    scope: dict[tuple[str, bool], Decimal] = {}
    for line in lines:
        within = line.product in discount.products or line.group in discount.groups
        if (within or not (discount.products or discount.groups)) and (discount.partners or not line.partner):
            scope[line.group, line.partner] = scope.get((line.group, line.partner), ZERO) + line.amount
    return {key: amount for key, amount in sorted(scope.items()) if amount > 0}


def _off(discount: Discount, charged: list[Decimal], currency: str) -> list[Decimal]:
    if not charged:
        return []
    if discount.rate is not None:
        return [round_to_minor_unit(EXACT.multiply(amount, discount.rate), currency) for amount in charged]
    assert discount.amount is not None  # noqa: S101  parsing has seen to it
    return split(min(discount.amount, exact_total(charged)), charged, currency)


def _label(discount: Discount) -> str:
    if discount.rate is None:
        return "of what is in its scope"
    return f"{EXACT.multiply(discount.rate, Decimal(100)).normalize():f} % of what is in its scope"


def _commitment(spent: Decimal, terms: Terms, currency: str, month: Month, whole_month: bool) -> list[DraftLine]:
    commitment: Commitment | None = terms.commitment
    if commitment is None:
        return []
    if spent <= commitment.amount:
        return _made_up(spent, commitment.amount, "Commitment", month) if whole_month else []
    beyond = EXACT.subtract(spent, commitment.amount)
    off = round_to_minor_unit(EXACT.multiply(beyond, commitment.overage_rate), currency)
    step = Step("beyond the commitment", beyond, -commitment.overage_rate, -off)
    return [_line("Discount beyond the commitment", "overage", -off, month, steps=(step,))] if off else []


def _minimum(spent: Decimal, terms: Terms, currency: str, month: Month, whole_month: bool) -> list[DraftLine]:
    if terms.minimum_spend is None or not whole_month:
        return []
    return _made_up(spent, terms.minimum_spend, "Minimum spend", month)


def _made_up(spent: Decimal, least: Decimal, name: str, month: Month) -> list[DraftLine]:
    """Make ``spent`` up to ``least``."""
    if spent >= least:
        return []
    steps = (Step("to be spent each month", ONE, least, least), Step("less what was used", -ONE, spent, -spent))
    return [_line(f"{name}: unused part", name.lower(), least - spent, month, steps=steps)]


def _maximum(spent: Decimal, terms: Terms, currency: str, month: Month, whole_month: bool) -> list[DraftLine]:
    most = terms.maximum_spend
    if most is None or spent <= most:
        return []
    steps = (Step("at most each month", ONE, most, most), Step("less what was used", -ONE, spent, -spent))
    return [_line("Maximum spend: not charged", "maximum spend", most - spent, month, steps=steps)]


def _line(
    description: str,
    name: str,
    amount: Decimal,
    month: Month,
    *,
    line: DraftLine | None = None,
    group: str = OTHER,
    partner: bool = False,
    unrounded: Decimal | None = None,
    quantity: Decimal = ONE,
    steps: tuple[Step, ...] = (),
) -> DraftLine:
    """Return a contract's line: about one usage ``line``, or about the whole invoice."""
    return DraftLine(
        kind=CONTRACT,
        description=description[:300],
        amount=amount,
        rated=amount,
        unrounded=stored(amount if unrounded is None else unrounded),
        start=line.start if line else month.start,
        end=line.end if line else month.end,
        app=line.app if line else "",
        product=line.product if line else "",
        group=line.group if line else group,
        partner=line.partner if line else partner,
        component=line.component if line else f"{group} of others" if partner else group,
        meter=f"{CONTRACT_METER}{name}",
        quantity=quantity,
        unit=line.unit if line else "",
        unit_amount=line.unit_amount if line else None,
        price=line.price if line else None,
        steps=tuple(steps_as_json(steps)),
    )
