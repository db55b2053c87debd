"""What was billed, by month and by product, from the issued invoices themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from core.periods import Month
from core.sql import load


@dataclass(frozen=True, slots=True)
class MonthRevenue:
    """One month in one currency; ``net`` is lines less credits and credit notes, before tax."""

    month: Month
    currency: str
    invoices: int
    net: Decimal
    tax: Decimal
    total: Decimal
    collected: Decimal
    outstanding: Decimal


@dataclass(frozen=True, slots=True)
class ProductRevenue:
    """One product in one month and currency, beside the month before."""

    product: str
    name: str
    group: str
    currency: str
    usage: Decimal
    amount: Decimal
    before: Decimal
    accounts: int

    @property
    def change(self) -> Decimal:
        return self.amount - self.before


@dataclass(frozen=True, slots=True)
class Mover:
    """One account whose bill changed: new, gone, up or down, sorted by money."""

    account: str
    name: str
    currency: str
    amount: Decimal
    before: Decimal

    @property
    def change(self) -> Decimal:
        return self.amount - self.before

    @property
    def kind(self) -> str:
        if not self.before:
            return "new"
        if not self.amount:
            return "gone"
        return "up" if self.change > 0 else "down"


def by_month(*, since: Month, until: Month) -> list[MonthRevenue]:
    """Return every month from ``since`` to ``until`` inclusive that has an issued invoice, oldest first."""
    rows = _rows("revenue_by_month", start=since.first_day, end=until.next.first_day)
    return [MonthRevenue(Month.containing(row[0]), *row[1:]) for row in rows]


def by_product(month: Month) -> list[ProductRevenue]:
    """Return what each product brought in ``month``, by currency, largest first."""
    return [ProductRevenue(*row) for row in _rows("revenue_by_product", **_beside(month))]


def movers(month: Month, *, limit: int = 15) -> list[Mover]:
    """Return, for each currency, the ``limit`` accounts whose bill moved most since the month before."""
    return [Mover(*row) for row in _rows("revenue_movers", **_beside(month), limit=limit)]


def _beside(month: Month) -> dict[str, date]:
    return {"month": month.first_day, "before": month.previous.first_day}


def _rows(name: str, **parameters: Any) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(load("insights", name), parameters)
        return cursor.fetchall()
