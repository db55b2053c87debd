"""Which events count, as known at a moment: the one place that says what an amendment does to what sources sent."""

from datetime import UTC, datetime
from functools import cache
from typing import Final

from core.sql import load

NOW: Final = datetime.max.replace(tzinfo=UTC)  # as a cut-off: everything that is known


@cache
def statement(name: str) -> bytes:
    """Return ``usage/sql/NAME.sql`` with the condition that event ``e`` counts where it says {effective}.

    The statement takes a parameter ``cutoff``: an event is judged by what was known then.
    """
    return load("usage", name).replace("{effective}", load("usage", "effective")).encode()
