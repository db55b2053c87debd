"""The ledger as a plain-text journal that other accounting programs check and read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Final

from django.db import connection

from core.money import minor_unit
from core.sql import load

ROOTS: Final = {
    "receivable": "Assets:Receivable",
    "cash": "Assets:Cash",
    "unapplied": "Liabilities:Unapplied",
    "tax": "Liabilities:Tax",
    "revenue": "Income:Usage",
    "credits": "Income:Credits",
    "write_off": "Expenses:WriteOff",
}
FORMATS: Final = ("hledger", "beancount")


@dataclass(frozen=True, slots=True)
class Leg:
    """One entry with its transaction's head; legs of one transaction follow each other."""

    transaction: int
    on: date
    title: str
    account: str
    ledger_account: str
    currency: str
    amount: Decimal


def legs(*, since: date | None = None, until: date | None = None) -> Iterator[Leg]:
    """Stream the ledger in order of date and transaction; ``until`` is exclusive."""
    with connection.cursor() as cursor:
        cursor.execute(load("insights", "journal"), {"since": since, "until": until})
        while rows := cursor.fetchmany(5000):
            yield from (Leg(*row) for row in rows)


def write(entries: Iterator[Leg], style: str) -> Iterator[str]:
    """Yield the journal's lines in ``style``; every transaction balances, so the programs accept it."""
    if style == "beancount":
        yield 'option "title" "Vault ledger"'
        yield from _open_accounts()
    for _, group in groupby(entries, key=lambda leg: leg.transaction):
        yield from _transaction(list(group), style)


def _open_accounts() -> Iterator[str]:
    yield from (f"1970-01-01 open {root}" for root in ROOTS.values())
    yield ""


def _transaction(group: list[Leg], style: str) -> Iterator[str]:
    head = group[0]
    title = f"{head.title} {head.account}"
    if style == "beancount":
        quoted = title.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        yield f'{head.on} * "{quoted}"'
    else:
        yield f"{head.on} * {title.replace(';', ',').replace(chr(10), ' ')}"
    for leg in group:
        amount = leg.amount.quantize(minor_unit(leg.currency))
        yield f"    {ROOTS[leg.ledger_account]:<28}  {amount:>18f} {leg.currency}"
    yield ""
