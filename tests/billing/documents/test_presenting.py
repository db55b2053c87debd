"""What is printed adds up, reads as finance writes it, and tells customers nothing that is for the house."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from billing.documents import presenting
from billing.documents.presenting import present_credit_note, present_invoice
from billing.documents.snapshot import Document
from tests.billing.documents.samples import ADDONS, CUSTOMER, O1_LINES, SELLER, credit_note, invoice, line, many_lines

ADJUSTED = line(
    "shop", "web · Standard-1X", "0.5", "25", kind="adjustment", adjusts="VAULT-2020-000044", reason="It came late."
)


def summary(document: Document) -> list[tuple[str, str]]:
    return [(figure.label, figure.amount) for figure in document.summary]


def test_presents_the_june_2020_invoice_to_the_cent() -> None:
    document = present_invoice(invoice())
    assert summary(document) == [
        ("Application dynos", "21.56"),
        ("Add-on services", "50.00"),
        ("Subtotal", "71.56"),
        ("Sales tax 6 %", "4.29"),
    ]
    assert document.total == "75.85 USD"
    assert [(block.title, block.subtotal) for block in document.blocks] == [
        ("app-a", "7.00"),
        ("app-b", "64.05"),
        ("app-c (deleted)", "0.21"),
        ("app-d", "0.30"),
    ]
    lines = [(one.description, one.quantity, one.price, one.amount) for one in document.blocks[1].lines]
    assert lines == [
        ("release · Hobby", "0.0000976", "7.00 / month", "0.00"),
        ("web · Hobby", "1.0000000", "7.00 / month", "7.00"),
        ("worker · Hobby", "1.0000000", "7.00 / month", "7.00"),
        ("run · Hobby", "0.0073211", "7.00 / month", "0.05"),
        ("Postgres Standard-0", "1.0000000", "50.00 / month", "50.00"),
    ]
    assert dict(document.facts)["Period (UTC)"] == "Jun 01 – Jul 01, 2020"


class TestPeriod:
    def test_names_both_years_when_they_differ(self) -> None:
        assert presenting.period(date(2025, 12, 1), date(2026, 1, 1)) == "Dec 01, 2025 – Jan 01, 2026"


class TestQuantity:
    @pytest.mark.parametrize(
        ("value", "unit", "expected"),
        [
            ("0.00000974537", "month", "0.0000097"),
            ("1", "month", "1.0000000"),
            ("12345.5", "GB", "12,345.5"),
            ("0.123456789", "hour", "0.1234568"),
            ("3", "fee", "3"),
        ],
    )
    def test_is_written_for_its_unit(self, value: str, unit: str, expected: str) -> None:
        assert presenting.quantity(Decimal(value), unit) == expected


class TestPrice:
    @pytest.mark.parametrize(
        ("value", "unit", "currency", "expected"),
        [
            ("7", "month", "USD", "7.00 / month"),
            ("0.0000125", "request", "USD", "0.0000125 / request"),
            ("900", "month", "JPY", "900 / month"),
            ("5", "fee", "USD", "5.00 flat fee"),
        ],
    )
    def test_keeps_every_digit(self, value: str, unit: str, currency: str, expected: str) -> None:
        assert presenting.price(Decimal(value), unit, currency) == expected

    def test_says_that_tiers_have_no_single_price(self) -> None:
        assert presenting.price(None, "GB", "USD") == "in tiers"


class TestInvoice:
    def test_shows_credits_before_tax(self) -> None:
        document = present_invoice(invoice(credits=(("Student pack", Decimal("13.00")), ("Sorry", Decimal("1.56")))))
        assert summary(document)[2:] == [
            ("Subtotal", "71.56"),
            ("Credit: Student pack", "-13.00"),
            ("Credit: Sorry", "-1.56"),
            ("Subtotal after credits", "57.00"),
            ("Sales tax 6 %", "3.42"),
        ]

    def test_sums_many_credits_up(self) -> None:
        document = present_invoice(invoice(credits=tuple((str(n), Decimal("1.00")) for n in range(7))))
        assert ("Credits", "-7.00") in summary(document)

    def test_puts_adjustments_in_a_block_that_names_the_original(self) -> None:
        document = present_invoice(invoice((*O1_LINES, ADJUSTED)))
        block = document.blocks[-1]
        assert block.title == "Adjustments of invoice VAULT-2020-000044 (June 2020)"
        assert [(one.description, one.note) for one in block.lines] == [("shop · web · Standard-1X", "It came late.")]
        assert ("Adjustments of earlier invoices", "12.50") in summary(document)

    def test_keeps_what_people_wrote_for_the_house(self) -> None:
        manual = line("", "Setup", "1", "20", kind="manual", unit="fee", reason="they shouted", author="user:ada@x")
        changed = replace(O1_LINES[1], amount=Decimal(0), rated=Decimal("0.10"), reason="secret", author="user:ada@x")
        document = present_invoice(invoice((*O1_LINES, manual, changed)))
        assert "shouted" not in str(document)
        assert "secret" not in str(document)
        assert document.blocks[-1].title == "Additional items"
        assert "Charged instead of 0.10" in str(document)

    def test_says_which_part_of_the_month_a_line_prices(self) -> None:
        part = line("shop", "web", "0.5", "25", period=(date(2020, 6, 1), date(2020, 6, 16)))
        assert present_invoice(invoice((part,))).blocks[0].lines[0].note == "Jun 01 – Jun 16, 2020"

    def test_the_summary_adds_up_to_the_subtotal(self) -> None:
        lines = (*O1_LINES, ADJUSTED, line("", "Setup", "1", "20", ADDONS, kind="manual", unit="fee"))
        figures = summary(present_invoice(invoice(lines)))
        at = [label for label, _ in figures].index("Subtotal")
        assert sum(Decimal(amount) for _, amount in figures[:at]) == Decimal(figures[at][1])

    def test_a_draft_says_so_and_asks_for_nothing(self) -> None:
        document = present_invoice(invoice(number="", draft=True, issued_on=None, due_on=None))
        assert (document.draft, document.total_note) == (True, "A draft: nothing is due yet.")

    def test_nothing_due_needs_no_instructions(self) -> None:
        document = present_invoice(invoice(()))
        assert (document.blocks, document.instructions, document.total_note) == ((), (), "Nothing is due.")

    def test_states_the_reverse_charge(self) -> None:
        document = present_invoice(invoice(tax_name="VAT, reverse charge", tax_rate=Decimal(0), tax=Decimal(0)))
        assert "Reverse charge: the customer is liable for the tax." in document.notes

    def test_a_long_one_has_an_annex(self) -> None:
        assert not present_invoice(invoice(many_lines(119))).has_annex
        assert present_invoice(invoice(many_lines(120))).has_annex

    def test_names_the_country(self) -> None:
        document = present_invoice(
            invoice(customer=replace(CUSTOMER, country="DE"), seller=replace(SELLER, country="XX"))
        )
        assert (document.customer.address[-1], document.seller.address[-1]) == ("Germany", "XX")


class TestCreditNote:
    def test_names_the_invoice_it_corrects(self) -> None:
        document = present_credit_note(credit_note())
        assert (document.title, document.total) == ("Credit note", "26.50 USD")
        assert dict(document.facts)["Corrects invoice"] == "VAULT-2020-000117"
        assert summary(document) == [("Subtotal", "25.00"), ("Sales tax 6 %", "1.50")]
