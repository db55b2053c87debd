"""The audit trail in words: what was done to what, by whom, and which values it changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from billing.models import Invoice
from core import formatting
from core.models import AuditEntry

THINGS: Final[Mapping[str, str]] = {
    "accounts_account": "account",
    "accounts_membership": "membership",
    "accounts_apikey": "API key",
    "accounts_user": "user",
    "billing_product": "product",
    "billing_price": "price",
    "billing_taxrate": "tax rate",
    "billing_seller": "seller",
    "billing_run": "run",
    "billing_runaccount": "roster entry",
    "billing_invoice": "invoice",
    "billing_invoiceline": "invoice line",
    "billing_creditgrant": "credit",
    "billing_creditnote": "credit note",
    "collections_paymentmethod": "payment method",
    "collections_case": "case",
    "collections_hold": "hold",
    "collections_promise": "promise",
    "collections_dunningpolicy": "dunning policy",
}
PAGES: Final[Mapping[str, str]] = {
    "billing_invoice": "/invoices/{}/",
    "billing_run": "/runs/{}/",
    "billing_creditgrant": "/credits/{}/",
    "collections_case": "/collections/cases/{}/",
}
DONE: Final[Mapping[str, str]] = {"insert": "added", "update": "changed", "delete": "removed"}
LONGEST: Final = 60  # characters of a value that are shown


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry as the timeline shows it."""

    id: int
    at: datetime
    actor: str
    what: str
    reason: str
    detail: str
    href: str = ""


def tell(entries: Iterable[AuditEntry]) -> list[Happening]:
    """Return the entries in words, in their order, each leading to what it is about where that has a page."""
    told = list(entries)
    numbers = _numbers(told)
    return [_told(entry, numbers) for entry in told]


def _told(entry: AuditEntry, numbers: Mapping[str, str]) -> Happening:
    name, page, what = entry.row, PAGES.get(entry.table, ""), thing(entry.table)
    if entry.table == "billing_invoice":
        name = numbers.get(entry.row) or entry.row
    return Happening(
        entry.pk,
        entry.at,
        entry.actor.removeprefix("user:"),
        f"{what[:1].upper()}{what[1:]} {name} {DONE.get(entry.operation, entry.operation)}",
        entry.reason,
        changes(entry),
        page.format(name) if page and name else "",
    )


def _numbers(entries: Iterable[AuditEntry]) -> dict[str, str]:
    """The numbers of the invoices among the entries; a draft has none and keeps its identifier."""
    rows = [int(entry.row) for entry in entries if entry.table == "billing_invoice" and entry.row.isdigit()]
    return {str(pk): number or "" for pk, number in Invoice.objects.filter(pk__in=rows).values_list("pk", "number")}


def thing(table: str) -> str:
    """Return what people call a row of ``table``."""
    return THINGS.get(table) or table.partition("_")[2].replace("_", " ") or table


def changes(entry: AuditEntry) -> str:
    """Say which values an update changed, or name what was added or removed by what is telling about it."""
    before, after = entry.before or {}, entry.after or {}
    if entry.operation == "update":
        return "; ".join(f"{words(name)}: {shown(before.get(name))} → {shown(after[name])}" for name in sorted(after))
    return "; ".join(f"{words(name)}: {shown(value)}" for name, value in telling(after or before))


def telling(row: Mapping[str, Any]) -> Sequence[tuple[str, Any]]:
    """The filled columns of a row that a person would name it by."""
    wanted = ("code", "number", "name", "email", "role", "status", "state", "amount", "currency", "reason", "scopes")
    return [(name, row[name]) for name in wanted if row.get(name) not in (None, "", [])]


def words(column: str) -> str:
    return column.removesuffix("_id").replace("_", " ")


def shown(value: Any) -> str:
    """Write a value short enough for a line."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):  # a NUMERIC of the database, which JSON knows as a number
        return formatting.quantity(repr(value))
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
