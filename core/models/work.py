"""The shape of leased work: a domain row that one worker at a time may carry further."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class WorkState(models.TextChoices):
    READY = "ready"
    LEASED = "leased"
    DONE = "done"
    DEAD = "dead"  # tried too often; a person must look


class LeasedWork(models.Model):
    """State, attempts counted before the work, a lease by the database's clock, and a fence.

    Whoever finishes must still hold the fence it claimed with; a worker that slept past its lease
    finds the fence moved on and its write refused. See ``core.leases``. After ``max_attempts`` it is dead.
    """

    max_attempts: ClassVar[int] = 5

    state = models.CharField(max_length=8, choices=WorkState.choices, default=WorkState.READY)
    attempts = models.PositiveIntegerField(default=0)
    fence = models.BigIntegerField(default=0)
    run_after = models.DateTimeField(db_default=Now())  # by the clock that leases go by
    lease_until = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="")

    class Meta:
        abstract = True
