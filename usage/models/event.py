"""What a source sent, exactly once and for ever."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from usage.addresses import event_url, resource_url


class EventType(models.TextChoices):
    OPEN = "open"
    CLOSE = "close"
    MEASURED = "measured"
    GAUGE = "gauge"  # a level that holds until the next one: GB stored, connections open


class Event(models.Model):
    """An append-only fact, in a partition per UTC month of its ``time`` (``usage.partitions``).

    Nothing finds an event by its ``id`` alone: who has that has its resource and time as well, which lead to its
    month; by what its source called it, it is found through its key. The database checks no foreign key here: a
    source is never deleted, and one check per event would cost intake more than the unique key does.
    """

    source = models.ForeignKey(
        "usage.Source", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    event_id = models.CharField(max_length=200, db_collation="C")  # nobody sorts by it: bytes compare faster
    type = models.CharField(max_length=8, choices=EventType.choices)
    time = models.DateTimeField()  # when it happened, by the source
    resource = models.CharField(max_length=200)
    product = models.CharField(max_length=200)
    meter = models.CharField(max_length=100)  # "duration" for opens and closes that name none
    component = models.CharField(max_length=100, blank=True, default="")  # e.g. the process type: web, worker
    app = models.CharField(max_length=200, blank=True, default="")
    account = models.CharField(max_length=200, blank=True, default="")  # the owner as the source knew it
    quantity = models.DecimalField(max_digits=38, decimal_places=12, null=True)
    received_at = models.DateTimeField()  # by the database's clock
    amendment = models.ForeignKey(  # the correction that said it; empty for what a source sent
        "usage.Amendment",
        null=True,
        on_delete=models.PROTECT,
        related_name="events",
        db_constraint=False,
        db_index=False,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["resource", "time", "id"], name="event_once_by_resource"),
            models.CheckConstraint(  # the upper bound also keeps NaN out, which PostgreSQL holds for the largest number
                condition=Q(
                    type__in=("measured", "gauge"), quantity__isnull=False, quantity__gte=0, quantity__lt=10**18
                )
                | (Q(type__in=("open", "close")) & Q(quantity__isnull=True)),
                name="event_quantity_exactly_when_measured",
            ),
        ]
        indexes = [
            # What a source only measures of an app, naming no account: the app's owner owns it.
            models.Index(
                fields=["app", "resource"],
                name="event_by_app",
                condition=Q(type="measured", account="") & ~Q(app=""),
            ),
            # Rows lie in the order they came in, and their times follow it roughly: a summary of pages finds a stretch
            # of either, whole hours of all sources too, and intake pays nothing for it.
            BrinIndex(fields=["received_at"], name="event_by_receipt_range", pages_per_range=32, autosummarize=True),
            BrinIndex(fields=["time"], name="event_by_time", pages_per_range=32, autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.resource} {self.product} {self.time:%Y-%m-%dT%H:%M:%SZ}"

    @property
    def resource_url(self) -> str:
        """Where the time line of its resource is."""
        return resource_url(self.resource)

    @property
    def url(self) -> str:
        """Where its own page is."""
        return event_url(self.source.name, self.event_id)


class EventKey(models.Model):
    """What makes two events the same, for ever: (source, event_id), and a hash of what it said.

    Not partitioned and never given up, so that an event of a month that was archived long ago is still known. The
    database refuses an event without its key, and a second event of one key.
    """

    pk = models.CompositePrimaryKey("source", "event_id")
    source = models.ForeignKey(
        "usage.Source", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    event_id = models.CharField(max_length=200, db_collation="C")  # nobody sorts by it: bytes compare faster
    body_hash = models.BinaryField(max_length=32)  # SHA-256 of the canonical body
    resource = models.CharField(max_length=200)
    time = models.DateTimeField()
    event = models.BigIntegerField()  # its id: with resource and time it leads to the event

    def __str__(self) -> str:
        return self.event_id


class Unpaired(models.Model):
    """The bell of pairing: an event that may change intervals or ownership and has not been looked at yet.

    Every open, close and gauge rings, and a measured event that names an account, or an app that is owned as a whole,
    where nobody owned. Deleted when it has been looked at.
    """

    event = models.OneToOneField(
        Event, on_delete=models.CASCADE, primary_key=True, related_name="+", db_constraint=False
    )
    resource = models.CharField(max_length=200)
    time = models.DateTimeField()  # the event's: with the resource it leads to the event

    def __str__(self) -> str:
        return self.resource
