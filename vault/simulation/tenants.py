"""Who lives on the simulated platform. Pure: the same seed gives the same people."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Where tenants come from, how they pay tax and in what currency they are billed.
PLACES: Final = (
    ("US", "DC", "USD"), ("US", "CA", "USD"), ("US", "NY", "USD"), ("DE", "", "EUR"),
    ("FR", "", "EUR"), ("GB", "", "USD"), ("JP", "", "JPY"), ("CH", "", "EUR"),
)  # fmt: skip
FIRST: Final = (
    "Amber", "Birch", "Cobalt", "Dune", "Ember", "Fjord", "Granite", "Harbor", "Indigo", "Juniper", "Kelp", "Lumen",
    "Maple", "Nimbus", "Onyx", "Prairie", "Quartz", "Ridge", "Summit", "Tidal", "Umber", "Vale", "Willow", "Zephyr",
)  # fmt: skip
SECOND: Final = (
    "Analytics", "Books", "Cargo", "Dental", "Energy", "Foods", "Games", "Health", "Insurance", "Kitchens", "Labs",
    "Mobility", "Networks", "Optics", "Payments", "Robotics", "Studios", "Travel",
)  # fmt: skip
# Most cards work; some decline for a while, some for good, and a few customers have none.
CARDS: Final = ("tok_ok",) * 14 + ("tok_insufficient_funds", "tok_expired", "tok_declines_once", "", "tok_ok", "tok_ok")


@dataclass(frozen=True, slots=True)
class Tenant:
    """One simulated customer. ``card`` is the sandbox gateway's token, empty for none."""

    code: str
    name: str
    kind: str
    currency: str
    country: str
    region: str
    email: str
    card: str
    apps: int


def tenants(count: int, *, seed: int) -> Sequence[Tenant]:
    """Return ``count`` tenants; a larger count begins with the same ones."""
    return [_tenant(number, seed) for number in range(count)]


def _tenant(number: int, seed: int) -> Tenant:
    dice = random.Random(f"{seed}:tenant:{number}")  # noqa: S311  a simulation, not a secret
    country, region, currency = dice.choice(PLACES)
    round_, first = divmod(number, len(FIRST))
    name = f"{FIRST[first]} {SECOND[(round_ + first * 5 + seed) % len(SECOND)]}"
    slug = name.lower().replace(" ", "-")
    code = slug if number < len(FIRST) * len(SECOND) else f"{slug}-{number}"  # names repeat after so many
    kind = dice.choices(("person", "team", "enterprise"), (3, 6, 1))[0]
    apps = {"person": 1, "team": dice.randint(1, 4), "enterprise": dice.randint(4, 9)}[kind]
    return Tenant(
        code, name, kind, currency, country, region, f"billing@{code}.example", CARDS[number % len(CARDS)], apps
    )
