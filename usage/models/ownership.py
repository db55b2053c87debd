"""Who owns a resource over time, kept apart from usage so that a transfer never touches usage."""

from django.db import models
from django.db.models import F, Q


class Ownership(models.Model):
    """An account owns a resource during ``[start, end)``, as known from ``recorded_at`` until ``superseded_at``.

    ``reference`` is the caller's identifier of the ownership (``PUT /usage/ownerships/{id}``), or
    ``open:RESOURCE`` when an event that named the account recorded it. An empty ``resource`` is the
    ownership of a whole ``app``, by which resources that appear later are owned. Believed rows cannot
    overlap for one resource, nor for one app (the database refuses).
    """

    reference = models.CharField(max_length=220)
    resource = models.CharField(max_length=200, blank=True)
    account = models.CharField(max_length=200)
    app = models.CharField(max_length=200, blank=True, default="")
    start = models.DateTimeField()
    end = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=300)
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(end__isnull=True) | Q(end__gt=F("start")), name="ownership_is_not_empty"
            ),
            models.UniqueConstraint(
                fields=["reference", "resource"],
                condition=Q(superseded_at__isnull=True),
                name="one_believed_ownership_per_reference",
            ),
        ]
        indexes = [
            models.Index(fields=["resource", "start"], name="ownership_by_resource"),
            models.Index(fields=["account", "start"], name="ownership_by_account"),
            models.Index(fields=["app"], name="ownership_by_app"),
            models.Index(fields=["app"], name="ownership_of_whole_apps", condition=Q(resource="", superseded_at=None)),
            models.Index(  # what a caller stated, now and before; the many that follow from events need none
                fields=["reference", "recorded_at"],
                name="ownership_by_reference",
                condition=~Q(reference__startswith="open:"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} owns {self.resource}"
