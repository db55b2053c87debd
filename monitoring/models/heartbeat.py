"""Signs of life: when each cluster last answered, what is still asked of it, and how each sweep went."""

from django.db import models


class Heartbeat(models.Model):
    """The latest beat of a cluster of workers, or of the tick; written by a task that a worker carried out."""

    cluster = models.CharField(primary_key=True, max_length=40)  # or "tick"
    at = models.DateTimeField()
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()  # the worker's

    def __str__(self) -> str:
        return f"{self.cluster} {self.at}"


class Ring(models.Model):
    """What a cluster, or the tick, was last asked.

    Silence is measured from the first ring that was not answered, so nothing looks dead while nobody asks.
    """

    name = models.CharField(primary_key=True, max_length=40)
    asked_at = models.DateTimeField(null=True)  # the first ring since the last beat; null: all were answered
    rung_at = models.DateTimeField()  # the latest ring

    def __str__(self) -> str:
        return self.name


class Sweep(models.Model):
    """How the latest run of one sweep function went."""

    name = models.CharField(primary_key=True, max_length=200)  # the dotted function
    ran_at = models.DateTimeField()
    seconds = models.FloatField()
    error = models.TextField(blank=True, default="")  # empty: it went well
    failed_since = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
