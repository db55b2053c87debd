"""Usage second by second, the slow and obvious way: what was used by whom in each second of a short clock.

The witness against which intake, pairing, ownership and amendments are held. It shares no code with them: it keeps
everything that was ever said, in the order in which it was said, and works all out anew whenever it is asked.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

CLOCK = 60  # seconds that are looked at; second CLOCK stands for all time after
SPANS = ((0, 20), (20, CLOCK))
APPS = {"r1": "shop", "r2": "shop", "r3": ""}  # the resources, and the app of each
SWITCHED, LEVELS = "duration", "storage"  # a meter that is switched on and off, one that has a level


class Fact(NamedTuple):
    """One event, as it counts here; ``order`` decides between two of one second: source, then id."""

    order: tuple[int, str]
    type: str
    at: int
    resource: str
    product: str
    meter: str
    account: str
    quantity: Decimal | None
    received: int
    amendment: int | None = None


@dataclass(slots=True)
class Amended:
    """A correction: from ``recorded`` until ``reverted``, what was said before about its seconds gives way."""

    resource: str
    meter: str
    start: int
    end: int
    recorded: int
    reverted: bool = False


Runs = dict[int, tuple[str, Decimal]]  # second: product and level
Problem = tuple[tuple[int, str], str]  # order of the event, kind


@dataclass(slots=True)
class Known:
    """What follows at one moment: usage per owner, usage of nobody, and what makes no sense."""

    used: Counter[tuple[str, str, str, int]]  # account, product, meter, span
    unowned: Counter[tuple[str, str, int]]  # resource, product, span
    problems: set[Problem]


@dataclass(slots=True)
class Seconds:
    """Everything that was said so far."""

    facts: list[Fact] = field(default_factory=list)
    amendments: dict[int, Amended] = field(default_factory=dict)
    stated: dict[str, dict[int, str]] = field(default_factory=lambda: {name: {} for name in APPS})
    of_app: dict[int, str] = field(default_factory=dict)  # who owns the app "shop"
    transferred: set[object] = field(default_factory=set)

    # -- what is said -------------------------------------------------------------------------------------------

    def own(self, resource: str, account: str, seconds: Iterable[int]) -> bool:
        """State an owner of a resource, or of the app; return whether those seconds were free to be stated."""
        claims, seconds = self.stated[resource] if resource else self.of_app, list(seconds)
        if any(second in claims for second in seconds):
            return False
        claims.update(dict.fromkeys(seconds, account))
        return True

    def transfer(self, resource: str, giver: str, taker: str, at: int) -> bool:
        """Hand over a resource, or the app with all in it; return whether there was anything to hand over."""
        if (resource, giver, taker, at) in self.transferred:
            return True
        moved = False
        owners = {name: self.owners(name) for name in ([resource] if resource else APPS) if resource or APPS[name]}
        for name, whose in owners.items():
            for second in range(at, CLOCK + 1):
                account, why = whose[second]
                if account == giver and (resource or why != "app"):
                    self.stated[name][second], moved = taker, True
        for second in range(at, CLOCK + 1):
            if not resource and self.of_app.get(second) == giver:
                self.of_app[second], moved = taker, True
        if moved:
            self.transferred.add((resource, giver, taker, at))
        return moved

    # -- what counts --------------------------------------------------------------------------------------------

    def stands(self, amendment: int | None) -> bool:
        return amendment is None or not self.amendments[amendment].reverted

    def counting(self) -> list[Fact]:
        """Return the facts that no standing amendment puts aside."""
        return [fact for fact in self.facts if self.stands(fact.amendment) and not self._gave_way(fact)]

    def _gave_way(self, fact: Fact) -> bool:
        return any(
            not one.reverted
            and one.resource == fact.resource
            and one.meter in ("", fact.meter)
            and one.start <= fact.at < one.end
            and one.recorded > fact.received
            for one in self.amendments.values()
        )

    # -- who owns -----------------------------------------------------------------------------------------------

    def owners(self, resource: str) -> list[tuple[str, str]]:
        """Return for each second, and for all time after, who owns a resource and by which word; ("", "") nobody."""
        whose = [(self.stated[resource].get(second, ""), "stated") for second in range(CLOCK + 1)]
        if APPS[resource]:
            whose = [one if one[0] else (self.of_app.get(second, ""), "app") for second, one in enumerate(whose)]
        owner = ""
        for second in range(CLOCK + 1):
            if whose[second][0]:
                owner = ""  # the gap is over
            else:
                owner = owner or self._named(resource, second)
                whose[second] = (owner, "event")
        return [one if one[0] else ("", "") for one in whose]

    def _named(self, resource: str, second: int) -> str:
        """Return the account that events of one second name, the first by name if there are several.

        Amended or not: a source's word about owners stays.
        """
        named = (
            fact.account
            for fact in self.facts
            if (fact.resource, fact.at) == (resource, second) and fact.account and self.stands(fact.amendment)
        )
        return min(named, default="")

    # -- what runs ----------------------------------------------------------------------------------------------

    def known(self) -> Known:
        """Work out all that follows from what was said so far."""
        known, counting = Known(Counter(), Counter(), set()), self.counting()
        for resource in APPS:
            whose, mine = self.owners(resource), [fact for fact in counting if fact.resource == resource]
            for second, product, meter, amount in self._amounts(mine, known.problems):
                for span, (first, last) in enumerate(SPANS):
                    if first <= second < last and whose[second][0]:
                        known.used[whose[second][0], product, meter, span] += amount  # type: ignore[assignment]
                    elif first <= second < last:
                        time_or_quantity = amount if meter == "requests" else 1  # whatever the level was
                        known.unowned[resource, product, span] += time_or_quantity  # type: ignore[assignment]
        return known

    def _amounts(self, facts: list[Fact], problems: set[Problem]) -> Iterator[tuple[int, str, str, Decimal]]:
        for fact in facts:
            if fact.type == "measured" and fact.quantity is not None:
                yield fact.at, fact.product, fact.meter, fact.quantity
        for meter, run in ((SWITCHED, switched), (LEVELS, levelled)):
            line = sorted(fact for fact in facts if fact.meter == meter and fact.type != "measured")
            for second, (product, level) in run(line, problems).items():
                yield second, product, meter, level


def switched(facts: Sequence[Fact], problems: set[Problem]) -> Runs:
    """Say which product runs in each second: first each product by itself, then who was there first stays."""
    alone = [run for product in sorted({fact.product for fact in facts}) for run in _alone(facts, product, problems)]
    running: Runs = {}
    for opening, closing in sorted(alone, key=lambda run: (run[0].at, run[0].product)):
        if opening.at in running:
            problems |= {(end.order, "overlap") for end in (opening, closing) if end}
        else:
            end = closing.at if closing else CLOCK + 1
            running |= {second: (opening.product, Decimal(1)) for second in range(opening.at, end)}
    return running


def _alone(facts: Sequence[Fact], product: str, problems: set[Problem]) -> Iterator[tuple[Fact, Fact | None]]:
    on: Fact | None = None
    for second in range(CLOCK):
        now = [fact for fact in facts if (fact.product, fact.at) == (product, second)]
        opens, closes = ([fact for fact in now if fact.type == kind] for kind in ("open", "close"))
        was_off = on is None
        if on and closes:
            yield on, closes.pop(0)
            on = None
        if on is None and opens and was_off and closes:
            problems |= {(opens.pop(0).order, "empty"), (closes.pop(0).order, "empty")}
        elif on is None and opens:
            on = opens.pop(0)
        problems |= {(fact.order, "double_open") for fact in opens} | {(fact.order, "orphan_close") for fact in closes}
    if on:
        yield on, None


def levelled(facts: Sequence[Fact], problems: set[Problem]) -> Runs:
    """Say which product's level holds in each second; of two levels of one second the later in order counts."""
    running: Runs = {}
    holds: tuple[str, Decimal] | None = None
    for second in range(CLOCK + 1):
        now = [fact for fact in facts if fact.at == second]
        levels = {fact.product: fact for fact in now if fact.type == "gauge"}
        closes = {name: [fact for fact in now if (fact.type, fact.product) == ("close", name)] for name in ALL_LEVELS}
        ended = holds[0] if holds else ""
        if holds and closes[holds[0]]:
            closes[holds[0]].pop(0)
            holds = None
        elif holds and holds[0] in levels:
            level = levels.pop(holds[0]).quantity or Decimal(0)
            holds = (holds[0], level) if level else None
        for product in sorted(levels):
            if not levels[product].quantity:
                continue
            if closes[product] and product != ended:
                problems |= {(levels[product].order, "empty"), (closes[product].pop(0).order, "empty")}
            elif holds:
                problems.add((levels[product].order, "overlap"))
            else:
                holds = (product, levels[product].quantity or Decimal(0))
        problems |= {(fact.order, "orphan_close") for name in ALL_LEVELS for fact in closes[name]}
        if holds:
            running[second] = holds
    return running


ALL_LEVELS = ("disk", "ssd")
