"""One account's own terms over whole months."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class ContractQuerySet(models.QuerySet["Contract"]):
    def covering(self, month: date) -> Self:
        """Contracts in force in the month of which ``month`` is the first day."""
        return self.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=month), valid_from__lte=month)


class Contract(models.Model):
    """What one account agreed with us for the months ``[valid_from, valid_to)``; both are first days of months.

    ``terms`` are what ``billing.contracts.terms`` reads; its own prices are versions of Price that carry it. One
    contract at a time per account and currency, and nothing but a null ``valid_to`` may ever change (the database
    refuses both): other terms are another contract.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="contracts")
    currency = models.CharField(max_length=3)
    name = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    terms = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=500)
    created_by = models.CharField(max_length=300)
    created_at = models.DateTimeField(db_default=Now())  # by the database's clock, as cut-offs are

    objects = ContractQuerySet.as_manager()

    class Meta:
        ordering = ["account", "-valid_from"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from__day=1) & (Q(valid_to__isnull=True) | Q(valid_to__day=1)),
                name="contract_covers_whole_months",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")), name="contract_is_not_empty"
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="contract_currency_is_iso_4217"),
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(reason="") & ~Q(created_by=""), name="contract_is_signed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} from {self.valid_from:%Y-%m}"

    def state(self, today: date) -> str:
        """Say whether the contract is still to come, in force or past on a day."""
        if today < self.valid_from:
            return "scheduled"
        return "past" if self.valid_to is not None and self.valid_to <= today else "current"
