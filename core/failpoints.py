"""Named places where a test may kill the process, to prove that nothing is lost there."""

import os
import signal
import time


def failpoint(name: str) -> None:
    """Die (kill -9) or sleep here when VAULT_FAILPOINTS names this place; otherwise do nothing.

    The variable holds ``name=kill`` or ``name=sleep:SECONDS`` pairs separated by commas. A kill happens
    once per marker file when the value is ``kill-once:PATH``, so that the restarted process goes on.
    """
    plan = os.environ.get("VAULT_FAILPOINTS")
    if not plan:
        return
    action = dict(part.split("=", 1) for part in plan.split(",") if "=" in part).get(name, "")
    if action == "kill" or (action.startswith("kill-once:") and _first(action.split(":", 1)[1])):
        os.kill(os.getpid(), signal.SIGKILL)
    elif action.startswith("sleep:"):
        time.sleep(float(action.split(":", 1)[1]))


def _first(marker: str) -> bool:
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True
