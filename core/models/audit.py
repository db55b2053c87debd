"""The audit trail, written by triggers only."""

from django.db import models


class AuditEntry(models.Model):
    """One change of one row: who, when, in which request, and the columns that differ."""

    at = models.DateTimeField()
    actor = models.TextField()
    reason = models.TextField()
    request = models.TextField()
    table = models.TextField(db_column="table_name")
    row = models.TextField(db_column="row_id")
    account_id = models.BigIntegerField(null=True)  # the account the row belongs to, when it has one
    operation = models.CharField(max_length=6)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["table", "row"], name="audit_by_row"),
            models.Index(fields=["account_id", "-id"], name="audit_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.operation} {self.table} {self.row}"
