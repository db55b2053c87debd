"""Who may act, and whom we bill, never change without a name on the change."""

from django.db import migrations

from core.triggers import audited

KEY_COLUMNS = "prefix, secret_hash, name, account_id, user_id, scopes, expires_at, revoked_at"
USER_COLUMNS = "email, name, role, is_staff, is_superuser, is_active, password"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("core", "0001_initial")]

    operations = [
        audited("accounts_account"),
        audited("accounts_membership"),
        # When a key was last used and when somebody last signed in are not changes that anybody signs.
        audited("accounts_apikey", f"insert or delete or update of {KEY_COLUMNS}"),
        audited("accounts_user", f"insert or delete or update of {USER_COLUMNS}"),
    ]
