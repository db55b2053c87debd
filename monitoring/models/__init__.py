"""What Vault remembers about its own health."""

from monitoring.models.heartbeat import Heartbeat, Ring, Sweep
from monitoring.models.verification import Verification

__all__ = ["Heartbeat", "Ring", "Sweep", "Verification"]
