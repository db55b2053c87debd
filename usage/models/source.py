"""Who may report usage, and what we expect of them."""

from typing import Final, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

# What a secret of a source may be good for.
EVENTS: Final = "events"
HEARTBEATS: Final = "heartbeats"
MANIFESTS: Final = "manifests"
SOURCE_SCOPES: Final = (EVENTS, HEARTBEATS, MANIFESTS)
LONGEST_SECONDS: Final = 30 * 86_400  # of a cadence or a lateness
LONGEST_PAST_DAYS: Final = 3650
LONGEST_AHEAD: Final = 86_400  # seconds; reconciliation looks a day ahead for refused events


def every_scope() -> list[str]:
    """Return what a secret is good for unless it is told otherwise."""
    return list(SOURCE_SCOPES)


class SourceState(models.TextChoices):
    ACTIVE = "active"
    PAUSED = "paused"  # its events are refused until resumed
    REVOKED = "revoked"  # for good; no secret of it works


class SourceQuerySet(models.QuerySet["Source"]):
    """Sources by what is expected of them."""

    def expected(self) -> Self:
        """Those of which something is expected: they were given a secret once, or are read by their feed."""
        return self.filter(
            Q(models.Exists(SourceCredential.objects.filter(source=models.OuterRef("pk")))) | Q(feed__isnull=False)
        )


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

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="source_has_a_name"),
            models.CheckConstraint(
                condition=Q(cadence_seconds__range=(1, LONGEST_SECONDS), lateness_seconds__lte=LONGEST_SECONDS)
                & Q(past_days__range=(1, LONGEST_PAST_DAYS), future_seconds__lte=LONGEST_AHEAD),
                name="source_contract_within_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SourceCredential(models.Model):
    """A source's secret: only its hash is kept; two may overlap while one replaces the other."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="credentials")
    prefix = models.CharField(max_length=12, unique=True)
    secret_hash = models.CharField(max_length=64)  # hex SHA-256 of the whole key
    scopes = ArrayField(models.CharField(max_length=20), default=every_scope, db_default=list(SOURCE_SCOPES))
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes__contained_by=list(SOURCE_SCOPES), scopes__len__gte=1),
                name="source_credential_is_good_for_something",
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.prefix}"


class HeartbeatHour(models.Model):
    """How often a source said during an hour (of receipt) that it is alive: so that a quiet hour is told from a gap."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    hour = models.DateTimeField()
    beats = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "hour"], name="one_count_of_heartbeats_per_hour")]

    def __str__(self) -> str:
        return f"{self.source} {self.hour:%Y-%m-%dT%H}Z"
