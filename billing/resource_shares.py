"""What each resource has of a month's lines, to the coin: as ``day_shares`` does for days. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from billing.day_shares import Charge, Kind
from core.exact import EXACT, ZERO
from core.money import split
from core.periods import Span


class Used(Protocol):
    """What one resource used of one kind in one span (see ``usage.by_resource``)."""

    @property
    def resource(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def span(self) -> int: ...
    @property
    def amount(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class ResourcePart:
    """One resource's part of one charge; ``used`` is in seconds or in the meter's unit.

    A charge that no usage stands behind is one part, of no resource.
    """

    resource: str
    charge: Charge
    used: Decimal
    amount: Decimal


def by_resource(
    charges: Iterable[Charge], uses: Iterable[Used], spans: Sequence[Span], currency: str
) -> list[ResourcePart]:
    """Share ``charges`` over the resources whose usage they price, largest amount first; parts sum to the charges.

    Every charge begins and ends where some of ``spans`` do.
    """
    by_kind: dict[Kind, list[Used]] = {}
    for use in uses:
        by_kind.setdefault(use.kind, []).append(use)
    parts = [part for charge in charges for part in _parts(charge, by_kind.get(charge.kind, ()), spans, currency)]
    return sorted(parts, key=lambda part: (-part.amount, part.charge.kind, part.resource))


def _parts(charge: Charge, uses: Sequence[Used], spans: Sequence[Span], currency: str) -> list[ResourcePart]:
    used: dict[str, Decimal] = {}
    for use in uses if charge.by_use else ():
        if charge.start <= spans[use.span].start < charge.end:
            used[use.resource] = EXACT.add(used[use.resource], use.amount) if use.resource in used else use.amount
    resources = sorted(used)
    began = _began(charge, uses, spans) if charge.flat else set()
    weights = [Decimal(resource in began) if began else used[resource] for resource in resources]
    if not any(weights):
        return [ResourcePart("", charge, ZERO, charge.amount)]
    shares = split(charge.amount, weights, currency)
    return [
        ResourcePart(resource, charge, used[resource], amount)
        for resource, amount in zip(resources, shares, strict=True)
    ]


def _began(charge: Charge, uses: Iterable[Used], spans: Sequence[Span]) -> set[str]:
    """Return the resources whose first use of the kind lies in the charge: a flat fee is theirs."""
    first: dict[str, int] = {}
    for use in uses:
        first[use.resource] = min(first.get(use.resource, use.span), use.span)
    return {resource for resource, span in first.items() if charge.start <= spans[span].start < charge.end}
