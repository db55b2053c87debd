"""What workers do for usage. Each is one call and safe to run twice."""

from core import bell, clock, databases
from usage import hour_totals, pairing
from usage.models import Unpaired

PAIR = "usage.tasks.pair"
FOLD = "usage.tasks.fold"
_ENOUGH_RINGING = 2  # messages; pairing is one at a time, so more would only wait


def pair() -> int:
    """Pair waiting opens and closes; a repeat finds none left."""
    return pairing.drain()


def fold() -> bool:
    """Add what was received to the hourly totals; a repeat adds what came since."""
    return hour_totals.fold()


def sweep() -> None:
    """Ring for waiting opens and closes, and for totals that are behind; a repeat rings a few more times at most."""
    if bell.waiting("money") >= _ENOUGH_RINGING:
        return
    if Unpaired.objects.exists():
        bell.ring(PAIR, cluster="money")
    if hour_totals.behind(clock.database_now(databases.usage())):
        bell.ring(FOLD, cluster="money")
