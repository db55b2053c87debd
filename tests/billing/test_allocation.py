"""Credits: in the stated order, within their scope, and never more than there is on either side."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.allocation import Chargeable, Grant, allocate

OCTOBER = date(2026, 10, 1)
GROUPS = ("dyno", "addon", "data")


def line(key: int, group: str, amount: int | str, *, partner: bool = False) -> Chargeable:
    return Chargeable(key, group, Decimal(amount), partner)


def grant(key: int, balance: int | str, *scope: str, expires_on: date | None = None, cap: int | None = None) -> Grant:
    return Grant(key, Decimal(balance), frozenset(scope), True, expires_on, None if cap is None else Decimal(cap))


class TestO9StudentCredit:
    """13 a month on the platform's own products, never on a third party's."""

    STUDENT = Grant(1, Decimal(156), partners=False, cap=Decimal(13))
    OWN = (line(1, "dyno", 5), line(2, "data", 5), line(3, "data", 3))

    def test_pays_for_everything_of_the_platform(self) -> None:
        assert allocate([self.STUDENT], self.OWN, period_start=OCTOBER).rest == 0

    def test_leaves_a_partners_add_on_to_the_customer(self) -> None:
        allocation = allocate([self.STUDENT], (*self.OWN, line(4, "addon", 10, partner=True)), period_start=OCTOBER)
        assert allocation.rest == 10
        assert allocation.by_grant() == {1: 13}
        assert allocation.by_line() == {1: 5, 2: 5, 3: 3}

    def test_stops_at_the_months_cap(self) -> None:
        assert allocate([self.STUDENT], [line(1, "dyno", 20)], period_start=OCTOBER).rest == 7

    def test_counts_what_the_month_took_before(self) -> None:
        student = Grant(1, Decimal(156), cap=Decimal(13), taken=Decimal(10))
        assert allocate([student], [line(1, "dyno", 20)], period_start=OCTOBER).by_grant() == {1: 3}


class TestOrder:
    def used(self, *grants: Grant) -> list[int]:
        return list(allocate(grants, [line(1, "dyno", 10)], period_start=OCTOBER).by_grant())

    def test_what_expires_first_goes_first(self) -> None:
        assert self.used(
            grant(1, 3), grant(2, 3, expires_on=date(2027, 1, 1)), grant(3, 3, expires_on=date(2026, 12, 1))
        ) == [3, 2, 1]

    def test_then_scoped_before_general_then_the_oldest(self) -> None:
        assert self.used(grant(1, 2), grant(2, 2), grant(4, 2, "dyno"), grant(3, 2, "dyno")) == [3, 4, 1, 2]

    def test_an_expired_one_stays_unused(self) -> None:
        assert self.used(grant(1, 3, expires_on=OCTOBER), grant(2, 3, expires_on=date(2026, 10, 2))) == [2]

    def test_a_general_credit_leaves_scoped_ones_their_work(self) -> None:
        general, scoped = grant(1, 10, expires_on=date(2026, 12, 1)), grant(2, 10, "dyno")
        lines = [line(1, "dyno", 10), line(2, "addon", 10)]
        assert allocate([general, scoped], lines, period_start=OCTOBER).rest == 0

    def test_every_later_grant_is_left_its_work(self) -> None:
        grants = [grant(1, 10, expires_on=date(2026, 12, 1)), grant(2, 10, "dyno"), grant(3, 10, "data")]
        lines = [line(1, "dyno", 10), line(2, "addon", 10)]
        assert allocate(grants, lines, period_start=OCTOBER).by_grant() == {1: 10, 2: 10}

    def test_a_full_line_gets_no_application_of_nothing(self) -> None:
        applications = allocate(
            [grant(1, 10), grant(2, 10)], [line(1, "dyno", 10), line(2, "dyno", 0)], period_start=OCTOBER
        )
        assert [(one.grant, one.line, one.amount) for one in applications.applications] == [(1, 1, 10)]

    def test_an_empty_grant_makes_no_application_of_nothing(self) -> None:
        assert allocate([grant(1, 10)], [line(1, "dyno", 10), line(2, "dyno", 5)], period_start=OCTOBER).by_line() == {
            1: 10
        }


class TestScope:
    OWN, PARTNER, OTHER = line(1, "addon", 5), line(2, "addon", 5, partner=True), line(3, "dyno", 5)

    @pytest.mark.parametrize(
        ("scope", "partners", "covered"),
        [
            ((), True, {1, 2, 3}),
            ((), False, {1, 3}),
            (("addon",), True, {1, 2}),
            (("addon",), False, {1}),
            (("data",), True, set()),
        ],
    )
    def test_is_by_group_and_by_partner(self, scope: tuple[str, ...], partners: bool, covered: set[int]) -> None:
        one = Grant(1, Decimal(100), frozenset(scope), partners)
        assert set(allocate([one], [self.OWN, self.PARTNER, self.OTHER], period_start=OCTOBER).by_line()) == covered


class TestNegativeLines:
    def test_lower_their_own_group_first(self) -> None:
        lines = [line(1, "dyno", 10), line(2, "addon", 10), line(3, "addon", -4)]
        allocation = allocate([grant(1, 100)], lines, period_start=OCTOBER)
        assert (allocation.rest, allocation.by_line()) == (0, {1: 10, 2: 6})

    def test_that_outweigh_the_rest_leave_nothing_to_pay(self) -> None:
        allocation = allocate([grant(1, 100)], [line(1, "dyno", 10), line(2, "addon", -25)], period_start=OCTOBER)
        assert (allocation.rest, allocation.applications) == (-15, ())


amounts = st.integers(-2000, 5000).map(lambda coins: Decimal(coins).scaleb(-2))
lines = st.lists(st.tuples(st.sampled_from(GROUPS), amounts, st.booleans()), max_size=6).map(
    lambda rows: [Chargeable(key, *row) for key, row in enumerate(rows)]
)
grants = st.lists(
    st.builds(
        Grant,
        key=st.integers(1, 10**6),
        balance=st.integers(0, 5000).map(lambda coins: Decimal(coins).scaleb(-2)),
        scope=st.frozensets(st.sampled_from(GROUPS), max_size=2),
        partners=st.booleans(),
        expires_on=st.none() | st.dates(date(2026, 9, 1), date(2027, 3, 1)),
        cap=st.none() | st.integers(0, 60).map(Decimal),
        taken=st.integers(0, 5).map(Decimal),
    ),
    max_size=5,
    unique_by=lambda grant: grant.key,
)


@given(grants, lines)
def test_never_more_than_there_is_and_no_less_than_could_be(held: list[Grant], owed: list[Chargeable]) -> None:
    """Bounds on both sides, the sum, independence of order, and no usable credit beside an open line."""
    allocation = allocate(held, owed, period_start=OCTOBER)
    by_grant, by_line = allocation.by_grant(), allocation.by_line()
    before = sum((line.amount for line in owed), Decimal(0))
    assert allocation.rest == before - sum(by_grant.values())
    assert allocation.rest >= min(before, Decimal(0))
    assert sum(by_grant.values()) == sum(by_line.values())
    for one in held:
        assert by_grant.get(one.key, 0) <= one.available
    for one_line in owed:
        assert by_line.get(one_line.key, 0) <= max(one_line.amount, 0)
    covered = {(a.grant, a.line) for a in allocation.applications}
    by_key, lines_by_key = {g.key: g for g in held}, {one.key: one for one in owed}
    for g, key in covered:
        assert not by_key[g].scope or lines_by_key[key].group in by_key[g].scope
        assert by_key[g].partners or not lines_by_key[key].partner
    assert all(by_key[g].expires_on is None or by_key[g].expires_on > OCTOBER for g, _ in covered)
    assert allocate(held[::-1], owed, period_start=OCTOBER) == allocation
    if all(one_line.amount >= 0 for one_line in owed):
        for one in held:
            left = one.available - by_grant.get(one.key, 0)
            usable = left > 0 and (one.expires_on is None or one.expires_on > OCTOBER)
            reachable = [one_line for one_line in owed if one.covers(one_line)]
            assert not usable or all(by_line.get(one_line.key, 0) == one_line.amount for one_line in reachable)
