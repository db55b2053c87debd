"""Metering against a brute-force model of quarter hours, and the worked examples of the field."""

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.periods import Month, Span
from tests.usage.factories import Event, closed, gauge, hour, measured, opened, report, settled, source
from usage import completeness, cutoff, effective, metering, ownerships, store
from usage.metering import UsageRow
from usage.models import Source
from usage.ownerships import Statement

pytestmark = pytest.mark.django_db
OCTOBER = Month(2026, 10)


@pytest.fixture
def dynos(db: None) -> Source:
    return source("dynos")


def used(*accounts: str, spans: list[Span] | None = None, at: datetime | None = None) -> list[UsageRow]:
    return list(metering.account_usage(accounts, spans or [OCTOBER.span], cutoff=at or cutoff.freeze()))


def seconds(rows: list[UsageRow]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        total[row.account] += row.seconds_or_quantity
    return dict(total)


class TestRunningTime:
    def test_is_clipped_to_the_month(self, dynos: Source) -> None:
        settled(dynos, [opened(-24, account="acme", app="shop"), closed(800)])
        (row,) = used("acme")
        assert row[:7] == ("acme", "shop", "standard-1x", "duration", "", 0, Decimal(744 * 3600))
        assert (row.measured, row.resources, row.new_resources) == (False, 1, 1)

    def test_of_what_still_runs_lasts_to_the_end_of_the_span(self, dynos: Source) -> None:
        settled(dynos, [opened(1, account="acme")])
        (row,) = used("acme", spans=[Span(hour(0), hour(3))])
        assert row.seconds_or_quantity == 7200

    def test_moves_with_its_owner_to_the_second(self, dynos: Source) -> None:
        """O11: ownership moves after 100 seconds; the two shares make up the month."""
        settled(dynos, [opened(0, account="old", app="shop")])
        at = hour(0) + timedelta(seconds=100)
        ownerships.transfer(app="shop", giver="old", taker="new", at=at, by="test")
        assert seconds(used("old", "new")) == {"old": Decimal(100), "new": Decimal(2_678_300)}

    def test_is_exact_to_the_microsecond(self, dynos: Source) -> None:
        settled(dynos, [opened(0, account="acme"), closed(1) | {"time": "2026-10-01T00:00:00.000001Z"}])
        assert used("acme")[0].seconds_or_quantity == Decimal("0.000001")

    def test_separates_components_and_apps(self, dynos: Source) -> None:
        settled(
            dynos,
            [
                opened(0, "r1", account="acme", app="shop", component="web"),
                opened(0, "r2", account="acme", app="shop", component="worker"),
                opened(0, "r3", account="acme", app="blog", component="web"),
            ],
        )
        assert [(row.app, row.component) for row in used("acme")] == [
            ("blog", "web"),
            ("shop", "web"),
            ("shop", "worker"),
        ]


class TestSpans:
    def test_count_a_resource_as_new_once(self, dynos: Source) -> None:
        settled(dynos, [opened(-5, "r1", account="a"), opened(100, "r2", account="a"), opened(400, "r3", account="a")])
        rows = used("a", spans=[Span(hour(0), hour(200)), Span(hour(200), hour(744))])
        assert [(row.span, row.resources, row.new_resources) for row in rows] == [(0, 2, 2), (1, 3, 1)]

    def test_must_follow_one_another(self) -> None:
        with pytest.raises(ValueError, match="gap"):
            used("a", spans=[Span(hour(0), hour(1)), Span(hour(2), hour(3))])

    def test_may_have_no_accounts(self, dynos: Source) -> None:
        assert used() == []


class TestMeasured:
    def test_quantities_belong_to_the_owner_of_their_moment(self, dynos: Source) -> None:
        settled(dynos, [measured(1, "0.1", "r1", account="old", app="shop"), measured(5, "0.2", "r1")])
        ownerships.transfer(resource="r1", giver="old", taker="new", at=hour(5), by="test")
        settled(dynos, [measured(9, 3, "r1")])
        assert seconds(used("old", "new")) == {"old": Decimal("0.1"), "new": Decimal("3.2")}
        assert all(row.measured for row in used("old", "new"))

    def test_quantities_of_the_end_of_the_month_are_the_next_one_s(self, dynos: Source) -> None:
        settled(dynos, [measured(0, 1, "r1", account="a"), measured(744, 7, "r1")])
        assert seconds(used("a")) == {"a": Decimal(1)}


class TestLevels:
    def test_count_each_second_as_often_as_they_say(self, dynos: Source) -> None:
        settled(dynos, [gauge(0, "2.5", account="acme"), gauge(4, 2), gauge(5, 2), gauge(10, 0), gauge(20, 1)])
        settled(dynos, [closed(21, product="storage", meter="storage")])
        (row,) = used("acme")
        assert row[:6] == ("acme", "", "storage", "storage", "", 0)
        assert row.seconds_or_quantity == Decimal("2.5") * 4 * 3600 + 2 * 6 * 3600 + 3600
        assert (row.measured, row.resources, row.new_resources) == (False, 1, 1)

    def test_move_with_their_owner_and_are_split_by_spans(self, dynos: Source) -> None:
        settled(dynos, [gauge(0, 3, account="old")])
        ownerships.transfer(resource="r1", giver="old", taker="new", at=hour(2), by="test")
        rows = used("old", "new", spans=[Span(hour(0), hour(1)), Span(hour(1), hour(5))])
        found = {(row.account, row.span): row.seconds_or_quantity / 3600 for row in rows}
        assert found == {("old", 0): 3, ("old", 1): 3, ("new", 1): 9}

    def test_are_in_the_hash(self, dynos: Source) -> None:
        settled(dynos, [gauge(0, 3, account="a"), gauge(0, 4, "r2", account="b"), gauge(0, 3, "r1b", account="c")])
        hashes = {account: used(account)[0].inputs_hash for account in "abc"}
        settled(dynos, [opened(0, "r1", meter="other", account="a")])
        assert len(set(hashes.values())) == 3
        one, plain = used("a")
        assert {one.meter, plain.meter} == {"storage", "other"} and one.inputs_hash != plain.inputs_hash

    def test_that_nobody_owns_are_unowned_time(self, dynos: Source) -> None:
        settled(dynos, [gauge(0, 3, app="shop"), gauge(2, 0)])
        (found,) = completeness.unowned(OCTOBER.span, cutoff=cutoff.freeze())
        assert (found.app, found.seconds, found.quantity) == ("shop", Decimal(7200), 0)


class TestAsKnownAt:
    def test_a_cut_off_is_answered_the_same_for_ever(self, dynos: Source) -> None:
        settled(dynos, [opened(0, account="a"), measured(1, 5, "r2", account="a")])
        before = cutoff.freeze()
        known = used("a", at=before)
        settled(dynos, [closed(5), measured(2, 5, "r2"), opened(0, "r3", account="a")])
        ownerships.transfer(resource="r1", giver="a", taker="b", at=hour(1), by="test")
        assert used("a", at=before) == known
        assert seconds(used("a", "b")) == {"a": Decimal(3600 + 744 * 3600 + 10), "b": Decimal(4 * 3600)}

    def test_pairs_what_waits_before_it_answers(self, dynos: Source) -> None:
        report(dynos, [opened(0, account="a")])
        assert used("a", at=cutoff.freeze())


class TestHash:
    def test_follows_the_inputs_and_nothing_else(self, dynos: Source) -> None:
        settled(dynos, [opened(0, account="a"), closed(5), measured(1, 5, "r2", account="a")])
        first = [row.inputs_hash for row in used("a")]
        settled(dynos, [opened(0, "r9", account="b")])
        assert [row.inputs_hash for row in used("a")] == first
        settled(dynos, [opened(7), closed(8)])
        after = [row.inputs_hash for row in used("a")]
        assert after[0] == first[0] and after[1] != first[1], "the requests stayed, the running time did not"


ACCOUNTS = ("ann", "bob", "eve")
KINDS: tuple[Callable[..., Event], ...] = (opened, opened, closed, measured)
SLOTS = 40  # quarter hours from six hours before the month


def moment(slot: int) -> datetime:
    return hour(slot / 4 - 6)


def happenings(chance: random.Random) -> tuple[list[Event], list[Statement]]:
    """Opens, closes and measurements at random quarter hours, and ownerships that do not overlap."""
    events = []
    for number in range(chance.randint(1, 40)):
        resource, at = f"r{chance.randint(0, 4)}", chance.randrange(SLOTS) / 4 - 6
        named: dict[str, Any] = {"account": chance.choice(ACCOUNTS)} if chance.random() < 0.3 else {}
        kind = chance.choice(KINDS)
        if kind is measured:
            events.append(measured(at, chance.randint(1, 9), resource, id=f"e{number}"))
        else:
            more = named if kind is opened else {}
            events.append(kind(at, resource, chance.choice(["small", "large"]), id=f"e{number}", **more))
    stated = []
    for number, resource in enumerate(["r0", "r1", "r2"]):
        edges = sorted(chance.sample(range(SLOTS), 4))
        for start, end in ((edges[0], edges[1]), (edges[2], edges[3])):
            name = f"{resource}-{start}-{number}"
            stated.append(Statement(name, chance.choice(ACCOUNTS), resource, "", moment(start), moment(end)))
    return events, stated


def model(events: list[Event], stated: list[Statement], spans: list[Span]) -> dict[tuple[str, str, int], Decimal]:
    """Walk through every quarter hour: what runs, who owns it, which span it is in."""
    total: dict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
    for resource in {event["resource"] for event in events}:
        mine = [event for event in events if event["resource"] == resource]
        running = _running(mine)
        for slot in range(SLOTS + 400):
            now = moment(slot)
            owner = _owner(resource, mine, stated, now)
            span = next((index for index, span in enumerate(spans) if span.start <= now < span.end), None)
            if owner is None or span is None:
                continue
            if slot in running:
                total[owner, running[slot], span] += 900
            for event in mine:
                if event["type"] == "measured" and datetime.fromisoformat(event["time"]) == now:
                    total[owner, event["product"], span] += Decimal(event["quantity"])
    return dict(total)


def _running(events: list[Event]) -> dict[int, str]:
    """Which product runs in each slot: each product by itself, then the one that began earlier."""
    runs = []
    for product in ("small", "large"):
        begun: int | None = None
        for slot in range(SLOTS):
            kinds = [e["type"] for e in events if e["product"] == product and e["time"] == _text(slot)]
            was = begun is not None
            if begun is not None and "close" in kinds:
                runs.append((begun, product, slot))
                begun = None
            if begun is None and "open" in kinds and (was or "close" not in kinds):
                begun = slot
        if begun is not None:
            runs.append((begun, product, SLOTS + 400))
    taken: dict[int, str] = {}
    for begun, product, end in sorted(runs):
        if not any(slot in taken for slot in range(begun, end)):
            taken |= dict.fromkeys(range(begun, end), product)
    return taken


def _text(slot: int) -> str:
    return moment(slot).isoformat().replace("+00:00", "Z")


def _owner(resource: str, events: list[Event], stated: list[Statement], now: datetime) -> str | None:
    mine = [said for said in stated if said.resource == resource]
    for said in mine:
        if said.end and said.start <= now < said.end:
            return said.account
    since = max(
        (said.end for said in mine if said.end and said.end <= now), default=datetime.min.replace(tzinfo=now.tzinfo)
    )
    opens = [
        (datetime.fromisoformat(e["time"]), e["account"])
        for e in events
        if e["type"] == "open" and "account" in e and since <= datetime.fromisoformat(e["time"]) <= now
    ]
    return min(opens)[1] if opens else None


@pytest.mark.parametrize("seed", range(40))
def test_agrees_with_a_model_of_quarter_hours(dynos: Source, seed: int) -> None:
    chance = random.Random(seed)
    events, stated = happenings(chance)
    steps: list[Any] = [*events, *stated]
    chance.shuffle(steps)
    for step in steps:
        if isinstance(step, Statement):
            ownerships.state(step, by="test")
        elif chance.random() < 0.3:
            settled(dynos, [step])
        else:
            report(dynos, [step])
    spans = [Span(hour(0), hour(1.25)), Span(hour(1.25), hour(2.5)), Span(hour(2.5), hour(50))]
    rows = used(*ACCOUNTS, spans=spans)
    found: dict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
    for row in rows:
        found[row.account, row.product, row.span] += row.seconds_or_quantity
    assert dict(found) == model(events, stated, spans)


def test_the_plan_is_no_catastrophe(dynos: Source) -> None:
    """With a thousand accounts and their history there, the statement reads each table a few times, not once a row."""
    settled(dynos, [opened(n % 700, f"r{n}", account=f"a{n % 1000}") for n in range(3000)])
    settled(dynos, [closed(n % 700 + 1, f"r{n}") for n in range(3000)])
    at = cutoff.freeze()
    with store.cursor() as cursor:
        cursor.execute(b"analyze usage_event, usage_interval, usage_ownership")  # also when autovacuum is about it
        named = metering.parameters([f"a{n}" for n in range(1000)], [OCTOBER.span], at)
        statement = b"explain (analyze, format json) " + effective.statement("account_usage")
        plan = cursor.execute(statement, named).fetchall()[0][0][0]["Plan"]

    def loops(node: dict[str, Any]) -> int:
        return max([int(node["Actual Loops"]), *(loops(child) for child in node.get("Plans", []))])

    assert loops(plan) <= 4
