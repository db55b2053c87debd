"""What workers call for collections. Each is one domain call and says what a repeat does."""

from collections.abc import Mapping
from typing import Any

from collections_ import charging, collecting, daily, receiving, reconciling, refunding

SECONDS = 60  # a task stays well below the queue's time-out and rings again for the rest


def charge() -> int:
    """Charge waiting attempts for a while; a repeat finds them answered, or asks with the same key."""
    return charging.charge_waiting(seconds=SECONDS)


def reconcile() -> int:
    """Find out what became of unanswered charges; a repeat asks again, and moves no money twice."""
    return reconciling.reconcile_waiting()


def receive() -> int:
    """Handle what gateways told us; a repeat finds it handled, or asks the gateway again."""
    return receiving.handle_waiting()


def refund() -> int:
    """Carry waiting refunds; a repeat finds them answered, or sends the same key, which moves no money twice."""
    return refunding.refund_waiting()


def collect() -> int:
    """Do the collecting of each day that waits; a repeat of a day takes no step twice."""
    return daily.collect_waiting()


def sweep() -> None:
    """Begin today's collecting and ring for lost bells; a repeat finds the day begun."""
    daily.begin_today()
    reconciling.sweep()
    receiving.sweep()
    refunding.sweep()


def on_invoices_issued(payload: Mapping[str, Any]) -> None:
    """Charge invoices that are due on the day of issue; a repeat finds them charged."""
    collecting.charge_issued(payload["invoice_ids"])
