"""The watchdog process: ends a cluster of workers that lives but answers nothing, so that it is started again."""

import os
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import DatabaseError, InterfaceError, connection

from core import bell
from core.commands import VaultCommand
from core.errors import Invalid
from core.processes import Program, kill_session
from core.supervisor import Stopped, Supervisor
from monitoring.watching import Watch


class Command(VaultCommand):
    help = (
        "Watch the clusters that bin/up or `manage.py workers` runs; or, with a command after --,"
        " run that command as the one cluster to watch and keep it alive."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--cluster", action="append", choices=bell.CLUSTERS, help="default: all")
        parser.add_argument("--seconds", type=float, default=60.0, help="longest silence before the kill (default: 60)")
        parser.add_argument(
            "--every", type=float, default=2.0, metavar="SECONDS", help="how often to look (default: 2)"
        )
        parser.add_argument("program", nargs="*", metavar="-- COMMAND", help="run and watch this command")

    def handle(self, *args: Any, **options: Any) -> None:
        clusters = options["cluster"] or list(bell.CLUSTERS)
        watches = [Watch(cluster, options["seconds"]) for cluster in clusters]
        if not options["program"]:
            self._watch_pid_files(watches, options["every"])
        elif len(watches) == 1:
            self._run(watches[0], tuple(options["program"]), options["every"])
        else:
            raise Invalid("Name the one cluster that the command runs, for example --cluster money.", field="cluster")

    def _watch_pid_files(self, watches: list[Watch], every: float) -> None:
        while True:
            for watch in watches:
                pid = _pid(settings.PID_DIRECTORY / f"{watch.cluster}.pid")
                if pid:
                    self._look(watch, pid)
            time.sleep(every)

    def _run(self, watch: Watch, argv: tuple[str, ...], every: float) -> None:
        """Run ``argv`` as the cluster, starting it again when it dies or goes deaf, until we are stopped."""
        program = Program(watch.cluster, argv, env={"Q_CLUSTER_NAME": watch.cluster})
        with Supervisor(self.stderr.write) as supervisor:
            supervisor.start(program)
            try:
                while True:
                    supervisor.watch_for(every)
                    pid = supervisor.pid(watch.cluster)
                    if pid:
                        self._look(watch, pid)
            except Stopped:
                return

    def _look(self, watch: Watch, pid: int) -> None:
        try:
            deaf = watch.is_deaf(pid)
        except (DatabaseError, InterfaceError):
            connection.close()  # without the database nobody can answer; that is not the cluster's fault
            return
        if deaf:
            self.stderr.write(
                f"watchdog: cluster {watch.cluster} has answered nothing for {watch.seconds:g} s; ending it"
            )
            kill_session(pid)


def _pid(file: Path) -> int:
    """Return the process number in a supervisor's file; 0 when there is none or its process is gone."""
    try:
        pid = int(file.read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return 0
    return pid
