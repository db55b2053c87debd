"""A month of usage as people look at it: by day, by app and by resource, so far and where it is heading."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from accounts.models import Account
from billing.assembly import RUNNING
from billing.day_shares import Day, Part
from billing.month_use import MonthUse, month_use
from billing.resource_shares import ResourcePart
from core import clock, formatting
from core.downloads import Cell, amount
from core.errors import Invalid
from core.money import total
from core.periods import Month
from usage.stretches import Kind

WITHOUT_APP: Final = "Not tied to an app"
HEADER: Final = ("date", "app", "product", "component", "meter", "used", "unit", "amount", "currency", "line")
TABS: Final = {"app": "By app", "day": "By day", "resource": "By resource"}
HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class App:
    """One app's part of a month, before credits and tax."""

    name: str
    amount: Decimal
    share: Decimal  # of everything, from 0 to 1
    lines: Sequence[tuple[Any, str]]  # draft or invoice lines, each with the address of its resources


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day as a table has it; ``counted`` says what was measured, meter by meter."""

    day: date
    amount: Decimal
    hours: Decimal  # of running time, of all resources together
    counted: Sequence[str]
    href: str


def asked_month(given: Mapping[str, str], *, today: date) -> Month:
    """Read ``month``; the running one when none is given. One that has not begun is Invalid."""
    month = Month.parse(given["month"]) if given.get("month") else Month.containing(today)
    if month > Month.containing(today):
        raise Invalid(f"{month} has not begun.", field="month")
    return month


def look(account: Account, given: Mapping[str, str]) -> dict[str, Any]:
    """Return what a page of the account's month needs: ``month``, ``by`` and ``day`` say which part of it."""
    now = clock.now()
    month = asked_month(given, today=now.date())
    by, running = given["by"] if given.get("by") in TABS else "app", month == Month.containing(now)
    use = month_use(account, month, as_of=now)
    days, measured = use.days() if by != "resource" else [], use.measured()
    return {
        "usage": use,
        "running": running,
        "by": by,
        "apps": by_app(use) if by == "app" else (),
        "days": [_row(day, use, measured) for day in days] if by == "day" else (),
        "chart": [(str(day.day.day), day.amount, _href(use, day=day.day.isoformat())) for day in days],
        "day": next((day for day in days if day.day.isoformat() == given.get("day")), None),
        "before": month.previous,
        "after": None if running else month.next,
        "tabs": [{"label": label, "href": _href(use, by=name), "current": by == name} for name, label in TABS.items()],
    }


def sums(account: Account) -> dict[str, Any]:
    """Return what the card of the running month needs: its sums alone."""
    now = clock.now()
    return {"usage": month_use(account, Month.containing(now), as_of=now), "running": True}


def by_app(use: MonthUse) -> list[App]:
    """Return the apps of the month, largest amount first."""
    grouped: dict[str, list[Any]] = defaultdict(list)
    for line in use.lines:
        grouped[line.app].append(line)
    apps = [_app(name, lines, use) for name, lines in grouped.items()]
    return sorted(apps, key=lambda app: (-app.amount, app.name))


def _app(name: str, lines: Sequence[Any], use: MonthUse) -> App:
    amount = total(line.amount for line in lines)
    share = amount / use.total if use.total else Decimal(0)
    return App(name or WITHOUT_APP, amount, share, [(line, _resources(line, use)) for line in lines])


def _resources(line: Any, use: MonthUse) -> str:
    """Return the address of the resources behind a line; empty where there are none."""
    if not line.resources:
        return ""
    kind = {"app": line.app, "product": line.product, "meter": line.meter or RUNNING, "component": line.component}
    return _href(use, by="resource", **kind)


def resources(use: MonthUse, given: Mapping[str, str]) -> list[ResourcePart]:
    """Return the resources of the month, or of the line that app, product, meter and component name; ``q`` searches."""
    one = "product" in given
    kind = Kind(*(given.get(name, "") for name in Kind._fields)) if one else None
    text = given.get("q", "").strip().lower()
    return [part for part in use.resources(kind) if text in part.resource.lower()]


def rows(use: MonthUse) -> Iterator[tuple[Cell, ...]]:
    """Yield one row per day and line for a spreadsheet, as HEADER names them; the amounts sum to the total."""
    measured = use.measured()
    for day in use.days():
        for part in day.parts:
            app, product, meter, component = kind = part.charge.kind
            unit = meter if kind in measured else "seconds" if meter == RUNNING else f"{meter} x seconds"
            yield (
                day.day, app, product, component, meter, part.used, unit if part.charge.by_use else "",
                amount(part.amount, use.currency), use.currency, part.charge.description,
            )  # fmt: skip


def _href(use: MonthUse, **asked: str) -> str:
    return f"?{urlencode({'month': str(use.month)} | asked)}"


def _row(day: Day, use: MonthUse, measured: set[Kind]) -> DayRow:
    running = total(part.used for part in day.parts if part.charge.kind[2] == RUNNING)
    counted = list(_counted(day.parts, measured))
    return DayRow(day.day, day.amount, running / HOUR, counted, _href(use, day=day.day.isoformat()))


def _counted(parts: Iterable[Part], measured: set[Kind]) -> Iterator[str]:
    """Say what was measured on a day: ``1,200 requests``; of a gauge, ``36 storage-hours``."""
    sums = defaultdict[tuple[str, bool], list[Decimal]](list)
    for part in parts:
        if part.charge.kind[2] != RUNNING and part.charge.by_use:
            sums[part.charge.kind[2], part.charge.kind in measured].append(part.used)
    for (meter, counts), used in sorted(sums.items()):
        whole = total(used)
        yield (
            f"{formatting.quantity(whole)} {meter}" if counts else f"{formatting.quantity(whole / HOUR)} {meter}-hours"
        )
