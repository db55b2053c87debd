"""Money in, and the road to it: payments, attempts, dunning policies and cases."""

from collections_.models.case import Case, CaseEvent, CaseState, CaseStep, Hold, Promise, PromiseState
from collections_.models.chargeback import AllocationReversal, Chargeback
from collections_.models.gateway_event import GatewayEvent
from collections_.models.payment import Allocation, AttemptOutcome, ChargeAttempt, Payment, PaymentMethod
from collections_.models.policy import CollectionsDay, DunningPolicy
from collections_.models.refund import Refund, RefundOutcome

__all__ = [
    "Allocation",
    "AllocationReversal",
    "AttemptOutcome",
    "Case",
    "CaseEvent",
    "CaseState",
    "CaseStep",
    "ChargeAttempt",
    "Chargeback",
    "CollectionsDay",
    "DunningPolicy",
    "GatewayEvent",
    "Hold",
    "Payment",
    "PaymentMethod",
    "Promise",
    "PromiseState",
    "Refund",
    "RefundOutcome",
]
