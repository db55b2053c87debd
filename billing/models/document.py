"""Documents: rendered by a worker, stored once by content hash."""

from django.db import models
from django.db.models import Q

from core.models import LeasedWork


class DocumentKind(models.TextChoices):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class Document(LeasedWork):
    """One rendered file of one issued invoice or credit note. ``path`` is below MEDIA_ROOT, set when done."""

    kind = models.CharField(max_length=11, choices=DocumentKind.choices)
    invoice = models.ForeignKey("billing.Invoice", on_delete=models.PROTECT, related_name="documents")
    credit_note = models.OneToOneField(
        "billing.CreditNote", null=True, blank=True, on_delete=models.PROTECT, related_name="document"
    )
    sha256 = models.CharField(max_length=64, blank=True, default="")
    path = models.TextField(blank=True, default="")
    size = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    rendered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["invoice"], condition=Q(kind="invoice"), name="one_document_per_invoice"),
            models.CheckConstraint(
                condition=~Q(state="done") | (~Q(sha256="") & ~Q(path="")), name="done_document_has_a_file"
            ),
        ]
        indexes = [
            models.Index(fields=["run_after"], name="document_waiting", condition=Q(state__in=["ready", "leased"]))
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.invoice_id}"
