"""Who hears news is on the trail; what was said and each try to say it never change."""

from django.db import migrations

from core.triggers import append_only, audited


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_webhooks"), ("core", "0001_initial")]

    operations = [
        audited("accounts_webhookendpoint"),
        append_only("accounts_webhookmessage"),
        append_only("accounts_webhooktry"),
    ]
