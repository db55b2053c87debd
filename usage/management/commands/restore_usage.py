"""Bring an archived month of events back into the store."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from core.commands import VaultCommand, month
from usage import archiving


class Command(VaultCommand):
    help = "Bring every event of an archived month back, exactly as it was. Its file stays. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("month", help="YYYY-MM")

    def handle(self, *args: Any, **options: Any) -> None:
        outcome = archiving.restore(month(options["month"]), by="system:restore_usage", progress=self.progress)
        self.progress("")
        self.emit(asdict(outcome), f"{outcome.month}: {outcome.rows:,} events are in the store again.", options)
