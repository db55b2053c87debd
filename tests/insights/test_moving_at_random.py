"""Whatever is corrected, the preview is what the next run finds, and both are what counting hours by hand comes to."""

from decimal import ROUND_HALF_UP, Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from insights import moving
from tests import factories
from tests.factories import OCTOBER, account, ran, use
from tests.usage.factories import hour
from usage import ownerships
from usage.amending import Amending, Correction, Reverting
from usage.reported import ReportedEvent

HOURS = 744  # of October
PRICE = {"standard-1x": Decimal(25), "standard-2x": Decimal(50)}
OLGA = "user:olga@example.com"
Corrected = tuple[int, int, list[tuple[str, int]]]  # from, up to, and what is said: (open or close, hour)

windows = st.tuples(st.integers(0, HOURS - 2), st.integers(1, 200)).map(lambda at: (at[0], min(at[0] + at[1], HOURS)))
corrections = windows.flatmap(
    lambda window: st.tuples(
        st.just(window[0]),
        st.just(window[1]),
        st.lists(st.tuples(st.sampled_from(["open", "close"]), st.integers(window[0], window[1] - 1)), max_size=4),
    )
)


def run_by_hand(switches: list[tuple[int, str]]) -> int:
    """Count the hours of October that one switch is on: a list of all hours, walked once."""
    on, hours = False, 0
    for at in range(HOURS):
        kinds = [kind for moment, kind in switches if moment == at]
        if on and "close" in kinds:
            on = "open" in kinds
        elif not on and "open" in kinds:
            on = "close" not in kinds
        hours += on
    return hours


def amended_by_hand(switches: list[tuple[int, str]], change: Corrected) -> list[tuple[int, str]]:
    start, end, said = change
    return [one for one in switches if not start <= one[0] < end] + [(at, kind) for kind, at in said]


def charged(hours: int, product: str) -> Decimal:
    exact = PRICE[product] * hours / HOURS
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


class TestAtRandom(TestCase):
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 700), st.integers(1, 743), corrections, st.sampled_from(sorted(PRICE)))
    def test_preview_next_run_and_counting_agree(self, opened: int, length: int, change: Corrected, of: str) -> None:
        closed = min(opened + length, HOURS - 1)
        acme = account("acme")
        use(ran("w", of, hour(opened), hour(closed), "acme"))
        told = [(opened, "open"), (closed, "close")]
        ownerships.state(ownerships.Statement("w", "acme", "w", "", hour(-1), None), by=OLGA)
        use(ran("other", "performance-l", OCTOBER.start, None, "acme", app="other"))
        factories.close(OCTOBER)
        start, end, said = change
        events = [ReportedEvent(0, "x", kind, hour(at), "w", of, "duration", "", "shop", "", None) for kind, at in said]
        amending = Amending([Correction("w", hour(start), hour(end), events)], "by hand")
        moved = moving.preview(amending, actor=OLGA)
        made, _ = moving.carry_out(amending, actor=OLGA, token=moved.token)

        shown = sum((m.difference for m in moved.movements if m.month == OCTOBER), Decimal(0))
        by_hand = charged(run_by_hand(amended_by_hand(told, change)), of) - charged(run_by_hand(told), of)
        run = factories.build(OCTOBER.next, shadow=True)
        draft = factories.ending(run, acme).invoice
        assert draft is not None
        found = sum((line.amount for line in draft.lines.filter(kind="adjustment")), Decimal(0))
        assert shown == found == by_hand

        back = moving.preview(Reverting(made.amendments, "back"), actor=OLGA)
        assert sum((m.difference for m in back.movements if m.month == OCTOBER), Decimal(0)) == -shown
