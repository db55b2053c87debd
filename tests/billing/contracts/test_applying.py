"""What a contract changes: by hand, beside the witness, and what must hold for any contract and any use."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.assembly import Parked
from billing.contracts.applying import contract_lines
from billing.contracts.terms import parse_terms
from billing.draft import USAGE, DraftLine
from billing.rating import Price, parse_price
from billing.rating.lines import is_by_time, rate_line
from core.money import total
from core.periods import Month
from tests.billing.contracts import witness

OCTOBER = Month(2026, 10)
Json = dict[str, Any]
EXAMPLES = settings(max_examples=300, deadline=None)


class Book:
    """Prices by key, as a price book has them."""

    def __init__(self, *prices: Json) -> None:
        self.prices = [parse_price(price) for price in prices]

    def price(self, key: int) -> Price:
        return self.prices[key]

    def line(self, key: int, usage: str, product: str = "requests", **more: Any) -> DraftLine:
        """Rate one usage line under a price."""
        price = self.prices[key]
        rated = rate_line(price, Decimal(usage), OCTOBER, more.pop("currency", "USD"))
        return DraftLine(
            kind=USAGE,
            description=product,
            amount=rated.amount,
            start=OCTOBER.start,
            end=OCTOBER.end,
            product=product,
            quantity=rated.quantity,
            unit_amount=rated.unit_amount,
            rated=rated.amount,
            unrounded=rated.unrounded,
            price=key,
            usage=Decimal(usage),
            meter="" if is_by_time(price) else product,
            **({"app": "shop", "group": "other"} | more),
        )


def apply(book: Book, lines: Sequence[DraftLine], terms: Json, currency: str = "USD", **more: Any) -> list[DraftLine]:
    return contract_lines(lines, parse_terms(terms), book.price, currency, OCTOBER, **more)


def amounts(lines: Sequence[DraftLine]) -> list[tuple[str, str]]:
    return [(line.description, str(line.amount)) for line in lines]


UNIT = {"model": "per_unit", "unit_amount": "0.10"}
HOURLY = {"model": "hourly_capped", "unit_amount": "0.01", "cap_amount": None}
MONTHLY = {"model": "prorated", "unit_amount": "7.44"}  # 0.01 an hour in October


class TestAllowances:
    def test_a_pool_of_hours_is_shared_by_the_apps_that_used_them(self) -> None:
        book = Book(MONTHLY)
        lines = [
            book.line(0, str(600 * 3600), "eco", app="a", group="dyno"),
            book.line(0, str(900 * 3600), "eco", app="b", group="dyno"),
        ]
        terms = {"allowances": [{"name": "Included hours", "products": ["eco"], "quantity": "1000"}]}
        made = apply(book, lines, terms)
        assert amounts(made) == [("Included hours · eco", "-4.00"), ("Included hours · eco", "-6.00")]
        assert total(line.amount for line in [*lines, *made]) == Decimal("5.00")  # 500 hours beyond it
        assert [(line.app, line.group, line.product) for line in made] == [("a", "dyno", "eco"), ("b", "dyno", "eco")]

    def test_a_quota_per_app_is_not_shared(self) -> None:
        book = Book(UNIT)
        lines = [book.line(0, "30", app="a"), book.line(0, "170", app="b")]
        terms = {"allowances": [{"name": "Free", "products": ["requests"], "quantity": "100", "per": "app"}]}
        assert amounts(apply(book, lines, terms)) == [("Free · requests", "-3.00"), ("Free · requests", "-10.00")]

    def test_what_is_beyond_it_is_rated_as_if_it_were_alone(self) -> None:
        tiers = [{"up_to": "100", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.5"}]
        book = Book({"model": "graduated", "tiers": tiers})
        lines = [book.line(0, "150")]
        terms = {"allowances": [{"name": "Free", "products": ["requests"], "quantity": "60"}]}
        made = apply(book, lines, terms)
        assert lines[0].amount == Decimal("125.00")
        assert lines[0].amount + made[0].amount == Decimal("90.00")  # 90 units in the first tier

    def test_two_of_them_work_one_after_the_other(self) -> None:
        book = Book(UNIT)
        lines = [book.line(0, "100")]
        allowances = [
            {"name": "One", "products": ["requests"], "quantity": "70"},
            {"name": "Two", "products": ["requests"], "quantity": "70"},
        ]
        assert amounts(apply(book, lines, {"allowances": allowances})) == [
            ("One · requests", "-7.00"),
            ("Two · requests", "-3.00"),
        ]

    def test_none_for_a_flat_fee_and_none_without_use(self) -> None:
        book = Book({"model": "flat", "unit_amount": "5"}, UNIT)
        terms = {"allowances": [{"name": "Free", "products": ["fee", "requests"], "quantity": "9"}]}
        assert apply(book, [book.line(0, "1", "fee"), book.line(1, "0")], terms) == []

    def test_time_and_counts_in_one_wait_for_a_person(self) -> None:
        book = Book(UNIT, HOURLY)
        terms = {"allowances": [{"name": "Free", "products": ["requests", "eco"], "quantity": "9"}]}
        with pytest.raises(Parked, match="make two of it"):
            apply(book, [book.line(0, "1"), book.line(1, "3600", "eco")], terms)

    def test_the_steps_say_what_the_amount_is_the_difference_of(self) -> None:
        book = Book(UNIT)
        terms = {"allowances": [{"name": "Free", "products": ["requests"], "quantity": "40"}]}
        line = apply(book, [book.line(0, "100")], terms)[0]
        assert [(step["label"], step["amount"]) for step in line.steps] == [
            ("what the allowance leaves", "6"),
            ("less the whole use", "-10"),
        ]
        assert (line.quantity, line.unrounded) == (Decimal(-40), Decimal("-4.00"))


class TestDiscounts:
    def test_a_rate_is_taken_off_each_group_once(self) -> None:
        book = Book(UNIT)
        lines = [
            book.line(0, "100.5", group="dyno", app="a"),
            book.line(0, "100.5", group="dyno", app="b"),
            book.line(0, "50", group="data"),
        ]
        made = apply(book, lines, {"discounts": [{"name": "Partner", "rate": "0.1"}]})
        assert [(line.component, str(line.amount)) for line in made] == [("data", "-0.50"), ("dyno", "-2.01")]

    def test_an_amount_is_shared_and_never_more_than_there_is(self) -> None:
        book = Book(UNIT)
        lines = [book.line(0, "100", group="dyno"), book.line(0, "50", group="data")]
        terms: Json = {"discounts": [{"name": "Welcome", "amount": "10"}]}
        assert sorted(str(line.amount) for line in apply(book, lines, terms)) == ["-3.33", "-6.67"]
        terms["discounts"][0]["amount"] = "100"
        assert total(line.amount for line in [*lines, *apply(book, lines, terms)]) == 0

    def test_scope_end_and_third_parties(self) -> None:
        book = Book(UNIT)
        lines = [book.line(0, "100", "own"), book.line(0, "100", "theirs", partner=True), book.line(0, "100", "else")]

        def off(**terms: Any) -> Decimal:
            return -total(x.amount for x in apply(book, lines, {"discounts": [{"name": "D", "rate": "0.5", **terms}]}))

        assert off() == Decimal("15.00")
        assert off(products=["own"]) == Decimal("5.00")
        assert off(partners=False) == Decimal("10.00")
        assert off(until="2026-10") == Decimal("15.00")
        assert off(until="2026-09") == 0

    def test_several_are_each_of_the_whole_and_stop_at_nothing(self) -> None:
        book = Book(UNIT)
        lines = [book.line(0, "100")]
        discounts = [{"name": "A", "rate": "0.6"}, {"name": "B", "rate": "0.6"}]
        assert amounts(apply(book, lines, {"discounts": discounts})) == [("A", "-6.00"), ("B", "-4.00")]


class TestBounds:
    book = Book(UNIT)

    def comes_to(self, usage: str, terms: Json, **more: Any) -> Decimal:
        lines = [self.book.line(0, usage)]
        return total(line.amount for line in [*lines, *apply(self.book, lines, terms, **more)])

    def test_a_commitment_is_made_up_to_and_cheaper_beyond(self) -> None:
        terms = {"commitment": {"amount": "10", "overage_rate": "0.2"}}
        assert self.comes_to("30", terms) == Decimal("10.00")
        assert self.comes_to("100", terms) == Decimal("10.00")
        assert self.comes_to("200", terms) == Decimal("18.00")

    def test_a_minimum_is_due_without_any_use(self) -> None:
        made = apply(self.book, [], {"minimum_spend": "25"})
        assert amounts(made) == [("Minimum spend: unused part", "25")]

    def test_a_maximum_is_never_exceeded(self) -> None:
        assert self.comes_to("1000", {"maximum_spend": "50"}) == Decimal("50.00")
        assert self.comes_to("10", {"maximum_spend": "50"}) == Decimal("1.00")

    def test_nothing_is_made_up_while_the_month_runs(self) -> None:
        terms = {"commitment": {"amount": "10"}, "minimum_spend": "20"}
        assert self.comes_to("30", terms, whole_month=False) == Decimal("3.00")


PRODUCTS = {"a": ("dyno", False), "b": ("dyno", False), "c": ("data", False), "p": ("addon", True)}


@st.composite
def uses(draw: st.DrawFn) -> list[tuple[str, str, int, int]]:
    """Lines as (app, product, price in thousandths, use in thousandths), one per app and product."""
    pairs = draw(
        st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from(sorted(PRODUCTS))), unique=True, max_size=8)
    )
    return [(app, product, draw(st.integers(0, 3000)), draw(st.integers(0, 50_000))) for app, product in pairs]


@st.composite
def contracts(draw: st.DrawFn, currency: str) -> Json:
    coins = 10 ** witness.DIGITS[currency]

    def money(most: int = 200) -> str:
        return str(Decimal(draw(st.integers(1, most * coins))) / coins)

    def some(options: Any) -> list[str]:
        return draw(st.lists(st.sampled_from(options), unique=True, max_size=3))

    terms: Json = {"allowances": [], "discounts": []}
    for number in range(draw(st.integers(0, 2))):
        quantity = str(Decimal(draw(st.integers(1, 60_000))) / 1000)
        per = draw(st.sampled_from(["account", "app"]))
        products = some(sorted(PRODUCTS)) or ["a"]
        terms["allowances"].append({"name": f"A{number}", "products": products, "quantity": quantity, "per": per})
    for number in range(draw(st.integers(0, 3))):
        how = {"rate": draw(st.sampled_from(["0.1", "0.333", "1"]))} if draw(st.booleans()) else {"amount": money()}
        scope = {"products": some(sorted(PRODUCTS)), "groups": some(["dyno", "data", "addon"])}
        ends = {"until": draw(st.sampled_from(["2026-09", "2026-10"]))} if draw(st.booleans()) else {}
        terms["discounts"].append({"name": f"D{number}", "partners": draw(st.booleans()), **how, **scope, **ends})
    if draw(st.booleans()):
        terms["commitment"] = {"amount": money(), "overage_rate": draw(st.sampled_from(["0.2", "0.07"]))}
    if draw(st.booleans()):
        terms["minimum_spend"] = money()
    least = max(Decimal(terms.get("minimum_spend", 0)), Decimal(terms.get("commitment", {}).get("amount", 0)))
    if draw(st.booleans()):
        terms["maximum_spend"] = str(least + Decimal(money()))
    return terms


def rated(used: list[tuple[str, str, int, int]], terms: Json, currency: str) -> list[DraftLine]:
    """Return all lines of a month: what was used, and what the contract makes of it."""
    book = Book(*({"model": "per_unit", "unit_amount": str(Decimal(price) / 1000)} for _, _, price, _ in used))
    lines = [
        book.line(
            key, str(Decimal(use) / 1000), product, app=app, group=PRODUCTS[product][0],
            partner=PRODUCTS[product][1], currency=currency,
        )
        for key, (app, product, _, use) in enumerate(used)
    ]  # fmt: skip
    return [*lines, *apply(book, lines, terms, currency)]


class TestAnyContract:
    @EXAMPLES
    @given(st.data(), st.sampled_from(sorted(witness.DIGITS)), uses())
    def test_agrees_with_the_witness(self, data: st.DataObject, currency: str, used: Any) -> None:
        terms = data.draw(contracts(currency))
        seen = [
            witness.Line(app, product, *PRODUCTS[product], Fraction(price, 1000), Fraction(use, 1000))
            for app, product, price, use in used
        ]
        lines = rated(used, terms, currency)
        assert Fraction(total(line.amount for line in lines)) == witness.charge(seen, terms, currency, "2026-10")
        for line in lines:
            assert (
                abs(sum(Fraction(step["amount"]) for step in line.steps) - Fraction(line.unrounded)) < 1
                or not line.steps
            )

    @EXAMPLES
    @given(st.data(), uses())
    def test_no_two_lines_are_the_same_thing(self, data: st.DataObject, used: Any) -> None:
        lines = rated(used, data.draw(contracts("USD")), "USD")
        keys = [(line.app, line.product, line.component, line.meter, line.price) for line in lines]
        assert len(keys) == len(set(keys))

    @EXAMPLES
    @given(st.data(), uses())
    def test_charges_what_must_be_spent_and_no_more_than_may(self, data: st.DataObject, used: Any) -> None:
        terms = data.draw(contracts("USD"))
        whole = total(line.amount for line in rated(used, terms, "USD"))
        assert whole >= Decimal(terms.get("minimum_spend", 0))
        assert whole >= Decimal(terms.get("commitment", {}).get("amount", 0))
        assert whole <= Decimal(terms.get("maximum_spend", "Infinity"))

    @EXAMPLES
    @given(st.data(), uses(), st.integers(1, 5000))
    def test_more_use_never_costs_less(self, data: st.DataObject, used: Any, more: int) -> None:
        """But for a coin per line and discount, which each rounding may shift."""
        if not used:
            return
        terms = data.draw(contracts("USD"))
        app, product, price, use = used[0]
        less = total(line.amount for line in rated(used, terms, "USD"))
        grown = total(line.amount for line in rated([(app, product, price, use + more), *used[1:]], terms, "USD"))
        assert grown >= less - Decimal("0.01") * (len(used) + 4 * len(terms["discounts"]) + 1)

    @EXAMPLES
    @given(uses())
    def test_without_terms_nothing_changes(self, used: Any) -> None:
        assert all(line.kind == USAGE for line in rated(used, {}, "USD"))
