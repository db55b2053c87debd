"""The programs that make up a running Vault, and how each is started."""

import os
import sys
from pathlib import Path

from core.bell import CLUSTERS
from core.processes import Program

ROOT = Path(__file__).resolve().parent.parent
MANAGE = (sys.executable, str(ROOT / "manage.py"))


def manage(*arguments: str, log: Path | None = None, name: str = "") -> Program:
    """Return one of our own commands as a program."""
    return Program(name or arguments[0], (*MANAGE, *arguments), env={"PYTHONUNBUFFERED": "1"}, log=log)


def web(port: int, logs: Path) -> Program:
    """Return the web process, for this machine only."""
    gunicorn = (sys.executable, "-m", "gunicorn", "-c", "python:vault.web", "vault.wsgi")
    return Program(
        "web",
        gunicorn,
        env={"PORT": str(port), "VAULT_BIND": "127.0.0.1", "PYTHONPATH": _path_with(ROOT)},
        log=logs / "web.log",
    )


def background(logs: Path | None, *, clock: bool = True) -> list[Program]:
    """Return what works behind the pages: the clusters, their watchdog and, unless it runs elsewhere, the clock."""

    def logged(name: str, *arguments: str, env: dict[str, str] | None = None) -> Program:
        log = logs / f"{name}.log" if logs else None
        return Program(name, (*MANAGE, *arguments), env={"PYTHONUNBUFFERED": "1"} | (env or {}), log=log)

    clusters = [logged(name, "cluster", name, env={"Q_CLUSTER_NAME": name}) for name in CLUSTERS]
    others = [logged("watchdog", "watchdog")] + ([logged("clock", "clock")] if clock else [])
    return clusters + others


def _path_with(folder: Path) -> str:
    return os.pathsep.join(part for part in (str(folder), os.environ.get("PYTHONPATH", "")) if part)
