"""What the database refuses, and what it writes into the audit trail by itself."""

from django.db import migrations

from core import sql
from core.triggers import append_only, audited


def audited_by_people(table: str) -> migrations.RunSQL:
    """Audit a bulk table unless a run signs: the run, its roster and the rows themselves are that trail.

    A change that nobody signs still reaches vault_audit(), which refuses it.
    """
    return migrations.RunSQL(
        f"create trigger {table}_audited after insert or update or delete on {table} for each row"
        " when (coalesce(current_setting('vault.actor', true), '') not like 'run:%')"
        " execute function vault_audit()",
        f"drop trigger {table}_audited on {table}",
    )


CATALOGUE = """
drop trigger billing_price_no_truncate on billing_price;
drop trigger billing_price_ends_once on billing_price;
drop function billing_price_ends_once();
alter table billing_taxrate drop constraint tax_rates_never_overlap;
alter table billing_price drop constraint prices_never_overlap;
drop type billing_text_range;
"""
INVOICES = """
drop trigger billing_credited_is_documented on billing_invoice;
drop trigger billing_credit_note_line_holds on billing_creditnoteline;
drop trigger billing_credit_note_holds on billing_creditnote;
drop trigger billing_invoiceline_no_truncate on billing_invoiceline;
drop trigger billing_lines_stay_issued_delete on billing_invoiceline;
drop trigger billing_lines_stay_issued_move on billing_invoiceline;
drop trigger billing_lines_stay_issued_update on billing_invoiceline;
drop trigger billing_lines_stay_issued_insert on billing_invoiceline;
drop trigger billing_invoice_is_born_a_draft on billing_invoice;
drop trigger billing_invoice_is_issued_whole on billing_invoice;
drop trigger billing_invoice_no_truncate on billing_invoice;
drop trigger billing_invoice_stays_issued on billing_invoice;
drop function billing_credited_is_documented(), billing_credit_note_holds(), billing_lines_stay_issued(),
    billing_invoice_is_born_a_draft(), billing_invoice_is_issued_whole(), billing_invoice_stays_issued(),
    billing_number(text, text, int, bigint);
"""
LEDGER = """
drop trigger billing_ledger_stays_posted on billing_ledgerentry;
drop trigger billing_ledger_posts_balanced on billing_ledgertransaction;
drop function billing_ledger_stays_posted(), billing_ledger_posts_balanced();
"""
NUMBERS = """
drop trigger billing_numbers_have_no_gap on billing_numberseries;
drop trigger billing_numberseries_no_truncate on billing_numberseries;
drop trigger billing_numberseries_is_kept on billing_numberseries;
drop trigger billing_series_counts_up on billing_numberseries;
drop function billing_numbers_have_no_gap(), billing_series_counts_up();
"""
CREDITS = """
drop trigger billing_void_gives_back on billing_invoice;
drop trigger billing_grant_is_what_was_granted on billing_creditgrant;
drop trigger billing_credit_application_fits on billing_creditapplication;
drop trigger billing_credit_application_holds on billing_creditapplication;
drop trigger billing_credit_balance_holds on billing_creditgrant;
drop function billing_void_gives_back(), billing_grant_is_what_was_granted(), billing_credit_application_fits(),
    billing_credit_balance_holds();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_what_rating_said"), ("core", "0001_initial")]

    operations = [
        migrations.RunSQL(sql.load("billing", "refuse_catalogue"), CATALOGUE),
        migrations.RunSQL(sql.load("billing", "refuse_invoices"), INVOICES),
        migrations.RunSQL(sql.load("billing", "refuse_ledger"), LEDGER),
        migrations.RunSQL(sql.load("billing", "refuse_numbers"), NUMBERS),
        migrations.RunSQL(sql.load("billing", "refuse_credits"), CREDITS),
        append_only("billing_ledgertransaction"),
        append_only("billing_ledgerentry"),
        append_only("billing_creditnote"),
        append_only("billing_creditnoteline"),
        *map(audited, ("billing_product", "billing_price", "billing_taxrate", "billing_seller", "billing_run")),
        *map(audited, ("billing_creditnote",)),
        *map(
            audited_by_people,
            ("billing_invoice", "billing_invoiceline", "billing_creditgrant", "billing_runaccount"),
        ),
    ]
