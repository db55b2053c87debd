"""Dunning: the ladder as data, and the pure decision which rung comes next for one invoice."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from collections_.business_days import add_business_days
from collections_.declines import DeclineClass
from core.errors import Invalid
from core.exact import ZERO
from core.fields import Fields

MOST_DAYS: Final = 3650
MOST_CHARGES: Final = 15  # the card networks' ceiling within 30 days


class StepKind(StrEnum):
    """What a rung does."""

    CHARGE = "charge"
    NOTICE = "notice"
    RESTRICT = "restrict"
    SUSPEND = "suspend"
    HAND_OVER = "hand_over"
    WRITE_OFF = "write_off"


HARSH: Final = frozenset({StepKind.RESTRICT, StepKind.SUSPEND, StepKind.HAND_OVER, StepKind.WRITE_OFF})


@dataclass(frozen=True, slots=True)
class Step:
    """One rung: ``days`` calendar days after the due day, or that many business days."""

    name: str
    kind: StepKind
    days: int
    business: bool = False

    def planned_on(self, due_on: date, holidays: Collection[date] = ()) -> date:
        """Return the day the policy asks for this step, for an invoice due on ``due_on``."""
        if self.business:
            return add_business_days(due_on, self.days, holidays)
        return due_on + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Policy:
    """Rungs in the order in which they are taken."""

    steps: tuple[Step, ...]


# Two tries and two notices before anything is taken away; data for the first policy version. A card is charged on
# the due day itself, whatever weekday; the second try waits for the business days in which accounts fill up.
STANDARD_STEPS: Final[tuple[Mapping[str, Any], ...]] = (
    {"name": "first_charge", "kind": "charge", "days": 0},
    {"name": "reminder", "kind": "notice", "days": 1},
    {"name": "second_charge", "kind": "charge", "business_days": 8},
    {"name": "final_notice", "kind": "notice", "days": 14},
    {"name": "restriction", "kind": "restrict", "days": 21},
    {"name": "suspension", "kind": "suspend", "days": 30},
    {"name": "hand_over", "kind": "hand_over", "days": 65},
    {"name": "write_off", "kind": "write_off", "days": 120},
)


@dataclass(frozen=True, slots=True)
class Position:
    """Where one invoice stands on the day of the decision.

    ``taken`` tells each step's name and day. Holds and promises pause through their last day. ``unknown_payment``:
    a charge was sent and nobody knows its outcome. ``last_decline`` is that of the current card, None after a
    change of card. Amounts below ``least`` are left alone.
    """

    due_on: date
    outstanding: Decimal
    taken: Mapping[str, date]
    hold_until: date | None = None
    promise_until: date | None = None
    disputed: bool = False
    unknown_payment: bool = False
    last_decline: DeclineClass | None = None
    least: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Decision:
    """The step to take today, or why there is none; ``next_on`` is when to look again, if a date is known.

    ``skipped`` are charges that cannot succeed with this card and are passed over, not tried.
    """

    step: Step | None
    reason: str
    next_on: date | None = None
    skipped: tuple[Step, ...] = ()


def next_step(policy: Policy, position: Position, *, as_of: date, holidays: Collection[date] = ()) -> Decision:
    """Decide one invoice's next rung on ``as_of``. Pure and repeatable; at most one step at a time.

    Notices are never passed over and stand before anything harsh (``parse_policy``), so nothing is taken away
    unannounced. A ladder that was paused or late keeps the distances between its rungs: no customer gets a notice and a
    suspension on one day because a worker was down.
    """
    paused = _pause(position, as_of)
    if paused is not None:
        return paused
    skipped: list[Step] = []
    for step in policy.steps:
        if step.name in position.taken:
            continue
        if step.kind is StepKind.CHARGE and position.last_decline not in (None, DeclineClass.RETRYABLE):
            skipped.append(step)
            continue
        due = _due(policy, step, position, holidays)
        if due > as_of:
            return Decision(None, "the next step is not due yet", due, tuple(skipped))
        return Decision(step, f"{step.name} is due since {due}", due, tuple(skipped))
    return Decision(None, "every step has been taken", None, tuple(skipped))


def _pause(position: Position, as_of: date) -> Decision | None:
    """Return why nothing may happen now; what we do not know about money comes before what people agreed."""
    if position.outstanding <= 0:
        return Decision(None, "nothing is outstanding")
    if position.unknown_payment:
        return Decision(None, "a payment's outcome is unknown")
    if position.disputed:
        return Decision(None, "the invoice is disputed")
    if position.outstanding < position.least:
        return Decision(None, "the amount is below the threshold")
    for until, reason in ((position.hold_until, "on hold"), (position.promise_until, "payment is promised")):
        if until is not None and as_of <= until:
            return Decision(None, f"{reason} until {until}", until + timedelta(days=1))
    return None


def _due(policy: Policy, step: Step, position: Position, holidays: Collection[date]) -> date:
    """Return the day of a step: as planned, or as far after the last step taken as the policy puts between them."""
    planned = step.planned_on(position.due_on, holidays)
    taken = [
        (position.taken[other.name], rung) for rung, other in enumerate(policy.steps) if other.name in position.taken
    ]
    if not taken:
        return planned
    previous = policy.steps[max(taken)[1]]
    distance = planned - previous.planned_on(position.due_on, holidays)
    return max(planned, position.taken[previous.name] + distance)


def parse_policy(value: object, path: str = "steps") -> Policy:
    """Read a policy: a list such as ``[{"name": "reminder", "kind": "notice", "days": 3}]``.

    ``business_days`` may stand instead of ``days``. Steps must ascend whatever weekday an invoice is due on, have
    different names, and give notice before they take anything away. A mistake raises Invalid with its field.
    """
    items = Fields({path: value}).items(path)
    steps = tuple(_parse_step(Fields(item, place)) for place, item in items)
    if not steps:
        raise Invalid(f"{path} must hold at least one step.", field=path)
    for index, step in enumerate(steps):
        _check_place(steps[:index], step, f"{path}[{index}]")
    return Policy(steps)


def policy_as_json(policy: Policy) -> list[dict[str, Any]]:
    """Write a policy as the list that ``parse_policy`` reads back."""
    return [
        {"name": step.name, "kind": str(step.kind), "business_days" if step.business else "days": step.days}
        for step in policy.steps
    ]


def _parse_step(fields: Fields) -> Step:
    name, kind = fields.text("name"), fields.text("kind")
    if not 1 <= len(name) <= 40:
        raise Invalid(f"{fields.at('name')} must have 1 to 40 characters.", field=fields.at("name"))
    if kind not in list(StepKind):
        sentence = f"{fields.at('kind')} must be one of {', '.join(StepKind)}; it is {kind!r:.40}."
        raise Invalid(sentence, field=fields.at("kind"))
    unit = "business_days" if fields.has("business_days") else "days"
    days = fields.count(unit)
    if days > MOST_DAYS:
        raise Invalid(f"{fields.at(unit)} may be {MOST_DAYS} at most; it is {days}.", field=fields.at(unit))
    fields.done("a dunning step")
    return Step(name, StepKind(kind), days, business=unit == "business_days")


def _check_place(before: tuple[Step, ...], step: Step, path: str) -> None:
    """Refuse a step that does not fit behind those ``before`` it."""
    if step.name in {other.name for other in before}:
        raise Invalid(f"{path}.name is used by an earlier step; give it another.", field=f"{path}.name")
    week = [date(2026, 1, 5) + timedelta(days=day) for day in range(7)]
    if before and any(step.planned_on(day) < before[-1].planned_on(day) for day in week):
        raise Invalid(f"{path} may fall before {before[-1].name}; steps must ascend.", field=f"{path}.days")
    if step.kind in HARSH and all(other.kind is not StepKind.NOTICE for other in before):
        raise Invalid(f"{path} takes something away; a notice must come before it.", field=f"{path}.kind")
    if step.kind is StepKind.CHARGE and sum(other.kind is StepKind.CHARGE for other in before) >= MOST_CHARGES:
        raise Invalid(f"{path} is one charge too many; card networks allow {MOST_CHARGES}.", field=f"{path}.kind")
