"""Keys for programs: only a hash is kept, the secret is shown once."""

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

# What an account's own key may be good for; the rest needs a member of staff behind it.
ACCOUNT_SCOPES: Final = (
    "usage:read",
    "invoices:read",
    "credits:read",
    "accounts:read",
    "payments:read",
    "contracts:read",
    "webhooks:read",
    "webhooks:write",
    "quotes:write",
)


class ApiKey(models.Model):
    """A credential of one account (sees only that account) or of one member of staff (acts with their role)."""

    prefix = models.CharField(max_length=12, unique=True)
    secret_hash = models.CharField(max_length=64)  # hex SHA-256 of the whole key
    name = models.CharField(max_length=100, blank=True, default="")
    account = models.ForeignKey(
        "accounts.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="api_keys"
    )
    user = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="api_keys")
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(account__isnull=True) ^ Q(user__isnull=True), name="key_of_an_account_or_of_a_person"
            ),
            models.CheckConstraint(
                condition=Q(account__isnull=True) | Q(scopes__contained_by=list(ACCOUNT_SCOPES)),
                name="an_accounts_key_has_an_accounts_scopes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix} {self.name}".strip()

    @property
    def actor(self) -> str:
        """How the audit trail names this key."""
        return f"key:{self.prefix}"
