"""Outgoing mail as rows: written with the fact, sent by a worker, at most once per kind and reference."""

import hashlib
import re
from typing import Final

from django.db import models

from core.models.work import LeasedWork

_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9._-]+")


class Mail(LeasedWork):
    """One message to one recipient about one thing (``kind`` and ``reference`` name it).

    ``handed_over_at`` is committed before a server is given the message. A row that has it and is not done may
    have arrived: only a person sends it again.
    """

    kind = models.CharField(max_length=60)  # "invoice", "dunning.reminder" …
    reference = models.CharField(max_length=120)  # the invoice number, case step …
    account_code = models.CharField(max_length=200, blank=True, default="")
    recipient = models.EmailField(max_length=254)
    subject = models.CharField(max_length=300)
    text = models.TextField()
    attachment_path = models.TextField(blank=True, default="")  # below MEDIA_ROOT
    attachment_name = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    handed_over_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    sent_again_by = models.CharField(max_length=300, blank=True, default="")  # who asked for it last

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "reference"], name="one_mail_per_kind_and_reference")]
        indexes = [
            models.Index(fields=["run_after"], name="mail_waiting", condition=models.Q(state__in=["ready", "leased"])),
            models.Index(fields=["account_code", "-id"], name="mail_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"

    @property
    def message_id(self) -> str:
        """Constant per mail, so that a second copy after a crash is recognisable as the same."""
        name = f"{self.kind}.{self.reference}"
        if _UNUSUAL.search(name):
            name = f"{_UNUSUAL.sub('-', name)[:80]}.{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        return f"<{name}@vault>"
