"""Whether intake tires: the whole product path at one modest rate for an hour, minute by minute.

    .venv/bin/python bench/endurance.py [--minutes 60] [--rate 2000] [--batch 500] [--every 60] [--json FILE]

Starts a Vault of its own (embedded PostgreSQL, web process with two workers, the workers that pair and fold, the
clock) in a temporary folder and ends it. Two clients post batches over HTTP when they are due, not when the last
answer has come: a late answer counts from the moment the batch was due. Eight in ten events are measured quantities,
one opens and one closes a resource. At the end everything must be stored, paired and folded.

A row per minute: events per second, time to answer, resident memory of each web worker and of the workers behind,
how many events wait to be paired and for how long the oldest has, and how far the hourly totals are behind. Below it
the slope of each by the hour, without the first tenth, which warms up: what does not tire has none.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["GUNICORN_CMD_ARGS"] = "--max-requests 0"  # a worker that is replaced would hide what it leaks
os.environ["DJANGO_SETTINGS_MODULE"] = "vault.settings"
os.environ["DATABASE_URL"] = "postgres:///nowhere"  # this process asks no database by Django
os.environ.pop("USAGE_DATABASE_URL", None)

import django
import psutil

django.setup()

from tests.witness.plant import Plant, plant  # noqa: E402

CLIENTS = 2
SAMPLE_SECONDS = 2.0
BATCHES_OF_A_DYNO = 60
COLUMNS = ("events/s", "p50 ms", "p99 ms", "web 1 MB", "web 2 MB", "behind MB", "waiting", "pairing s", "totals s")
BEHIND = """
select (select count(*) from usage_unpaired),
       coalesce((select extract(epoch from clock_timestamp() - min(time)) from usage_unpaired), 0)::float8,
       coalesce((select extract(epoch from clock_timestamp() - until) from usage_hourfold), 0)::float8
