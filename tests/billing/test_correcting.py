"""Corrections: lines of a draft, credits with a second person, credit notes, and the doors of collections."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from accounts.models import Account
from billing import adjusting, credit_notes, crediting, settling
from billing.models import CreditGrant, CreditNote, Document, Invoice, LedgerEntry, LedgerTransaction, Product
from core import audit
from core.errors import Conflict, Invalid, NotFound, Refused
from core.models import AuditEntry
from monitoring import invariants
from tests import factories
from tests.factories import ADA, GRACE, OCTOBER, SAM, account, build, invoice, ran, use

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 9)


@pytest.fixture
def acme() -> Account:
    """An account in Washington (6 % tax) that used two apps for 50 and 7 dollars."""
    factories.staff()
    made = account("acme", region="DC")
    use(ran("w", "standard-2x", OCTOBER.start, OCTOBER.end, "acme", "shop"))
    use(ran("b", "basic", OCTOBER.start, OCTOBER.end, "acme", "blog"))
    return made


def broken() -> list[str]:
    """What the invariants find, once the deferred triggers have spoken; settling here has no payment behind it."""
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate; set constraints all deferred")
    names = [one.name for one in invariants.collect() if not invariants.check(one).holds]
    return [name for name in names if name.startswith("billing/")]


class TestDraftLines:
    def test_a_waived_line_stays_at_zero_with_its_reason(self, acme: Account) -> None:
        build()
        line = invoice(acme).lines.get(app="shop")
        adjusting.waive_line(line.pk, reason="Outage on the 3rd.", actor=ADA)
        made = invoice(acme)
        assert (made.subtotal, made.tax, made.total) == (7, Decimal("0.42"), Decimal("7.42"))
        line.refresh_from_db()
        assert (line.amount, line.rated, line.reason, line.author) == (0, 50, "Outage on the 3rd.", ADA)
        assert AuditEntry.objects.filter(table="billing_invoiceline", row=str(line.pk), actor=ADA).exists()

    def test_a_waived_line_is_not_billed_again_later(self, acme: Account) -> None:
        run = build()
        adjusting.waive_line(invoice(acme).lines.get(app="shop").pk, reason="Outage.", actor=ADA)
        factories.issue(run)
        late = build(OCTOBER.next, shadow=True)
        assert not Invoice.objects.filter(run=late).exists()

    def test_a_manual_line_is_taxed_like_the_others(self, acme: Account) -> None:
        build()
        adjusting.add_line(
            invoice(acme).pk, description="Migration help", amount=Decimal(100), reason="agreed", actor=ADA
        )
        made = invoice(acme)
        assert (made.subtotal, made.tax, made.total) == (157, Decimal("9.42"), Decimal("166.42"))
        assert [line.kind for line in made.lines.order_by("position")][-1] == "manual"

    def test_credits_follow_the_lines(self, acme: Account) -> None:
        crediting.request(acme.pk, Decimal(60), reason="welcome", actor=ADA)
        build()
        assert invoice(acme).credits == 57
        adjusting.waive_line(invoice(acme).lines.get(app="shop").pk, reason="Outage.", actor=ADA)
        assert (invoice(acme).credits, CreditGrant.objects.get().balance) == (7, 53)
        assert broken() == []

    @pytest.mark.parametrize("amount", ["1.005", "NaN", "Infinity", "1E20"])
    def test_only_coins_are_charged(self, acme: Account, amount: str) -> None:
        build()
        with pytest.raises(Invalid):
            adjusting.change_line(invoice(acme).lines.get(app="shop").pk, amount=Decimal(amount), reason="x", actor=ADA)

    def test_a_reason_is_asked_for(self, acme: Account) -> None:
        build()
        with pytest.raises(Invalid, match="Say why"):
            adjusting.waive_line(invoice(acme).lines.get(app="shop").pk, reason=" ", actor=ADA)

    def test_an_issued_invoice_is_left_alone(self, acme: Account) -> None:
        factories.close()
        with pytest.raises(Conflict, match="credit note"):
            adjusting.waive_line(invoice(acme).lines.get(app="shop").pk, reason="too late", actor=ADA)


class TestCredits:
    def test_within_the_limit_it_is_active_and_drafts_take_it(self, acme: Account) -> None:
        build()
        grant = crediting.request(acme.pk, Decimal(10), reason="slow", actor=SAM)
        assert (grant.state, grant.balance, invoice(acme).credits) == ("active", 0, 10)
        assert invoice(acme).tax == Decimal("2.82")

    def test_above_the_limit_it_waits_for_somebody_else(self, acme: Account) -> None:
        build()
        grant = crediting.request(acme.pk, Decimal("100.01"), reason="very slow", actor=SAM)
        assert (grant.state, invoice(acme).credits) == ("requested", 0)
        with pytest.raises(Refused):
            crediting.approve(grant.pk, actor=SAM)
        assert crediting.approve(grant.pk, actor=ADA).state == "active"
        assert crediting.approve(grant.pk, actor=ADA).state == "active"
        assert invoice(acme).credits == 57
        with pytest.raises(Conflict):
            crediting.refuse(grant.pk, actor=GRACE)

    def test_finance_cannot_approve_its_own(self, acme: Account) -> None:
        grant = crediting.request(acme.pk, Decimal(5000), reason="big", actor=ADA)
        with pytest.raises(Refused, match="You asked"):
            crediting.approve(grant.pk, actor=ADA)
        assert crediting.refuse(grant.pk, actor=GRACE, reason="no").state == "refused"

    def test_a_scope_and_a_cap_are_kept(self, acme: Account) -> None:
        """O9: a student's 13 dollars pay for anything but a partner's add-on."""
        use(ran("log", "log-drain-choklad", OCTOBER.start, OCTOBER.end, "acme"))
        crediting.request(acme.pk, Decimal(156), limit=Decimal(1000), reason="student", actor=SAM, partners=False,
                          cap_per_month=Decimal(13))  # fmt: skip
        build()
        assert (invoice(acme).subtotal, invoice(acme).credits) == (67, 13)
        assert CreditGrant.objects.get().balance == 143

    def test_a_partners_product_is_left_to_pay(self) -> None:
        factories.staff()
        student = account("student")
        for product in ("eco", "mini-postgres", "mini-key-value", "log-drain-choklad"):
            use(ran(product, product, OCTOBER.start, OCTOBER.end, "student"))
        assert Product.objects.get(code="log-drain-choklad").partner
        crediting.request(student.pk, Decimal(13), reason="student", actor=SAM, partners=False)
        build()
        assert (invoice(student).credits, invoice(student).total) == (13, 10)

    @pytest.mark.parametrize("amount", ["0", "-5", "1.001", "NaN"])
    def test_only_positive_coins(self, acme: Account, amount: str) -> None:
        with pytest.raises(Invalid):
            crediting.request(acme.pk, Decimal(amount), reason="x", actor=ADA)

    def test_an_auditor_or_a_stranger_gives_none(self, acme: Account) -> None:
        with pytest.raises(Refused):
            crediting.request(acme.pk, Decimal(5), reason="x", actor="system:cron")


class TestCreditNotes:
    def test_lowers_what_is_owed_with_its_share_of_the_tax(self, acme: Account) -> None:
        factories.close()
        line = invoice(acme).lines.get(app="shop")
        found = credit_notes.issue(invoice(acme).pk, {line.pk: Decimal(20)}, reason="Slow.", actor=ADA, on=ON)
        assert (found.note.number, found.note.subtotal, found.note.tax) == ("VAULT-CN-2026-000001", 20, Decimal("1.20"))
        assert (invoice(acme).credited, invoice(acme).outstanding) == (Decimal("21.20"), Decimal("39.22"))
        assert Document.objects.filter(kind="credit_note").count() == 1
        assert broken() == []

    def test_taking_all_back_takes_back_exactly_all(self, acme: Account) -> None:
        factories.close()
        made = invoice(acme)
        for line in made.lines.all():
            for part in (Decimal("0.03"), line.amount - Decimal("0.03")):
                credit_notes.issue(made.pk, {line.pk: part}, reason="Wrong party.", actor=ADA, on=ON)
        made.refresh_from_db()
        assert (made.status, made.credited, made.outstanding) == ("paid", made.total, 0)
        assert sum(CreditNote.objects.values_list("tax", flat=True)) == made.tax
        assert broken() == []

    def test_of_a_paid_invoice_is_a_credit(self, acme: Account) -> None:
        factories.close()
        settle(acme, invoice(acme).total)
        line = invoice(acme).lines.get(app="shop")
        found = credit_notes.issue(invoice(acme).pk, {line.pk: Decimal(20)}, reason="Slow.", actor=ADA, on=ON)
        assert found.note.granted == 20
        assert [(grant.amount, grant.corrects) for grant in found.grants] == [(20, invoice(acme))]
        with pytest.raises(Invalid):
            credit_notes.issue(invoice(acme).pk, {line.pk: Decimal(40)}, reason="more", actor=ADA, on=ON)

    def test_never_takes_more_than_there_is(self, acme: Account) -> None:
        factories.close()
        made = invoice(acme)
        line = made.lines.get(app="shop")
        for wrong in ("50.01", "0", "-1", "1.001"):
            with pytest.raises(Invalid):
                credit_notes.issue(made.pk, {line.pk: Decimal(wrong)}, reason="x", actor=ADA, on=ON)
        with pytest.raises(NotFound):
            credit_notes.issue(made.pk, {line.pk + 1000: Decimal(1)}, reason="x", actor=ADA, on=ON)
        with pytest.raises(Invalid):
            credit_notes.issue(made.pk, {}, reason="x", actor=ADA, on=ON)

    def test_more_than_is_outstanding_becomes_a_credit(self, acme: Account) -> None:
        factories.close()
        settle(acme, Decimal(50))
        line = invoice(acme).lines.get(app="shop")
        found = credit_notes.issue(invoice(acme).pk, {line.pk: Decimal(20)}, reason="Slow.", actor=ADA, on=ON)
        assert (found.note.lowered, found.note.granted) == (Decimal("10.42"), Decimal("10.17"))

    def test_support_writes_none(self, acme: Account) -> None:
        factories.close()
        line = invoice(acme).lines.get(app="shop")
        with pytest.raises(Refused):
            credit_notes.issue(invoice(acme).pk, {line.pk: Decimal(1)}, reason="x", actor=SAM, on=ON)


class TestSettling:
    def test_in_parts_until_it_is_paid(self, acme: Account) -> None:
        factories.close()
        settle(acme, Decimal(10))
        assert (invoice(acme).status, invoice(acme).outstanding) == ("open", Decimal("50.42"))
        settle(acme, Decimal("50.42"))
        assert (invoice(acme).status, invoice(acme).payment_status) == ("paid", "paid")
        with pytest.raises(Conflict):
            settle(acme, Decimal(1))

    def test_never_more_than_is_outstanding(self, acme: Account) -> None:
        factories.close()
        for wrong in ("60.43", "0", "-1", "0.001"):
            with pytest.raises(Invalid):
                settle(acme, Decimal(wrong))

    def test_a_charge_back_opens_it_again(self, acme: Account) -> None:
        factories.close()
        settle(acme, Decimal("60.42"))
        unsettle(acme, Decimal("60.42"))
        assert (invoice(acme).status, invoice(acme).outstanding) == ("open", Decimal("60.42"))

    def test_a_write_off_posts_the_loss_and_a_late_payment_takes_it_back(self, acme: Account) -> None:
        factories.close()
        settling.write_off(invoice(acme).pk, reason="bankrupt", actor=ADA, on=ON)
        settling.write_off(invoice(acme).pk, reason="bankrupt", actor=ADA, on=ON)
        assert (invoice(acme).status, balance("write_off"), balance("receivable")) == (
            "uncollectible",
            Decimal("60.42"),
            0,
        )
        settle(acme, Decimal("20.42"))
        assert (invoice(acme).status, balance("write_off")) == ("uncollectible", 40)
        settle(acme, Decimal(40))
        assert (invoice(acme).status, balance("write_off")) == ("paid", 0)
        assert LedgerTransaction.objects.filter(kind__startswith="recover").count() == 2


def balance(ledger_account: str) -> Decimal:
    return sum(LedgerEntry.objects.filter(ledger_account=ledger_account).values_list("amount", flat=True), Decimal(0))


def settle(owner: Account, amount: Decimal) -> None:
    with audit.acting(factories.ACTOR):
        settling.settle(invoice(owner).pk, amount, on=ON)


def unsettle(owner: Account, amount: Decimal) -> None:
    with audit.acting(factories.ACTOR):
        settling.unsettle(invoice(owner).pk, amount, on=ON)
