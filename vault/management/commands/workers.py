"""All clusters and their watchdog in one process tree: what a platform's ``worker`` process runs."""

from typing import Any

from django.conf import settings

from core.commands import VaultCommand
from core.single import only_one
from core.supervisor import Stopped, Supervisor
from vault import programs


class Command(VaultCommand):
    help = "Run every cluster of workers and the watchdog, until stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        with (
            only_one(settings.HOME / "workers.lock", "A set of workers"),
            Supervisor(self.stderr.write, settings.PID_DIRECTORY) as supervisor,
        ):
            for program in programs.background(None, clock=False):
                supervisor.start(program)
            try:
                supervisor.watch_until(lambda: False)
            except Stopped:
                return
