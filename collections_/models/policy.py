"""The dunning ladder as data, in versions, and the days on which it was climbed."""

from django.db import models
from django.db.models import Q

from core.models import LeasedWork


class DunningPolicy(models.Model):
    """What happens on which day after an invoice fell due. A change is a new version.

    ``steps`` is a list as ``collections_.dunning.parse_policy`` reads it.
    """

    name = models.CharField(max_length=60)
    version = models.PositiveIntegerField()
    steps = models.JSONField()
    is_current = models.BooleanField(default=False)
    created_by = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="one_policy_per_name_and_version"),
            models.UniqueConstraint(fields=["is_current"], condition=Q(is_current=True), name="one_current_policy"),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class CollectionsDay(LeasedWork):
    """One day's collecting: made by the tick once per day, done by whichever worker claims it.

    ``summary`` is what ``collections_.collecting.run`` returned, for the pages and the next morning.
    """

    as_of = models.DateField(unique=True)
    summary = models.JSONField(default=dict, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-as_of"]

    def __str__(self) -> str:
        return f"collections of {self.as_of}"
