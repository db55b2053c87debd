"""Payments, the tries that led to them, and what they settled."""

from django.db import models
from django.db.models import F, Q

from core.models import LeasedWork


class PaymentMethod(models.Model):
    """A card as the gateway names it: a token and what may be shown; never a card number."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="payment_methods")
    gateway = models.CharField(max_length=20, default="sandbox")
    token = models.CharField(max_length=200)
    brand = models.CharField(max_length=20)
    last4 = models.CharField(max_length=4)
    expires = models.DateField()  # the last day it is good for
    is_default = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(is_default=True), name="one_default_payment_method_per_account"
            ),
            models.CheckConstraint(condition=Q(last4__regex=r"^\d{4}$"), name="payment_method_shows_four_digits"),
        ]

    def __str__(self) -> str:
        return f"{self.brand} ···· {self.last4}"


class AttemptOutcome(models.TextChoices):
    CREATED = "created"  # intent and key are committed; the gateway has not been called
    SUBMITTING = "submitting"  # the call is under way, or its caller died
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    UNKNOWN = "unknown"  # no answer; reconciled by asking with the same key
    MANUAL = "manual"  # a person must ask the gateway
    CANCELLED = "cancelled"  # never sent: nothing, or another amount, was due any more


class ChargeAttempt(LeasedWork):
    """One try to charge one invoice. ``key`` is committed before the gateway is called and never changes.

    The database refuses any other way through the outcomes, and a change of what was asked of the gateway.
    """

    invoice = models.ForeignKey("billing.Invoice", on_delete=models.PROTECT, related_name="charge_attempts")
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()  # 1, 2 … per invoice
    key = models.CharField(max_length=80, unique=True)
    amount = models.DecimalField(max_digits=24, decimal_places=4)
    currency = models.CharField(max_length=3)
    outcome = models.CharField(max_length=10, choices=AttemptOutcome.choices, default=AttemptOutcome.CREATED)
    decline_code = models.CharField(max_length=40, blank=True, default="")
    decline_class = models.CharField(max_length=14, blank=True, default="")  # retryable | needs_customer | never_retry
    gateway_charge_id = models.CharField(max_length=100, blank=True, default="")
    captured = models.DecimalField(max_digits=24, decimal_places=4, null=True, blank=True)  # as the gateway has it
    captured_currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    step = models.CharField(max_length=40, blank=True, default="")  # the policy's rung; blank when a person asked
    requested_by = models.CharField(max_length=300, default="system:collections")
    resolution = models.CharField(max_length=500, blank=True, default="")  # who settled a manual one, and how
    created_on = models.DateField()  # the day the policy, or the person, acted for
    submitted_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["invoice", "number"], name="one_attempt_per_invoice_and_number"),
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(outcome__in=["created", "submitting", "unknown", "manual"]),
                name="one_unanswered_attempt_per_invoice",
            ),
            models.UniqueConstraint(
                fields=["gateway_charge_id"], condition=~Q(gateway_charge_id=""), name="one_attempt_per_gateway_charge"
            ),
            models.UniqueConstraint(
                fields=["invoice", "step"], condition=~Q(step="") & ~Q(outcome="cancelled"), name="one_charge_per_step"
            ),
            models.CheckConstraint(
                condition=Q(outcome="succeeded", captured__gt=0) & ~Q(gateway_charge_id="") & ~Q(captured_currency="")
                | ~Q(outcome="succeeded") & Q(gateway_charge_id="", captured__isnull=True, captured_currency=""),
                name="attempt_succeeds_exactly_with_a_charge",
            ),
            models.CheckConstraint(
                condition=Q(outcome="declined") | Q(decline_code="", decline_class=""),
                name="only_a_decline_has_a_code",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="attempt_is_positive"),
        ]
        indexes = [
            models.Index(fields=["run_after"], name="attempt_waiting", condition=Q(state__in=["ready", "leased"])),
            models.Index(fields=["created_on"], name="attempt_by_day"),
        ]

    def __str__(self) -> str:
        return self.key


class Payment(models.Model):
    """Money received. ``applied + refunded`` never exceeds ``amount``."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="payments")
    attempt = models.OneToOneField(
        ChargeAttempt, null=True, blank=True, on_delete=models.PROTECT, related_name="payment"
    )
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=24, decimal_places=4)
    applied = models.DecimalField(max_digits=24, decimal_places=4, default=0)
    refunded = models.DecimalField(max_digits=24, decimal_places=4, default=0)
    method = models.CharField(max_length=20)  # "card", "bank_transfer" …
    reference = models.CharField(max_length=200)  # the gateway's charge, or the bank's reference
    received_on = models.DateField()
    recorded_by = models.CharField(max_length=300)
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["-received_on", "-id"], name="payment_recent")]
        constraints = [
            models.UniqueConstraint(fields=["method", "reference"], name="one_payment_per_reference"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_is_positive"),
            models.CheckConstraint(
                condition=Q(applied__gte=0, refunded__gte=0, amount__gte=F("applied") + F("refunded")),
                name="payment_not_spent_twice",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} {self.reference}"


class Allocation(models.Model):
    """How much of a payment settled which invoice."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    invoice = models.ForeignKey("billing.Invoice", on_delete=models.PROTECT, related_name="allocations")
    amount = models.DecimalField(max_digits=24, decimal_places=4)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment", "invoice"], name="one_allocation_per_payment_and_invoice"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="allocation_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} to {self.invoice_id}"
