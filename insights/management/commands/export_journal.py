"""``manage.py export_journal``: the ledger as a plain-text journal on stdout."""

from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import CommandParser

from core.commands import VaultCommand
from insights import journal


class Command(VaultCommand):
    help = "Write the ledger as a journal for hledger or beancount."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=journal.FORMATS, default="hledger")
        parser.add_argument("--since", type=_day, help="first day, YYYY-MM-DD")
        parser.add_argument("--until", type=_day, help="day after the last, YYYY-MM-DD")

    def handle(self, *args: Any, **options: Any) -> None:
        legs = journal.legs(since=options["since"], until=options["until"])
        for line in journal.write(legs, options["format"]):
            self.stdout.write(line)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a date; write it as YYYY-MM-DD") from error
