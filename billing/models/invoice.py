"""Invoices and their lines. An issued one is never edited (the database refuses)."""

from datetime import date
from decimal import Decimal
from typing import Self

from django.db import models
from django.db.models import F, Q

from core.periods import Month

LARGEST = 10**15  # an amount from here on is a mistake, in any currency


class InvoiceStatus(models.TextChoices):
    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"


class InvoiceKind(models.TextChoices):
    PERIODIC = "periodic", "Monthly"
    ONE_OFF = "one_off", "One-off"


class PaymentStatus(models.TextChoices):
    """What collections knows about the money; the invoice's own status is another field."""

    NONE = "none"  # nothing tried yet, or nothing due
    PROCESSING = "processing"
    DECLINED = "declined"
    UNKNOWN = "unknown"  # the gateway gave no answer; being reconciled
    PAID = "paid"


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def issued(self) -> Self:
        return self.exclude(status=InvoiceStatus.DRAFT)

    def open(self) -> Self:
        return self.filter(status=InvoiceStatus.OPEN)

    def past_due(self, *, as_of: date) -> Self:
        """Open invoices whose due date lies before ``as_of``."""
        return self.open().filter(due_on__lt=as_of)

    def visible_to(self, user: object) -> Self:
        """Issued invoices of the accounts a portal user is a member of."""
        return self.issued().filter(account__memberships__user=user)


