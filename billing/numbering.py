"""Gapless numbers: a block of a series is taken inside the transaction that uses all of it."""

from datetime import date, timedelta
from typing import Any, Final

from django.db import connection

from billing.models import NumberSeries, Seller
from core.errors import Conflict, Invalid
from core.periods import Month

INVOICE = "invoice"
CREDIT_NOTE = "credit_note"
FURTHEST: Final = timedelta(days=92)  # how far ahead a number may be dated; a trigger knows the same


def take(seller: Seller, kind: str, on: date, count: int = 1) -> int:
    """Take ``count`` numbers dated ``on`` and return the one before the first.

    Locks the series until the transaction ends; a rollback leaves no gap, and a commit that does not use
    every number is refused by the database. Raises Conflict when ``on`` lies before the latest number's date.
    """
    where: dict[str, Any] = {"seller": seller.pk, "kind": kind, "year": on.year, "on": on, "count": count}
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into billing_numberseries (seller_id, kind, year, last) values (%(seller)s, %(kind)s, %(year)s, 0)"
            " on conflict do nothing",
            where,
        )
        cursor.execute(
            "update billing_numberseries set last = last + %(count)s, last_on = %(on)s"
            " where seller_id = %(seller)s and kind = %(kind)s and year = %(year)s"
            " and coalesce(last_on <= %(on)s, true) returning last - %(count)s",
            where,
        )
        row = cursor.fetchone()
    if row is None:
        raise _dated_after(on)
    return int(row[0])


def refuse_before_latest(seller: Seller, kind: str, on: date) -> None:
    """Raise Conflict when ``on`` lies before the latest number's date, before anybody works for nothing."""
    if NumberSeries.objects.filter(seller=seller, kind=kind, year=on.year, last_on__gt=on).exists():
        raise _dated_after(on)


def refuse_unlikely(on: date, month: Month, today: date) -> None:
    """Raise Invalid for a date that nobody means for ``month``: a mistyped year would begin another series."""
    latest = max(today, month.first_day) + FURTHEST
    if not month.first_day <= on <= latest:
        raise Invalid(f"{on} is not a day to issue {month} on; choose one from {month.first_day} to {latest}.",
                      field="issue_date")  # fmt: skip


def _dated_after(on: date) -> Conflict:
    return Conflict(f"A later number of {on.year} is dated after {on}; choose that date or a later one.")


def number(seller: Seller, kind: str, on: date, counter: int) -> str:
    """Return how a number reads: ``VAULT-2026-000123``, or ``VAULT-CN-2026-000123`` for a credit note."""
    infix = "-CN-" if kind == CREDIT_NOTE else "-"
    return f"{seller.code}{infix}{on.year}-{counter:06d}"
