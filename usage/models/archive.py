"""Months of events that were moved to a file, and where each of them stands."""

from django.db import models
from django.db.models import Q

from core.periods import Month


class ArchiveState(models.TextChoices):
    WRITING = "writing"  # the month takes no more events; its file is not proven yet
    VERIFIED = "verified"  # the file says what the store says; the store still has everything
    ARCHIVED = "archived"  # measured events are in the file alone
    RESTORED = "restored"  # the store has everything again


class MonthArchive(models.Model):
    """One month of events in a Parquet file. While it is not restored, the database refuses events of that month.

    What stays in the store of an archived month: keys, intervals, ownerships, totals, and the events that these come
    from. ``rows`` and ``content_hash`` (hex SHA-256) are over every event of the month in order, as they were
    verified; ``kept`` of them stay in the store too. ``sums`` has events and quantity by meter.
    """

    month = models.DateField(primary_key=True)  # its first day
    state = models.CharField(max_length=8, choices=ArchiveState.choices)
    file = models.CharField(max_length=200)  # below MEDIA_ROOT
    rows = models.PositiveBigIntegerField(default=0)
    kept = models.PositiveBigIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)  # bytes
    content_hash = models.CharField(max_length=64, blank=True, default="")
    sums = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    started_by = models.CharField(max_length=300)
    archived_at = models.DateTimeField(null=True)
    restored_at = models.DateTimeField(null=True)
    restored_by = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering = ["month"]
        constraints = [
            models.CheckConstraint(condition=Q(month__day=1), name="archive_is_of_a_month"),
            models.CheckConstraint(
                condition=Q(state="writing")
                | Q(state="restored")
                | Q(content_hash__regex="^[0-9a-f]{64}$", size__gt=0),
                name="archive_is_verified",
            ),
            models.CheckConstraint(
                condition=~Q(state="archived") | Q(archived_at__isnull=False), name="archive_has_its_moment"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.period} {self.state}"

    @property
    def period(self) -> Month:
        return Month.containing(self.month)
