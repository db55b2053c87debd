"""News for programs of customers and of the platform: where it goes, what was said, and each try to say it."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from core.models import LeasedWork


class WebhookEndpoint(models.Model):
    """An address that hears news: of one account, or of all when it has none. ``topics`` narrow it (empty: all)."""

    account = models.ForeignKey(
        "accounts.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="webhooks"
    )
    url = models.CharField(max_length=500)
    topics = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    description = models.CharField(max_length=200, blank=True, default="")
    paused_at = models.DateTimeField(null=True, blank=True)  # what happens meanwhile waits
    removed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.CharField(max_length=300)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(url=""), name="webhook_has_an_address"),
        ]

    def __str__(self) -> str:
        return self.url


class WebhookSecret(models.Model):
    """What an endpoint's news are signed with: readable, for it signs, and so kept apart from the audit trail.

    After a rotation the former one signs as well until ``until``, so that the receiver can change over.
    """

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="secrets")
    text = models.CharField(max_length=100)  # whsec_…
    until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint"], condition=Q(until=None), name="one_current_webhook_secret"),
            models.CheckConstraint(condition=Q(text__startswith="whsec_"), name="webhook_secret_is_one"),
        ]

    def __str__(self) -> str:
        return f"secret of {self.endpoint}"


class WebhookMessage(models.Model):
    """One piece of news, said once, for ever in the same words; ``key`` names the fact, so that it is told once."""

    topic = models.CharField(max_length=60)  # "invoice.issued"
    key = models.CharField(max_length=200)
    account = models.ForeignKey("accounts.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    body = models.TextField()  # JSON exactly as it is signed and sent
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["topic", "key"], name="one_message_per_fact"),
            models.CheckConstraint(condition=~Q(topic="") & ~Q(key="") & ~Q(body=""), name="webhook_message_is_whole"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"

    @property
    def name(self) -> str:
        """What ``webhook-id`` says: the same at each try, so that a receiver knows a repeat."""
        return f"msg_{self.pk}"


class WebhookDelivery(LeasedWork):
    """A message on its way to one endpoint; tried for about three days, then dead until a person sends it again."""

    max_attempts: ClassVar[int] = 10

    message = models.ForeignKey(WebhookMessage, on_delete=models.PROTECT, related_name="deliveries")
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries")
    delivered_at = models.DateTimeField(null=True, blank=True)
    sent_again_by = models.CharField(max_length=300, blank=True, default="")  # who asked for it last

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["message", "endpoint"], name="one_delivery_per_message_and_endpoint"),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(delivered_at__isnull=False), name="webhook_that_is_done_was_delivered"
            ),
        ]
        indexes = [
            models.Index(
                fields=["run_after"], name="webhook_delivery_waiting", condition=Q(state__in=["ready", "leased"])
            ),
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_by_endpoint"),
        ]

    def __str__(self) -> str:
        return f"{self.message} to {self.endpoint}"


class WebhookTry(models.Model):
    """What one try to deliver came to. ``status`` is 0 when there was no answer."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.PROTECT, related_name="tries")
    at = models.DateTimeField(db_default=Now())
    status = models.PositiveSmallIntegerField(default=0)
    milliseconds = models.PositiveIntegerField(default=0)
    answer = models.CharField(max_length=1000, blank=True, default="")  # its beginning, or why there was none

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.status} at {self.at}"
