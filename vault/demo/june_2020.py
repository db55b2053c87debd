"""A real invoice of June 2020, as the usage that makes it: 71.56 and 6 % tax come to 75.85 USD."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from core.periods import Month

JUNE: Final = Month(2020, 6)
ACCOUNT: Final = "civic-data"
DATABASE: Final = "postgres-standard-0"

# app, process or add-on, product, quantity in months as the invoice printed it
USED: Final = (
    ("budget-explorer", "web", "hobby", "1"),
    ("contracts", "release", "hobby", "0.0000976"),
    ("contracts", "web", "hobby", "1"),
    ("contracts", "worker", "hobby", "1"),
    ("contracts", "run", "hobby", "0.0073211"),
    ("contracts", "", DATABASE, "1"),
    ("contracts-staging", "release", "hobby", "0.0000537"),
    ("contracts-staging", "web", "hobby", "0.0306929"),
    ("contracts-staging", "run", "hobby", "0.0000085"),
    ("newsletter", "web", "hobby", "0.0425833"),
)


def events() -> Iterator[Mapping[str, Any]]:
    """Yield an open and a close for each line; to the microsecond, since the printed months are not whole seconds."""
    for app, process, product, months in USED:
        length = timedelta(microseconds=int(Decimal(months) * JUNE.seconds * 1_000_000))
        resource = f"{app}/{process or 'database'}"
        known = {"resource": resource, "product": product, "component": process}
        opened = {"app": app, "account": ACCOUNT, "time": _iso(JUNE.start)}
        yield {"id": f"{resource}:2020-06:open", "type": "open", **known, **opened}
        yield {"id": f"{resource}:2020-06:close", "type": "close", **known, "time": _iso(JUNE.start + length)}


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
