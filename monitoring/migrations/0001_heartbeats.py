"""The tables of signs of life."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("cluster", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("host", models.CharField(max_length=200)),
                ("pid", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Ring",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("asked_at", models.DateTimeField(null=True)),
                ("rung_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Sweep",
            fields=[
                ("name", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("ran_at", models.DateTimeField()),
                ("seconds", models.FloatField()),
                ("error", models.TextField(blank=True, default="")),
                ("failed_since", models.DateTimeField(null=True)),
            ],
        ),
    ]
