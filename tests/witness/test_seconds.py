"""Whatever is said in whatever order: what Vault says was used is what a count of seconds says, at every cut-off.

A state machine reports, repeats and contradicts events from several sources, late and out of order, pairs now and
then, states and transfers owners of resources and of apps, amends and takes amendments back, and freezes cut-offs; the
witness in seconds.py is told the same. After each cut-off both must agree, and about every earlier one for ever.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from core import databases
from core.errors import Conflict, NotFound
from core.periods import Month, Span
from tests.usage.factories import START, report, source, written
from tests.witness.seconds import ALL_LEVELS, APPS, CLOCK, LEVELS, SPANS, SWITCHED, Amended, Fact, Known, Seconds
from usage import amending, completeness, cutoff, metering, ownerships, pairing, pairing_rows, partitions, reading
from usage.amending import SOURCE
from usage.models import PairingProblem, Source, Unpaired
from usage.ownerships import AlreadyOwned, Statement

ACCOUNTS = ("ada", "bob", "eve")
ACTOR = "user:olga@example.com"
EARLIER = -100  # seconds before the clock in which each resource of an app ran once, so that Vault knows its app
Said = dict[str, Any]
# Near another more often than not, so that what is said meets.
seconds = st.one_of(st.integers(0, CLOCK - 1), st.sampled_from((0, 5, 10, 19, 20, 21, 30, CLOCK - 1)))


def moment(second: int) -> datetime:
    return START + timedelta(seconds=second)


def named(kind: str, at: int, resource: str, **more: Any) -> Said:
    app = {"app": APPS[resource]} if kind == "open" and APPS[resource] else {}
    return {"type": kind, "time": written(moment(at)), "resource": resource} | app | more


@st.composite
def said(draw: st.DrawFn, resource: str = "", within: tuple[int, int] = (0, CLOCK)) -> Said:
    """One event without an id; ``within`` holds its time."""
    resource = resource or draw(st.sampled_from(sorted(APPS)))
    kind = draw(st.sampled_from(("open", "open", "close", "close", "measured", "gauge")))
    first, last = within
    at = draw(seconds if last - first == CLOCK else st.integers(first, last - 1))
    account = {"account": draw(st.sampled_from(ACCOUNTS))} if kind != "close" and draw(st.booleans()) else {}
    if kind == "measured":
        quantity = str(draw(st.integers(0, 50)) / Decimal(8))
        return named(kind, at, resource, product="requests", meter="requests", quantity=quantity) | account
    if kind == "gauge":
        level = str(draw(st.integers(0, 3)))
        product = draw(st.sampled_from(ALL_LEVELS))
        return named(kind, at, resource, product=product, meter=LEVELS, quantity=level) | account
    if kind == "close" and draw(st.integers(0, 3)) == 0:
        return named(kind, at, resource, product=draw(st.sampled_from(ALL_LEVELS)), meter=LEVELS)
    return named(kind, at, resource, product=draw(st.sampled_from(("small", "large")))) | account


@st.composite
def burst(draw: st.DrawFn) -> list[Said]:
    """Switch one product on and off several times within one second."""
    resource, product = draw(st.sampled_from(sorted(APPS))), draw(st.sampled_from(("small", "large")))
    at = draw(st.sampled_from((5, 10, 20, 30)))
    kinds = draw(st.lists(st.sampled_from(("open", "close")), min_size=2, max_size=5))
    return [named(kind, at, resource, product=product) for kind in kinds]


class Usage(RuleBasedStateMachine):
    """Vault and the witness, told the same."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = transaction.atomic(using=databases.usage())
        self.inside.__enter__()
        self.seconds = Seconds()
        self.step = 0
        self.sent: list[tuple[Source, Said]] = []
        self.statements: list[Statement] = []
        self.cuts: list[tuple[datetime, Known]] = []

    @initialize()
    def begin(self) -> None:
        self.sources = [source("dynos"), source("routers")]
        before = [
            named(kind, EARLIER + number, resource, product="small") | {"id": f"{kind}-{resource}"}
            for resource, app in APPS.items()
            if app
            for number, kind in enumerate(("open", "close"))
        ]
        assert report(self.sources[0], before).complete
        pairing.drain()

    # -- events -------------------------------------------------------------------------------------------------

    def _noted(self, by: Source, events: Sequence[Said], amendment: int | None = None) -> None:
        for event in events:
            at = int((datetime.fromisoformat(event["time"]) - START).total_seconds())
            quantity = Decimal(event["quantity"]) if "quantity" in event else None
            fact = Fact(
                (by.pk, event["id"]), event["type"], at, event["resource"], event["product"],
                event.get("meter", SWITCHED), event.get("account", ""), quantity, self.step, amendment,
            )  # fmt: skip
            self.seconds.facts.append(fact)

    @rule(events=st.one_of(st.lists(said(), min_size=1, max_size=8), burst()), who=st.integers(0, 1))
    def report(self, events: list[Said], who: int) -> None:
        self.step += 1
        new = [event | {"id": f"{(len(self.sent) + n) * 7919 % 1000:03}"} for n, event in enumerate(events)]
        answer = report(self.sources[who], new)
        assert (answer.accepted, answer.complete) == (len(new), True)
        self.sent += [(self.sources[who], event) for event in new]
        self._noted(self.sources[who], new)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        chosen = data.draw(st.lists(st.sampled_from(range(len(self.sent))), min_size=1, max_size=5))
        for who in self.sources:
            again = [event for by, event in map(self.sent.__getitem__, chosen) if by is who]
            answer = report(who, again + again)
            assert (answer.accepted, answer.duplicate) == (0, 2 * len(again))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def contradict(self, data: st.DataObject) -> None:
        who, event = data.draw(st.sampled_from(self.sent))
        answer = report(who, [event | {"product": "another"}])
        assert (answer.accepted, answer.conflict) == (0, 1)

    @rule(limit=st.sampled_from((1, 3, None)))
    def pair(self, limit: int | None) -> None:
        pairing.drain(limit=limit)

    # -- owners -------------------------------------------------------------------------------------------------

    @rule(resource=st.sampled_from(("", *APPS)), account=st.sampled_from(ACCOUNTS), start=seconds, end=seconds)
    def own(self, resource: str, account: str, start: int, end: int | None) -> None:
        """State an owner of a resource or, without one, of the app; with no end when it lies before the start."""
        self.step += 1
        end = end if end is not None and end > start else None
        app = APPS[resource] if resource else "shop"
        told = Statement(f"s{self.step}", account, resource, app, moment(start), None if end is None else moment(end))
        free = self.seconds.own(resource, account, range(start, CLOCK + 1 if end is None else end))
        if free:
            assert ownerships.state(told, by=ACTOR)
            self.statements.append(told)
        else:
            with pytest.raises(AlreadyOwned):
                ownerships.state(told, by=ACTOR)

    @precondition(lambda self: self.statements)
    @rule(data=st.data())
    def measure_at_an_end(self, data: st.DataObject) -> None:
        """Measure at the very moment at which an ownership begins or ends, which is half-open."""
        told = data.draw(st.sampled_from(self.statements))
        at = int(((told.end or told.start) - START).total_seconds())
        if at < CLOCK:
            quantity = {"product": "requests", "meter": "requests", "quantity": "1"}
            self.report(events=[named("measured", at, told.resource or "r1", **quantity)], who=0)

    @precondition(lambda self: self.statements)
    @rule(data=st.data())
    def own_again(self, data: st.DataObject) -> None:
        assert not ownerships.state(data.draw(st.sampled_from(self.statements)), by=ACTOR)

    @rule(
        resource=st.sampled_from(("", *APPS)),
        accounts=st.permutations(ACCOUNTS),
        at=seconds,
    )
    def transfer(self, resource: str, accounts: Sequence[str], at: int) -> None:
        """Hand over a resource or, without one, the app."""
        self.step += 1
        what = {"resource": resource} if resource else {"app": "shop"}
        moved = self.seconds.transfer(resource, accounts[0], accounts[1], at)
        if moved:
            ownerships.transfer(**what, giver=accounts[0], taker=accounts[1], at=moment(at), by=ACTOR)
        else:
            with pytest.raises(NotFound):
                ownerships.transfer(**what, giver=accounts[0], taker=accounts[1], at=moment(at), by=ACTOR)

    # -- amendments ---------------------------------------------------------------------------------------------

    @rule(
        data=st.data(),
        resource=st.sampled_from(sorted(APPS)),
        meter=st.sampled_from(("", "", SWITCHED, "requests", LEVELS)),
        times=st.lists(st.one_of(seconds, st.just(CLOCK)), min_size=2, max_size=2, unique=True).map(sorted),
    )
    def amend(self, data: st.DataObject, resource: str, meter: str, times: list[int]) -> None:
        self.step += 1
        if not any(fact.resource == resource for fact in self.seconds.facts):
            return
        start, end = times
        events = [
            event | {"id": str(number)}
            for number, event in enumerate(data.draw(st.lists(said(resource, (start, end)), max_size=4)))
            if meter in ("", event.get("meter", SWITCHED))
        ]
        restated = reading.read(json.dumps(events).encode()).events
        made = amending.amend(resource, moment(start), moment(end), restated, reason="wrong", actor=ACTOR, meter=meter)
        self.seconds.amendments[made.pk] = Amended(resource, meter, start, end, self.step)
        ordered = sorted(events, key=lambda event: datetime.fromisoformat(event["time"]))
        numbered = [event | {"id": f"amendment-{made.pk}-{place}"} for place, event in enumerate(ordered, start=1)]
        self._noted(Source.objects.get(name=SOURCE), numbered, made.pk)

    @precondition(lambda self: self.seconds.amendments)
    @rule(data=st.data())
    def revert(self, data: st.DataObject) -> None:
        self.step += 1
        number = data.draw(st.sampled_from(sorted(self.seconds.amendments)))
        one = self.seconds.amendments[number]
        if one.reverted:
            with pytest.raises(Conflict):
                amending.revert(number, reason="right after all", actor=ACTOR)
        else:
            amending.revert(number, reason="right after all", actor=ACTOR)
        one.reverted = True

    # -- what must agree ----------------------------------------------------------------------------------------

    @rule()
    def freeze(self) -> None:
        self.step += 1
        at, known = cutoff.freeze(), self.seconds.known()
        assert not Unpaired.objects.exists()
        compare(at, known)
        problems = PairingProblem.objects.values_list("event__source_id", "event__event_id", "kind")
        assert {((who, name), kind) for who, name, kind in problems} == known.problems
        self.cuts.append((at, known))

    @precondition(lambda self: self.cuts)
    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        compare(*data.draw(st.sampled_from(self.cuts)))

    def teardown(self) -> None:
        try:
            self.freeze()
            for at, known in self.cuts:
                compare(at, known)
        finally:
            transaction.set_rollback(True, using=databases.usage())
            self.inside.__exit__(None, None, None)


