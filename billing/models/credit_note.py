"""Credit notes: the only way to take back part of an issued invoice."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q


class Settlement(models.TextChoices):
    """How a part of a line was given back."""

    OWED = "owed"  # less is outstanding
    CREDIT = "credit"  # it was paid: the next invoices take a credit of the same amount before tax
    RESTORED = "restored"  # a credit had paid for it, which is given again


class CreditNote(models.Model):
    """A correction of one issued invoice, with a number of its own. Immutable from birth."""

    invoice = models.ForeignKey("billing.Invoice", on_delete=models.PROTECT, related_name="credit_notes")
    number = models.CharField(max_length=40, unique=True)
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=500)
    subtotal = models.DecimalField(max_digits=24, decimal_places=4)
    tax = models.DecimalField(max_digits=24, decimal_places=4)
    total = models.DecimalField(max_digits=24, decimal_places=4)
    granted = models.DecimalField(max_digits=24, decimal_places=4, default=0)  # of total: became credits; never taxed
    issued_on = models.DateField()
    issued_by = models.CharField(max_length=300)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(total=F("subtotal") + F("tax")), name="credit_note_total_adds_up"),
            models.CheckConstraint(condition=Q(total__gt=0), name="credit_note_is_positive"),
            models.CheckConstraint(condition=~Q(reason=""), name="credit_note_has_a_reason"),
            models.CheckConstraint(
                condition=Q(granted__gte=0, granted__lte=F("subtotal")), name="credit_note_grants_part_of_itself"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def lowered(self) -> Decimal:
        """By how much less is outstanding on the invoice."""
        return self.total - self.granted


class CreditNoteLine(models.Model):
    """Part of one invoice line, taken back in one way."""

    note = models.ForeignKey(CreditNote, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey("billing.InvoiceLine", on_delete=models.PROTECT, related_name="credited_by")
    amount = models.DecimalField(max_digits=24, decimal_places=4)
    settlement = models.CharField(max_length=8, choices=Settlement.choices, default=Settlement.OWED)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="credit_note_line_not_zero")]

    def __str__(self) -> str:
        return f"{self.amount} of line {self.line_id}"
