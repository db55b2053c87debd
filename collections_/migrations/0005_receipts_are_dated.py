"""No payment is dated more than a quarter after it was recorded: that is a mistyped year."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("collections", "0004_what_was_captured")]

    operations = [
        migrations.RunSQL(
            "alter table collections_payment add constraint payment_is_not_of_the_future"
            " check (received_on <= (recorded_at at time zone 'UTC')::date + 92) not valid",
            "alter table collections_payment drop constraint payment_is_not_of_the_future",
        ),
    ]
