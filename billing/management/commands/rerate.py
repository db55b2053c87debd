"""``manage.py rerate``: rate a month again from what is known now, beside what was billed; writes no invoice."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandParser

from billing import rerating
from billing.draft import DraftLine
from billing.rerating import Rerated
from core import formatting
from core.commands import VaultCommand
from core.exact import plain
from core.money import ZERO, round_to_minor_unit
from core.periods import Month


class Command(VaultCommand):
    help = "Rate a month again from what is known now and compare it with what was billed."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("month", help="the month, as YYYY-MM")
        parser.add_argument("--diff", action="store_true", help="list every line that differs")

    def handle(self, *args: Any, **options: Any) -> None:
        month = Month.parse(options["month"])
        accounts = []
        for account in rerating.rerate(month):
            accounts.append(account)
            self.progress(f"{len(accounts)} accounts rated")
        self.progress("")
        self.emit(_as_json(month, accounts, options["diff"]), _as_text(month, accounts, options["diff"]), options)


def _as_json(month: Month, accounts: Sequence[Rerated], diff: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "month": str(month),
        "accounts": len(accounts),
        "different": sum(bool(account.differences) for account in accounts),
        "waiting": {account.account: account.waiting for account in accounts if account.waiting},
        "totals": {
            currency: {"now": _coins(now, currency), "billed": _coins(billed, currency)}
            for currency, (now, billed) in _totals(accounts).items()
        },
    }
    if diff:
        document["differences"] = [_line_as_json(account, line) for account in accounts for line in account.differences]
    return document


def _line_as_json(account: Rerated, line: DraftLine) -> dict[str, Any]:
    return {
        "account": account.account,
        "currency": account.currency,
        "app": line.app,
        "product": line.product,
        "component": line.component,
        "usage": plain(line.usage or ZERO),
        "amount": _coins(line.amount, account.currency),
        "cause": "usage" if line.usage else "price",
    }


def _as_text(month: Month, accounts: Sequence[Rerated], diff: bool) -> str:
    different = [account for account in accounts if account.differences]
    lines = [f"{month}: {len(accounts)} accounts rated, {len(different)} differ from what was billed."]
    for currency, (now, billed) in _totals(accounts).items():
        was, difference = formatting.amount(billed, currency), formatting.amount(now - billed, currency)
        lines.append(f"{currency}: {formatting.amount(now, currency)} now, {was} billed, difference {difference}.")
    lines += [f"{account.account} waits: {account.waiting}" for account in accounts if account.waiting]
    if diff:
        lines += [_line_as_text(account, line) for account in different for line in account.differences]
    return "\n".join(lines)


def _line_as_text(account: Rerated, line: DraftLine) -> str:
    usage = f"{plain(line.usage or ZERO)} {line.meter or 'seconds'}"
    amount = formatting.amount(line.amount, account.currency)
    return f"  {account.account}  {line.app}  {line.description}  {usage}  {amount} {account.currency}"


def _totals(accounts: Iterable[Rerated]) -> dict[str, tuple[Decimal, Decimal]]:
    totals: dict[str, tuple[Decimal, Decimal]] = {}
    for account in accounts:
        now, billed = totals.get(account.currency, (ZERO, ZERO))
        totals[account.currency] = (now + account.now, billed + account.billed)
    return dict(sorted(totals.items()))


def _coins(amount: Decimal, currency: str) -> str:
    return str(round_to_minor_unit(amount, currency))
