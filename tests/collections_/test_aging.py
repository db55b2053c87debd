"""Aging and cash application."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_.aging import AGING_BUCKETS, aged, bucket_of, days_past_due
from collections_.allocation import Debt, allocate

TODAY = date(2026, 11, 24)


class TestBuckets:
    @pytest.mark.parametrize(
        ("days", "name"),
        [
            (-5, "current"),
            (0, "current"),
            (1, "1-30"),
            (30, "1-30"),
            (31, "31-60"),
            (60, "31-60"),
            (61, "61-90"),
            (90, "61-90"),
            (91, "90+"),
            (4000, "90+"),
        ],
    )
    def test_begin_on_their_first_day(self, days: int, name: str) -> None:
        assert bucket_of(TODAY - timedelta(days=days), TODAY).name == name

    def test_the_due_day_is_still_in_time(self) -> None:
        assert (days_past_due(TODAY, TODAY), days_past_due(TODAY - timedelta(days=1), TODAY)) == (0, 1)

    @given(st.lists(st.tuples(st.dates(date(2026, 1, 1), date(2027, 1, 1)), st.integers(0, 10**6).map(Decimal))))
    def test_lose_no_debt(self, debts: list[tuple[date, Decimal]]) -> None:
        sums = aged(debts, TODAY)
        assert list(sums) == [bucket.name for bucket in AGING_BUCKETS]
        assert sum(sums.values()) == sum(outstanding for _, outstanding in debts)


def debt(invoice: int, outstanding: int | str, days: int = 0) -> Debt:
    return Debt(invoice, f"V-{invoice}", TODAY + timedelta(days=days), Decimal(outstanding))


class TestCashApplication:
    def test_settles_the_oldest_first(self) -> None:
        settled = allocate(Decimal(15), [debt(1, 10, days=9), debt(2, 10)])
        assert (settled.shares, settled.unapplied) == (((2, Decimal(10)), (1, Decimal(5))), 0)

    def test_takes_the_lower_number_of_one_day(self) -> None:
        assert allocate(Decimal(5), [debt(2, 10), debt(1, 10)]).shares == ((1, Decimal(5)),)

    def test_settles_the_chosen_invoice_before_all_others(self) -> None:
        settled = allocate(Decimal(15), [debt(1, 10), debt(2, 10, days=9)], first=2)
        assert settled.shares == ((2, Decimal(10)), (1, Decimal(5)))

    def test_returns_what_is_left_over(self) -> None:
        assert allocate(Decimal(30), [debt(1, 10)]).unapplied == 20

    def test_refuses_a_negative_payment(self) -> None:
        with pytest.raises(ValueError, match="negative"):
            allocate(Decimal(-1), [])

    @given(
        st.integers(0, 10**6).map(lambda coins: Decimal(coins).scaleb(-2)),
        st.lists(st.integers(-50, 10**5).map(lambda coins: Decimal(coins).scaleb(-2)), max_size=8),
    )
    def test_shares_and_rest_sum_to_the_payment(self, payment: Decimal, owed: list[Decimal]) -> None:
        debts = [Debt(key, f"V-{key}", TODAY, outstanding) for key, outstanding in enumerate(owed)]
        settled = allocate(payment, debts)
        assert sum(share for _, share in settled.shares) + settled.unapplied == payment
        assert all(0 < share <= owed[invoice] for invoice, share in settled.shares)
        assert settled == allocate(payment, debts[::-1])
