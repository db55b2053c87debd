"""Generated cases: prices as the JSON people send, with usage that meets their boundaries often.

VAULT_EXAMPLES scales how many are tried per model (default 150).
"""

import os
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.billing.rating.witness import DIGITS

examples = settings(
    max_examples=int(os.environ.get("VAULT_EXAMPLES", "150")),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
Draw = Callable[..., Any]
currencies = st.sampled_from(sorted(DIGITS))
periods = st.builds(lambda year, month: f"{year}-{month:02}", st.integers(2000, 2199), st.integers(1, 12))


def scaled(number: int, places: int) -> str:
    return format(Decimal(number).scaleb(-places), "f")


@st.composite
def money(draw: Draw, most: int = 10**7) -> str:
    """An amount with 0 to 9 digits after the point, often a tie for the rounding."""
    return scaled(draw(st.integers(0, most)), draw(st.sampled_from((0, 2, 3, 5, 9))))


@st.composite
def ladders(draw: Draw, charge: str | None, *, flat: bool = True) -> tuple[list[dict[str, str | None]], str, str]:
    """Tiers on a grid of grains, with a quantity on it: (tiers, quantity, grain)."""
    places = draw(st.sampled_from((0, 0, 1, 3)))
    ends = sorted(draw(st.sets(st.integers(1, 60), max_size=4)))
    grains = draw(st.one_of(st.integers(0, 80), st.sampled_from([0, *ends, *(end + 1 for end in ends)])))
    tiers: list[dict[str, str | None]] = []
    for end in [*ends, None]:
        tier: dict[str, str | None] = {"up_to": None if end is None else scaled(end, places)}
        if charge:
            tier[charge] = draw(money()) if charge == "unit_amount" else scaled(draw(st.integers(0, 10**4)), 4)
        if not charge or (flat and draw(st.booleans())):
            tier["flat_amount"] = draw(money())
        tiers.append(tier)
    return tiers, scaled(grains, places), scaled(1, places)


@st.composite
def tiered(draw: Draw, model: str, charge: str | None) -> tuple[dict[str, Any], str, str]:
    """A tiered price as JSON, a quantity and the grain: boundaries are hit often."""
    tiers, quantity, grain = draw(ladders(charge))
    price: dict[str, Any] = {"model": model, "tiers": tiers}
    if draw(st.booleans()):
        price["flat_at_zero"] = draw(st.booleans())
    return price, quantity, grain


@st.composite
def percentages(draw: Draw) -> tuple[dict[str, Any], list[str]]:
    """A percentage with allowances and events that often end on one."""
    events = [scaled(draw(st.integers(0, 50)), 1) for _ in range(draw(st.integers(0, 6)))]
    price: dict[str, Any] = {"model": "percentage", "rate": scaled(draw(st.integers(0, 10**4)), 4)}
    if draw(st.booleans()):
        price["fixed_amount"] = draw(money())
    if draw(st.booleans()):
        price["free_units"] = scaled(draw(st.integers(0, 150)), 1)
    if draw(st.booleans()):
        price["free_events"] = str(draw(st.integers(0, 7)))
    return price, events


@st.composite
def intervals(draw: Draw, most: int = 3) -> list[tuple[int, int]]:
    """Intervals in seconds relative to a month's start, some beginning before it or ending after it."""
    moments = st.one_of(st.integers(-(10**6), 4 * 10**6), st.integers(-48, 1000).map(lambda hour: hour * 3600))
    pairs = draw(st.lists(st.tuples(moments, moments), max_size=most))
    return [(min(pair), max(pair)) for pair in pairs]
