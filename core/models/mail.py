"""Outgoing mail as rows: written with the fact, sent by a worker, at most once per kind and subject."""

from django.db import models

from core.models.work import LeasedWork


class Mail(LeasedWork):
    """One message to one recipient about one thing (``kind`` and ``reference`` name it)."""

    kind = models.CharField(max_length=60)  # "invoice", "dunning.reminder" …
    reference = models.CharField(max_length=120)  # the invoice number, case step …
    account_code = models.CharField(max_length=200, blank=True, default="")
    recipient = models.EmailField(max_length=254)
    subject = models.CharField(max_length=300)
    text = models.TextField()
    attachment_path = models.TextField(blank=True, default="")  # below MEDIA_ROOT
    attachment_name = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "reference"], name="one_mail_per_kind_and_reference")]
        indexes = [models.Index(fields=["run_after"], name="mail_waiting", condition=models.Q(state__in=["ready", "leased"]))]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"

    @property
    def message_id(self) -> str:
        """Constant per mail, so that a second copy after a crash is recognisable as the same."""
        return f"<{self.kind}.{self.reference}@vault>"
