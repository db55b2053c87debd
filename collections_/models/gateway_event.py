"""What a gateway told us of its own accord: kept once, as it came, and handled as leased work."""

from django.db import models

from core.models import LeasedWork


class GatewayEvent(LeasedWork):
    """One signed message of a gateway. The database refuses a change of what it said, and its deletion."""

    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=200)  # the gateway's own name of it
    kind = models.CharField(max_length=60)
    body = models.TextField()  # raw
    received_at = models.DateTimeField()
    outcome = models.CharField(max_length=300, blank=True, default="")  # what came of it, in words

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["gateway", "event_id"], name="one_gateway_event_per_id")]
        indexes = [
            models.Index(
                fields=["run_after"], name="gateway_event_waiting", condition=models.Q(state__in=["ready", "leased"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.event_id}"
