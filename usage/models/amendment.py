"""Corrections of usage: what a resource did in a stretch of time, said anew as one unit. Nothing is overwritten."""

import uuid

from django.db import models
from django.db.models import F, Q

from usage.addresses import resource_url


class Amendment(models.Model):
    """The events of ``resource`` in ``[start, end)`` known before ``recorded_at`` give way to this amendment's own.

    It stands from ``recorded_at`` until ``reverted_at``; only the revert may be written later, once (the database
    refuses the rest). An empty ``meter`` means every meter. Its own events are rows of Event that carry its id and
    count as long as it stands; a later amendment of the same time makes them give way in turn. Events that arrive
    after ``recorded_at`` are new facts, and count. ``batch`` joins amendments that were made by one action.
    """

    resource = models.CharField(max_length=200)
    meter = models.CharField(max_length=100, blank=True, default="")
    start = models.DateTimeField()
    end = models.DateTimeField()
    reason = models.TextField()
    batch = models.UUIDField(default=uuid.uuid4)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=300)
    reverted_at = models.DateTimeField(null=True)
    reverted_by = models.CharField(max_length=300, blank=True, default="")
    revert_reason = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="amendment_is_not_empty"),
            models.CheckConstraint(condition=~Q(reason="") & ~Q(recorded_by=""), name="amendment_is_signed"),
            models.CheckConstraint(
                condition=Q(reverted_at=None, reverted_by="", revert_reason="")
                | (
                    Q(reverted_at__isnull=False, reverted_at__gt=F("recorded_at"))
                    & ~Q(reverted_by="")
                    & ~Q(revert_reason="")
                ),
                name="amendment_revert_is_signed",
            ),
        ]
        indexes = [
            models.Index(fields=["resource", "start"], name="amendment_by_resource"),
            models.Index(fields=["batch"], name="amendment_by_batch"),
            models.Index(fields=["recorded_at"], name="amendment_by_time"),
        ]

    def __str__(self) -> str:
        return f"amendment {self.pk} of {self.resource}"

    @property
    def resource_url(self) -> str:
        """Where the time line of its resource is."""
        return resource_url(self.resource)
