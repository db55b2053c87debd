"""One day of collecting by hand, or for a day that was missed."""

from datetime import date
from typing import Any

from django.core.management.base import CommandParser

from collections_ import collecting
from core import clock
from core.commands import VaultCommand
from core.errors import Invalid


class Command(VaultCommand):
    help = "Charge what is due, open and follow up cases, and say what the day came to. Repeatable."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--as-of", metavar="YYYY-MM-DD", help="the day to collect for (default: today, UTC)")

    def handle(self, *args: Any, **options: Any) -> None:
        summary = collecting.run(_day(options["as_of"]), say=self.progress)
        self.emit(summary.as_json(), summary.as_text(), options)


def _day(text: str | None) -> date:
    if not text:
        return clock.today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text!r:.40} is not a day; write it as YYYY-MM-DD, for example 2026-11-02") from None
