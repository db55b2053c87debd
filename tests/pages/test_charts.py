"""Charts: right geometry, readable without eyes, safe with any label, and inside a PDF too."""

from decimal import Decimal
from itertools import pairwise

import pytest
import weasyprint
from django.template import Context, Template
from lxml import etree

from core import plotting

EVIL = "<script>alert(1)</script>\"'&"


def rendered(source: str, **values: object) -> str:
    return Template("{% load charts %}" + source).render(Context(values))


def drawing(html: str) -> etree._Element:
    """The first SVG of ``html``, all of which must be well-formed."""
    return next(etree.fromstring(f"<page>{html}</page>").iter("svg"))


class TestScale:
    @pytest.mark.parametrize(
        ("values", "ticks"),
        [
            ([0, 10], ["0", "2.5", "5.0", "7.5", "10.0"]),
            ([0], ["0", "0.25", "0.50", "0.75", "1.00"]),
            ([-5, 20], ["-10", "0", "10", "20"]),
            ([232_678], ["0", "1E+5", "2E+5", "3E+5"]),
        ],
    )
    def test_has_round_ticks_and_zero(self, values: list[int], ticks: list[str]) -> None:
        assert [Decimal(tick) for tick in ticks] == list(plotting.scale([Decimal(value) for value in values]).ticks)

    def test_puts_the_highest_tick_on_top_and_the_lowest_at_the_bottom(self) -> None:
        axis = plotting.scale([Decimal(-3), Decimal(9)])
        assert (axis.y(axis.high), axis.y(axis.low)) == (plotting.TOP, plotting.HEIGHT)

    @pytest.mark.parametrize(
        ("value", "text"), [("1500000", "1.5 M"), ("-250000", "-250 k"), ("0.5", "0.5"), ("2E9", "2 bn")]
    )
    def test_labels_are_short(self, value: str, text: str) -> None:
        assert plotting.compact(Decimal(value)) == text


class TestBars:
    def test_stand_on_zero_whatever_their_sign(self) -> None:
        axis = plotting.scale([Decimal(-10), Decimal(10)])
        down, up = plotting.bars([Decimal(-10), Decimal(10)], axis)
        assert Decimal(up.y) + Decimal(up.height) == Decimal(down.y) == axis.y(Decimal(0))

    def test_the_smallest_is_still_visible(self) -> None:
        values = [Decimal("0.01"), Decimal(10**6), Decimal(0)]
        assert [bar.height for bar in plotting.bars(values, plotting.scale(values))][::2] == ["1.00", "0.00"]

    def test_all_labels_of_a_phone_are_labels_of_a_desk(self) -> None:
        shown = [slot.shown for slot in plotting.slots([f"{day} Oct" for day in range(1, 32)])]
        desk = [index for index, where in enumerate(shown) if where != "none"]
        phone = [index for index, where in enumerate(shown) if where == "all"]
        assert len({b - a for a, b in pairwise(desk)}) == 1
        assert 2 <= len(phone) < len(desk) <= 12


class TestParts:
    def test_fill_the_whole_width(self) -> None:
        parts = plotting.parts([Decimal(1), Decimal(2), Decimal(-5), Decimal(1)])
        assert [part.x for part in parts] == ["0.000%", "25.000%", "75.000%", "75.000%"]
        assert sum(part.share for part in parts) == 1

    def test_nothing_owed_is_an_empty_bar(self) -> None:
        assert [part.width for part in plotting.parts([Decimal(0), Decimal(0)])] == ["0.000%", "0.000%"]


class TestDrawing:
    def test_names_and_describes_itself(self) -> None:
        svg = drawing(rendered("{% bar_chart 'Invoiced' points 'USD' %}", points=[("Oct", Decimal(5)), ("Nov", 9)]))
        assert svg.get("role") == "img"
        assert svg.findtext("title") == "Invoiced"
        assert "the highest is 9.00 USD (Nov)" in (svg.findtext("desc") or "")

    def test_gives_its_numbers_as_a_table(self) -> None:
        html = rendered("{% bar_chart 'Invoiced' points 'USD' %}", points=[("Oct", Decimal("1234.5"))])
        assert '<td class="num">1,234.50 USD</td>' in html

    def test_a_bar_that_leads_somewhere_is_a_link(self) -> None:
        svg = drawing(rendered("{% bar_chart 'Invoiced' points %}", points=[("Oct", 5, "/invoices/?month=2026-10")]))
        assert [a.get("href") for a in svg.iter("a")] == ["/invoices/?month=2026-10"]
        assert svg.get("role") == "group"

    @pytest.mark.parametrize(
        "source",
        [
            "{% bar_chart evil points evil %}",
            "{% line_chart evil series labels evil %}",
            "{% aging_bar evil points 'USD' %}",
            "{% sparkline evil numbers %}",
        ],
    )
    def test_escapes_every_label(self, source: str) -> None:
        html = rendered(
            source,
            evil=EVIL,
            points=[(EVIL, Decimal(1), f"/{EVIL}"), ("b", 2)],
            series=[(EVIL, [1, 2]), ("other", [3, 4])],
            labels=[EVIL, "b"],
            numbers=[1, 2],
        )
        assert "<script" not in html and "style=" not in html
        assert drawing(html) is not None

    @pytest.mark.parametrize("source", ["{% bar_chart 'A' none %}", "{% line_chart 'A' none none %}"])
    def test_says_when_there_is_nothing(self, source: str) -> None:
        assert "No data yet." in rendered(source, none=[])

    def test_refuses_a_float(self) -> None:
        with pytest.raises(TypeError):
            rendered("{% sparkline 'x' numbers %}", numbers=[0.5])

    def test_prints(self) -> None:
        html = rendered("{% line_chart 'A' series labels 'h' %}", series=[("a", [1, 5, 3])], labels=["x", "y", "z"])
        pdf = weasyprint.HTML(string=html).write_pdf()
        assert pdf is not None and pdf.startswith(b"%PDF")
