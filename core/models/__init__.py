"""The ground floor's tables: audit, outbox, idempotency, mail, and the shape of leased work."""

from core.models.audit import AuditEntry
from core.models.idempotency import IdempotencyKey
from core.models.mail import Mail
from core.models.outbox import OutboxMessage
from core.models.work import LeasedWork, WorkState

__all__ = ["AuditEntry", "IdempotencyKey", "LeasedWork", "Mail", "OutboxMessage", "WorkState"]
