"""What the database refuses about the books, even to its owner with raw SQL, and what the invariants would find."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from billing import credit_notes, crediting
from billing.models import Invoice
from core.sql import ROOT
from monitoring import invariants
from tests import factories
from tests.factories import ADA, OCTOBER, account, invoice, ran, use

pytestmark = pytest.mark.django_db
OURS = [one for one in invariants.collect() if one.name.startswith("billing/")]
INVOICE, LINE = "update billing_invoice set", "update billing_invoiceline set"
GRANT, RUN = "update billing_creditgrant set", "update billing_run set"
HEADER = (
    "insert into billing_ledgertransaction (id, source_type, source_id, kind, effective_on, account_id, posted_at)"
    " select 990001, 'test', 1, 'x', '2026-11-01', min(id), now() from accounts_account"
)
ENTRY = "insert into billing_ledgerentry (transaction_id, ledger_account, currency, amount) values"


@pytest.fixture
def books() -> Invoice:
    """Acme owes for October after a credit and a credit note; Globex has an issued invoice and a draft."""
    factories.staff()
    acme, globex = account("acme", region="DC"), account("globex")
    for who in ("acme", "globex"):
        use(ran(f"w-{who}", "standard-2x", OCTOBER.start, None, who))
    crediting.request(acme.pk, Decimal("5.00"), reason="sorry", actor=ADA)
    factories.close()
    owed = invoice(acme)
    line = owed.lines.get()
    credit_notes.issue(owed.pk, {line.pk: Decimal("2.00")}, reason="slow", actor=ADA, on=date(2026, 11, 3))
    factories.build(OCTOBER.next, shadow=True)
    crediting.request(globex.pk, Decimal("7.00"), reason="later", actor=ADA)
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate; set constraints all deferred")
    return owed


def refused(statement: str, because: str) -> None:
    with pytest.raises(DatabaseError, match=because), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select set_config('vault.actor', 'user:mallory@example.com', true)")
        cursor.execute(statement)
        cursor.execute("set constraints all immediate")


REFUSALS = [
    (f"{HEADER}", "does not balance"),
    (f"{ENTRY} (990001, 'cash', 'USD', 5), (990001, 'receivable', 'USD', -4); {HEADER}", "does not balance"),
    (f"{ENTRY} (990001, 'cash', 'EUR', 5), (990001, 'receivable', 'USD', -5); {HEADER}", "does not balance"),
    (f"{ENTRY} (990001, 'cash', 'USD', 5), (990001, 'receivable', 'USD', -5)", "foreign key"),
    (f"{ENTRY} ((select min(id) from billing_ledgertransaction), 'cash', 'USD', 5)", "cannot be added"),
    (f"{ENTRY} (990001, 'cash', 'USD', 0)", "ledger_entry_not_zero"),
    (f"{ENTRY} (990001, 'cash', 'USD', 'NaN')", "within_reason"),
    ("update billing_ledgerentry set amount = amount * 2", "append-only"),
    ("delete from billing_ledgertransaction", "append-only"),
    ("truncate billing_ledgerentry", "append-only"),
    ("insert into billing_ledgertransaction (source_type, source_id, kind, effective_on, account_id, posted_at)"
     " select source_type, source_id, kind, effective_on, account_id, now() from billing_ledgertransaction limit 1",
     "a_fact_posts_once"),
    (f"{INVOICE} total = total + 1, subtotal = subtotal + 1 where status = 'open'", "correct it by a credit note"),
    (f"{INVOICE} due_on = due_on + 30 where status = 'open'", "correct it by a credit note"),
    (f"{INVOICE} bill_to = '{{}}' where status = 'open'", "correct it by a credit note"),
    (f"{INVOICE} status = 'draft', number = null, issued_on = null where status = 'open'", "correct it by"),
    (f"{INVOICE} status = 'paid' where status = 'open'", "paid_exactly_when"),
    (f"{INVOICE} settled = total + 1 where status = 'open'", "paid_exactly_when"),
    (f"{INVOICE} settled = -1 where status = 'open'", "settled_not_negative"),
    (f"{INVOICE} credited = credited + 1 where status = 'open'", "credit notes come to"),
    ("delete from billing_invoice where status = 'open'", "cannot be deleted|foreign key"),
    ("truncate billing_invoice cascade", "append-only"),
    (f"{LINE} amount = 0, rated = 0", "immutable"),
    ("delete from billing_invoiceline", "immutable"),
    ("insert into billing_invoiceline (invoice_id, position, kind, app, product, \"group\", component, meter,"
     " description, quantity, unit, amount, rated, unrounded, resources, steps, inputs_hash, period_start, period_end,"
     " reason, author)"
     " select id, 99, 'manual', '', '', 'other', '', '', 'more', 1, '', 5, null, 5, 0, '[]', '', now(), now(), 'r', 'a'"
     " from billing_invoice where status = 'open' limit 1", "immutable"),
    (f"{INVOICE} status = 'open', number = 'VAULT-2026-000001', issued_on = '2026-11-05', due_on = '2026-11-05'"
     " where status = 'draft'", "one_live|is not issuing|number|shadow"),
    ("insert into billing_invoice (account_id, seller_id, kind, shadow, currency, period_start, period_end, status,"
     " payment_status, subtotal, credits, tax_name, tax_rate, tax, total, settled, credited, bill_to, sold_by,"
     " content_hash, created_at) select account_id, seller_id, 'periodic', false, currency, period_start, period_end,"
     " 'draft', 'none', 0, 0, '', 0, 0, 0, 0, 0, '{}', '{}', '', now()"
     " from billing_invoice where status = 'open' limit 1",
     "one_live_invoice"),
    ("insert into billing_invoice (account_id, seller_id, kind, shadow, currency, period_start, period_end, status,"
     " number, issued_on, due_on, payment_status, subtotal, credits, tax_name, tax_rate, tax, total, settled, credited,"
     " bill_to, sold_by, content_hash, created_at) select account_id, seller_id, 'one_off', false, currency,"
     " period_start, period_end, 'open', 'VAULT-2026-000003', '2026-11-05', '2026-11-05', 'none', 1, 0, '', 0, 0, 1, 0,"
     " 0, '{}', '{}', '', now() from billing_invoice where status = 'open' limit 1", "begins as a draft"),
    ("update billing_numberseries set last = last + 1", "names no document"),
    ("update billing_numberseries set last = last - 1", "only counts up"),
    ("update billing_numberseries set last_on = '2020-01-01'", "only counts up"),
    ("delete from billing_numberseries", "append-only"),
    (f"{GRANT} balance = balance + 1 where balance < amount", "granted and"),
    (f"{GRANT} balance = -1", "balance_between"),
    (f"{GRANT} amount = amount + 1000, balance = balance + 1000", "stays as it was granted"),
    (f"{GRANT} decided_by = requested_by", "second_person"),
    ("delete from billing_creditgrant", "stays as it was granted|foreign key"),
    ("update billing_creditapplication set amount = amount - 1", "final"),
    ("delete from billing_creditapplication", "final"),
    ("update billing_creditnote set total = total - 1, subtotal = subtotal - 1", "append-only"),
    ("delete from billing_creditnoteline", "append-only"),
    (f"{RUN} approved_by = opened_by", "second_person"),
    (f"{RUN} state = 'issuing', approved_by = '' where shadow", "shadow_is_never|are_approved"),
    ("update billing_price set terms = '{}' where id = (select min(id) from billing_price)", "immutable"),
    ("update billing_price set currency = 'GBP'", "immutable"),
    ("delete from billing_price", "kept for ever|foreign key"),
    ("insert into billing_price (product_id, currency, model, terms, unit, valid_from)"
     " select product_id, currency, model, terms, unit, '2026-12-01' from billing_price limit 1",
     "prices_never_overlap"),
    ("insert into billing_taxrate (name, country, region, rate, valid_from)"
     " select name, country, region, rate, '2026-12-01' from billing_taxrate limit 1", "tax_rates_never_overlap"),
    ("update billing_runaccount set outcome = 'held', reason = ''", "have_a_reason"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "because"), REFUSALS, ids=[f"{n}-{why}" for n, (_, why) in enumerate(REFUSALS)])
def test_it_is_refused(books: Invoice, statement: str, because: str) -> None:
    refused(statement, because)


def test_every_invariant_holds_in_books_that_were_kept(books: Invoice) -> None:
    assert [one.name for one in invariants.collect() if not invariants.check(one).holds] == []


def test_nothing_changes_without_a_name(books: Invoice) -> None:
    statements = (
        "update billing_price set valid_to = '2030-01-01'",
        f"{GRANT} expires_on = '2030-01-01'",
        f"{INVOICE} payment_status = 'unknown' where status = 'open'",
        f"{RUN} code_version = 'x'",
    )
    for statement in statements:
        with pytest.raises(DatabaseError, match="needs an actor"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


TAMPERING = {
    "ledger_balances": "update billing_ledgerentry set amount = amount + 1 where ledger_account = 'revenue'",
    "ledger_transactions_have_entries": "delete from billing_ledgerentry where ledger_account <> 'receivable'",
    "invoices_are_posted_once": "update billing_ledgerentry set amount = amount * 2",
    "receivable_is_what_is_outstanding": f"{INVOICE} settled = 1 where status = 'open'",
    "lines_are_their_price_times_their_usage": f"{LINE} rated = 49.99, amount = 49.99",
    "prices_never_overlap": "alter table billing_price drop constraint prices_never_overlap; insert into billing_price"
    " (product_id, currency, model, terms, unit, valid_from) select product_id, currency, model, terms, unit,"
    " '2026-12-01' from billing_price limit 1",
    "contracts_hold": "insert into billing_contract (account_id, currency, name, valid_from, terms, reason, created_by)"
    " select id, 'USD', 'x', '2026-12-01', '{}', 'r', 'user:x' from accounts_account limit 1;"
    " insert into billing_price (product_id, currency, model, terms, unit, valid_from, contract_id) select product_id,"
    " 'USD', model, terms, unit, '2027-01-01', (select max(id) from billing_contract) from billing_price limit 1",
    "one_live_invoice_per_month": "drop index one_live_invoice_per_account_and_period;"
    f" {INVOICE} account_id = (select max(account_id) from billing_invoice) where not shadow",
    "rosters_and_invoices_agree": "update billing_runaccount set outcome = 'zero' where outcome = 'issued'",
    "issued_invoices_are_dated_and_addressed": f"{INVOICE} bill_to = '{{}}' where status = 'open'",
    "issued_invoices_have_their_document": "delete from billing_document where kind = 'invoice'",
    "numbers_have_no_gap": "update billing_numberseries set last = last + 1",
    "numbers_follow_dates": f"{INVOICE} issued_on = '2026-01-05' where number like '%2'",
    "invoices_add_up": f"{INVOICE} subtotal = subtotal + 1, total = total + 1 where status = 'open'",
    "one_currency_throughout": "update billing_creditnote set currency = 'EUR'",
    "amounts_are_whole_coins": f"{LINE} amount = 0.001, rated = 0.001",
    "changed_lines_have_a_reason": "alter table billing_invoiceline drop constraint changed_line_has_author_and_reason;"
    f" {LINE} amount = 1",
    "credit_balances_hold": f"{GRANT} balance = amount",
    "credits_stay_within_their_invoice": f"{GRANT} cap_per_month = 1",
    "paid_means_nothing_outstanding": f"{INVOICE} credited = credited + 1 where status = 'open'",
    "second_persons_decided": "alter table billing_run drop constraint run_approved_by_a_second_person;"
    f" {RUN} approved_by = opened_by where not shadow",
    "nothing_is_given_back_twice": "update billing_creditnoteline set amount = 51",
    "notes_say_what_became_credits": "update billing_creditnote set granted = 1",
    "rosters_end": "update billing_runaccount set outcome = 'pending' where outcome = 'issued'",
    "shadows_leave_no_trace": f"{INVOICE} shadow = false, kind = 'one_off' where shadow",
}


def test_every_invariant_has_its_tampering() -> None:
    names = {path.stem for path in (ROOT / "billing" / "invariants").glob("*.sql")}
    assert names == set(TAMPERING)


@pytest.mark.parametrize("name", sorted(TAMPERING))
def test_the_invariant_finds_what_was_forced(books: Invoice, name: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")  # no trigger speaks
        cursor.execute(TAMPERING[name])
        (found,) = [one for one in OURS if one.name == f"billing/{name}"]
        assert invariants.check(found).rows
        transaction.set_rollback(True)
