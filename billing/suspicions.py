"""Usage that cannot be trusted yet: nobody owns it, or it contradicts itself. Its accounts wait for a person."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from billing import waivers
from core.exact import plain
from core.periods import Month, Span
from usage import completeness
from usage.completeness import Contradiction, Unowned
from usage.pairing_rules import MIXED

UNOWNED = "unowned"
OVERLAP = "overlap"


def of(month: Month, cutoff: datetime, codes: set[str], known_at: datetime) -> Mapping[str, tuple[str, str]]:
    """Return for each account among ``codes`` that must wait its reason code and the sentence for the roster.

    Usage as known at ``cutoff``, less what had been waived at ``known_at``.
    """
    unowned, problems = _found(month.span, cutoff)
    found: dict[str, tuple[str, str]] = {}
    for piece, _ in waivers.still_unowned(unowned, waivers.unowned(month, known_at)):
        lost = f"{plain(piece.seconds or piece.quantity)} of {piece.product} by {piece.resource}"
        why = f"Nobody owns {lost}: record who does, or accept it as not billed, then retry."
        found |= {code: (UNOWNED, why) for code in piece.accounts if code in codes}
    for problem in problems:
        when = f"{problem.at:%Y-%m-%d %H:%M} UTC"
        what = "was switched and given a level" if problem.kind == MIXED else "ran on two products"
        why = f"{problem.resource} {what} at {when}: correct its events, then retry."
        found |= {code: (OVERLAP, why) for code in problem.accounts if code in codes}
    return found


@lru_cache(maxsize=2)
def _found(span: Span, cutoff: datetime) -> tuple[Sequence[Unowned], Sequence[Contradiction]]:
    """Ask the usage store once for all shards of a run: all of it is as known at the cut-off, and never changes."""
    return completeness.unowned(span, cutoff=cutoff), completeness.problems(span, cutoff=cutoff)
