"""Time that a resource ran on a product: made from opens and closes, versioned by when it was known."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from usage.models.event import EventType


class Interval(models.Model):
    """``[opened, closed)`` of a resource on a product, as known from ``recorded_at`` until ``superseded_at``.

    ``closed`` is null while it runs. A second of it counts ``level`` times: once for what is switched on and off, as
    often as the gauge said for what has a level. Rows are never edited but for ``superseded_at``; new knowledge is a
    new row. Rows that are still believed cannot overlap for one resource and meter (the database refuses).
    """

    resource = models.CharField(max_length=200)
    meter = models.CharField(max_length=100)
    product = models.CharField(max_length=200)
    component = models.CharField(max_length=100, blank=True, default="")
    app = models.CharField(max_length=200, blank=True, default="")
    level = models.DecimalField(max_digits=38, decimal_places=12, default=1, db_default=1)  # a gauge's; else one
    gauged = models.BooleanField(default=False, db_default=False)  # a gauge said it, not an open
    opened = models.DateTimeField()
    closed = models.DateTimeField(null=True)
    open_event = models.ForeignKey(
        "usage.Event", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    close_event = models.ForeignKey(
        "usage.Event", null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    recorded_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(closed__isnull=True) | Q(closed__gt=F("opened")), name="interval_is_not_empty"
            ),
            models.CheckConstraint(
                condition=Q(superseded_at__isnull=True) | Q(superseded_at__gt=F("recorded_at")),
                name="interval_known_before_superseded",
            ),
            models.CheckConstraint(condition=Q(level__gt=0, level__lt=10**18), name="interval_level_is_positive"),
        ]
        indexes = [
            models.Index(fields=["resource", "opened"], name="interval_by_resource"),
            models.Index(
                fields=["resource", "meter", "opened"], name="interval_believed", condition=Q(superseded_at=None)
            ),
            models.Index(fields=["app"], name="interval_by_app"),
        ]

    def __str__(self) -> str:
        return f"{self.resource} {self.product} [{self.opened}, {self.closed or '…'})"

    @property
    def length(self) -> timedelta | None:
        """How long it ran; None while it runs."""
        return self.closed - self.opened if self.closed else None


class ProblemKind(models.TextChoices):
    ORPHAN_CLOSE = "orphan_close", "Close without an open"
    DOUBLE_OPEN = "double_open", "Opened while open"
    OVERLAP = "overlap", "Overlaps another product"
    EMPTY = "empty", "Zero length"
    MIXED = "mixed", "Switched and given a level"


class PairingProblem(models.Model):
    """An open, close or level that made no interval. It disappears when a later event explains it."""

    event = models.OneToOneField(
        "usage.Event", on_delete=models.CASCADE, primary_key=True, related_name="+", db_constraint=False
    )
    resource = models.CharField(max_length=200)
    meter = models.CharField(max_length=100)
    product = models.CharField(max_length=200)
    type = models.CharField(max_length=8, choices=EventType.choices)  # the event's
    kind = models.CharField(max_length=12, choices=ProblemKind.choices)
    at = models.DateTimeField()  # the event's time
    seen_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["resource", "at"], name="problem_by_resource")]

    def __str__(self) -> str:
        return f"{self.kind} {self.resource}"


class PastProblem(models.Model):
    """What a pairing problem was before it was explained, or turned into another: kept, so that it can be asked again.

    A trigger writes it; a problem was there as known from ``seen_at`` until ``gone_at``. Rows are never edited.
    """

    event = models.ForeignKey(
        "usage.Event", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    resource = models.CharField(max_length=200)
    meter = models.CharField(max_length=100)
    product = models.CharField(max_length=200)
    type = models.CharField(max_length=8, choices=EventType.choices)
    kind = models.CharField(max_length=12, choices=ProblemKind.choices)
    at = models.DateTimeField()
    seen_at = models.DateTimeField()
    gone_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(gone_at__gte=F("seen_at")), name="problem_seen_before_gone"),
        ]
        indexes = [
            models.Index(fields=["resource", "at"], name="past_problem_by_resource"),
            models.Index(
                fields=["gone_at"], name="past_contradiction_by_end", condition=Q(kind__in=["overlap", "mixed"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.resource} until {self.gone_at}"
