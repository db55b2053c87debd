"""Money that a bank took back: the chargeback of a payment, and which of its allocations it undid."""

from django.db import models
from django.db.models import Q

from collections_.models.payment import Allocation, Payment


class Chargeback(models.Model):
    """The bank took back (part of) a payment. Append-only; a dispute that is won comes back as a payment."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="chargebacks")
    reference = models.CharField(max_length=200, unique=True)  # the bank's or the gateway's name of it
    amount = models.DecimalField(max_digits=24, decimal_places=4)  # in the payment's currency
    reason = models.CharField(max_length=500)
    taken_on = models.DateField()
    recorded_by = models.CharField(max_length=300)
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="chargeback_is_positive"),
            models.CheckConstraint(condition=~Q(reason="") & ~Q(reference=""), name="chargeback_says_why_and_which"),
        ]

    def __str__(self) -> str:
        return self.reference


class AllocationReversal(models.Model):
    """How much of an allocation a chargeback undid: the invoice owes it again. Append-only."""

    chargeback = models.ForeignKey(Chargeback, on_delete=models.PROTECT, related_name="reversals")
    allocation = models.ForeignKey(Allocation, on_delete=models.PROTECT, related_name="reversals")
    amount = models.DecimalField(max_digits=24, decimal_places=4)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="reversal_is_positive"),
            models.UniqueConstraint(fields=["chargeback", "allocation"], name="one_reversal_per_chargeback"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.allocation_id}"
