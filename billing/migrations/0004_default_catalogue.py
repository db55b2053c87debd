"""Plant the default seller, products, prices and tax rates, so that a new house can bill."""

from django.db import migrations

from billing.seeding import plant


def seed(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("select set_config('vault.actor', 'system:migrate', true)")
        cursor.execute("select set_config('vault.reason', 'default catalogue', true)")
    plant(apps.get_model)


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_refusals")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
