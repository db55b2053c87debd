"""Events a second through the whole intake over HTTP, beside COPY into staging from a bare script, in turns.

    DATABASE_URL=… .venv/bin/python bench/intake.py [--rounds 2] [--seconds 2] [--batch 1000] [--clients 2]

The product's side: two web workers, a source's secret, every check, an answer per event, committed durably; bells are
rung for pairing. The limit's side: the same events as ready-made COPY text, 10,000 at a time into an unlogged table and
from there by INSERT … ON CONFLICT DO NOTHING, once into a table with nothing but the unique key and once into one with
the indexes of the real one. Bodies and COPY text are made before the clock starts. The events stay: use a database
of its own.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vault.settings")

import django  # noqa: E402

django.setup()

import psycopg  # noqa: E402
from django.db import connections  # noqa: E402

from core import databases  # noqa: E402
from usage import sources  # noqa: E402

COPIED = 10_000  # rows of one COPY
COLUMNS = "source_id, event_id, type, time, resource, product, meter, component, app, account, quantity"
COLUMNS += ", body_hash, received_at"
TABLES = {"unique key only": "bench_bare", "same indexes": "bench_indexed"}


def events(count: int, seed: int) -> list[dict[str, Any]]:
    """Return what a platform sends: eight measured quantities to one open and one close."""
    chance, start = random.Random(seed), datetime.now(UTC) - timedelta(days=20)
    found = []
    for number in range(count):
        kind = ("open", "close")[number % 10] if number % 10 < 2 else "measured"
        event = {
            "id": f"evt-{seed}-{number}",
            "type": kind,
            "time": (start + timedelta(seconds=chance.randrange(1_700_000))).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "resource": f"res-{seed}-{number // 10 if kind != 'measured' else chance.randrange(5000)}",
            "product": "standard-2x" if kind != "measured" else "requests",
        }
        if kind == "measured":
            event |= {"meter": "requests", "quantity": str(chance.randrange(1, 10**7) / 1000)}
        elif kind == "open":
            event |= {"app": f"app-{number % 997}", "account": f"account-{number % 499}"}
        found.append(event)
    return found


def copy_text(batch: list[dict[str, Any]]) -> bytes:
    no_number, no_hash = chr(92) + "N", chr(92) * 2 + "x" + "00" * 32
    lines = [
        f"1\t{e['id']}\t{e['type']}\t{e['time']}\t{e['resource']}\t{e['product']}\t{e.get('meter', 'duration')}\t\t"
        f"{e.get('app', '')}\t{e.get('account', '')}\t{e.get('quantity', no_number)}\t{no_hash}\t{e['time']}\n"
        for e in batch
    ]
    return "".join(lines).encode()


def posting(port: int, secret: str, batch: int, seconds: float, again: float) -> Callable[[int], Callable[[], int]]:
    """Prepare a client that posts batches; ``again`` is the share of events that it has sent before."""

    def prepare(seed: int) -> Callable[[], int]:
        bodies: list[bytes] = []
        sent: list[dict[str, Any]] = []
        for number in range(int(max(20, min(40_000 / batch, 2_000) * seconds))):
            fresh = events(batch, seed * 100_000 + number)
            if again and sent:
                fresh[: int(batch * again)] = sent[: int(batch * again)]
            sent = fresh
            bodies.append(json.dumps(fresh).encode())

        def run() -> int:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
            until, done = time.perf_counter() + seconds, 0
            for body in bodies:
                client.request("POST", "/api/v1/usage/events", body, headers)
                answer = client.getresponse()
                said = answer.read()
                assert answer.status == 200, said[:300]
                done += batch
                if time.perf_counter() > until:
                    break
            return done

        return run

    return prepare


def copying(dsn: str, table: str, seconds: float) -> Callable[[int], Callable[[], int]]:
    """Prepare a client that copies into staging and inserts from there."""

    def prepare(seed: int) -> Callable[[], int]:
        texts = [copy_text(events(COPIED, seed * 100_000 + number)) for number in range(int(max(4, 10 * seconds)))]
        staging = f"bench_staging_{seed % 2}"

        def run() -> int:
            done, until = 0, time.perf_counter() + seconds
            with psycopg.connect(dsn) as connection:
                cursor = connection.cursor()
                for text in texts:
                    with cursor.copy(f"copy {staging} ({COLUMNS}) from stdin") as copy:
                        copy.write(text)
                    cursor.execute(
                        f"insert into {table} ({COLUMNS}) select {COLUMNS} from {staging} on conflict do nothing"
                    )
                    cursor.execute(f"truncate {staging}")
                    connection.commit()
                    done += COPIED
                    if time.perf_counter() > until:
                        break
            return done

        return run

    return prepare


def together(prepare: Callable[[int], Callable[[], int]], clients: int) -> float:
    """Run clients at once in processes of their own; return events a second."""
    context = multiprocessing.get_context("fork")
    ready, go, answers = context.Semaphore(0), context.Event(), context.Queue()

    def one(seed: int) -> None:
        run = prepare(seed)
        ready.release()
        go.wait()
        started = time.perf_counter()
        answers.put((run(), started, time.perf_counter()))

    base = random.SystemRandom().randrange(10**6) * 2
    processes = [context.Process(target=one, args=(base + number,)) for number in range(clients)]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    go.set()
    found = [answers.get() for _ in processes]
    for process in processes:
        process.join()
    return sum(done for done, _, _ in found) / (max(f[2] for f in found) - min(f[1] for f in found))


def prepare_tables(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name in ("bench_staging_0", "bench_staging_1", *TABLES.values()):
            connection.execute(f"drop table if exists {name}")
        for name in ("bench_staging_0", "bench_staging_1"):
            connection.execute(f"create unlogged table {name} (like usage_event)")
            connection.execute(f"alter table {name} alter id drop not null")
        connection.execute("create table bench_bare (like usage_event including identity)")
        connection.execute("alter table bench_bare add unique (source_id, event_id)")
        connection.execute("create table bench_indexed (like usage_event including identity including indexes)")


def empty(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("truncate bench_bare, bench_indexed")
        connection.execute("checkpoint")


def serve(port: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "vault.wsgi"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.1)
    raise SystemExit("the web process did not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=2)
    options = parser.parse_args()
    dsn = connections[databases.usage()].get_connection_params()
    dsn = psycopg.conninfo.make_conninfo(
        **{k: v for k, v in dsn.items() if k in ("host", "port", "user", "password", "dbname")}
    )
    name = f"bench-{time.time_ns()}"
    _, secret = sources.create(name, actor="system:bench", past_days=3650)
    prepare_tables(dsn)
    connections.close_all()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = serve(port)
    ways = {f"COPY, {label}": copying(dsn, table, options.seconds) for label, table in TABLES.items()}
    ways[f"HTTP, {options.batch:,} a batch"] = posting(port, secret.text, options.batch, options.seconds, 0)
    ways[f"HTTP, {options.batch:,} a batch, 10 % sent before"] = posting(
        port, secret.text, options.batch, options.seconds, 0.1
    )
    ways["HTTP, 100 a batch"] = posting(port, secret.text, 100, options.seconds, 0)
    ways["HTTP, one by one"] = posting(port, secret.text, 1, options.seconds, 0)
    try:
        found: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(options.rounds):
            for way, prepare in ways.items():
                empty(dsn)
                found[way].append(together(prepare, options.clients))
    finally:
        server.terminate()
        server.wait()
    report(found)


def report(found: dict[str, list[float]]) -> None:
    bare, indexed = (f"COPY, {label}" for label in TABLES)
    print(f"{'':40}{'events/s':>10}{'range':>20}{'of bare':>9}{'of indexed':>12}")
    for way, rates in found.items():
        ratios = [
            statistics.median(mine / limit for mine, limit in zip(rates, found[limits], strict=True))
            for limits in (bare, indexed)
        ]
        spread = f"{min(rates):,.0f}..{max(rates):,.0f}"
        print(f"{way:40}{statistics.median(rates):>10,.0f}{spread:>20}{ratios[0]:>9.2f}{ratios[1]:>12.2f}")


if __name__ == "__main__":
    main()
