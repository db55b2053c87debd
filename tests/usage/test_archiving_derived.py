"""Whatever arrives after a month was archived leads to what it would have led to had the month stayed."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from core import databases
from core.periods import Month, Span
from core.sql import load
from monitoring import invariants
from tests.usage.factories import report, source
from usage import archiving, cutoff, hour_totals, metering, ownerships, pairing
from usage.models import Interval, Ownership, PairingProblem, Source
from usage.ownerships import Statement

pytestmark = pytest.mark.django_db
MONTH = Month(2024, 9)
BY = "user:olga@example.com"
ACCOUNTS = ("acme", "bolt")
LATER = [Span(MONTH.end + timedelta(days=day), MONTH.end + timedelta(days=day + 1)) for day in range(30)]


def events(chance: random.Random, first: int, last: int, count: int) -> list[dict[str, Any]]:
    """Opens, closes, levels and quantities of few resources at few moments, hours from the month's start."""
    made = []
    for number in range(count):
        hour = chance.randrange(first, last) if chance.random() < 0.8 else chance.choice([first, last - 1])
        time = MONTH.start + timedelta(hours=hour)
        kind = chance.choice(["open", "open", "close", "close", "gauge", "gauge", "measured"])
        number_of = chance.randrange(3)
        event = {
            "id": f"{first}-{number}",
            "type": kind,
            "time": time.isoformat(),
            "resource": f"r{number_of}" if kind in ("open", "close") else f"{kind}{number_of}",
            "product": chance.choice(["small", "large"]) if kind != "measured" else "requests",
        }
        if kind in ("gauge", "measured"):
            event |= {"meter": "storage" if kind == "gauge" else "requests", "quantity": str(chance.randrange(3))}
        if chance.random() < 0.5:
            event |= {"account": chance.choice(["", *ACCOUNTS]), "app": chance.choice(["", "shop", "blog"])}
        made.append(event)
    return made


def world(seed: int, archived: bool) -> list[Any]:
    """Live through the same story with or without the archive, and say what is believed and used in the end."""
    chance = random.Random(seed)
    one = Source.objects.get()
    report(one, events(chance, -100, 720, 60))
    pairing.drain()
    hour_totals.fold()
    if archived:
        archiving.archive(MONTH, by=BY)
    for stretch in range(3):
        report(one, events(chance, 720 + 200 * stretch, 920 + 200 * stretch, 15))
        pairing.drain()
        start = MONTH.end + timedelta(hours=200 * stretch + chance.randrange(100))
        said = Statement(
            f"own-{stretch}", chance.choice(ACCOUNTS), f"r{stretch}", "", start, start + timedelta(hours=50)
        )
        ownerships.state(said, by=BY)
    of_app = Statement("own-shop", "acme", "", "shop", MONTH.end + timedelta(hours=90), None)
    ownerships.state(of_app, by=BY)
    report(one, [event | {"id": f"late-{event['id']}"} for event in events(chance, 720, 1300, 10)])
    pairing.drain()
    assert [name for name, rows in broken().items() if rows] == []
    intervals = Interval.objects.filter(superseded_at=None).order_by("resource", "meter", "opened")
    owners = Ownership.objects.filter(superseded_at=None).order_by("resource", "start")
    problems = PairingProblem.objects.order_by("resource", "at", "product", "kind", "event_id")
    used = metering.account_usage(ACCOUNTS, LATER, cutoff=cutoff.freeze())
    return [
        list(intervals.values_list("resource", "meter", "product", "opened", "closed", "level", "app")),
        list(owners.values_list("resource", "reference", "account", "app", "start", "end")),
        list(problems.values_list("resource", "product", "kind", "at")),
        [row._replace(inputs_hash="") for row in used],
    ]


def broken() -> dict[str, Any]:
    ours = [one for one in invariants.collect() if one.database == "usage"]
    return {one.name: invariants.check(one).rows for one in ours}


def both(seed: int) -> list[list[Any]]:
    """Return what comes of one story without the archive and with it."""
    found = []
    for archived in (False, True):
        with transaction.atomic(using=databases.usage()):
            found.append(world(seed, archived))
            transaction.set_rollback(True, using=databases.usage())
    return found


@pytest.mark.parametrize("seed", range(6))
def test_what_follows_is_the_same_with_and_without_the_archive(seed: int) -> None:
    source("dynos")
    without, archived = both(seed)
    assert archived == without
    assert without[0] and without[1] and without[3]


def test_would_not_be_the_same_if_nothing_were_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    source("dynos")
    monkeypatch.setattr(archiving, "load", lambda app, name: nothing_kept(load(app, name)))
    with pytest.raises(AssertionError):
        without, archived = both(1)
        assert archived == without


def nothing_kept(statement: str) -> str:
    return (
        statement.replace("e.type <> 'measured'", "false")
        .replace("or e.account <> ''", "or false")
        .replace("in (select id from naming)", "in (0)")
    )


def test_a_late_level_before_an_archived_month_ends_at_the_next_sample_of_it() -> None:
    """A sample that changed nothing when it came decides how far a level reaches that arrives before it."""
    one = source("disks")
    august = MONTH.start - timedelta(days=2)
    sample = {"type": "gauge", "resource": "disk", "product": "ssd", "meter": "storage", "account": "acme"}
    often = [
        sample | {"id": f"s{day}", "time": (august + timedelta(days=day)).isoformat(), "quantity": "5"}
        for day in range(20)
    ]
    report(one, [often[0], *(later | {"account": ""} for later in often[1:])])
    pairing.drain()
    hour_totals.fold()
    archiving.archive(MONTH, by=BY)
    late = sample | {"id": "late", "time": (august + timedelta(hours=36)).isoformat(), "quantity": "7"}
    report(one, [late])
    pairing.drain()
    believed = Interval.objects.filter(superseded_at=None).order_by("opened")
    assert list(believed.values_list("opened", "closed", "level")) == [
        (august, august + timedelta(hours=36), 5),
        (august + timedelta(hours=36), august + timedelta(days=2), 7),
        (august + timedelta(days=2), None, 5),
    ]
    assert [name for name, rows in broken().items() if rows] == []
