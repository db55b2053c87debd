"""Noticing a cluster that lives and does nothing, from outside of it.

A killed idle worker can take the lock of django-q2's internal queue with it; every process then looks alive
and no task is ever done again. Only an unanswered question shows it.
"""

from dataclasses import dataclass
from typing import Final

import psutil

from core import clock
from monitoring import heartbeat

LONGEST_TASK_SECONDS: Final = 180.0  # beyond Q_CLUSTER's timeout a worker that still says it works is lying


@dataclass(frozen=True, slots=True)
class Watch:
    """Watches one cluster; ``seconds`` is how long it may owe an answer."""

    cluster: str
    seconds: float

    def is_deaf(self, pid: int) -> bool:
        """Ask the cluster whose main process is ``pid`` for a sign of life and say whether it is past hope.

        A young one gets time to start, and one whose workers are all busy gets as long as a task may take.
        """
        heartbeat.ask_cluster(self.cluster, again_after=max(1.0, self.seconds / 2))
        silent = heartbeat.silence(self.cluster)
        if silent <= self.seconds or _age(pid) <= self.seconds:
            return False
        return silent > self.seconds + LONGEST_TASK_SECONDS or not _works(pid)


def _age(pid: int) -> float:
    """Return for how many seconds a process has lived; 0 when it does not."""
    try:
        return max(0.0, clock.now().timestamp() - float(psutil.Process(pid).create_time()))
    except psutil.Error:
        return 0.0


def _works(pid: int) -> bool:
    """Say whether a worker below ``pid`` is carrying out a task; workers say so in their process titles."""
    try:
        return any(" processing " in _title(child) for child in psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return False


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
