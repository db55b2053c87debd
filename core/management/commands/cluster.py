"""A cluster of workers whose processes end with it, so that none lives on unguarded with old code."""

import os
import sys
from typing import Any

from django.core.management.base import CommandParser

from core.bell import CLUSTERS
from core.commands import VaultCommand
from core.processes import descendants_die_with_their_parents


class Command(VaultCommand):
    help = "Run one cluster of workers, until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", choices=CLUSTERS)

    def handle(self, *args: Any, **options: Any) -> None:
        if os.environ.get("Q_CLUSTER_NAME") != options["name"]:  # django-q2 read its settings when Django started
            os.environ["Q_CLUSTER_NAME"] = options["name"]
            os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - ourselves, again
        from django_q.cluster import Cluster  # after the name is set

        descendants_die_with_their_parents()
        Cluster().start()
