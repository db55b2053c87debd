"""Money that we give back through the gateway: an intent with its key, a call, an outcome; a charge the other way."""

from django.db import models
from django.db.models import F, Q

from collections_.models.payment import Payment
from core.models import LeasedWork


class RefundOutcome(models.TextChoices):
    REQUESTED = "requested"  # above what the asker may give alone: waits for a second person
    REFUSED = "refused"  # by that person
    CREATED = "created"  # intent and key are committed; the gateway has not been called
    SUBMITTING = "submitting"  # the call is under way, or its caller died
    UNKNOWN = "unknown"  # no answer; asked again with the same key
    MANUAL = "manual"  # a person must look at the gateway
    SUCCEEDED = "succeeded"
    DECLINED = "declined"


class Refund(LeasedWork):
    """One return of unapplied money of a card payment. While it lives its amount counts as returned on the payment."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    key = models.CharField(max_length=80, unique=True)
    amount = models.DecimalField(max_digits=24, decimal_places=4)  # in the payment's currency
    reason = models.CharField(max_length=500)
    outcome = models.CharField(max_length=10, choices=RefundOutcome.choices)
    gateway_refund_id = models.CharField(max_length=100, blank=True, default="")
    decline_code = models.CharField(max_length=40, blank=True, default="")
    requested_by = models.CharField(max_length=300)
    requested_at = models.DateTimeField()
    decided_by = models.CharField(max_length=300, blank=True, default="")
    submitted_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_is_positive"),
            models.CheckConstraint(condition=~Q(reason=""), name="refund_has_a_reason"),
            models.CheckConstraint(
                condition=Q(decided_by="") | ~Q(decided_by=F("requested_by")), name="refund_decided_by_a_second_person"
            ),
            models.CheckConstraint(
                condition=Q(outcome="succeeded") & ~Q(gateway_refund_id="")
                | ~Q(outcome="succeeded") & Q(gateway_refund_id=""),
                name="refund_succeeds_exactly_with_the_gateways_name",
            ),
            models.UniqueConstraint(
                fields=["gateway_refund_id"], condition=~Q(gateway_refund_id=""), name="one_refund_per_gateway_refund"
            ),
        ]
        indexes = [
            models.Index(fields=["run_after"], name="refund_waiting", condition=Q(state__in=["ready", "leased"]))
        ]

    def __str__(self) -> str:
        return self.key
