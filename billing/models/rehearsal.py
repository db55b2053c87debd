"""What a price would have done to the bills of the last months, before it is scheduled."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from core.models import LeasedWork


class Rehearsal(LeasedWork):
    """A price that is only tried: ``months`` are rated again with it, from what is known at ``cutoff``.

    Work in chunks: ``done`` accounts of ``accounts`` are rated, those up to ``reached`` (rows). It writes nothing but
    results, and its results say nothing about later knowledge.
    """

    product = models.ForeignKey("billing.Product", on_delete=models.PROTECT, related_name="rehearsals")
    currency = models.CharField(max_length=3)
    terms = models.JSONField()
    unit = models.CharField(max_length=40)
    months = ArrayField(models.DateField())  # first days, oldest first
    cutoff = models.DateTimeField()
    accounts = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    reached = models.BigIntegerField(default=0)
    unrated = models.PositiveIntegerField(default=0)  # months of accounts that cannot be rated today
    created_by = models.CharField(max_length=300)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(months__len__gte=1, months__len__lte=12), name="rehearsal_has_months"),
            models.CheckConstraint(condition=Q(done__lte=F("accounts")), name="rehearsal_within_its_accounts"),
        ]

    def __str__(self) -> str:
        return f"Rehearsal #{self.pk} of {self.product}"


class RehearsedBill(models.Model):
    """One account's month before credits and tax, as it is rated today and as it would have been."""

    rehearsal = models.ForeignKey(Rehearsal, on_delete=models.CASCADE, related_name="bills")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    month = models.DateField()
    before = models.DecimalField(max_digits=24, decimal_places=4)
    after = models.DecimalField(max_digits=24, decimal_places=4)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rehearsal", "account", "month"], name="one_rehearsed_bill_per_month")
        ]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"
