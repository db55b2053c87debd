"""Late and corrected usage: the difference between what a month comes to today and what was billed for it. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from billing.draft import ADJUSTMENT, CONTRACT_METER, DraftLine
from core.exact import ZERO, plain
from core.periods import Month

LATE_MONTHS: Final = 2  # how many closed months before a run's own are looked at again
NAMED: Final = 3  # amendments that the reason of a line tells in full
Key = tuple[str, str, str, str, int | None]
Thing = tuple[str, str, str, str]  # app, product, component and meter, whatever the price
NOBODY: Final[Mapping[Thing, Sequence[str]]] = {}


@dataclass(frozen=True, slots=True)
class Billed:
    """What all invoices so far say about one line of a month: sums, and how the line read first.

    ``rated`` is what rating said, not what a person made of it: a waived line is not billed again.
    """

    app: str
    product: str
    component: str
    meter: str
    price: int | None
    rated: Decimal
    usage: Decimal
    quantity: Decimal
    description: str
    group: str
    partner: bool
    unit: str
    unit_amount: Decimal | None
    start: datetime
    end: datetime
    charged: Decimal  # what people left of it, less what credit notes took back

    @property
    def key(self) -> Key:
        """What makes two lines the same thing."""
        return (self.app, self.product, self.component, self.meter, self.price)


def key_of(line: DraftLine) -> Key:
    """Return what makes two lines the same thing, whenever they were billed."""
    return (line.app, line.product, line.component, line.meter, line.price)


def adjustments(
    month: Month,
    expected: Iterable[DraftLine],
    billed: Iterable[Billed],
    original: tuple[int, str] | None,
    amended: Mapping[Thing, Sequence[str]] = NOBODY,
) -> list[DraftLine]:
    """Return one line per difference, negative when too much was billed; none where both agree to the coin.

    ``expected`` are the month's lines as rated today, ``original`` the month's own invoice (row, number), ``amended``
    the corrections behind a line in words. What rounds to nothing is compared afresh next time, from the whole, so
    that nothing adds up unseen.
    """
    known: Mapping[Key, Billed] = {line.key: line for line in billed}
    wanted = _together(expected)
    changed = [_difference(month, line, known.get(key), original) for key, line in wanted.items()]
    gone = [_withdrawn(month, line, original) for key, line in known.items() if key not in wanted]
    within = _within_charged([*changed, *gone], known.values(), _takes_off(wanted.values(), known.values()))
    return sorted(
        (_explained(line, amended) for line in within if line.amount),
        key=lambda line: (line.app, line.product, line.component, line.meter, line.start),
    )


def _together(expected: Iterable[DraftLine]) -> dict[Key, DraftLine]:
    """Join the lines that are one thing, such as an allowance on two meters of a product; so are billed ones."""
    joined: dict[Key, DraftLine] = {}
    for line in expected:
        one = joined.get(key_of(line))
        joined[key_of(line)] = (
            line
            if one is None
            else replace(
                one,
                amount=one.amount + line.amount,
                quantity=one.quantity + line.quantity,
                usage=(one.usage or ZERO) + (line.usage or ZERO),
            )
        )
    return joined


def _takes_off(expected: Iterable[DraftLine], billed: Iterable[Billed]) -> set[Thing]:
    """Return which of a contract's effects take off what is charged; the others make up to what must be spent."""
    below = {key_of(line)[:4] for line in expected if line.amount < 0}
    below |= {line.key[:4] for line in billed if line.rated < 0}
    return {thing for thing in below if thing[3].startswith(CONTRACT_METER)}


def _explained(line: DraftLine, amended: Mapping[Thing, Sequence[str]]) -> DraftLine:
    """Let the reason of a line name the corrections behind it, the first few in full."""
    causes = amended.get(key_of(line)[:4], ())
    if not causes:
        return line
    more = f" And {len(causes) - NAMED} more amendments." if len(causes) > NAMED else ""
    named = (cause if cause.endswith((".", "!", "?")) else f"{cause}." for cause in causes[:NAMED])
    return replace(line, reason=f"{line.reason} {' '.join(named)}{more}")


def _within_charged(
    lines: Sequence[DraftLine], billed: Iterable[Billed], takes_off: Collection[Thing]
) -> list[DraftLine]:
    """Give back no more of one thing, whatever its price, than was charged for it: not what was waived or credited.

    What a contract ``takes_off`` is below nothing by its nature, and follows the rest wherever it goes.
    """
    left: dict[Thing, Decimal] = {}
    for before in billed:
        left[before.key[:4]] = left.get(before.key[:4], ZERO) + before.charged
    for line in lines:
        left[key_of(line)[:4]] = left.get(key_of(line)[:4], ZERO) + line.amount
    within = []
    for line in lines:
        key = key_of(line)[:4]
        below = ZERO if key in takes_off else max(-left[key], ZERO)
        kept = min(below, max(-line.amount, ZERO))
        left[key] += kept
        amount = line.amount + kept
        within.append(replace(line, amount=amount, rated=amount, unrounded=amount) if kept else line)
    return within


def _difference(month: Month, line: DraftLine, before: Billed | None, original: tuple[int, str] | None) -> DraftLine:
    more = (line.usage or ZERO) - (before.usage if before else ZERO)
    amount = line.amount - (before.rated if before else ZERO)
    return replace(
        line,
        kind=ADJUSTMENT,
        description=f"{line.description} ({_name(month)})"[:300],
        amount=amount,
        rated=amount,
        unrounded=amount,
        quantity=line.quantity - (before.quantity if before else ZERO),
        usage=more,
        steps=(),
        adjusts=original[0] if original else None,
        reason=_why(month, line.meter, more, original),
    )


def _withdrawn(month: Month, before: Billed, original: tuple[int, str] | None) -> DraftLine:
    return DraftLine(
        kind=ADJUSTMENT,
        description=f"{before.description.removesuffix(f' ({_name(month)})')} ({_name(month)})"[:300],
        amount=-before.rated if before.rated else ZERO,
        rated=-before.rated if before.rated else ZERO,
        unrounded=-before.rated,
        start=before.start,
        end=before.end,
        app=before.app,
        product=before.product,
        group=before.group,
        partner=before.partner,
        component=before.component,
        meter=before.meter,
        quantity=-before.quantity,
        unit=before.unit,
        unit_amount=before.unit_amount,
        price=before.price,
        usage=-before.usage,
        adjusts=original[0] if original else None,
        reason=_why(month, before.meter, -before.usage, original),
    )


def _name(month: Month) -> str:
    return f"{month.start:%B %Y}"


def _why(month: Month, meter: str, more: Decimal, original: tuple[int, str] | None) -> str:
    what = f"invoice {original[1]}" if original else f"the run of {_name(month)}"
    if meter.startswith(CONTRACT_METER):
        return f"What the contract makes of {_name(month)} as it is known today, less what it made of it on {what}."
    counted = f"{plain(abs(more))} {meter or 'seconds'}"
    if more > 0:
        return f"{counted} became known after {what}."
    if more < 0:
        return f"{counted} on {what} are known today not to have been this account's."
    return f"The same usage as on {what}, at the price as it is known today."
