"""Who may report usage, and what we expect of them."""

from django.db import models
from django.db.models import Q


class SourceState(models.TextChoices):
    ACTIVE = "active"
    PAUSED = "paused"  # its events are refused until resumed
    REVOKED = "revoked"


class Source(models.Model):
    """A platform component that reports usage, with its contract: how often, and how late is too late."""

    name = models.CharField(max_length=100, unique=True)
    title = models.CharField(max_length=200, blank=True, default="")
    owner = models.CharField(max_length=200, blank=True, default="")  # the team to call
    state = models.CharField(max_length=8, choices=SourceState.choices, default=SourceState.ACTIVE)
    cadence_seconds = models.PositiveIntegerField(default=3600)  # something is expected at least this often
    lateness_seconds = models.PositiveIntegerField(default=3600)  # an event may arrive this long after its time
    past_days = models.PositiveSmallIntegerField(default=35)  # how old an event may be when it arrives
    future_seconds = models.PositiveIntegerField(default=300)  # how far ahead its clock may run
    created_at = models.DateTimeField(auto_now_add=True)
    last_received_at = models.DateTimeField(null=True, blank=True)
    last_event_at = models.DateTimeField(null=True, blank=True)  # the newest event time seen
    last_heartbeat_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="source_has_a_name")]

    def __str__(self) -> str:
        return self.name


class SourceCredential(models.Model):
    """A source's secret: only its hash is kept; two may overlap while one replaces the other."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="credentials")
    prefix = models.CharField(max_length=12, unique=True)
    secret_hash = models.CharField(max_length=64)  # hex SHA-256 of the whole key
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.source} {self.prefix}"
