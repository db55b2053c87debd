"""News that travels up the house: written with the fact, delivered after it."""

from django.db import models
from django.db.models.functions import Now


class OutboxMessage(models.Model):
    """One fact another app may act on. The row is deleted when every subscriber has seen it."""

    topic = models.CharField(max_length=100)
    key = models.CharField(max_length=200)  # the fact's own name, so that it is announced once
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    attempts = models.PositiveIntegerField(default=0)
    run_after = models.DateTimeField(db_default=Now())
    last_error = models.TextField(blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["topic", "key"], name="one_announcement_per_fact")]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"
