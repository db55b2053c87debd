"""Read the feeds of sources, once or until stopped: as many of these as you like, on any machine."""

import signal
import threading
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser
from django.db import InterfaceError, OperationalError, connections

from core.commands import VaultCommand, sentence
from core.errors import VaultError
from usage import collecting, pairing
from usage.collecting import Collected

TURN_SECONDS = 20
IDLE_SECONDS = 2
ONCE_SECONDS = 24 * 3600


class Command(VaultCommand):
    help = "Read the feeds that are due, again and again until stopped; with --once until none is due."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--once", action="store_true", help="end when no feed is due; exit 1 when one failed")

    def handle(self, *args: Any, **options: Any) -> None:
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        if not options["once"]:
            self._until(stopped)
            return
        done = _collect(ONCE_SECONDS, stopped)
        text = (
            f"{done.feeds:,} turns, {done.pages:,} pages: {done.accepted:,} events accepted, "
            f"{done.duplicate:,} known already, {done.refused:,} refused."
        )
        self.emit(asdict(done), text, options)
        if done.failed:
            raise VaultError("A feed failed; its source's page and `manage.py feed SOURCE` say why. It is tried again.")

    def _until(self, stopped: threading.Event) -> None:
        while not stopped.is_set():
            try:
                _collect(TURN_SECONDS, stopped)
            except (OperationalError, InterfaceError) as error:  # the database is away; it will be back
                self.stderr.write(sentence(error))
                connections.close_all()
            stopped.wait(IDLE_SECONDS)


def _collect(seconds: float, stopped: threading.Event) -> Collected:
    done = collecting.collect_waiting(seconds=seconds, stopped=stopped.is_set)
    if done.accepted:
        pairing.drain()
    return done
