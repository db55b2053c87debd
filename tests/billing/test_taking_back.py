"""Nothing is given back twice: credit notes of open, half-paid and paid invoices beside usage that is withdrawn."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import Account
from billing import credit_notes, settling
from billing.models import CreditGrant, CreditNote, CreditNoteLine, Invoice
from core import audit
from core.errors import Invalid
from tests import factories
from tests.billing.test_interplay import it_stopped_early, verified
from tests.factories import ADA, OCTOBER, account, build, invoice, ran, use

pytestmark = pytest.mark.django_db
SEPTEMBER = OCTOBER.previous
ON = date(2026, 11, 9)


@pytest.fixture
def acme() -> Account:
    """Acme ran w in all of September for 25, and something else for 50 in October; September is issued."""
    factories.staff()
    made = account("acme", region="DC")
    use(ran("w", "standard-1x", SEPTEMBER.start, None, "acme"))
    use(ran("other", "standard-2x", OCTOBER.start, OCTOBER.end, "acme"))
    factories.close(SEPTEMBER)
    return made


def take_back(made: Invoice, amount: str) -> credit_notes.Correction:
    line = made.lines.get()
    return credit_notes.issue(made.pk, {line.pk: Decimal(amount)}, reason="Slow.", actor=ADA, on=ON)


def pay(made: Invoice, amount: Decimal) -> None:
    with audit.acting(factories.ACTOR):
        settling.settle(made.pk, amount, on=ON)


class TestAPaidInvoice:
    def test_gets_a_note_whose_lines_say_that_a_credit_was_given(self, acme: Account) -> None:
        made = invoice(acme, SEPTEMBER)
        pay(made, made.total)
        found = take_back(made, "20")
        assert (found.note.number, found.note.total, found.note.tax, found.note.granted) == (
            "VAULT-CN-2026-000001", 20, 0, 20)  # fmt: skip
        assert list(found.note.lines.values_list("amount", "settlement")) == [(20, "credit")]
        assert [(grant.amount, grant.note, grant.corrects) for grant in found.grants] == [(20, found.note, made)]
        made.refresh_from_db()
        assert (made.status, made.credited) == ("paid", 0)

    def test_gives_no_line_back_twice(self, acme: Account) -> None:
        made = invoice(acme, SEPTEMBER)
        pay(made, made.total)
        take_back(made, "20")
        with pytest.raises(Invalid, match="at most 5"):
            take_back(made, "5.01")
        take_back(made, "5")
        with pytest.raises(Invalid):
            take_back(made, "0.01")

    def test_usage_withdrawn_later_gives_back_only_the_rest(self, acme: Account) -> None:
        made = invoice(acme, SEPTEMBER)
        pay(made, made.total)
        take_back(made, "20")
        it_stopped_early()
        build(OCTOBER)
        assert invoice(acme).lines.get(kind="adjustment").amount == -5


class TestAHalfPaidInvoice:
    def test_is_lowered_by_what_is_outstanding_and_the_rest_is_a_credit(self, acme: Account) -> None:
        made = invoice(acme, SEPTEMBER)
        pay(made, Decimal("16.08"))  # 26.50 with tax: 10.42 are outstanding
        found = take_back(made, "20")
        lines = {line.settlement: line.amount for line in found.note.lines.all()}
        assert lines == {"owed": Decimal("9.83"), "credit": Decimal("10.17")}
        assert (found.note.tax, found.note.granted, found.grants[0].amount) == (
            Decimal("0.59"), Decimal("10.17"), Decimal("10.17"))  # fmt: skip
        made.refresh_from_db()
        assert (made.status, made.credited, made.outstanding) == ("paid", Decimal("10.42"), 0)


class TestAWithdrawalFirst:
    def test_leaves_a_note_only_what_is_left_of_the_line(self, acme: Account) -> None:
        """October's draft gives 24.58 back already."""
        it_stopped_early()
        build(OCTOBER)
        with pytest.raises(Invalid, match=r"at most 0\.42"):
            take_back(invoice(acme, SEPTEMBER), "20")
        take_back(invoice(acme, SEPTEMBER), "0.42")


class TestTheDatabase:
    def test_refuses_a_note_line_beyond_what_withdrawals_left(self, acme: Account) -> None:
        it_stopped_early()
        build(OCTOBER)
        take_back(invoice(acme, SEPTEMBER), "0.42")
        forced = (
            "insert into billing_creditnoteline (note_id, line_id, amount, settlement)"
            " select id, (select min(line_id) from billing_creditnoteline), 1, 'credit' from billing_creditnote;"
            " set constraints all immediate"
        )
        with pytest.raises(DatabaseError, match=r"more than was charged|sum of its lines"):
            force(forced)

    def test_refuses_a_withdrawal_beyond_what_notes_left(self, acme: Account) -> None:
        take_back(invoice(acme, SEPTEMBER), "20")
        build(OCTOBER)
        draft = invoice(acme)
        forced = (
            'insert into billing_invoiceline (invoice_id, position, kind, app, product, "group", component, meter,'
            " description, quantity, unit, amount, rated, unrounded, resources, steps, inputs_hash, period_start,"
            f" period_end, reason, author) select {draft.pk}, 99, 'adjustment', app, product, \"group\", component,"
            " meter, description, quantity, unit, -6, -6, -6, 0, '[]', '', period_start, period_end, '', ''"
            f" from billing_invoiceline where invoice_id = {invoice(acme, SEPTEMBER).pk}"
        )
        with pytest.raises(DatabaseError, match=r"more than was charged"):
            force(forced)
        force(forced.replace("-6", "-5"))

    def test_refuses_a_note_whose_credit_was_not_given(self, acme: Account) -> None:
        made = invoice(acme, SEPTEMBER)
        pay(made, made.total)
        take_back(made, "20")
        forced = (
            "insert into billing_creditgrant (account_id, currency, amount, balance, scope, partners, reason, state,"
            " requested_by, requested_at, decided_by, corrects_id, note_id) select account_id, currency, 1, 1, '{}',"
            " true, 'again', 'active', 'x', now(), '', corrects_id, note_id from billing_creditgrant;"
            " set constraints all immediate"
        )
        with pytest.raises(DatabaseError, match="became credits"):
            force(forced)


def force(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select set_config('vault.actor', 'user:mallory@example.com', true)")
        cursor.execute(statement)


def test_the_invariants_hold_afterwards(acme: Account) -> None:
    made = invoice(acme, SEPTEMBER)
    take_back(made, "5")
    assert CreditNote.objects.count() == CreditNoteLine.objects.count() == 1
    assert not CreditGrant.objects.exists()
    it_stopped_early()
    build(OCTOBER)
    assert invoice(acme).lines.get(kind="adjustment").amount == -20
    assert verified()
