"""Credits: grants that lower invoices before tax, and where they went."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from billing.models.invoice import LARGEST


class CreditState(models.TextChoices):
    REQUESTED = "requested"  # above the asker's limit: waits for a second person
    ACTIVE = "active"
    REFUSED = "refused"


class CreditGrant(models.Model):
    """Money given to an account, usable on the product groups in ``scope`` (empty: on everything)."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="credit_grants")
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=24, decimal_places=4)
    balance = models.DecimalField(max_digits=24, decimal_places=4)  # amount less what drafts and invoices took
    scope = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    partners = models.BooleanField(default=True)  # may also pay for third-party products
    cap_per_month = models.DecimalField(max_digits=24, decimal_places=4, null=True, blank=True)
    reason = models.CharField(max_length=500)
    corrects = models.ForeignKey(  # the paid invoice whose correction this is
        "billing.Invoice", null=True, blank=True, on_delete=models.PROTECT, related_name="corrected_by"
    )
    note = models.ForeignKey(  # the credit note that says of which lines
        "billing.CreditNote", null=True, blank=True, on_delete=models.PROTECT, related_name="grants"
    )
    state = models.CharField(max_length=9, choices=CreditState.choices)
    expires_on = models.DateField(null=True, blank=True)  # not usable for periods that start on or after it
    requested_by = models.CharField(max_length=300)
    requested_at = models.DateTimeField()
    decided_by = models.CharField(max_length=300, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0, amount__lt=LARGEST), name="credit_is_positive"),
            models.CheckConstraint(
                condition=Q(balance__gte=0, balance__lte=F("amount")), name="credit_balance_between_zero_and_amount"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="credit_has_a_reason"),
            models.CheckConstraint(
                condition=Q(decided_by="") | ~Q(decided_by=F("requested_by")), name="credit_decided_by_a_second_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} credit for {self.account_id}"


class CreditApplication(models.Model):
    """How much of one grant one invoice took. Written with the draft; final when the invoice is issued."""

    grant = models.ForeignKey(CreditGrant, on_delete=models.PROTECT, related_name="applications")
    invoice = models.ForeignKey("billing.Invoice", on_delete=models.CASCADE, related_name="credit_applications")
    amount = models.DecimalField(max_digits=24, decimal_places=4)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["grant", "invoice"], name="one_application_per_grant_and_invoice"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="credit_application_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of grant {self.grant_id} on invoice {self.invoice_id}"
