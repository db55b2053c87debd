"""What ``verify`` found, and when."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Verification(models.Model):
    """One run of every invariant: how many were checked and the names of those that were broken."""

    at = models.DateTimeField()
    checked = models.PositiveIntegerField()
    broken = ArrayField(models.CharField(max_length=200), default=list)

    objects: models.Manager["Verification"] = models.Manager()

    class Meta:
        ordering = ["-id"]
        get_latest_by = "at"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {len(self.broken)} of {self.checked} broken"