def compare(at: datetime, known: Known) -> None:
    """Hold what Vault says was known at a cut-off against the count of seconds."""
    used: Counter[tuple[str, str, str, int]] = Counter()
    spans = [Span(moment(first), moment(last)) for first, last in SPANS]
    for row in metering.account_usage(ACCOUNTS, spans, cutoff=at):
        used[row.account, row.product, row.meter, row.span] += row.seconds_or_quantity  # type: ignore[assignment]
    assert nonzero(used) == nonzero(known.used)
    unowned: Counter[tuple[str, str, int]] = Counter()
    for number, span in enumerate(spans):
        for one in completeness.unowned(span, cutoff=at):
            unowned[one.resource, one.product, number] += one.seconds + one.quantity  # type: ignore[assignment]
    assert nonzero(unowned) == nonzero(known.unowned)


def nonzero(found: Counter[Any]) -> dict[Any, Any]:
    return {key: amount for key, amount in found.items() if amount}


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let pairing end a transaction, and a look at a line, in the middle of what belongs together."""
    monkeypatch.setattr(pairing, "BATCH", 4)
    monkeypatch.setattr(pairing_rows, "FIRST", 2)
    monkeypatch.setattr(pairing_rows, "GROWTH", 2)
    yield


@pytest.mark.slow
@pytest.mark.django_db
def test_usage_is_what_a_count_of_seconds_says(small_batches: None, request: pytest.FixtureRequest) -> None:
    partitions.ensure([Month.containing(START)])
    examples = request.config.getoption("--stories")
    run_state_machine_as_test(
        Usage,
        settings=settings(
            max_examples=examples, stateful_step_count=35, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