class Invoice(models.Model):
    """What one account owes for one period, in one currency.

    ``subtotal`` is the sum of the rounded lines; ``credits`` (≥ 0) lowers it before tax;
    ``total = subtotal - credits + tax``. ``settled`` and ``credited`` (by credit notes) lower what is
    outstanding; they, ``status`` and ``payment_status`` are all that may change after issue.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="invoices")
    seller = models.ForeignKey("billing.Seller", on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey("billing.Run", null=True, blank=True, on_delete=models.PROTECT, related_name="invoices")
    kind = models.CharField(max_length=8, choices=InvoiceKind.choices, default=InvoiceKind.PERIODIC)
    shadow = models.BooleanField(default=False)  # built by a shadow run; never issued, never shown to a customer
    currency = models.CharField(max_length=3)
    period_start = models.DateField()
    period_end = models.DateField()  # exclusive
    status = models.CharField(max_length=13, choices=InvoiceStatus.choices, default=InvoiceStatus.DRAFT)
    payment_status = models.CharField(max_length=10, choices=PaymentStatus.choices, default=PaymentStatus.NONE)
    number = models.CharField(max_length=40, null=True, blank=True, unique=True)
    subtotal = models.DecimalField(max_digits=24, decimal_places=4, default=0)
    credits = models.DecimalField(max_digits=24, decimal_places=4, default=0)
    tax_name = models.CharField(max_length=60, blank=True, default="")
    tax_rate = models.DecimalField(max_digits=8, decimal_places=6, default=0)
    tax = models.DecimalField(max_digits=24, decimal_places=4, default=0)
    total = models.DecimalField(max_digits=24, decimal_places=4, default=0)
    settled = models.DecimalField(max_digits=24, decimal_places=4, default=0)
    credited = models.DecimalField(max_digits=24, decimal_places=4, default=0)
    outstanding = models.GeneratedField(
        expression=F("total") - F("settled") - F("credited"),
        output_field=models.DecimalField(max_digits=24, decimal_places=4),
        db_persist=True,
    )
    issued_on = models.DateField(null=True, blank=True)
    due_on = models.DateField(null=True, blank=True)
    issued_at = models.DateTimeField(null=True, blank=True)
    # The parties as they were at issue, so that the document never changes with them.
    bill_to = models.JSONField(default=dict, blank=True)  # name, address, country, tax_id, email, account
    sold_by = models.JSONField(default=dict, blank=True)  # name, address, country, tax_id, email, payment_instructions
    content_hash = models.CharField(max_length=64, blank=True, default="")  # over the lines and amounts
    created_at = models.DateTimeField(auto_now_add=True)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        ordering = ["-period_start", "account__code"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "currency", "period_start"],
                condition=Q(kind="periodic", shadow=False) & ~Q(status="void"),
                name="one_live_invoice_per_account_and_period",
            ),
            models.UniqueConstraint(
                fields=["run", "account", "currency"], condition=Q(shadow=True), name="one_shadow_invoice_per_run"
            ),
            models.CheckConstraint(condition=Q(period_end__gt=F("period_start")), name="invoice_period_is_not_empty"),
            models.CheckConstraint(
                condition=Q(total=F("subtotal") - F("credits") + F("tax")), name="invoice_total_adds_up"
            ),
            models.CheckConstraint(condition=Q(credits__gte=0), name="invoice_credits_not_negative"),
            models.CheckConstraint(condition=Q(settled__gte=0, credited__gte=0), name="invoice_settled_not_negative"),
            models.CheckConstraint(
                condition=Q(status="draft", number__isnull=True, issued_on__isnull=True)
                | (~Q(status="draft") & Q(number__isnull=False, issued_on__isnull=False, due_on__isnull=False)),
                name="invoice_numbered_exactly_when_issued",
            ),
            models.CheckConstraint(condition=Q(shadow=False) | Q(status="draft"), name="shadow_invoice_stays_draft"),
            # NUMERIC takes NaN, which is above every number: a bound refuses it too.
            models.CheckConstraint(
                condition=Q(total__gt=-LARGEST, total__lt=LARGEST, subtotal__lt=LARGEST),
                name="invoice_is_within_reason",
            ),
            models.CheckConstraint(
                condition=Q(status="draft", settled=0, credited=0)
                | (~Q(status="draft") & Q(total__gte=F("settled") + F("credited"))),
                name="invoice_settled_within_its_total",
            ),
            models.CheckConstraint(
                condition=(~Q(status="paid") | Q(total=F("settled") + F("credited")))
                & (~Q(status__in=["open", "uncollectible"]) | Q(total__gt=F("settled") + F("credited"))),
                name="invoice_paid_exactly_when_nothing_is_outstanding",
            ),
            models.CheckConstraint(
                condition=~Q(status="void") | Q(settled=0, credited=0), name="void_invoice_moved_no_money"
            ),
        ]
        indexes = [
            models.Index(fields=["status", "due_on"], name="invoice_due"),
            models.Index(fields=["-period_start", "-id"], name="invoice_recent"),
        ]

    def __str__(self) -> str:
        return self.number or f"draft {self.pk}"

    @property
    def month(self) -> Month:
        return Month.containing(self.period_start)

    @property
    def owed(self) -> Decimal:
        """What is outstanding; nothing of a void invoice, whose amounts stay as they were issued."""
        return Decimal(0) if self.status == InvoiceStatus.VOID else Decimal(self.outstanding)


class LineKind(models.TextChoices):
    USAGE = "usage"
    ADJUSTMENT = "adjustment"  # late or corrected usage of an issued month
    MANUAL = "manual"  # added by a person while the invoice was a draft
    CONTRACT = "contract"  # what the account's own terms add or take


class InvoiceLine(models.Model):
    """One rounded amount and what it was made of. Immutable once the invoice is issued."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=LineKind.choices, default=LineKind.USAGE)
    app = models.CharField(max_length=200, blank=True, default="")
    product = models.CharField(max_length=200, blank=True, default="")  # its code
    group = models.CharField(max_length=10, default="other")  # the product's group
    component = models.CharField(max_length=100, blank=True, default="")
    meter = models.CharField(max_length=100, blank=True, default="")  # blank: running time
    description = models.CharField(max_length=300)
    quantity = models.DecimalField(max_digits=38, decimal_places=12)  # in ``unit``; exact seconds are in ``usage``
    unit = models.CharField(max_length=40)
    unit_amount = models.DecimalField(max_digits=38, decimal_places=12, null=True)  # null when tiers decide
    amount = models.DecimalField(max_digits=24, decimal_places=4)  # rounded once, half up; what is charged
    # What rating says. A person may charge another amount, and says why; null for a manual line.
    rated = models.DecimalField(max_digits=24, decimal_places=4, null=True)
    unrounded = models.DecimalField(max_digits=38, decimal_places=12)
    price = models.ForeignKey("billing.Price", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    usage = models.DecimalField(max_digits=38, decimal_places=12, null=True)  # seconds, or the measured quantity
    resources = models.PositiveIntegerField(default=0)
    steps = models.JSONField(default=list, blank=True)
    inputs_hash = models.CharField(max_length=64, blank=True, default="")
    period_start = models.DateTimeField()  # the part of time this line prices
    period_end = models.DateTimeField()
    adjusts = models.ForeignKey(Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="adjusted_by")
    reason = models.TextField(blank=True, default="")  # of a manual or changed line, or an adjustment
    author = models.CharField(max_length=300, blank=True, default="")  # of a manual or changed line

    class Meta:
        ordering = ["invoice", "position"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="one_line_per_position"),
            models.CheckConstraint(condition=Q(amount__gt=-LARGEST, amount__lt=LARGEST), name="line_is_within_reason"),
            models.CheckConstraint(
                condition=~Q(kind="manual") | (~Q(reason="") & ~Q(author="")), name="manual_line_has_author_and_reason"
            ),
            models.CheckConstraint(
                condition=Q(kind="manual", rated__isnull=True)
                | (
                    ~Q(kind="manual")
                    & Q(rated__isnull=False)
                    & (Q(amount=F("rated")) | (~Q(reason="") & ~Q(author="")))
                ),
                name="changed_line_has_author_and_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.description} {self.amount}"
