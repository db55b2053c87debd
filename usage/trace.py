"""A production platform's published trace as events: instances of applications that came and went within a month."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, NamedTuple

from core.errors import Invalid
from core.periods import Month

PRODUCTS: Final = {"CN": "standard-2x", "HN": "performance-l"}  # a CPU instance, one with a GPU
COLUMNS: Final = ("instance_sn", "role", "app_name", "creation_time", "deletion_time")
BEFORE: Final = timedelta(days=1)  # what was there when the trace began is taken to have opened a day earlier
_SECONDS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,20})?")
Event = dict[str, Any]


class Instance(NamedTuple):
    """One line of the trace; times are None when they lie outside it."""

    name: str
    app: str
    product: str
    created: datetime | None
    deleted: datetime | None


def instances(lines: Iterable[str], month: Month) -> Iterator[Instance]:
    """Read the trace's CSV as if it had begun with ``month``; raise Invalid, naming the line, when it is not one."""
    reader = csv.DictReader(lines)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise Invalid(f"This is not the trace: its first line lacks the column {missing[0]}.", field=missing[0])
    for number, row in enumerate(reader, start=2):
        try:
            yield _instance(row, month.start)
        except Invalid as error:
            raise Invalid(f"Line {number}: {error}", field=error.field) from error


def _instance(row: Mapping[str, str | None], start: datetime) -> Instance:
    name, app, role = row["instance_sn"] or "", row["app_name"] or "", row["role"] or ""
    if not name or not app:
        raise Invalid("an instance has a name and an application.", field="instance_sn")
    if role not in PRODUCTS:
        raise Invalid(f"the role is CN or HN, not {role!r:.20}.", field="role")
    created, deleted = _moment(row, "creation_time", start), _moment(row, "deletion_time", start)
    return Instance(name, app, PRODUCTS[role], created, deleted)


def _moment(row: Mapping[str, str | None], column: str, start: datetime) -> datetime | None:
    text = row[column] or ""
    if not text:
        return None
    if not _SECONDS.fullmatch(text):
        raise Invalid(f"{column} is a number of seconds, not {text!r:.30}.", field=column)
    return start + timedelta(seconds=int(Decimal(text).quantize(Decimal(1), ROUND_HALF_UP)))


def events(found: Iterable[Instance], month: Month) -> Iterator[Event]:
    """Yield each instance's open and close, with identifiers that a second import repeats."""
    for instance in found:
        opened = instance.created or month.start - BEFORE
        owner = {"app": instance.app, "account": instance.app}
        yield _event(instance, month, "open", opened) | owner
        if instance.deleted is not None:
            yield _event(instance, month, "close", instance.deleted)


def _event(instance: Instance, month: Month, kind: str, at: datetime) -> Event:
    return {
        "id": f"{month}/{instance.name}/{kind}",
        "type": kind,
        "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "resource": instance.name,
        "product": instance.product,
    }