"""
Answer = tuple[float, float, int]  # when it came, seconds since the batch was due, events
Sample = tuple[float, ...]  # when, memory of the web workers and of those behind, waiting, lags


def batch(client: int, number: int, size: int) -> bytes:
    """Return what a platform reports at this moment: measured quantities, and dynos that come and go."""
    chance, now = random.Random(f"{client}:{number}"), datetime.now(UTC).isoformat()
    events = []
    for place in range(size):
        event = {"id": f"{client}-{number}-{place}", "time": now, "product": "standard-1x"}
        if place % 10 == 0 or (place % 10 == 1 and number < BATCHES_OF_A_DYNO):
            event |= {"type": "open", "resource": f"dyno-{client}-{number}-{place}", "app": "shop", "account": "acme"}
        elif place % 10 == 1:
            event |= {"type": "close", "resource": f"dyno-{client}-{number - BATCHES_OF_A_DYNO}-{place - 1}"}
        else:
            event |= {"type": "measured", "resource": f"router-{chance.randrange(5000)}", "product": "router-requests"}
            event |= {"meter": "requests", "quantity": str(chance.randrange(1, 10**7) / 1000)}
        events.append(event)
    return json.dumps(events).encode()


def client(index: int, port: int, secret: str, options: argparse.Namespace, answers: Any) -> None:
    """Post a batch whenever one is due, until the time is over; each by a connection of its own, to either worker."""
    interval = options.batch * CLIENTS / options.rate
    begun = time.time() + interval * index / CLIENTS
    for number in range(int(options.minutes * 60 / interval)):
        due = begun + number * interval
        time.sleep(max(0, due - time.time()))
        status, said = post(port, secret, batch(index, number, options.batch))
        assert status == 200, said[:300]
        answers.put((time.time(), time.time() - due, options.batch))


def post(port: int, secret: str, body: bytes) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        connection.request("POST", "/api/v1/usage/events", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def sample(world: Plant) -> Sample:
    """Look once at memory and lags."""
    ((waiting, pairing, totals),) = world.sql(BEHIND)
    web = sorted(world.children("web"), key=lambda process: process.pid)[:2]
    memory = [_megabytes([process]) for process in web] + [0.0] * (2 - len(web))
    return (time.time(), *memory, _megabytes(world.children("money")), float(waiting), pairing, totals)


def _megabytes(processes: list[psutil.Process]) -> float:
    return sum(process.memory_info().rss for process in processes if process.is_running()) / 1e6


def run(world: Plant, options: argparse.Namespace) -> list[dict[str, float]]:
    """Post for the whole time, look now and then, print a row as soon as its time is over; return all rows."""
    secret = world.manage("create_source", "platform").stdout.splitlines()[-1]
    context = multiprocessing.get_context("fork")
    answers: Any = context.Queue()
    clients = [
        context.Process(target=client, args=(index, world.port, secret, options, answers)) for index in range(CLIENTS)
    ]
    for one in clients:
        one.start()
    found: list[Answer] = []
    samples: list[Sample] = []
    shown = 0
    print(f"{'':>8}" + "".join(f"{name:>11}" for name in COLUMNS), flush=True)
    while going := any(one.is_alive() for one in clients):
        time.sleep(SAMPLE_SECONDS)
        samples.append(sample(world))
        found += _taken(answers)
        rows = table(sorted(found), samples, options.every) if found else []
        for row in rows[shown:-1]:  # the last one may still grow
            shown += 1
            print_row(f"{shown * options.every / 60:.1f}m", row)
    assert not going and all(one.exitcode == 0 for one in clients), "a client failed"
    found += _taken(answers)
    print_row("the last", table(sorted(found), samples, options.every)[-1])
    check(world, sum(events for *_, events in found))
    return table(sorted(found), samples, options.every)


def print_row(name: str, row: dict[str, float], form: str = ">11,.1f") -> None:
    print(f"{name:>8}" + "".join(f"{row[name]:{form}}" for name in COLUMNS), flush=True)


def _taken(answers: Any) -> Iterator[Answer]:
    while not answers.empty():
        yield answers.get()


def table(answers: list[Answer], samples: list[Sample], every: float) -> list[dict[str, float]]:
    """Return a row for each stretch of ``every`` seconds: rates and times by the answers, the rest at its worst."""
    begun = min(at - took for at, took, _ in answers)
    rows = []
    for number in range(round((answers[-1][0] - begun) / every) or 1):
        first, last = begun + number * every, begun + (number + 1) * every
        mine = [answer for answer in answers if first <= answer[0] < last]
        looks = [look[1:] for look in samples if first <= look[0] < last]
        if mine and looks:
            times = sorted(1000 * took for _, took, _ in mine)
            rate = sum(events for *_, events in mine) / every
            measured = [
                rate,
                statistics.median(times),
                times[int(len(times) * 0.99)],
                *map(max, zip(*looks, strict=True)),
            ]
            rows.append(dict(zip(COLUMNS, measured, strict=True)))
    return rows


def slopes(rows: list[dict[str, float]], every: float) -> dict[str, float]:
    """Return how much each column grows in an hour, by least squares over all but the first tenth."""
    late = list(enumerate(rows))[len(rows) // 10 :]
    hours = [number * every / 3600 for number, _ in late]
    if len(late) < 2:
        return dict.fromkeys(COLUMNS, 0.0)
    return {name: statistics.linear_regression(hours, [row[name] for _, row in late]).slope for name in COLUMNS}


def check(world: Plant, events: int) -> None:
    """Check that all is stored, and say for how long pairing went on after the last answer."""
    begun = time.monotonic()
    assert world.value("select count(*) from usage_event") == events
    world.wait_until(lambda: world.value("select count(*) from usage_unpaired") == 0, 600, "pairing")
    size = world.value("select pg_database_size(current_database())") / 1e6
    print(f"{events:,} events stored; the last paired {time.monotonic() - begun:.1f} s after; {size:,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=2000, help="events per second")
    parser.add_argument("--batch", type=int, default=500, help="events per request")
    parser.add_argument("--every", type=float, default=60, help="seconds of one row")
    parser.add_argument("--json", type=Path, help="write the rows and slopes to this file too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vault-endurance-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # so that the database's own user can reach its data below
        world = plant(Path(folder))
        try:
            world.begin()
            rows = run(world, options)
        finally:
            world.end()
    slope = slopes(rows, options.every)
    print_row("an hour", slope, form=">+11,.1f")
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, "slope_per_hour": slope}, indent=1))


if __name__ == "__main__":
    main()
