"""What a tenant does with the platform, month by month, as the events a source would send. Pure and seeded."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from core.periods import Month
from vault.simulation.tenants import Tenant

Event = Mapping[str, Any]
APPS: Final = ("api", "web", "jobs", "admin", "mail", "search", "docs", "edge", "ml")
PROCESSES: Final = ("web", "worker", "clock")
DYNOS: Final = ("basic", "standard-1x", "standard-2x", "performance-m", "performance-l")
ADDONS: Final = ("postgres-standard-0", "mini-postgres", "mini-key-value")
REQUESTS: Final = "router-requests"  # a measured product: billed per million
STORAGE: Final = "object-storage"  # a gauge: billed by the GB-month


@dataclass(frozen=True, slots=True)
class Formation:
    """One process type of one app: how many dynos of which size it starts the month with."""

    app: str
    process: str
    product: str
    dynos: int


def month_of(
    tenant: Tenant, month: Month, *, seed: int, first: Month, until: datetime | None = None
) -> Iterator[Event]:
    """Yield what ``tenant``'s platform reports for ``month``; ``first`` is the month the tenant arrived.

    Every resource opened in a month is closed in it or stays open into the next, where the next month's call
    closes it: a plan change, a scaling, a restart. ``until`` cuts the month short (nothing later is reported).
    """
    events = (event for app in range(tenant.apps) for event in _app(tenant, app, month, seed, first))
    for event in events:
        if until is None or event["time"] < _iso(until):
            yield event


def _app(tenant: Tenant, number: int, month: Month, seed: int, first: Month) -> Iterator[Event]:
    app = f"{tenant.code}-{APPS[number]}"
    for formation in _formations(tenant, app, month, seed):
        yield from _dynos(tenant, formation, month, seed)
    yield from _addon(tenant, app, month, seed, first)
    yield from _requests(tenant, app, month, seed)
    yield from _storage(tenant, app, month, seed)


def _formations(tenant: Tenant, app: str, month: Month, seed: int) -> Iterator[Formation]:
    dice = _dice(seed, tenant.code, app, month)
    for process in PROCESSES[: dice.randint(1, 3)]:
        size = dice.choices(DYNOS, (5, 5, 3, 1, 0.3) if tenant.kind != "enterprise" else (0, 2, 4, 3, 2))[0]
        yield Formation(app, process, size, dice.randint(1, 3 if tenant.kind != "enterprise" else 8))


def _dynos(tenant: Tenant, formation: Formation, month: Month, seed: int) -> Iterator[Event]:
    """Each dyno runs for some part of the month; daily restarts are not billed, so they are not events."""
    dice = _dice(seed, tenant.code, formation.app, formation.process, month)
    for number in range(formation.dynos):
        resource = f"{formation.app}/{formation.process}.{number + 1}/{month}"
        whole = dice.random() < 0.6
        opened = month.start if whole else month.start + timedelta(seconds=dice.randrange(month.seconds * 3 // 4))
        closed = month.end if whole else opened + timedelta(seconds=dice.randrange(600, 20 * 86_400))
        ends = min(closed, month.end)
        if (
            formation.product != DYNOS[-1] and dice.random() < 0.15 and ends - opened > timedelta(days=2)
        ):  # a plan change: close and open at one instant
            change = opened + (ends - opened) / 2
            change = change.replace(microsecond=0)
            yield from _ran(tenant, formation, resource, formation.product, opened, change)
            larger = DYNOS[min(DYNOS.index(formation.product) + 1, len(DYNOS) - 1)]
            yield from _ran(tenant, formation, resource, larger, change, ends)
        else:
            yield from _ran(tenant, formation, resource, formation.product, opened, ends)


def _ran(
    tenant: Tenant, formation: Formation, resource: str, product: str, opened: datetime, closed: datetime
) -> Iterator[Event]:
    known = {"resource": resource, "product": product, "component": formation.process}
    yield {
        "id": f"{resource}:{product}:open",
        "type": "open",
        "time": _iso(opened),
        **known,
        "app": formation.app,
        "account": tenant.code,
    }
    yield {"id": f"{resource}:{product}:close", "type": "close", "time": _iso(closed), **known}


def _addon(tenant: Tenant, app: str, month: Month, seed: int, first: Month) -> Iterator[Event]:
    """One database per app, opened in the tenant's first month and never closed."""
    if month != first:
        return
    dice = _dice(seed, tenant.code, app, "addon")
    resource = f"{app}/{dice.choice(ADDONS)}"
    opened = month.start + timedelta(seconds=dice.randrange(10 * 86_400))
    yield {
        "id": f"{resource}:open", "type": "open", "time": _iso(opened), "resource": resource,
        "product": resource.rsplit("/", 1)[1], "app": app, "account": tenant.code,
    }  # fmt: skip


def _requests(tenant: Tenant, app: str, month: Month, seed: int) -> Iterator[Event]:
    """The router counts requests once a day."""
    if tenant.kind != "enterprise":
        return
    dice = _dice(seed, tenant.code, app, "requests", month)
    resource = f"{app}/router"
    for day in range(month.seconds // 86_400):
        reported = month.start + timedelta(days=day, hours=23)
        yield {
            "id": f"{resource}:{month}:{day}",
            "type": "measured",
            "time": _iso(reported),
            "resource": resource,
            "product": REQUESTS,
            "app": app,
            "account": tenant.code,
            "meter": "requests",
            "quantity": str(dice.randrange(10_000, 4_000_000)),
        }


def _storage(tenant: Tenant, app: str, month: Month, seed: int) -> Iterator[Event]:
    """Half of the apps keep files; the bucket says its size in GB when the month begins and once a day."""
    if _dice(seed, app, "storage").random() < 0.5:
        return
    dice = _dice(seed, tenant.code, app, "storage", month)
    resource, tenths = f"{app}/bucket", dice.randrange(20, 2000)  # of a GB
    for day in range(month.seconds // 86_400):
        tenths = max(tenths + dice.randrange(-5, 15), 0)
        yield {
            "id": f"{resource}:{month}:{day}",
            "type": "gauge",
            "time": _iso(month.start + timedelta(days=day)),
            "resource": resource,
            "product": STORAGE,
            "app": app,
            "account": tenant.code,
            "meter": "storage",
            "quantity": f"{tenths // 10}.{tenths % 10}",
        }


def _dice(*parts: object) -> random.Random:
    return random.Random(":".join(map(str, parts)))  # noqa: S311  a simulation, not a secret


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
