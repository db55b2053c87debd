"""The clock process: rings the sweep and the heartbeats every few seconds, outside the workers' queue."""

import time
from typing import Any

from django.core.management.base import CommandParser
from django.db import DatabaseError, InterfaceError, connection

from core import bell
from core.commands import VaultCommand
from monitoring import heartbeat


class Command(VaultCommand):
    help = "Ring the sweep and the heartbeats every few seconds, until stopped. One is enough; two do no harm."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--every", type=float, default=2.0, metavar="SECONDS", help="default: 2")
        parser.add_argument("--once", action="store_true", help="ring once and end")

    def handle(self, *args: Any, **options: Any) -> None:
        while True:
            try:
                ring()
            except (DatabaseError, InterfaceError) as error:
                if options["once"]:
                    raise
                self.stderr.write(f"clock: the database does not answer, trying again ({str(error).splitlines()[0]})")
                connection.close()
            if options["once"]:
                return
            time.sleep(options["every"])


def ring() -> None:
    """Ask for one sweep and one heartbeat of each cluster, where none is owed already."""
    heartbeat.ask_tick()
    for cluster in bell.CLUSTERS:
        heartbeat.ask_cluster(cluster)
