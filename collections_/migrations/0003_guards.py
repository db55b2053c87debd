"""The database refuses: changed attempts, spent payments, foreign allocations, rewritten stories and policies."""

from django.db import migrations

from core import sql
from core.triggers import append_only, audited

FUNCTIONS = ("attempt_guard", "payment_guard", "payment_applied", "allocation_guard", "policy_guard")


def guard(table: str, function: str, events: str) -> migrations.RunSQL:
    """Call ``function`` before each row's ``events`` on ``table``."""
    return migrations.RunSQL(
        f"create trigger {table}_guard before {events} on {table} for each row execute function {function}()",
        f"drop trigger {table}_guard on {table}",
    )


def balanced(table: str, events: str) -> migrations.RunSQL:
    """Compare a payment with its allocations when the transaction commits."""
    return migrations.RunSQL(
        f"create constraint trigger {table}_applied after {events} on {table} deferrable initially deferred"
        f" for each row execute function collections_payment_applied()",
        f"drop trigger {table}_applied on {table}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0001_initial"),
        ("collections", "0002_charge_details"),
        ("core", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(
            sql.load("collections_", "guards"),
            "; ".join(f"drop function collections_{name}()" for name in FUNCTIONS),
        ),
        guard("collections_chargeattempt", "collections_attempt_guard", "insert or update or delete"),
        guard("collections_payment", "collections_payment_guard", "update or delete"),
        guard("collections_allocation", "collections_allocation_guard", "insert"),
        guard("collections_dunningpolicy", "collections_policy_guard", "update or delete"),
        balanced("collections_payment", "insert or update"),
        balanced("collections_allocation", "insert"),
        append_only("collections_allocation"),
        append_only("collections_caseevent"),
        audited("collections_paymentmethod"),
        audited("collections_case"),
        audited("collections_hold"),
        audited("collections_promise"),
        audited("collections_dunningpolicy"),
    ]
