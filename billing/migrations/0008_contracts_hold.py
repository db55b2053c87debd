"""What the database refuses about contracts and their prices, and the trail of who agreed to what.

The new exclusion constraint reads every price once and keeps writers of prices waiting for that moment.
"""

from django.db import migrations

from core import sql
from core.triggers import audited

BACK = """
drop trigger billing_contract_fits_its_prices on billing_contract;
drop trigger billing_price_fits_its_contract on billing_price;
drop function billing_contract_prices_fit();
alter table billing_price drop constraint prices_never_overlap;
alter table billing_price add constraint prices_never_overlap exclude using gist (
    int8range(product_id, product_id, '[]') with =,
    billing_text_range(currency::text, currency::text, '[]') with =,
    tstzrange(valid_from, valid_to) with &&);
drop trigger billing_contract_no_truncate on billing_contract;
drop trigger billing_contract_ends_once on billing_contract;
drop function billing_contract_ends_once();
alter table billing_contract drop constraint one_contract_at_a_time;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_contracts"), ("core", "0001_initial")]

    operations = [
        migrations.RunSQL(sql.load("billing", "refuse_contracts"), BACK),
        audited("billing_contract"),
    ]
