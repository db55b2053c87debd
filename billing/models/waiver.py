"""Usage that finance accepted as not billed: nobody owned it, or nothing priced it, and a person said it stays so."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class WaiverKind(models.TextChoices):
    UNOWNED = "unowned", "Unowned"
    UNPRICED = "unpriced", "Unpriced"


class WaiverQuerySet(models.QuerySet["UsageWaiver"]):
    def known_at(self, moment: object) -> Self:
        """Waivers that stood at ``moment``."""
        return self.filter(Q(withdrawn_at=None) | Q(withdrawn_at__gt=moment), accepted_at__lte=moment)


class UsageWaiver(models.Model):
    """One piece of a month's usage is not billed, for a reason, until the waiver is withdrawn.

    Unowned: what ``resource`` used of ``product`` in ``month`` while nobody owned it, up to ``amount`` (seconds and
    quantity together); more of it waits again. Unpriced: what ``account`` used of ``product`` in ``[start, end)``,
    which no price covered; it stays unbilled when a price is added later. Only the withdrawal may be written later,
    once (the database refuses the rest).
    """

    kind = models.CharField(max_length=8, choices=WaiverKind.choices)
    month = models.DateField()  # its first day
    product = models.CharField(max_length=200)  # its code
    resource = models.CharField(max_length=200, blank=True, default="")
    account = models.ForeignKey(
        "accounts.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="usage_waivers"
    )
    start = models.DateTimeField()
    end = models.DateTimeField()
    amount = models.DecimalField(max_digits=38, decimal_places=12)
    reason = models.TextField()
    accepted_by = models.CharField(max_length=300)
    accepted_at = models.DateTimeField(db_default=Now())  # by the database's clock, as cut-offs are
    withdrawn_by = models.CharField(max_length=300, blank=True, default="")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = WaiverQuerySet.as_manager()

    class Meta:
        ordering = ["-accepted_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(month__day=1), name="waiver_month_is_a_first_day"),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="waiver_is_not_empty"),
            models.CheckConstraint(condition=Q(amount__gt=0, amount__lt=10**24), name="waiver_is_of_something"),
            models.CheckConstraint(
                condition=(Q(kind="unowned", account=None) & ~Q(resource=""))
                | Q(kind="unpriced", resource="", account__isnull=False),
                name="waiver_names_what_it_is_of",
            ),
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(accepted_by="") & ~Q(product=""), name="waiver_is_signed"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by="")
                | (Q(withdrawn_at__isnull=False, withdrawn_at__gte=F("accepted_at")) & ~Q(withdrawn_by="")),
                name="waiver_withdrawal_is_signed",
            ),
            models.UniqueConstraint(
                fields=["month", "resource", "product"],
                condition=Q(kind="unowned", withdrawn_at=None),
                name="one_waiver_of_unowned_usage",
            ),
            models.UniqueConstraint(
                fields=["account", "product", "start"],
                condition=Q(kind="unpriced", withdrawn_at=None),
                name="one_waiver_of_unpriced_usage",
            ),
        ]
        indexes = [models.Index(fields=["month", "kind"], name="waiver_by_month")]

    def __str__(self) -> str:
        return f"{self.kind} {self.product} of {self.resource or self.account} {self.month:%Y-%m}"


class UnbilledCount(models.Model):
    """How much of a month cannot be billed, as last counted by a worker: counting looks through the whole month."""

    month = models.DateField(primary_key=True)
    unowned = models.PositiveIntegerField()  # resources and products that nobody owned, waived ones not counted
    unpriced = models.PositiveIntegerField()  # accounts and products
    strangers = models.PositiveIntegerField()  # owners that are no account of ours
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(month__day=1), name="count_month_is_a_first_day")]

    @property
    def waits(self) -> bool:
        """Whether anything of the month waits for a person."""
        return bool(self.unowned or self.unpriced or self.strangers)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}: {self.unowned} unowned, {self.unpriced} unpriced"
