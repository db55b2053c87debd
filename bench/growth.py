"""Does today slow down as the years pile up? Intake and the explorer's pages, beside the number of stored events.

    DATABASE_URL=… .venv/bin/python bench/growth.py [--points 100000,1000000,10000000] [--large] [--rounds 5]

Stored events are laid down by set-based SQL over the twelve months before this one, as a platform would have sent them:
many resources, several sources, ids in no order, each with its key and counted in the hourly totals. At each point the
product is asked: one client takes in fresh batches of 1,000 through ``usage.intake`` (checks, key, event, commit), and
every kind of explorer page is read. Each figure is a median over rounds; the last columns are ratios to the first
point, which is what this is about. ``--large`` adds 30 million. What is there stays and counts, so that a broken run
goes on where it was: use a database of its own, migrated.
"""

import argparse
import json
import os
import random
import statistics
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

from core.periods import Month  # noqa: E402
from usage import exploring, hour_totals, intake, partitions, reading, sources, store  # noqa: E402
from usage.models import Event, Source  # noqa: E402

RESOURCES, ACCOUNTS, SOURCES, BATCH, PAGE = 20_000, 500, 8, 1_000, 50
LAID = 500_000  # rows of one statement
STAGE = b"""
create unlogged table bench_growth as
select nextval('usage_event_id_seq') as id, s.ids[1 + n %% array_length(s.ids, 1)] as source_id,
       'evt-' || md5(n::text) as event_id,
       %(start)b::timestamptz + random() * (%(end)b::timestamptz - %(start)b::timestamptz) as time,
       (hashint8(n)::bigint & 2147483647) %% %(resources)b::int as r, n
from generate_series(%(first)b::bigint, %(last)b::bigint) as n, (select array_agg(id) as ids from usage_source) s
"""
KEYS = b"""
insert into usage_eventkey (source_id, event_id, body_hash, resource, time, event)
select source_id, event_id, sha256(event_id::bytea), 'res-' || md5(r::text), time, id
from bench_growth order by source_id, event_id
"""
EVENTS = """
insert into {partition} (id, source_id, event_id, type, time, resource, product, meter, component, app, account,
                         quantity, received_at)
overriding system value
select id, source_id, event_id, 'measured', time, 'res-' || md5(r::text), 'requests', 'requests', 'web',
       'app-' || r %% 2000, '', (n %% 1000 + 1) / 8.0, time + random() * interval '10 minutes'
from bench_growth order by time
"""
TOTALS = b"""
insert into usage_hourtotal as t (source_id, hour, meter, opens, closes, measured, quantity, hash)
select source_id, date_trunc('hour', time, 'UTC'), 'requests', 0, 0, count(*), sum((n %% 1000 + 1) / 8.0),
       mod(mod(sum(('x' || left(encode(sha256(convert_to(event_id, 'UTF8')), 'hex'), 16))::bit(64)::bigint),
               18446744073709551616) + 18446744073709551616, 18446744073709551616)
from bench_growth group by 1, 2
on conflict (hour, source_id, meter) do update
set measured = t.measured + excluded.measured, quantity = t.quantity + excluded.quantity,
    hash = mod(t.hash + excluded.hash, 18446744073709551616)
"""
OWNED = b"""
insert into usage_ownership (reference, resource, account, app, start, recorded_at, recorded_by)
select 'open:res-' || md5(r::text), 'res-' || md5(r::text), 'account-' || r %% %(accounts)b::int, 'app-' || r %% 2000,
       %(start)b, %(start)b, 'system:bench'
from generate_series(0, %(resources)b::int - 1) as r
where not exists (select from usage_ownership)
"""


def year() -> list[Month]:
    """Return the twelve months before this one."""
    months = [Month.containing(datetime.now(UTC)).previous]
    while len(months) < 12:
        months.append(months[-1].previous)
    return months[::-1]


def prepare(months: list[Month]) -> Source:
    """Make partitions, sources and ownerships, unless they are there."""
    partitions.ensure(months)
    for number in range(SOURCES):
        if not Source.objects.filter(name=f"growth-{number}").exists():
            sources.create(f"growth-{number}", actor="system:bench")
    with store.writing() as cursor:
        named = {"accounts": ACCOUNTS, "resources": RESOURCES, "start": months[0].start}
        cursor.execute(OWNED, named)
    hour_totals.fold()
    return Source.objects.get(name="growth-0")


