"""One invoice: its story on one page, its amounts explained, a draft adjusted, an issued one corrected."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from accounts.models import Account
from billing.documents import rendering
from billing.models import CreditGrant, CreditNote, Invoice, InvoiceLine
from core.models import AuditEntry
from tests import factories
from tests.billing.pages.conftest import As, text_of

pytestmark = pytest.mark.django_db
BEGIN, HALF = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 16, 12, tzinfo=UTC)
GREMLIN = '<script>alert(1)</script> & "x"'


@pytest.fixture
def acme(people: object) -> Account:
    """An account that used two apps, one with a name that a page must not obey."""
    made = factories.account("acme", name=GREMLIN, region="DC", email="ap@acme.example")
    factories.use(
        [
            *factories.ran("w1", "standard-2x", BEGIN, None, "acme", component="web"),
            *factories.ran("w2", "standard-1x", BEGIN, HALF, "acme", app=GREMLIN, component="worker"),
        ]
    )
    return made


@pytest.fixture
def draft(acme: Account) -> Invoice:
    factories.build()
    return Invoice.objects.get()


@pytest.fixture
def issued(draft: Invoice) -> Invoice:
    assert draft.run is not None
    factories.issue(draft.run)
    draft.refresh_from_db()
    return draft


def line_of(invoice: Invoice, component: str) -> InvoiceLine:
    return invoice.lines.get(component=component)


class TestStory:
    def test_tells_it_in_one_place(self, as_: As, issued: Invoice) -> None:
        page = text_of(as_("ada").get(f"/invoices/{issued.number}/"))
        for expected in (
            "66.25 USD",
            "Sales tax 6 %",
            "Lines by app",
            "In the books",
            "Documents and mail",
            "Receivable",
        ):
            assert expected in page
        assert GREMLIN not in page
        assert "&lt;script&gt;" in page

    def test_is_found_by_its_key_too(self, as_: As, issued: Invoice) -> None:
        assert as_("ada").get(f"/invoices/{issued.pk}/").status_code == 200

    @pytest.mark.parametrize("key", ["VAULT-1999-000001", "999999999", "9" * 30, "²", "x y"])
    def test_says_that_there_is_none(self, as_: As, people: object, key: str) -> None:
        answer = as_("ada").get(f"/invoices/{key}/")
        assert answer.status_code == 404
        assert "There is no invoice" in text_of(answer)

    def test_offers_only_what_can_be_done(self, as_: As, draft: Invoice) -> None:
        address = f"/invoices/{draft.pk}/"
        assert "lines/add/" in text_of(as_("ada").get(address))
        assert "lines/add/" not in text_of(as_("sam").get(address))
        assert "take-back" not in text_of(as_("ada").get(address))

    def test_needs_a_bounded_number_of_queries(
        self, as_: As, issued: Invoice, django_assert_max_num_queries: object
    ) -> None:
        client = as_("ada")
        with django_assert_max_num_queries(30):  # type: ignore[operator]
            client.get(f"/invoices/{issued.number}/")


class TestExplanation:
    def test_says_how_the_amount_came_about(self, as_: As, issued: Invoice) -> None:
        line = line_of(issued, "worker")
        page = text_of(as_("iris").get(f"/invoices/{issued.number}/lines/{line.pk}/"))
        for expected in (
            "12.50 USD is 12.5 rounded once, half up",
            "1,339,200 s",
            line.inputs_hash,
            f"#{line.price_id}",
        ):
            assert expected in page
        assert "/accounts/acme/usage/?month=2026-10" in page
        assert "<html" in page

    def test_is_a_part_of_the_page_for_htmx(self, as_: As, issued: Invoice) -> None:
        line = line_of(issued, "worker")
        answer = as_("ada").get(f"/invoices/{issued.number}/lines/{line.pk}/", headers={"HX-Request": "true"})
        assert "<html" not in text_of(answer)
        assert "HX-Request" in answer["Vary"]

    def test_another_invoice_has_no_such_line(self, as_: As, issued: Invoice) -> None:
        assert as_("ada").get(f"/invoices/{issued.number}/lines/1/").status_code == 404


class TestAdjust:
    def test_adds_a_line(self, as_: As, draft: Invoice) -> None:
        form = {"description": "Setup", "amount": "20.00", "group": "other", "reason": "Agreed with sales", "app": ""}
        answer = as_("ada").post(f"/invoices/{draft.pk}/lines/add/", form, follow=True)
        assert "Setup was added." in text_of(answer)
        draft.refresh_from_db()
        assert (draft.subtotal, draft.total) == (Decimal("82.5"), Decimal("87.45"))
        assert AuditEntry.objects.filter(table="billing_invoiceline", actor="user:ada@example.com").exists()

    def test_changes_and_waives_a_line(self, as_: As, draft: Invoice) -> None:
        client, web, worker = as_("ada"), line_of(draft, "web"), line_of(draft, "worker")
        client.post(f"/invoices/{draft.pk}/lines/{web.pk}/change/", {"amount": "40", "reason": "Outage"})
        client.post(f"/invoices/{draft.pk}/lines/{worker.pk}/waive/", {"reason": "Outage"})
        draft.refresh_from_db()
        assert draft.subtotal == 40
        page = text_of(client.get(f"/invoices/{draft.pk}/lines/{web.pk}/"))
        assert "Rating says 50.00 USD (50 rounded once, half up); a person charged 40.00 USD instead." in page

    @pytest.mark.parametrize(
        ("form", "complaint"),
        [
            ({"amount": "1", "reason": "x"}, "This field is required"),
            ({"description": "x", "amount": "1", "reason": ""}, "This field is required"),
            ({"description": "x", "amount": "NaN", "reason": "x"}, "Enter a number"),
            ({"description": "x", "amount": "1e30", "reason": "x"}, "Ensure that there are no more than"),
            ({"description": "x", "amount": "1.005", "reason": "x"}, "is not an amount in USD"),
        ],
    )
    def test_says_what_is_wrong(self, as_: As, draft: Invoice, form: dict[str, str], complaint: str) -> None:
        answer = as_("ada").post(f"/invoices/{draft.pk}/lines/add/", {"group": "other"} | form)
        assert complaint in text_of(answer)
        draft.refresh_from_db()
        assert draft.lines.count() == 2

    def test_refuses_an_issued_one(self, as_: As, issued: Invoice) -> None:
        line = line_of(issued, "web")
        answer = as_("ada").post(f"/invoices/{issued.pk}/lines/{line.pk}/waive/", {"reason": "x"})
        assert "correct it by a credit note" in text_of(answer)

    @pytest.mark.parametrize("who", ["sam", "omar", "iris"])
    def test_is_for_finance(self, as_: As, draft: Invoice, who: str) -> None:
        assert as_(who).get(f"/invoices/{draft.pk}/lines/add/").status_code == 403
        assert as_(who).post(f"/invoices/{draft.pk}/take-back/").status_code == 403


class TestTakeBack:
    def test_issues_a_credit_note_with_its_document(self, as_: As, issued: Invoice) -> None:
        client, line = as_("ada"), line_of(issued, "web")
        form = {"reason": "Outage on 3 October", f"line_{line.pk}": "10.00"}
        page = text_of(client.post(f"/invoices/{issued.number}/take-back/", form, follow=True))
        note = CreditNote.objects.get()
        assert f"Credit note {note.number} over 10.60 USD was issued." in page
        assert "Outage on 3 October" in page
        answer = client.get(f"/credit-notes/{note.number}/pdf/")
        assert (answer["Content-Type"], answer.content[:5]) == ("application/pdf", b"%PDF-")

    def test_gives_a_credit_once_it_is_paid(self, as_: As, issued: Invoice) -> None:
        from billing import settling
        from core import audit

        with audit.acting("system:test"):
            settling.settle(issued.pk, issued.total, on=factories.ISSUED_ON)
        line = line_of(issued, "web")
        form = {"reason": "Outage", f"line_{line.pk}": "10.00"}
        page = text_of(as_("ada").post(f"/invoices/{issued.number}/take-back/", form, follow=True))
        assert "A credit of 10.00 USD was given." in page
        assert CreditGrant.objects.get().corrects == issued

    def test_offers_no_more_than_is_left(self, as_: As, issued: Invoice) -> None:
        client, line = as_("ada"), line_of(issued, "web")
        page = text_of(
            client.post(f"/invoices/{issued.number}/take-back/", {"reason": "x", f"line_{line.pk}": "50.01"})
        )
        assert "less than or equal to 50" in page
        page = text_of(client.post(f"/invoices/{issued.number}/take-back/", {"reason": "x"}))
        assert "Choose at least one line" in page
        assert CreditNote.objects.count() == 0


class TestFiles:
    def test_the_pdf_is_named_by_its_number(self, as_: As, issued: Invoice) -> None:
        answer = as_("sam").get(f"/invoices/{issued.number}/pdf/")
        assert answer["Content-Disposition"] == f'attachment; filename="{issued.number}.pdf"'
        assert answer.content.startswith(b"%PDF-")

    def test_a_draft_has_no_pdf_but_a_preview(self, as_: As, draft: Invoice) -> None:
        client = as_("ada")
        assert client.get(f"/invoices/{draft.pk}/pdf/").status_code == 403
        page = text_of(client.get(f"/invoices/{draft.pk}/preview/"))
        assert "Draft: not issued, nothing is due, stored nowhere." in page
        assert "66.25 USD" in page

    def test_the_lines_are_a_file_without_formulas(self, as_: As, issued: Invoice) -> None:
        answer = as_("ada").get(f"/invoices/{issued.number}/lines.csv")
        rows = {row["component"]: row for row in csv.DictReader(io.StringIO(answer.getvalue().decode()))}
        assert (rows["worker"]["usage"], rows["worker"]["amount"], rows["worker"]["app"]) == (
            "1339200",
            "12.5",
            GREMLIN,
        )

    def test_a_document_that_was_given_up_is_printed_again(self, as_: As, issued: Invoice) -> None:
        document = issued.documents.get()
        address = f"/invoices/{issued.number}/documents/{document.pk}/print-again/"
        assert "was not given up" in text_of(as_("sam").post(address))
        issued.documents.update(state="dead", attempts=5, last_error="ValueError: no such glyph")
        assert "no such glyph" in text_of(as_("sam").get(f"/invoices/{issued.number}/"))
        assert "being printed again" in text_of(as_("sam").post(address, follow=True))
        assert rendering.render_waiting() == 1
        assert as_("iris").post(address).status_code == 403
