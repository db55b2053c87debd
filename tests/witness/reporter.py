"""An external checker of intake: it reports usage over HTTP as a platform does, and notes what was acknowledged.

A program of its own that knows only what is promised to every source: it imports nothing of Vault, never sees the
database, and keeps its notes in a file that is synced before it goes on. What is not acknowledged is sent again, in
another batch and another format. ``python tests/witness/reporter.py --help`` says how it is started; the source's
secret comes in the environment as SOURCE_SECRET.
"""

import argparse
import gzip
import hashlib
import http.client
import json
import os
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

ACCOUNTS = 6
WAITING = 600  # events under way at most, so that a long outage does not pile up work
EVENTS = "/api/v1/usage/events"
MANIFESTS = "/api/v1/usage/manifests"
Event = dict[str, Any]
Body = tuple[bytes, dict[str, str]]


def event(source: str, number: int, month: datetime) -> Event:
    """Return what a source has to tell as its ``number``-th event: the same whenever it is asked for."""
    chance = random.Random(f"{source}:{number // 4}")
    owner = f"account-{number // 4 % ACCOUNTS}"
    opened = month + timedelta(hours=chance.randrange(30), seconds=chance.randrange(3600))
    closed = opened + timedelta(seconds=chance.randrange(60, 9000), microseconds=chance.randrange(1_000_000))
    known = {"id": f"{source}/{number}", "resource": f"{source}/dyno-{number // 4}", "product": "standard-1x"}
    if number % 4 == 0:
        return known | {"type": "open", "time": iso(opened), "app": f"app-of-{owner}", "account": owner}
    if number % 4 == 1:
        return known | {"type": "close", "time": iso(closed)}
    known |= {"app": f"app-of-{owner}", "account": owner, "quantity": str(Decimal(chance.randrange(1, 10**9)) / 1000)}
    if number % 4 == 2:
        known |= {"type": "measured", "meter": "requests", "product": "router-requests"}
        return known | {"resource": f"{source}/router-of-{owner}", "time": iso(opened)}
    known |= {"type": "gauge", "meter": "storage", "product": "mini-postgres"}
    return known | {"resource": f"{source}/disk-of-{owner}", "time": iso(closed)}


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


