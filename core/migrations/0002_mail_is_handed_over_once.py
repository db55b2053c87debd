"""Remember that a server was given a mail before it is given, and who had it sent again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.AddField("mail", "handed_over_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("mail", "sent_again_by", models.CharField(blank=True, default="", max_length=300)),
        migrations.AddIndex("mail", models.Index(fields=["account_code", "-id"], name="mail_by_account")),
    ]
