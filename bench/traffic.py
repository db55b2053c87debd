"""Clients for the benchmark of intake: what they send is made before the clock starts."""

import http.client
import json
import multiprocessing
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg

COPIED = 10_000  # rows of one COPY
COLUMNS = "source_id, event_id, type, time, resource, product, meter, component, app, account, quantity"
COLUMNS += ", body_hash, received_at"
PAST = timedelta(days=20)


class Outcome(NamedTuple):
    """What one client did: events sent, accepted and known, when it began and ended, and how long each answer took."""

    sent: int
    accepted: int
    duplicate: int
    began: float
    ended: float
    answers: list[float]


Prepared = Callable[[int], Callable[[], Outcome]]


def events(count: int, seed: int) -> list[dict[str, Any]]:
    """Return what a platform sends: eight measured quantities to one open and one close."""
    chance, start = random.Random(seed), datetime.now(UTC) - PAST
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


def posting(port: int, secret: str, batch: int, seconds: float, again: float = 0) -> Prepared:
    """Prepare a client that posts batches; ``again`` is the share of events that it has sent before."""

    def prepare(seed: int) -> Callable[[], Outcome]:
        bodies: list[bytes] = []
        sent: list[dict[str, Any]] = []
        for number in range(int(max(20, min(80_000 / batch, 3_000) * seconds))):
            fresh = events(batch, seed * 100_000 + number)
            if again and sent:
                fresh[: int(batch * again)] = sent[-int(batch * again) :]
            sent = fresh
            bodies.append(json.dumps(fresh).encode())

        def run() -> Outcome:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
            began, accepted, duplicate, answers = time.perf_counter(), 0, 0, []
            for body in bodies:
                asked = time.perf_counter()
                client.request("POST", "/api/v1/usage/events", body, headers)
                answer = client.getresponse()
                said = answer.read()
                answers.append(time.perf_counter() - asked)
                assert answer.status == 200, said[:300]
                counted = json.loads(said)
                accepted, duplicate = accepted + counted["accepted"], duplicate + counted.get("duplicate", 0)
                if time.perf_counter() > began + seconds:
                    break
            return Outcome(len(answers) * batch, accepted, duplicate, began, time.perf_counter(), answers)

        return run

    return prepare


def copying(dsn: str, seconds: float) -> Prepared:
    """Prepare a client that copies into staging and inserts from there."""

    def prepare(seed: int) -> Callable[[], Outcome]:
        texts = [copy_text(events(COPIED, seed * 100_000 + number)) for number in range(int(max(4, 10 * seconds)))]
        staging = f"bench_staging_{seed % 2}"

        def run() -> Outcome:
            began, answers = time.perf_counter(), []
            with psycopg.connect(dsn) as connection:
                cursor = connection.cursor()
                for text in texts:
                    asked = time.perf_counter()
                    with cursor.copy(f"copy {staging} ({COLUMNS}) from stdin") as copy:
                        copy.write(text)
                    cursor.execute(
                        f"insert into bench_bare ({COLUMNS}) select {COLUMNS} from {staging} on conflict do nothing"
                    )
                    cursor.execute(f"truncate {staging}")
                    connection.commit()
                    answers.append(time.perf_counter() - asked)
                    if time.perf_counter() > began + seconds:
                        break
            done = len(answers) * COPIED
            return Outcome(done, done, 0, began, time.perf_counter(), answers)

        return run

    return prepare


def together(prepare: Prepared, clients: int) -> list[Outcome]:
    """Run clients at once in processes of their own."""
    context = multiprocessing.get_context("fork")
    ready, go, answers = context.Semaphore(0), context.Event(), context.Queue()

    def one(seed: int) -> None:
        run = prepare(seed)
        ready.release()
        go.wait()
        answers.put(run())

    base = random.SystemRandom().randrange(10**6) * 2
    processes = [context.Process(target=one, args=(base + number,)) for number in range(clients)]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    go.set()
    found = [answers.get(timeout=120) for _ in processes]  # one that failed has said why
    for process in processes:
        process.join()
    return found


def rate(outcomes: list[Outcome]) -> float:
    return sum(o.sent for o in outcomes) / (max(o.ended for o in outcomes) - min(o.began for o in outcomes))
