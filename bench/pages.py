"""How long the ten most used pages take, beside the smallest answer of the same server.

    DATABASE_URL=… .venv/bin/python bench/pages.py [--rounds 40] [--clients 2]

Load the trace first (``manage.py import_trace FILE --month 2026-10`` and ``close_month``). Starts its own web process
on a free port, signs a member of staff in, and asks the pages in turn, so that noise falls on all of them alike.
"""

import argparse
import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vault.settings")

import django  # noqa: E402

django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402

from accounts.models import Account, Role, User  # noqa: E402
from billing.models import Invoice, Run  # noqa: E402

BASELINE = "/healthz"


def pages() -> dict[str, str]:
    """Name the ten pages and their addresses in this database: the largest account, its invoice, the latest run."""
    invoice = Invoice.objects.issued().order_by("-total").select_related("account").first()
    run = Run.objects.order_by("-pk").first()
    assert invoice and run, "close a month first"
    return {
        "home": "/",
        "accounts": "/accounts/",
        "account search": f"/accounts/?q={invoice.account.code}",
        "account": f"/accounts/{invoice.account.code}/",
        "account usage": f"/accounts/{invoice.account.code}/usage/",
        "invoices": "/invoices/",
        "invoice": f"/invoices/{invoice.number}/",
        "run": f"/runs/{run.pk}/",
        "collections": "/collections/",
        "sources": "/sources/",
    }


def session() -> str:
    """Sign a member of finance in without the sign-in page, and return the cookie."""
    user = User.objects.filter(role=Role.FINANCE, is_active=True).first()
    assert user, "create a user of finance first"
    store = SessionStore()
    store[SESSION_KEY], store[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store.create()
    return f"sessionid={store.session_key}"


class Clock:
    """One client with a connection of its own, timing answers."""

    def __init__(self, port: int, cookie: str) -> None:
        self.connection, self.cookie = http.client.HTTPConnection("127.0.0.1", port, timeout=30), cookie

    def ask(self, path: str) -> float:
        started = time.perf_counter()
        self.connection.request("GET", path, headers={"Cookie": self.cookie})
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status == 200, f"{path} answered {answer.status}"
        return (time.perf_counter() - started) * 1000


def measure(port: int, cookie: str, paths: list[str], rounds: int) -> dict[str, list[float]]:
    client = Clock(port, cookie)
    for path in paths:
        client.ask(path)  # warm up
    found: dict[str, list[float]] = {path: [] for path in paths}
    for _ in range(rounds):
        for path in paths:
            found[path].append(client.ask(path))
    return found


def serve(port: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "gunicorn", "-w", "2", "--threads", "4", "-b", f"127.0.0.1:{port}", "vault.wsgi"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.1)
    raise SystemExit("the web process did not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--clients", type=int, default=1)
    options = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    named = pages() | {"(baseline)": BASELINE}
    cookie, server = session(), serve(port)
    try:
        with ThreadPoolExecutor(options.clients) as clients:
            jobs = [
                clients.submit(measure, port, cookie, list(named.values()), options.rounds)
                for _ in range(options.clients)
            ]
            parts = [job.result() for job in jobs]
    finally:
        server.terminate()
        server.wait()
    report(named, parts, options)


def report(named: dict[str, str], parts: list[dict[str, list[float]]], options: argparse.Namespace) -> None:
    print(f"{Account.objects.count():,} accounts; {options.clients} clients, {options.rounds} rounds; ms per answer")
    print(f"{'page':<16}{'p50':>8}{'p95':>8}")
    for name, path in named.items():
        times = sorted(time for part in parts for time in part[path])
        print(f"{name:<16}{statistics.median(times):>8.1f}{times[int(len(times) * 0.95)]:>8.1f}")


if __name__ == "__main__":
    main()