def grow(months: list[Month], target: int) -> None:
    """Lay down events until each month holds its share of ``target``, a statement's worth per transaction."""
    for number, month in enumerate(months):
        partition = f"usage_event_{month.year}_{month.number:02d}"
        while (missing := target // len(months) - stored(partition)) > 0:
            base = number * 10**9 + stored(partition)
            lay(month, partition, base, min(missing, LAID))
    with store.cursor() as cursor:
        cursor.execute(b"analyze usage_event, usage_eventkey, usage_hourtotal, usage_ownership")


def stored(partition: str) -> int:
    with store.cursor() as cursor:
        return int(cursor.execute(f"select count(*) from {partition}".encode()).fetchall()[0][0])


def lay(month: Month, partition: str, base: int, count: int) -> None:
    """Store ``count`` events of a month with their keys and totals; its key trigger rests, for we bring the keys."""
    bounds = {"start": month.start, "end": month.end, "first": base, "last": base + count - 1, "resources": RESOURCES}
    with store.writing() as cursor:
        cursor.execute(STAGE, bounds)
        cursor.execute(f"alter table {partition} disable trigger usage_event_has_its_key".encode())
        cursor.execute(KEYS)
        cursor.execute(EVENTS.format(partition=partition).replace("%%", "%").encode())
        cursor.execute(TOTALS.replace(b"%%", b"%"))
        cursor.execute(f"alter table {partition} enable trigger usage_event_has_its_key".encode())
        cursor.execute(b"drop table bench_growth")


def batch(chance: random.Random) -> bytes:
    """Return a body of fresh measured events of the last hour."""
    now = datetime.now(UTC)
    events = [
        {
            "id": f"evt-{chance.getrandbits(96):024x}",
            "type": "measured",
            "time": (now - timedelta(seconds=chance.randrange(3600))).isoformat(),
            "resource": f"res-{chance.getrandbits(64):x}",
            "product": "requests",
            "meter": "requests",
            "quantity": "1.5",
        }
        for _ in range(BATCH)
    ]
    return json.dumps(events).encode()


def taking_in(source: Source, seconds: float, seed: int) -> float:
    """Return events a second of one client; bodies are made and read before the clock starts."""
    chance = random.Random(seed)
    batches = [reading.read(batch(chance)) for _ in range(int(60 * seconds))]
    started, done = time.perf_counter(), 0
    for one in batches:
        assert intake.accept(source, one).accepted == BATCH
        done += BATCH
        if time.perf_counter() - started > seconds:
            break
    return done / (time.perf_counter() - started)


def pages(months: list[Month]) -> dict[str, Callable[[], int]]:
    """Return one explorer page of each kind, as a call that says how many events it showed."""
    with store.cursor() as cursor:
        middle = months[6].start
        one = f"select * from usage_event where time >= '{middle:%Y-%m-%d %H:%M}+00' limit 1".encode()
        picked = Event.from_db(None, exploring.COLUMNS, named(cursor.execute(one)))
    from usage.places import OLDER, Place

    def ask(cursor: str = "", **asked: str) -> Callable[[], int]:
        return lambda: len(exploring.page(exploring.question(asked), cursor=cursor, size=PAGE).events)

    deep = str(Place(OLDER, middle, 0))
    day = {"from": f"{middle:%Y-%m-%d}T00:00:00Z", "to": f"{middle + timedelta(days=1):%Y-%m-%d}T00:00:00Z"}
    return {
        "newest": ask(),
        "half a year back": ask(deep),
        "account": ask(account="account-7"),
        "account, half a year back": ask(deep, account="account-7"),
        "app": ask(app="app-7"),
        "resource": ask(resource=picked.resource),
        "source and day": ask(source="growth-3", **day),
        "product": ask(product="requests"),
        "product that nobody has": ask(product="none"),
        "event id": ask(event_id=picked.event_id),
    }


def named(cursor: store.Cursor) -> tuple[Any, ...]:
    """Return the first row in the order of the explorer's columns."""
    row = cursor.fetchall()[0]
    found = dict(zip((column.name for column in cursor.description or ()), row, strict=True))
    return tuple(found[name] for name in exploring.COLUMNS)


def measure(source: Source, months: list[Month], seconds: float, rounds: int) -> dict[str, float]:
    """Return the medians of one point: events a second, then milliseconds per page."""
    kinds = pages(months)
    rates, took = [], {name: list[float]() for name in kinds}
    for number in range(rounds):
        rates.append(taking_in(source, seconds, random.Random(f"{time.time()}{number}").getrandbits(32)))
        hour_totals.fold()  # as workers do meanwhile
        for name, read in kinds.items():
            read()
            started = time.perf_counter()
            read()
            took[name].append((time.perf_counter() - started) * 1000)
    return {"events/s": statistics.median(rates)} | {name: statistics.median(times) for name, times in took.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--points", default="100000,1000000,10000000")
    parser.add_argument("--large", action="store_true", help="add a point of 30 million")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    points = sorted({*map(int, options.points.split(",")), *([30_000_000] if options.large else [])})
    months, found = year(), dict[int, dict[str, float]]()
    source = prepare(months)
    for point in points:
        started = time.perf_counter()
        grow(months, point)
        print(f"{point:>12,} events laid down in {time.perf_counter() - started:.0f} s", flush=True)
        found[point] = measure(source, months, options.seconds, options.rounds)
    show(points, found)


def show(points: list[int], found: dict[int, dict[str, float]]) -> None:
    """Print a line per figure: its median at each point, and the last beside the first."""
    print(f"\n{'stored events':<28}" + "".join(f"{point:>14,}" for point in points) + "   last/first")
    for name in found[points[0]]:
        row = [found[point][name] for point in points]
        unit = "" if name == "events/s" else " ms"
        shown = "".join(f"{value:>14,.0f}" if not unit else f"{value:>11.1f}{unit}" for value in row)
        print(f"{name:<28}{shown}   {row[-1] / row[0]:.2f}")


if __name__ == "__main__":
    main()
