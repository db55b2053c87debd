"""Dunning: which rung comes next, what pauses the ladder, and which ladders are refused."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_.business_days import add_business_days, is_business_day
from collections_.declines import DeclineClass, classify
from collections_.dunning import (
    STANDARD_STEPS,
    Decision,
    Policy,
    Position,
    StepKind,
    next_step,
    parse_policy,
    policy_as_json,
)
from core.errors import Invalid

MONDAY = date(2026, 11, 2)
POLICY = parse_policy([dict(step) for step in STANDARD_STEPS])
FRESH = Position(MONDAY, Decimal(100), {})
HARSH = {StepKind.RESTRICT, StepKind.SUSPEND, StepKind.HAND_OVER, StepKind.WRITE_OFF}


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def name(decision: Decision) -> str | None:
    return decision.step.name if decision.step else None


def walk(position: Position, days: range, policy: Policy = POLICY) -> list[tuple[int, str]]:
    """Take each step on the day it is offered, as the daily worker would: (day, name)."""
    story: list[tuple[int, str]] = []
    for number in days:
        while step := next_step(policy, position, as_of=day(number)).step:
            position = replace(position, taken={**position.taken, step.name: day(number)})
            story.append((number, step.name))
    return story


class TestLadder:
    def test_is_climbed_day_by_day(self) -> None:
        assert walk(FRESH, range(-3, 200)) == [
            (0, "first_charge"),
            (1, "reminder"),
            (10, "second_charge"),
            (14, "final_notice"),
            (21, "restriction"),
            (30, "suspension"),
            (65, "hand_over"),
            (120, "write_off"),
        ]

    def test_says_when_to_look_again(self) -> None:
        decision = next_step(POLICY, FRESH, as_of=day(-1))
        assert (decision.step, decision.next_on) == (None, MONDAY)

    def test_keeps_its_distances_when_it_was_late(self) -> None:
        """Nothing ran for two months: the customer still has the days between notice and suspension."""
        assert walk(FRESH, range(60, 300)) == [
            (60, "first_charge"),
            (61, "reminder"),
            (70, "second_charge"),
            (74, "final_notice"),
            (81, "restriction"),
            (90, "suspension"),
            (125, "hand_over"),
            (180, "write_off"),
        ]

    def test_ends_when_every_step_was_taken(self) -> None:
        done = replace(FRESH, taken={step.name: day(0) for step in POLICY.steps})
        assert next_step(POLICY, done, as_of=day(999)).reason == "every step has been taken"


class TestPauses:
    LATE = replace(FRESH, taken={step.name: step.planned_on(MONDAY) for step in POLICY.steps[:5]})

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"outstanding": Decimal(0)}, "nothing is outstanding"),
            ({"outstanding": Decimal(-1)}, "nothing is outstanding"),
            ({"unknown_payment": True}, "a payment's outcome is unknown"),
            ({"disputed": True}, "the invoice is disputed"),
            ({"least": Decimal(101)}, "the amount is below the threshold"),
            ({"hold_until": day(40)}, "on hold until 2026-12-12"),
            ({"promise_until": day(40)}, "payment is promised until 2026-12-12"),
        ],
    )
    def test_each_stops_the_ladder(self, change: dict[str, Any], reason: str) -> None:
        assert name(next_step(POLICY, self.LATE, as_of=day(40))) == "suspension"
        decision = next_step(POLICY, replace(self.LATE, **change), as_of=day(40))
        assert (decision.step, decision.reason) == (None, reason)

    def test_an_amount_at_the_threshold_is_chased(self) -> None:
        assert name(next_step(POLICY, replace(self.LATE, least=Decimal(100)), as_of=day(40))) == "suspension"

    @pytest.mark.parametrize("pause", ["hold_until", "promise_until"])
    def test_ends_after_its_last_day(self, pause: str) -> None:
        paused = replace(self.LATE, **{pause: day(40)})
        assert next_step(POLICY, paused, as_of=day(40)).next_on == day(41)
        assert name(next_step(POLICY, paused, as_of=day(41))) == "suspension"

    def test_every_combination_suspends_only_when_all_allow_it(self) -> None:
        """R-42: overdue, noticed, no dispute, no unknown payment, no pause."""
        for unknown, disputed, held, promised, noticed, late in product((False, True), repeat=6):
            steps = POLICY.steps[:5] if noticed else [step for step in POLICY.steps[:5] if step.kind != StepKind.NOTICE]
            position = Position(
                MONDAY,
                Decimal(100),
                {step.name: step.planned_on(MONDAY) for step in steps},
                hold_until=day(99) if held else None,
                promise_until=day(99) if promised else None,
                disputed=disputed,
                unknown_payment=unknown,
            )
            step = next_step(POLICY, position, as_of=day(40 if late else 25)).step
            allowed = not (unknown or disputed or held or promised) and noticed and late
            assert (step is not None and step.kind is StepKind.SUSPEND) == allowed


class TestDeclines:
    @pytest.mark.parametrize(
        ("code", "expected"),
        [
            ("insufficient_funds", DeclineClass.RETRYABLE),
            ("expired_card", DeclineClass.NEEDS_CUSTOMER),
            ("stolen_card", DeclineClass.NEVER_RETRY),
            ("something_new", DeclineClass.RETRYABLE),
        ],
    )
    def test_are_classified(self, code: str, expected: DeclineClass) -> None:
        assert classify(code) is expected

    def test_a_retryable_one_is_tried_again(self) -> None:
        tried = replace(FRESH, taken={"first_charge": day(0), "reminder": day(1)}, last_decline=DeclineClass.RETRYABLE)
        assert name(next_step(POLICY, tried, as_of=day(10))) == "second_charge"

    @pytest.mark.parametrize("decline", [DeclineClass.NEEDS_CUSTOMER, DeclineClass.NEVER_RETRY])
    def test_others_skip_the_charge_but_not_the_ladder(self, decline: DeclineClass) -> None:
        tried = replace(FRESH, taken={"first_charge": day(0), "reminder": day(1)}, last_decline=decline)
        decision = next_step(POLICY, tried, as_of=day(14))
        assert name(decision) == "final_notice"
        assert [step.name for step in decision.skipped] == ["second_charge"]

    def test_a_new_card_is_charged_again(self) -> None:
        tried = replace(FRESH, taken={"first_charge": day(0), "reminder": day(1)}, last_decline=None)
        assert name(next_step(POLICY, tried, as_of=day(12))) == "second_charge"


class TestPolicy:
    def test_comes_back_from_json_as_it_went(self) -> None:
        assert policy_as_json(POLICY) == list(STANDARD_STEPS)

    def test_may_put_two_steps_on_one_day(self) -> None:
        steps = [{"name": "n" * 40, "kind": "notice", "days": 3650}, {"name": "b", "kind": "suspend", "days": 3650}]
        assert policy_as_json(parse_policy(steps)) == steps

    @pytest.mark.parametrize(
        ("steps", "field"),
        [
            (None, "steps"),
            ([], "steps"),
            ([1], "steps[0]"),
            ([{"kind": "notice", "days": 1}], "steps[0].name"),
            ([{"name": "", "kind": "notice", "days": 1}], "steps[0].name"),
            ([{"name": "a", "kind": "shout", "days": 1}], "steps[0].kind"),
            ([{"name": "a", "kind": "notice"}], "steps[0].days"),
            ([{"name": "a", "kind": "notice", "days": -1}], "steps[0].days"),
            ([{"name": "a", "kind": "notice", "days": 1.5}], "steps[0].days"),
            ([{"name": "a", "kind": "notice", "days": True}], "steps[0].days"),
            ([{"name": "a", "kind": "notice", "days": 9999}], "steps[0].days"),
            ([{"name": "a", "kind": "notice", "days": 1, "business_days": 1}], "steps[0].days"),
            ([{"name": "a", "kind": "notice", "days": 1}] * 2, "steps[1].name"),
            ([{"name": "a", "kind": "notice", "days": 9}, {"name": "b", "kind": "charge", "days": 3}], "steps[1].days"),
            (
                [{"name": "a", "kind": "notice", "business_days": 5}, {"name": "b", "kind": "charge", "days": 6}],
                "steps[1].days",
            ),
            ([{"name": "a", "kind": "suspend", "days": 30}], "steps[0].kind"),
            (
                [{"name": "a", "kind": "charge", "days": 0}, {"name": "b", "kind": "suspend", "days": 9}],
                "steps[1].kind",
            ),
            ([{"name": "n" * 41, "kind": "notice", "days": 1}], "steps[0].name"),
            ([{"name": "a", "kind": "notice", "days": 3651}], "steps[0].days"),
            (
                [{"name": "a", "kind": "notice", "business_days": 4}, {"name": "b", "kind": "charge", "days": 5}],
                "steps[1].days",
            ),
            ([{"name": f"c{n}", "kind": "charge", "days": n} for n in range(16)], "steps[15].kind"),
        ],
    )
    def test_a_mistake_names_its_field(self, steps: object, field: str) -> None:
        with pytest.raises(Invalid) as caught:
            parse_policy(steps)
        assert caught.value.field == field
        assert field.split(".")[0] in str(caught.value)


class TestBusinessDays:
    FRIDAY = date(2026, 11, 6)

    @pytest.mark.parametrize(("count", "expected"), [(0, 6), (1, 9), (5, 13), (6, 16)])
    def test_pass_over_weekends(self, count: int, expected: int) -> None:
        assert add_business_days(self.FRIDAY, count) == date(2026, 11, expected)

    def test_pass_over_holidays(self) -> None:
        assert add_business_days(self.FRIDAY, 1, holidays={date(2026, 11, 9)}) == date(2026, 11, 10)

    def test_none_after_a_saturday_is_the_monday(self) -> None:
        assert add_business_days(date(2026, 11, 7), 0) == date(2026, 11, 9)


@given(
    due_on=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    worked=st.sets(st.integers(0, 200), min_size=1),
    holidays=st.sets(st.dates(date(2026, 1, 1), date(2027, 6, 1)), max_size=10),
)
def test_on_any_days_of_work_steps_come_in_order_and_harsh_ones_days_after_a_notice(
    due_on: date, worked: set[int], holidays: set[date]
) -> None:
    position = Position(due_on, Decimal(1), {})
    for number in sorted(worked):
        today = due_on + timedelta(days=number)
        while step := next_step(POLICY, position, as_of=today, holidays=holidays).step:
            assert list(position.taken) == [earlier.name for earlier in POLICY.steps[: len(position.taken)]]
            assert step.planned_on(due_on, holidays) <= today
            if step.kind in HARSH:
                assert (today - position.taken["final_notice"]).days >= 7
            position = replace(position, taken={**position.taken, step.name: today})
    assert is_business_day(add_business_days(due_on, 3, holidays), holidays)
