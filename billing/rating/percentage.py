"""Percentage: a share of an amount, plus a fee for each event, after free events or a free amount."""

from dataclasses import dataclass
from decimal import Decimal

from billing.rating.shape import Rated, Step, Usage
from core.errors import Invalid
from core.exact import ZERO
from core.fields import Fields
from core.money import total


@dataclass(frozen=True, slots=True)
class Percentage:
    """``rate`` (0.013 is 1.3 %) of the amount and ``fixed_amount`` for each event.

    Free are the first ``free_events`` events, or the first ``free_units`` of the amount; with both, until
    either is used up. Zero means that there is no such allowance.
    """

    rate: Decimal
    fixed_amount: Decimal = ZERO
    free_units: Decimal = ZERO
    free_events: int = 0


def parse(fields: Fields) -> Percentage:
    """Read ``{"rate": "0.013", "fixed_amount": "2", "free_units": "250", "free_events": "3"}``; the rate suffices."""
    return Percentage(
        parse_rate(fields),
        fields.decimal("fixed_amount", default=ZERO),
        fields.decimal("free_units", default=ZERO),
        fields.count("free_events", default=0),
    )


def parse_rate(fields: Fields) -> Decimal:
    """Read a rate between 0 and 1; more than that is a percentage written without dividing by a hundred."""
    rate = fields.decimal("rate")
    if rate > 1:
        path = fields.at("rate")
        raise Invalid(f'{path} must be a fraction of at most 1: write 1.3 % as "0.013".', field=path)
    return rate


def rate(price: Percentage, usage: Usage) -> Rated:
    """Charge the amount above what is free, and the fee for each event that is not wholly free."""
    free, free_events = _free(price, usage)
    steps = [Step("share of the amount", usage.quantity - free, price.rate, (usage.quantity - free) * price.rate)]
    if price.fixed_amount:
        fees = Decimal(len(usage.events or ()) - free_events)
        steps.append(Step("fee for each event", fees, price.fixed_amount, fees * price.fixed_amount))
    if free:
        steps.insert(0, Step("free amount", free, ZERO, ZERO))
    return Rated(total(step.amount for step in steps), tuple(steps))


def _free(price: Percentage, usage: Usage) -> tuple[Decimal, int]:
    """Return the free part of the amount and the number of events that are free of the fee."""
    if usage.events is None:
        if price.fixed_amount or price.free_events:
            raise Invalid(
                "events are missing: this price charges by the event, so list each one's amount.", field="events"
            )
        return min(price.free_units, usage.quantity), 0
    if total(usage.events) != usage.quantity:
        raise Invalid(
            "events must add up to the quantity; leave the quantity out, or mend one of them.", field="events"
        )
    events = usage.events[: price.free_events] if price.free_events else usage.events
    if not price.free_units:
        return (total(events), len(events)) if price.free_events else (ZERO, 0)
    running, whole = ZERO, 0
    for amount in events:
        running += amount
        if running > price.free_units:
            return price.free_units, whole
        whole += 1
    return running, whole
