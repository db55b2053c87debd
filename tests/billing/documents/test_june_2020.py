"""O1 on paper: from usage events, through a closed month, to the PDF that says 75.85."""

from datetime import date
from decimal import Decimal

import pytest

from billing.documents import rendering
from tests import factories
from tests.billing.documents.test_pdf import text_of
from tests.billing.test_june_2020 import JUNE, PRINTED, events

pytestmark = pytest.mark.django_db


def test_the_invoice_of_june_2020_is_printed_line_by_line() -> None:
    said = events()
    owner = factories.account(said[0]["account"], region="DC", name="Civic Data Lab")
    factories.use(said)
    factories.close(JUNE, date(2020, 7, 1))
    text = text_of(rendering.content(factories.invoice(owner, JUNE)))
    for expected in ("71.56", "4.29", "75.85 USD", "Jun 01 – Jul 01, 2020", "64.05", "Civic Data Lab"):
        assert expected in text
    rows = [line.split() for line in text.splitlines()]
    for _, _, _, months, amount in PRINTED:
        quantity = f"{Decimal(months):.7f}"
        assert any(quantity in row and row[-1] == amount for row in rows), (months, amount)
