"""What workers do for usage. Each is one call and safe to run twice."""

from core import bell
from usage import pairing
from usage.models import Unpaired

PAIR = "usage.tasks.pair"
_ENOUGH_RINGING = 2  # messages; pairing is one at a time, so more would only wait


def pair() -> int:
    """Pair waiting opens and closes; a repeat finds none left."""
    return pairing.drain()


def sweep() -> None:
    """Ring for waiting opens and closes; a repeat rings a few more times at most."""
    if Unpaired.objects.exists() and bell.waiting("money") < _ENOUGH_RINGING:
        bell.ring(PAIR, cluster="money")
