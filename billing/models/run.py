"""One build of a month's invoices: the run, its roster and its shards of work."""

from django.db import models
from django.db.models import F, Q

from core.models import LeasedWork


class RunState(models.TextChoices):
    DRAFTING = "drafting"  # shards are being rated and written as drafts
    REVIEW = "review"  # people look; drafts may still be adjusted
    APPROVED = "approved"  # a second person agreed to exactly these drafts
    ISSUING = "issuing"  # shards are being numbered and posted
    CLOSED = "closed"  # every account of the roster has ended
    CANCELLED = "cancelled"  # before anything was issued


class Run(models.Model):
    """A month's build with a frozen cut-off. A shadow writes nothing that a customer can see."""

    month = models.DateField()  # its first day
    shadow = models.BooleanField(default=False)
    state = models.CharField(max_length=9, choices=RunState.choices, default=RunState.DRAFTING)
    seller = models.ForeignKey("billing.Seller", on_delete=models.PROTECT, related_name="+")
    cutoff = models.DateTimeField()  # usage known up to here counts; by the usage store's clock
    prices_at = models.DateTimeField()  # price versions known at this moment count
    opened_by = models.CharField(max_length=300)
    opened_at = models.DateTimeField()
    approved_by = models.CharField(max_length=300, blank=True, default="")
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_hash = models.CharField(max_length=64, blank=True, default="")  # of all drafts as reviewed
    issue_date = models.DateField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    code_version = models.CharField(max_length=60, blank=True, default="")
    # Sources that had not confirmed the month: [{"source": name, "until": moment or null}], and why it did not wait.
    unconfirmed = models.JSONField(default=list, db_default=[])
    unconfirmed_reason = models.TextField(blank=True, default="", db_default="")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["month", "seller"],
                condition=Q(shadow=False) & ~Q(state="cancelled"),
                name="one_live_run_per_month",
            ),
            models.CheckConstraint(condition=Q(month__day=1), name="run_month_is_a_first_day"),
            models.CheckConstraint(
                condition=Q(approved_by="") | ~Q(approved_by=F("opened_by")), name="run_approved_by_a_second_person"
            ),
            models.CheckConstraint(
                condition=Q(shadow=False) | Q(state__in=["drafting", "review", "cancelled"]),
                name="shadow_is_never_issued",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "issuing", "closed"]) | ~Q(approved_by=""),
                name="issued_runs_are_approved",
            ),
            models.CheckConstraint(
                condition=Q(shadow=True) | Q(unconfirmed=[]) | ~Q(unconfirmed_reason=""),
                name="run_on_unconfirmed_usage_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{'Shadow' if self.shadow else 'Run'} {self.month:%Y-%m} #{self.pk}"

    @property
    def actor(self) -> str:
        return f"run:{self.pk}"


class Outcome(models.TextChoices):
    """How one account of the roster stands; every one must end in the last four."""

    PENDING = "pending"
    DRAFTED = "drafted"
    ISSUED = "issued"
    ZERO = "zero"  # nothing to bill
    HELD = "held"  # a person must decide; the reason says what
    FAILED = "failed"  # could not be built; can be retried


class RunAccount(models.Model):
    """One line of the roster: an account in a run, and how it ended."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="roster")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    shard = models.PositiveIntegerField()
    outcome = models.CharField(max_length=7, choices=Outcome.choices, default=Outcome.PENDING)
    reason_code = models.CharField(max_length=40, blank=True, default="")  # unpriced, unowned, overlap, manual …
    reason = models.TextField(blank=True, default="")
    invoice = models.OneToOneField(
        "billing.Invoice", null=True, blank=True, on_delete=models.SET_NULL, related_name="roster_entry"
    )
    total = models.DecimalField(max_digits=24, decimal_places=4, null=True)
    inputs_hash = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "account"], name="one_roster_line_per_account"),
            models.CheckConstraint(
                condition=~Q(outcome__in=["held", "failed"]) | ~Q(reason=""), name="held_and_failed_have_a_reason"
            ),
        ]
        indexes = [
            models.Index(fields=["run", "shard"], name="roster_by_shard"),
            models.Index(fields=["run", "outcome"], name="roster_by_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.account_id} {self.outcome}"


class ShardPhase(models.TextChoices):
    DRAFT = "draft"
    ISSUE = "issue"


class RunShard(LeasedWork):
    """A chunk of the roster that one worker at a time drafts, and later issues, in one transaction each."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="shards")
    phase = models.CharField(max_length=5, choices=ShardPhase.choices)
    number = models.PositiveIntegerField()
    accounts = models.PositiveIntegerField()
    cutoff = models.DateTimeField(null=True, blank=True)  # of a draft shard: the run's, or later after a retry
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "phase", "number"], name="one_shard_per_run_phase_number")
        ]

    def __str__(self) -> str:
        return f"run {self.run_id} {self.phase} shard {self.number}"
