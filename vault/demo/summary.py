"""What the demo came to, read from the books."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections

from accounts.models import Account
from core import clock, databases
from core.money import minor_unit
from core.periods import Month
from core.sql import load
from vault.demo import people


@dataclass(frozen=True, slots=True)
class Money:
    """One currency's issued invoices, all months together."""

    currency: str
    invoices: int
    total: Decimal
    paid: Decimal
    past_due: Decimal


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts and sums as of now."""

    month: Month
    accounts: int
    events: int
    invoices: int
    documents: int
    money: tuple[Money, ...]


def take(month: Month) -> Summary:
    """Read the summary; ``month`` is the one whose invoices are counted."""
    with connections[databases.usage()].cursor() as cursor:
        cursor.execute("select count(*) from usage_event")
        events = cursor.fetchone()[0]
    with connection.cursor() as cursor:
        cursor.execute(load("vault", "demo_money"), {"today": clock.today()})
        money = tuple(Money(*row) for row in cursor.fetchall())
        cursor.execute(load("vault", "demo_counts"), {"month": month.first_day})
        invoices, documents = cursor.fetchone()
    return Summary(month, Account.objects.count(), events, invoices, documents, money)


def as_text(summary: Summary, base_url: str) -> str:
    """Write the summary as bin/up prints it."""
    lines = [
        "",
        f"  Accounts   {summary.accounts:,}",
        f"  Events     {summary.events:,} accepted through the intake",
        f"  Invoices   {summary.invoices:,} for {summary.month}, and those of the months before it:",
        *(_money(money) for money in summary.money),
        f"  PDFs       {summary.documents:,} in {Path(settings.MEDIA_ROOT) / 'documents'}",
        f"  Mail       in {settings.EMAIL_FILE_PATH}, and on the page {base_url}/mail/",
        f"  Log in     {base_url}/sign-in/ with the password {people.password()}",
        *(f"             {email:<28} {role}" for email, role in people.sign_ins()),
        "",
    ]
    return "\n".join(lines)


def as_json(summary: Summary) -> dict[str, Any]:
    """The same for programs; amounts are decimal strings."""
    return {
        "month": str(summary.month),
        "accounts": summary.accounts,
        "events": summary.events,
        "invoices": summary.invoices,
        "documents": summary.documents,
        "media": str(settings.MEDIA_ROOT),
        "money": [
            {
                "currency": money.currency,
                "invoices": money.invoices,
                "total": _amount(money.total, money.currency),
                "paid": _amount(money.paid, money.currency),
                "past_due": _amount(money.past_due, money.currency),
            }
            for money in summary.money
        ],
        "people": dict(people.sign_ins()),
    }


def _money(money: Money) -> str:
    total, paid, past_due = (
        f"{_amount(value, money.currency):>14}" for value in (money.total, money.paid, money.past_due)
    )
    return f"             {money.invoices:>5,} in {money.currency}: total {total}, paid {paid}, past due {past_due}"


def _amount(value: Decimal, currency: str) -> str:
    return format(value.quantize(minor_unit(currency)), "f")
