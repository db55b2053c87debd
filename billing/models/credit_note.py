"""Credit notes: the only way to take back part of an issued invoice."""

from django.db import models
from django.db.models import F, Q


class CreditNote(models.Model):
    """A correction of one issued invoice, with a number of its own. Immutable from birth."""

    invoice = models.ForeignKey("billing.Invoice", on_delete=models.PROTECT, related_name="credit_notes")
    number = models.CharField(max_length=40, unique=True)
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=500)
    subtotal = models.DecimalField(max_digits=24, decimal_places=4)
    tax = models.DecimalField(max_digits=24, decimal_places=4)
    total = models.DecimalField(max_digits=24, decimal_places=4)
    issued_on = models.DateField()
    issued_by = models.CharField(max_length=300)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(total=F("subtotal") + F("tax")), name="credit_note_total_adds_up"),
            models.CheckConstraint(condition=Q(total__gt=0), name="credit_note_is_positive"),
            models.CheckConstraint(condition=~Q(reason=""), name="credit_note_has_a_reason"),
        ]

    def __str__(self) -> str:
        return self.number


class CreditNoteLine(models.Model):
    """Part of one invoice line, taken back."""

    note = models.ForeignKey(CreditNote, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey("billing.InvoiceLine", on_delete=models.PROTECT, related_name="credited_by")
    amount = models.DecimalField(max_digits=24, decimal_places=4)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="credit_note_line_not_zero")]

    def __str__(self) -> str:
        return f"{self.amount} of line {self.line_id}"
