"""Events that could not be accepted, kept whole until a person has decided."""

from django.db import models
from django.db.models import Q


class QuarantineState(models.TextChoices):
    WAITING = "waiting"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class QuarantinedEvent(models.Model):
    """One refused event: the raw body, why it was refused, and what became of it."""

    source = models.ForeignKey("usage.Source", on_delete=models.PROTECT, related_name="+")
    event_id = models.CharField(max_length=200, blank=True, default="")  # as far as it could be read
    body = models.TextField()  # JSON text as received, cut at 64 kB
    body_hash = models.CharField(max_length=64)
    code = models.CharField(max_length=40)  # stable reason: invalid_time, conflict, too_old …
    field = models.CharField(max_length=100, blank=True, default="")
    detail = models.TextField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=QuarantineState.choices, default=QuarantineState.WAITING)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=300, blank=True, default="")
    decision_reason = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "body_hash", "code"], name="one_quarantine_entry_per_body"),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at__isnull=True) | (~Q(state="waiting") & ~Q(decided_by="")),
                name="quarantine_decision_is_signed",
            ),
        ]
        indexes = [models.Index(fields=["state", "received_at"], name="quarantine_waiting")]

    def __str__(self) -> str:
        return f"{self.code} {self.event_id}"
