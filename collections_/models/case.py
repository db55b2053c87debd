"""One account's way along the ladder: the case, its steps, and what paused it."""

from django.db import models
from django.db.models import Q


class CaseState(models.TextChoices):
    OPEN = "open"
    CLOSED = "closed"


class Case(models.Model):
    """Opened when the first invoice of an account falls past due; closed when nothing is past due any more."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="cases")
    currency = models.CharField(max_length=3)
    policy = models.ForeignKey("collections.DunningPolicy", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=6, choices=CaseState.choices, default=CaseState.OPEN)
    opened_on = models.DateField()
    closed_on = models.DateField(null=True, blank=True)
    assignee = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["opened_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "currency"], condition=Q(state="open"), name="one_open_case_per_account"
            )
        ]

    def __str__(self) -> str:
        return f"case {self.pk}"


class CaseStep(models.Model):
    """One rung taken for one invoice; each at most once."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="steps")
    invoice = models.ForeignKey("billing.Invoice", on_delete=models.PROTECT, related_name="dunning_steps")
    name = models.CharField(max_length=40)  # the policy's name of the step
    kind = models.CharField(max_length=12)
    due_on = models.DateField()  # when the policy asked for it
    taken_on = models.DateField()
    result = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["invoice", "name"], name="one_step_per_invoice_and_name")]

    def __str__(self) -> str:
        return f"{self.name} {self.invoice_id}"


class CaseEvent(models.Model):
    """The story of a case: what happened, who did it, in their words. Append-only."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    actor = models.CharField(max_length=300)
    kind = models.CharField(max_length=20)  # opened, step, note, promise, hold, payment, closed …
    text = models.TextField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.kind}: {self.text[:60]}"


class PromiseState(models.TextChoices):
    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"


class Promise(models.Model):
    """The customer said when they will pay; dunning waits until then."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="promises")
    amount = models.DecimalField(max_digits=24, decimal_places=4)
    due_on = models.DateField()
    state = models.CharField(max_length=6, choices=PromiseState.choices, default=PromiseState.OPEN)
    made_by = models.CharField(max_length=300)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="promise_is_positive")]

    def __str__(self) -> str:
        return f"{self.amount} by {self.due_on}"


class Hold(models.Model):
    """A pause of dunning with a reason and an end."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="holds")
    reason = models.CharField(max_length=500)
    until = models.DateField()
    placed_by = models.CharField(max_length=300)
    placed_at = models.DateTimeField()
    lifted_by = models.CharField(max_length=300, blank=True, default="")
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="hold_has_a_reason")]

    def __str__(self) -> str:
        return f"until {self.until}: {self.reason}"
