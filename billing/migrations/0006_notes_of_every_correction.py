"""Every correction has a note by line and way of settling; the database refuses to give one thing back twice."""

import re

import django.db.models.deletion
from django.db import migrations, models

from core import sql


def as_before() -> str:
    """Return the two functions about credit notes as an earlier migration made them."""
    found = re.findall(
        r"^create (function billing_credit(?:_note_holds|ed_is_documented)\(\).*?^end \$\$;)$",
        sql.load("billing", "refuse_invoices"),
        flags=re.MULTILINE | re.DOTALL,
    )
    return "\n".join(f"create or replace {function}" for function in found)


TRIGGERS = """
create constraint trigger billing_credit_note_grant_holds after insert on billing_creditgrant
    deferrable initially deferred for each row when (new.note_id is not null)
    execute function billing_credit_note_holds();
create trigger billing_withdraws_what_was_charged after insert on billing_invoiceline
    referencing new table as touched for each statement execute function billing_withdraws_what_was_charged();
"""
DROP = """
drop trigger billing_withdraws_what_was_charged on billing_invoiceline;
drop trigger billing_credit_note_grant_holds on billing_creditgrant;
drop function billing_withdraws_what_was_charged();
drop function billing_left_of(bigint, text, text, text, text, text, timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_amounts_within_reason")]

    operations = [
        migrations.AddField(
            model_name="creditnote",
            name="granted",
            field=models.DecimalField(decimal_places=4, default=0, max_digits=24),
        ),
        migrations.AddField(
            model_name="creditnoteline",
            name="settlement",
            field=models.CharField(
                choices=[("owed", "Owed"), ("credit", "Credit"), ("restored", "Restored")],
                default="owed",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="creditgrant",
            name="note",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="grants",
                to="billing.creditnote",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(
                condition=models.Q(("granted__gte", 0), ("granted__lte", models.F("subtotal"))),
                name="credit_note_grants_part_of_itself",
            ),
        ),
        migrations.RunSQL(sql.load("billing", "refuse_overgiving"), as_before()),
        migrations.RunSQL(TRIGGERS, DROP),
    ]
