"""Answers kept by idempotency key, so that a repeated write is answered and not repeated; see ``core.answers``."""

from django.db import models


class IdempotencyKey(models.Model):
    """One write of one credential: its key, the hash of what was asked, and the answer."""

    credential = models.TextField()  # "key:PREFIX" or "user:EMAIL"
    key = models.CharField(max_length=200)
    request_hash = models.CharField(max_length=64)
    status = models.SmallIntegerField()  # 0: the work is under way, since ``created_at``
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["credential", "key"], name="one_answer_per_key")]
        indexes = [models.Index(fields=["created_at"], name="answer_by_age")]

    def __str__(self) -> str:
        return f"{self.credential} {self.key}"
