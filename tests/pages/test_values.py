"""How values read on a page: one form each, exact, and never a float."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.template import Context, Template

from core import clock, formatting
from core.errors import Invalid
from core.periods import Month


def rendered(source: str, **values: object) -> str:
    return Template("{% load vault %}" + source).render(Context(values))


class TestMoney:
    @pytest.mark.parametrize(
        ("amount", "currency", "text"),
        [
            ("1234.5", "USD", "1,234.50 USD"),
            ("1234.5", "JPY", "1,235 JPY"),
            ("1234.5", "KWD", "1,234.500 KWD"),
            ("0.00005", "CLF", "0.0001 CLF"),
            ("-1234.5", "USD", "-1,234.50 USD"),
            ("0", "USD", "0.00 USD"),
            ("-0.001", "USD", "0.00 USD"),
            ("0.005", "USD", "0.01 USD"),
            ("-0.005", "USD", "-0.01 USD"),
            (
                "999999999999999999999999999999999999.99",
                "USD",
                "999,999,999,999,999,999,999,999,999,999,999,999.99 USD",
            ),
        ],
    )
    def test_follows_the_currency(self, amount: str, currency: str, text: str) -> None:
        assert rendered("{{ a|money:c }}", a=Decimal(amount), c=currency) == text

    def test_says_when_there_is_none(self) -> None:
        assert rendered("{{ a|money:'USD' }}", a=None) == "—"

    def test_refuses_a_float(self) -> None:
        with pytest.raises(TypeError, match="not exact"):
            rendered("{{ a|money:'USD' }}", a=0.1)

    def test_refuses_what_is_not_a_currency(self) -> None:
        with pytest.raises(Invalid):
            rendered("{{ a|money:'dollars' }}", a=Decimal(1))

    def test_component_carries_the_exact_number(self) -> None:
        html = rendered(
            '{% include "components/amount.html" with amount=a currency="USD" only %}', a=Decimal("-1234.567")
        )
        assert html.strip() == '<data class="amount negative" value="-1234.567">-1,234.57 <abbr>USD</abbr></data>'

    def test_component_shows_a_missing_amount(self) -> None:
        assert "—" in rendered('{% include "components/amount.html" with amount=a currency="USD" only %}', a=None)


class TestNumbers:
    @pytest.mark.parametrize(
        ("price", "currency", "text"),
        [
            ("0.00001250", "USD", "0.0000125 USD"),
            ("25", "USD", "25.00 USD"),
            ("7", "JPY", "7 JPY"),
            ("7.25", "JPY", "7.25 JPY"),
        ],
    )
    def test_a_price_keeps_every_digit(self, price: str, currency: str, text: str) -> None:
        assert rendered("{{ p|price:c }}", p=Decimal(price), c=currency) == text

    @pytest.mark.parametrize(
        ("value", "text"),
        [("1234.500", "1,234.5"), ("1E+6", "1,000,000"), ("-0", "0"), ("1" * 40, f"{int('1' * 40):,}")],
    )
    def test_a_quantity_drops_empty_digits(self, value: str, text: str) -> None:
        assert rendered("{{ q|quantity }}", q=Decimal(value)) == text

    def test_a_program_reads_plain_digits(self) -> None:
        assert rendered("{{ q|plain_decimal }}", q=Decimal("1.50E+3")) == "1500"

    def test_a_ratio_is_a_percentage(self) -> None:
        assert rendered("{{ r|percent }} {{ r|percent:0 }}", r=Decimal("0.9735")) == "97.4 % 97 %"

    def test_progress_stays_between_nothing_and_all(self) -> None:
        assert [rendered("{{ d|ratio:t }}", d=done, t=total) for done, total in ((1, 3), (9, 3), (0, 0))] == [
            "33.3",
            "100.0",
            "100.0",
        ]


class TestTime:
    MOMENT = datetime(2026, 11, 24, 22, 17, 5, tzinfo=timezone(timedelta(hours=2)))

    def test_a_moment_is_utc_and_says_so(self) -> None:
        expected = '<time datetime="2026-11-24T20:17:05Z">24 Nov 2026 20:17 UTC</time>'
        assert rendered("{{ t|moment }}", t=self.MOMENT) == expected

    def test_a_day_has_its_month_as_a_word(self) -> None:
        assert rendered("{{ d|day }}", d=date(2026, 3, 4)) == '<time datetime="2026-03-04">4 Mar 2026</time>'

    @pytest.mark.parametrize(
        "value", [Month(2026, 10), date(2026, 10, 1), "2026-10", datetime(2026, 10, 9, tzinfo=UTC)]
    )
    def test_a_month_reads_the_same_however_it_is_kept(self, value: object) -> None:
        assert rendered("{{ m|month }}", m=value) == "October 2026"

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [
            (0, "0 s"),
            (Decimal("4.2504"), "4.25 s"),
            (60, "1 min"),
            (43_500, "12 h 5 min"),
            (86_400 * 31, "31 d"),
            (90_061, "1 d 1 h"),
            (timedelta(minutes=-5), "-5 min"),
        ],
    )
    def test_a_duration_has_two_units(self, seconds: object, text: str) -> None:
        assert rendered("{{ s|duration }}", s=seconds) == text

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(0, "just now"), (59, "just now"), (60, "1 minute ago"), (7_200, "2 hours ago"), (-172_800, "in 2 days")],
    )
    def test_a_distance_is_told_in_words(self, seconds: int, text: str) -> None:
        now = datetime(2026, 11, 24, tzinfo=UTC)
        assert formatting.ago(now - timedelta(seconds=seconds), now) == text

    def test_the_tooltip_of_a_distance_is_the_moment(self) -> None:
        html = rendered("{{ t|ago }}", t=clock.now() - timedelta(hours=3))
        assert "UTC" in html and ">3 hours ago</time>" in html

    def test_nothing_is_a_dash(self) -> None:
        assert rendered("{{ t|moment }}{{ t|day }}{{ t|ago }}{{ t|month }}{{ t|duration }}", t=None) == "—————"


class TestStatus:
    @pytest.mark.parametrize(
        ("status", "tone"),
        [("paid", "good"), ("past_due", "bad"), ("Past due", "bad"), ("held", "warn"), ("draft", "quiet")],
    )
    def test_a_word_wears_its_colour(self, status: str, tone: str) -> None:
        html = rendered('{% include "components/status_badge.html" with status=s only %}', s=status)
        assert f'class="badge {tone}"' in html

    def test_a_page_may_overrule_word_and_colour(self) -> None:
        source = '{% include "components/status_badge.html" with status=s label="USD only" tone="bad" only %}'
        assert rendered(source, s="paid").strip() == '<span class="badge bad">USD only</span>'

    def test_escapes_what_it_is_given(self) -> None:
        source = '{% include "components/status_badge.html" with status=s only %}'
        assert "<b>" not in rendered(source, s="<b>x</b>")
