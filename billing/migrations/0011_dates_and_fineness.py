"""The database refuses a mistyped year, and a price finer than a line can keep."""

from django.db import migrations

from core import sql

DROP = """
drop trigger billing_series_is_dated_sensibly on billing_numberseries;
drop trigger billing_run_is_dated_sensibly on billing_run;
drop function billing_series_is_dated_sensibly(), billing_run_is_dated_sensibly();
"""
# Prices that were accepted before stay as they are; they can only end.
FINENESS = """
alter table billing_price add constraint price_is_no_finer_than_a_line
    check (terms::text !~ '"-?[0-9]*[.][0-9]{12}[0-9]*[1-9][0-9]*"') not valid
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0010_void_invoices_moved_no_money")]

    operations = [
        migrations.RunSQL(sql.load("billing", "refuse_dates"), DROP),
        migrations.RunSQL(FINENESS, "alter table billing_price drop constraint price_is_no_finer_than_a_line"),
    ]
