"""The books: double entry, append-only, balanced per transaction and currency by the database."""

from django.db import models
from django.db.models import Q

from billing.models.invoice import LARGEST


class LedgerAccount(models.TextChoices):
    """The chart of accounts. Debits are positive entries, credits negative ones."""

    RECEIVABLE = "receivable"  # asset: what customers owe
    CASH = "cash"  # asset: money received
    UNAPPLIED = "unapplied"  # liability: received but not yet allocated to an invoice
    REVENUE = "revenue"  # income
    CREDITS = "credits"  # contra income: credits given
    TAX = "tax"  # liability: tax to hand over
    WRITE_OFF = "write_off"  # expense


class LedgerTransaction(models.Model):
    """One business fact, posted once: (source_type, source_id, kind) decides sameness."""

    source_type = models.CharField(max_length=20)  # "invoice", "credit_note", "payment", "write_off"
    source_id = models.BigIntegerField()
    kind = models.CharField(max_length=20)  # "issue", "capture", "allocate" …
    effective_on = models.DateField()
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    posted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source_type", "source_id", "kind"], name="a_fact_posts_once")]
        indexes = [models.Index(fields=["account", "effective_on"], name="ledger_by_account")]

    def __str__(self) -> str:
        return f"{self.source_type} {self.source_id} {self.kind}"


class LedgerEntry(models.Model):
    """One leg: positive is a debit, negative a credit."""

    transaction = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="entries")
    ledger_account = models.CharField(max_length=12, choices=LedgerAccount.choices)
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=24, decimal_places=4)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="ledger_entry_not_zero"),
            models.CheckConstraint(
                condition=Q(amount__gt=-LARGEST, amount__lt=LARGEST), name="ledger_entry_is_within_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ledger_account} {self.amount} {self.currency}"