class Notebook:
    """Notes that survive whatever is killed: a line is on the disk before anything else is done."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, **said: Any) -> None:
        os.write(self._file, json.dumps(said).encode() + b"\n")
        os.fsync(self._file)


class Post:
    """One way to the web process, opened anew after every accident."""

    def __init__(self, port: int, secret: str) -> None:
        self._port, self._secret = port, secret
        self._connection = self._connect()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)

    def send(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        """Return status and answer; status 0 when no whole answer came."""
        try:
            self._connection.request("POST", path, body, {"Authorization": f"Bearer {self._secret}"} | headers)
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            self._connection.close()
            self._connection = self._connect()
            return 0, {}


def as_json(batch: Sequence[Event]) -> Body:
    return json.dumps(batch).encode(), {"Content-Type": "application/json"}


def as_lines(batch: Sequence[Event]) -> Body:
    return "\n".join(map(json.dumps, batch)).encode(), {"Content-Type": "application/x-ndjson"}


def as_cloudevents(batch: Sequence[Event]) -> Body:
    events = []
    for one in batch:
        data = {key: value for key, value in one.items() if key not in ("id", "type", "time", "resource")}
        context = {"specversion": "1.0", "source": "/witness", "id": one["id"], "time": one["time"]}
        context |= {"type": f"example.usage.{one['type']}", "subject": one["resource"]}
        events.append(context | {"data": data})
    return json.dumps(events).encode(), {"Content-Type": "application/cloudevents-batch+json"}


def as_binary(batch: Sequence[Event]) -> Body:
    """One event: its context in headers, its data in the body."""
    (one,) = batch
    data = {key: value for key, value in one.items() if key not in ("id", "type", "time", "resource")}
    headers = {"ce-specversion": "1.0", "ce-source": "/witness", "ce-id": one["id"], "ce-time": one["time"]}
    headers |= {"ce-type": f"example.usage.{one['type']}", "ce-subject": one["resource"]}
    return json.dumps(data).encode(), headers | {"Content-Type": "application/json"}


FORMATS: tuple[Callable[[Sequence[Event]], Body], ...] = (as_json, as_lines, as_cloudevents)


class Reporter:
    """Reports one source's events until told to stop; then until each is acknowledged. ``careless`` ones give up."""

    def __init__(self, options: argparse.Namespace, secret: str) -> None:
        self.options = options
        self.month = datetime.strptime(options.month, "%Y-%m").replace(tzinfo=UTC)
        self.notes = Notebook(options.notes)
        self.post = Post(options.port, secret)
        self.chance = random.Random(f"{options.source}:{options.seed}")
        self.made: dict[str, Event] = {}
        self.pending: dict[str, Event] = {}
        self.acknowledged: list[str] = []

    def report(self) -> None:
        """Send batch after batch; each attempt is noted before and after."""
        while self.pending or not self.options.stop.exists():
            if not self.options.stop.exists():
                self._make(self.chance.choice((0, 1, 40, 150)))
            batch = self._batch()
            if batch:
                self._send(batch)
            time.sleep(self.chance.uniform(0, self.options.pause))

    def _make(self, count: int) -> None:
        while count and len(self.pending) < WAITING:
            count -= 1
            new = event(self.options.source, len(self.made), self.month)
            self.made[new["id"]] = self.pending[new["id"]] = new
            self.notes.note(made=new)

    def _batch(self) -> list[Event]:
        """Some that wait, some that were acknowledged long ago, some twice in one batch; in any order."""
        size = self.chance.choice((1, 1, 20, 300))
        waiting = self.chance.sample(list(self.pending.values()), min(size, len(self.pending)))
        if size == 1 or self.chance.random() < 0.5:
            return waiting
        again = self.chance.sample(self.acknowledged, min(len(self.acknowledged), size // 5))
        batch = waiting + [self.made[name] for name in again] + waiting[: size // 10]
        self.chance.shuffle(batch)
        return batch

    def _send(self, batch: list[Event]) -> None:
        form = as_binary if len(batch) == 1 and self.chance.random() < 0.5 else self.chance.choice(FORMATS)
        body, headers = form(batch)
        if self.chance.random() < 0.3:
            body, headers = gzip.compress(body), headers | {"Content-Encoding": "gzip"}
        atomic = "?atomic=true" if self.chance.random() < 0.3 else ""
        status, answer = self.post.send(EVENTS + atomic, body, headers)
        names = {one["id"] for one in batch}
        if status == 200:
            self._acknowledge(names, answer, len(batch))
        elif status in (0, 503):
            self.notes.note(unanswered=len(batch), status=status)
            if self.options.careless:
                self._give_up(names)
        else:
            self.notes.note(wrong=f"{status} for {len(batch)} good events", answer=answer)

    def _acknowledge(self, names: set[str], answer: Any, size: int) -> None:
        new = names & set(self.pending)
        if answer["accepted"] + answer["duplicate"] != size or answer["errors"] or answer["accepted"] > len(new):
            self.notes.note(wrong=f"{size} events, {len(new)} of them not acknowledged yet", answer=answer)
        self.notes.note(acknowledged=sorted(names))
        for name in new:
            del self.pending[name]
            self.acknowledged.append(name)

    def _give_up(self, names: set[str]) -> None:
        self.notes.note(given_up=sorted(names & set(self.pending)))
        for name in names & set(self.pending):
            del self.pending[name]

    def state(self) -> None:
        """Send a manifest for each hour of the month, from what this program itself counted, all in one request."""
        hours: dict[str, list[Event]] = {}
        moment = self.month
        while moment.month == self.month.month:
            hours[iso(moment)] = []
            moment += timedelta(hours=1)
        for one in self.made.values():
            hours[one["time"][:13] + ":00:00Z"].append(one)
        body = json.dumps([manifest(hour, events) for hour, events in hours.items()]).encode()
        status, answer = 0, dict[str, Any]()
        while status not in (200, 201):
            status, answer = self.post.send(MANIFESTS, body, {"Content-Type": "application/json"})
            self.notes.note(manifests=len(hours), status=status)
            time.sleep(0.2)
        for one in answer["results"]:
            if not one["agrees"]:
                self.notes.note(wrong=f"the manifest of {one['hour']} does not agree", answer=one)


def manifest(hour: str, events: Sequence[Event]) -> dict[str, Any]:
    """Return the statement about an hour, as docs/usage.md asks for it."""
    digest, meters = 0, {}
    for one in events:
        digest += int.from_bytes(hashlib.sha256(one["id"].encode()).digest()[:8], "big")
    for meter in sorted({one.get("meter", "duration") for one in events}):
        of_meter = [one for one in events if one.get("meter", "duration") == meter]
        kinds = [one["type"] for one in of_meter]
        total = sum((Decimal(one["quantity"]) for one in of_meter if "quantity" in one), Decimal(0))
        counts = {"opens": kinds.count("open"), "closes": kinds.count("close")}
        counts["measured"] = kinds.count("measured") + kinds.count("gauge")
        meters[meter] = counts | {"quantity": str(total)}
    return {"hour": hour, "events": len(events), "hash": f"{digest % 2**64:016x}", "meters": meters}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--month", required=True, help="the month its events lie in, as YYYY-MM")
    parser.add_argument("--notes", type=Path, required=True, help="the file of notes")
    parser.add_argument("--stop", type=Path, required=True, help="when this file appears, nothing new is reported")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between batches, at most")
    parser.add_argument("--careless", action="store_true", help="give up what was not answered, and state no manifest")
    options = parser.parse_args()
    reporter = Reporter(options, os.environ["SOURCE_SECRET"])
    reporter.report()
    if not options.careless:
        reporter.state()
    reporter.notes.note(done=True)


if __name__ == "__main__":
    main()
