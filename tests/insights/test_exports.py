"""What other programs read agrees with the books: the journal balances, FOCUS rows sum to the invoices."""

import csv
import io
from collections import defaultdict
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db.models import Sum
from django.test import Client

from accounts.models import Account, User
from billing.models import Invoice, LedgerEntry
from core.audit import acting
from insights import focus, journal
from tests import factories
from tests.factories import ADA, OCTOBER

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def closed_month() -> None:
    factories.account("acme", region="DC", name='Acme "Robots"; Inc\nOld name')
    factories.account("kyoto", currency="JPY", country="JP")
    factories.use(factories.ran("a1", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
    factories.use(factories.ran("a2", "basic", OCTOBER.start, OCTOBER.end, "acme", component="web"))
    factories.use(factories.ran("k1", "standard-2x", OCTOBER.start, OCTOBER.end, "kyoto"))
    factories.close()


@pytest.mark.usefixtures("closed_month")
class TestJournal:
    @pytest.mark.parametrize("style", journal.FORMATS)
    def test_every_transaction_balances(self, style: str) -> None:
        for block in "\n".join(journal.write(journal.legs(), style)).strip().split("\n\n"):
            sums: dict[str, Decimal] = defaultdict(Decimal)
            for leg in (line for line in block.splitlines() if line.startswith("    ")):
                _, amount, currency = leg.split()
                sums[currency] += Decimal(amount)
            assert all(total == 0 for total in sums.values())

    def test_has_every_entry_of_the_ledger(self) -> None:
        assert sum(1 for _ in journal.legs()) == LedgerEntry.objects.count() > 0

    def test_writes_whole_coins(self) -> None:
        text = "\n".join(journal.write(journal.legs(), "hledger"))
        assert " 8250 JPY" in text and " 33.92 USD" in text

    def test_can_be_cut_by_date(self) -> None:
        assert list(journal.legs(until=factories.ISSUED_ON)) == []
        assert list(journal.legs(since=factories.ISSUED_ON)) != []

    def test_refuses_what_is_no_date(self) -> None:
        with pytest.raises(Exception, match="YYYY-MM-DD"):
            call_command("export_journal", "--since", "yesterday")


@pytest.mark.usefixtures("closed_month")
class TestFocus:
    def test_rows_sum_to_the_invoices(self) -> None:
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for row in focus.rows(OCTOBER):
            sums[row["BillingCurrency"]] += Decimal(row["BilledCost"])
        totals = dict(Invoice.objects.values_list("currency").annotate(Sum("total")).order_by())
        assert sums == totals

    def test_the_command_writes_csv_with_all_columns(self) -> None:
        out = io.StringIO()
        call_command("export_focus", "2026-10", stdout=out)
        rows = list(csv.DictReader(io.StringIO(out.getvalue())))
        assert tuple(rows[0]) == focus.COLUMNS
        assert {row["ChargeCategory"] for row in rows} == {"Usage", "Tax"}
        assert {row["SubAccountName"] for row in rows if row["ChargeCategory"] == "Usage"} == {"shop"}

    def test_the_page_s_file_holds_no_formula(self, client: Client) -> None:
        """The names are the customers' own, and whoever downloads the file opens it in a spreadsheet."""
        with acting(ADA):
            Account.objects.filter(code="acme").update(name='=HYPERLINK("https://evil.example")')
        client.force_login(User.objects.get(email="ada@example.com"), backend=BACKEND)
        answer = client.get("/reports/focus.csv?month=2026-10")
        rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))  # type: ignore[attr-defined]
        assert tuple(rows[0]) == focus.COLUMNS
        assert answer["Content-Disposition"] == 'attachment; filename="focus-2026-10.csv"'
        names = {row["BillingAccountName"] for row in rows if row["BillingAccountId"] == "acme"}
        assert names == {'\'=HYPERLINK("https://evil.example")'}
