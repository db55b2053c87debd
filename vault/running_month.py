"""The running month as people look at it: by app, largest first, so far and where it is heading."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from billing.current import CurrentUsage
from billing.draft import DraftLine
from core.money import total

WITHOUT_APP: Final = "Not tied to an app"


@dataclass(frozen=True, slots=True)
class App:
    """One app's part of the running month, before credits and tax."""

    name: str
    amount: Decimal
    share: Decimal  # of everything so far, from 0 to 1
    lines: Sequence[DraftLine]


def by_app(current: CurrentUsage) -> list[App]:
    """Return the apps of the month so far, largest amount first."""
    grouped: dict[str, list[DraftLine]] = defaultdict(list)
    for line in current.lines:
        grouped[line.app].append(line)
    apps = [_app(name, lines, current.total) for name, lines in grouped.items()]
    return sorted(apps, key=lambda app: (-app.amount, app.name))


def _app(name: str, lines: Sequence[DraftLine], whole: Decimal) -> App:
    amount = total(line.amount for line in lines)
    share = amount / whole if whole else Decimal(0)
    return App(name or WITHOUT_APP, amount, share, lines)
