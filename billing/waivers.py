"""What accepted waivers do to a month's usage: which of it a bill leaves out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from billing.assembly import MeteredUsage
from billing.models import UsageWaiver, WaiverKind
from core.exact import EXACT
from core.periods import Month, Span
from usage.completeness import Unowned

Row = TypeVar("Row", bound=MeteredUsage)


def unpriced(accounts: Iterable[int], month: Month, known_at: datetime) -> dict[int, list[UsageWaiver]]:
    """Return by account (row) the waivers of unpriced usage of ``month`` that stood at ``known_at``."""
    found: dict[int, list[UsageWaiver]] = {}
    standing = UsageWaiver.objects.known_at(known_at).filter(kind=WaiverKind.UNPRICED, month=month.first_day)
    for waiver in standing.filter(account__in=list(accounts)):
        found.setdefault(waiver.account_id or 0, []).append(waiver)
    return found


def left(rows: Iterable[Row], spans: Sequence[Span], waived: Sequence[UsageWaiver]) -> list[Row]:
    """Return those of one account's usage rows that no waiver of it covers."""
    by_product: dict[str, list[UsageWaiver]] = {}
    for waiver in waived:
        by_product.setdefault(waiver.product, []).append(waiver)
    return [row for row in rows if not covered(spans[row.span], by_product.get(row.product, ()))]


def covered(span: Span, waivers: Iterable[UsageWaiver]) -> bool:
    """Say whether one of ``waivers`` covers the whole span."""
    return any(waiver.start <= span.start and span.end <= waiver.end for waiver in waivers)


def unowned(month: Month, known_at: datetime) -> Mapping[tuple[str, str], UsageWaiver]:
    """Return by resource and product the waivers of unowned usage of ``month`` that stood at ``known_at``."""
    standing = UsageWaiver.objects.known_at(known_at).filter(kind=WaiverKind.UNOWNED, month=month.first_day)
    return {(waiver.resource, waiver.product): waiver for waiver in standing}


def still_unowned(
    found: Iterable[Unowned], waived: Mapping[tuple[str, str], UsageWaiver]
) -> list[tuple[Unowned, UsageWaiver | None]]:
    """Return the unowned usage that no waiver covers; more than was accepted comes with the waiver of the less."""
    return [
        (piece, waiver)
        for piece in found
        if (waiver := waived.get((piece.resource, piece.product))) is None or amount_of(piece) > waiver.amount
    ]


def amount_of(piece: Unowned) -> Decimal:
    """Return seconds and quantity together: a waiver is of so much and no more."""
    return EXACT.add(piece.seconds, piece.quantity)
