"""What a source says it sent, hour by hour, and what Vault has counted of it."""

from django.db import models
from django.db.models import Q


class Manifest(models.Model):
    """A source's statement: during ``hour`` (by event time) I sent so many events, with this rolling hash.

    Never edited; a later statement about the same hour supersedes it, and both stay readable.
    """

    source = models.ForeignKey("usage.Source", on_delete=models.PROTECT, related_name="manifests", db_index=False)
    hour = models.DateTimeField()  # its start, UTC
    events = models.PositiveBigIntegerField()
    hash = models.CharField(max_length=16)  # hex; how it is made: usage.manifests.rolling_hash
    received_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "hour"], condition=Q(superseded_at=None), name="one_believed_manifest_per_hour"
            ),
            models.CheckConstraint(condition=Q(hash__regex="^[0-9a-f]{16}$"), name="manifest_hash_is_hex"),
        ]
        indexes = [models.Index(fields=["source", "hour"], name="manifest_by_source")]

    def __str__(self) -> str:
        return f"{self.source} {self.hour:%Y-%m-%dT%H}Z"


class ManifestSum(models.Model):
    """What a manifest says of one meter: opens and closes counted, measured quantities counted and summed."""

    manifest = models.ForeignKey(Manifest, on_delete=models.PROTECT, related_name="sums", db_index=False)
    meter = models.CharField(max_length=100)
    opens = models.PositiveBigIntegerField()
    closes = models.PositiveBigIntegerField()
    measured = models.PositiveBigIntegerField()
    quantity = models.DecimalField(max_digits=50, decimal_places=12)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["manifest", "meter"], name="one_sum_per_manifest_and_meter"),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="manifest_quantity_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.manifest} {self.meter}"


class HourTotal(models.Model):
    """What was received from a source for one hour (by event time) and meter, folded up to ``HourFold.until``.

    Every column is a sum over the hour's events, so that more events are added without reading the earlier ones.
    """

    source = models.ForeignKey("usage.Source", on_delete=models.PROTECT, related_name="+", db_index=False)
    hour = models.DateTimeField()
    meter = models.CharField(max_length=100)
    opens = models.PositiveBigIntegerField()
    closes = models.PositiveBigIntegerField()
    measured = models.PositiveBigIntegerField()
    quantity = models.DecimalField(max_digits=50, decimal_places=12)
    hash = models.DecimalField(max_digits=20, decimal_places=0)  # below 2**64

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hour", "source", "meter"], name="one_total_per_hour_source_and_meter")
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.hour:%Y-%m-%dT%H}Z {self.meter}"


class HourFold(models.Model):
    """How far the totals reach: every event received before ``until`` is in them, and no other. One row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    until = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_fold_of_hours")]

    def __str__(self) -> str:
        return f"until {self.until}"
