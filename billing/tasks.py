"""What workers call: each is one domain call, without arguments and safe to run twice; and the sweeps that ring."""

from billing import drafting, issuing, rehearsing, running, unbilled
from billing.models import RunShard
from core import bell


def draft() -> int:
    """Draft waiting shards; a repeat finds them done."""
    return drafting.draft_waiting()


def issue() -> int:
    """Issue waiting shards of approved runs; a repeat finds them done."""
    return issuing.issue_waiting()


def render() -> int:
    """Render waiting documents; a repeat finds them stored."""
    from billing.documents import rendering

    return rendering.render_waiting()


def count_unbilled() -> None:
    """Count what cannot be billed of the running month and the one before; a repeat counts again."""
    unbilled.count()


def sweep_unbilled() -> None:
    """Ring for that count when the last is old."""
    unbilled.sweep()


def rehearse() -> int:
    """Carry rehearsals of prices on; a repeat finds them done."""
    return rehearsing.rehearse_waiting()


def sweep_runs() -> None:
    """Ring for shards whose doorbell was lost or whose worker died, and move on runs that are done. Repeatable."""
    bell.ring_for_due(RunShard, running.DRAFT_TASK, cluster="money")
    bell.ring_for_due(RunShard, running.ISSUE_TASK, cluster="money")
    running.advance_all()
