"""Where Vault has read a source's own feed to, and how that goes."""

from django.db import models
from django.db.models import Q

from core.models.work import LeasedWork
from usage.models.source import Source


class Feed(LeasedWork):
    """A source's own list of events, read page by page from ``cursor``; at most one per source.

    It lives in the usage store: a page's events and the cursor behind them are committed together. Work that never
    ends: ready again after each reading. ``attempts`` counts claims since the last page that was stored or answer
    that was understood as a failure, so only a feed whose readers die is ever dead; ``failures`` counts the
    answers in a row that were no page, and stretches the pause.
    """

    source = models.OneToOneField(Source, on_delete=models.PROTECT, related_name="feed")
    url = models.CharField(max_length=500)
    page_size = models.PositiveIntegerField(default=1000)  # events asked for at a time
    margin_seconds = models.PositiveIntegerField(default=300)  # younger records may still change their order
    every_seconds = models.PositiveIntegerField(default=60)  # pause once the end was reached
    cursor = models.CharField(max_length=1000, blank=True, default="")  # the feed's own word; empty: its beginning
    cursor_at = models.DateTimeField(null=True, blank=True)  # when the cursor last moved
    caught_up_at = models.DateTimeField(null=True, blank=True)  # when everything older than the margin was here
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(url=""), name="feed_has_an_address"),
            models.CheckConstraint(condition=Q(page_size__gte=1, page_size__lte=10_000), name="feed_page_is_a_batch"),
            models.CheckConstraint(condition=Q(every_seconds__gte=1), name="feed_pauses"),
            models.CheckConstraint(
                condition=~Q(state="leased") | Q(lease_until__isnull=False), name="feed_is_leased_until_some_time"
            ),
        ]

    def __str__(self) -> str:
        return f"feed of {self.source}"
