"""What each day has of a month: to the coin, and by nothing but what was used on it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.day_shares import Charge, Use, by_day
from core.periods import Span

START = datetime(2026, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)
KIND = ("shop", "standard-1x", "duration", "web")
coins = st.integers(0, 10**9).map(lambda cents: Decimal(cents).scaleb(-2))


def days(number: int) -> list[Span]:
    return [Span(START + DAY * day, START + DAY * (day + 1)) for day in range(number)]


def charge(amount: str | Decimal, **more: object) -> Charge:
    return Charge(**{"kind": KIND, "description": "x", "amount": Decimal(amount), "start": START,
                     "end": START + 31 * DAY} | more)  # type: ignore[arg-type]  # fmt: skip


def amounts(charges: list[Charge], uses: list[Use], number: int) -> list[Decimal]:
    return [day.amount for day in by_day(charges, uses, days(number), "USD")]


def use(*amounts: int, new: tuple[int, ...] = ()) -> Use:
    return Use(KIND, [Decimal(amount) for amount in amounts], new or (1, *[0] * (len(amounts) - 1)))


def test_a_day_has_the_share_of_a_line_that_it_has_of_its_usage() -> None:
    assert amounts([charge("10.00")], [use(86_400, 0, 43_200)], 3) == [Decimal("6.67"), 0, Decimal("3.33")]


def test_a_price_change_keeps_each_line_to_its_own_days() -> None:
    lines = [charge("3.00", end=START + DAY), charge("8.00", start=START + DAY)]
    assert amounts(lines, [use(60, 60, 60)], 3) == [3, 4, 4]


def test_a_flat_fee_falls_on_the_day_it_was_taken() -> None:
    assert amounts([charge("10.00", flat=True)], [use(60, 60, 60, new=(0, 2, 0))], 3) == [0, 10, 0]
    assert amounts([charge("9.00", flat=True)], [use(60, 60, 60, new=(0, 0, 0))], 3) == [3, 3, 3]


def test_a_discount_goes_along_with_what_each_day_costs() -> None:
    lines = [charge("10.00"), charge("-3.00", by_use=False, kind=("", "", "", ""))]
    assert amounts(lines, [use(60, 20, 20)], 3) == [Decimal("4.20"), Decimal("1.40"), Decimal("1.40")]
    assert amounts([charge("1.00", by_use=False)], [], 3) == [Decimal("0.34"), Decimal("0.33"), Decimal("0.33")]


def test_every_day_is_there_and_cut_days_are_one() -> None:
    noon = START + DAY / 2
    spans = [Span(START, noon), Span(noon, START + DAY), Span(START + DAY, START + 2 * DAY)]
    found = by_day([charge("3.00")], [use(30, 30, 0)], spans, "USD")
    assert [(day.day, day.amount, [part.used for part in day.parts]) for day in found] == [
        (date(2026, 10, 1), 3, [60]),
        (date(2026, 10, 2), 0, []),
    ]
    assert by_day([charge("3.00")], [], [], "USD") == []


@given(
    st.lists(st.tuples(coins, st.lists(st.integers(0, 10**6), min_size=5, max_size=5), st.booleans()), max_size=5),
    coins,
    st.sampled_from(["USD", "JPY", "KWD"]),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_days_sum_to_the_month_to_the_coin(
    drawn: list[tuple[Decimal, list[int], bool]], discount: Decimal, currency: str
) -> None:
    factor = {"USD": Decimal(1), "JPY": Decimal(100), "KWD": Decimal("0.1")}[currency]
    charges, uses = [charge(-discount * factor, kind=("", "", "", ""), by_use=False)], []
    for number, (amount, used, flat) in enumerate(drawn):
        kind = (f"app-{number}", *KIND[1:])
        charges.append(charge(amount * factor, kind=kind, flat=flat))
        uses.append(Use(kind, [Decimal(seconds) for seconds in used], [int(seconds > 9) for seconds in used]))
    found = by_day(charges, uses, days(5), currency)
    assert sum(day.amount for day in found) == sum(line.amount for line in charges)
    assert all(day.amount == sum(part.amount for part in day.parts) for day in found)
    used = sum(part.used for day in found for part in day.parts)
    assert used == sum(sum(used) for amount, used, flat in drawn)
