"""Usage that cannot be trusted yet: nobody owns it, or it contradicts itself. Its accounts wait for a person."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from core.exact import plain
from core.periods import Span
from usage import completeness

UNOWNED = "unowned"
OVERLAP = "overlap"


def of(span: Span, cutoff: datetime, codes: set[str]) -> Mapping[str, tuple[str, str]]:
    """Return for each account among ``codes`` that must wait its reason code and the sentence for the roster."""
    return {code: why for code, why in _everybody(span, cutoff).items() if code in codes}


@lru_cache(maxsize=8)
def _everybody(span: Span, cutoff: datetime) -> Mapping[str, tuple[str, str]]:
    """Ask the usage store once for all shards of a run: all of it is as known at the cut-off, and never changes."""
    found: dict[str, tuple[str, str]] = {}
    for unowned in completeness.unowned(span, cutoff=cutoff):
        lost = f"{plain(unowned.seconds or unowned.quantity)} of {unowned.product} by {unowned.resource}"
        found |= dict.fromkeys(unowned.accounts, (UNOWNED, f"Nobody owns {lost}: record who does, then retry."))
    for problem in completeness.problems(span, cutoff=cutoff):
        when = f"{problem.at:%Y-%m-%d %H:%M} UTC"
        why = f"{problem.resource} ran on two products at {when}: correct its events, then retry."
        found |= dict.fromkeys(problem.accounts, (OVERLAP, why))
    return found
