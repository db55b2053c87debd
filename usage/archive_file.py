"""A month of events as a Parquet file: exact decimals, microseconds in UTC, sorted by resource and time. Pure."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

GROUP: Final = 50_000  # rows that are in memory at once, and rows of a group in the file
NAME: Final = pa.dictionary(pa.int32(), pa.string())
MOMENT: Final = pa.timestamp("us", tz="UTC")
QUANTITY: Final = pa.decimal128(38, 12)
SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("source_id", pa.int64(), nullable=False),
        pa.field("source", NAME, nullable=False),
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("type", NAME, nullable=False),
        pa.field("time", MOMENT, nullable=False),
        pa.field("resource", pa.string(), nullable=False),
        pa.field("product", NAME, nullable=False),
        pa.field("meter", NAME, nullable=False),
        pa.field("component", NAME, nullable=False),
        pa.field("app", NAME, nullable=False),
        pa.field("account", NAME, nullable=False),
        pa.field("quantity", QUANTITY),
        pa.field("received_at", MOMENT, nullable=False),
        pa.field("amendment_id", pa.int64()),
    ]
)


Unreadable = pa.ArrowException  # what reading a file that is none raises


class Row(NamedTuple):
    """One event; moments in microseconds since 1970, so that nothing rounds them."""

    id: int
    source_id: int
    source: str
    event_id: str
    type: str
    time: int
    resource: str
    product: str
    meter: str
    component: str
    app: str
    account: str
    quantity: Decimal | None
    received_at: int
    amendment_id: int | None


@dataclass(slots=True)
class Tally:
    """What many rows come to: how many, a SHA-256 over all of them in order, events and quantity by meter."""

    rows: int = 0
    sums: dict[str, tuple[int, Decimal]] = field(default_factory=dict)
    digest: Any = field(default_factory=hashlib.sha256)

    def of(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield ``rows`` as they come, counting each."""
        for row in rows:
            events, quantity = self.sums.get(row.meter, (0, Decimal(0)))
            self.sums[row.meter] = (events + 1, quantity + (row.quantity or 0))
            self.rows += 1
            exact = None if row.quantity is None else f"{row.quantity:f}"
            self.digest.update(msgspec.json.encode((*row[:12], exact, *row[13:])))
            yield row

    @property
    def content_hash(self) -> str:
        return str(self.digest.hexdigest())

    def by_meter(self) -> dict[str, dict[str, Any]]:
        """Return events and quantity by meter, in a form for JSON."""
        return {meter: {"events": n, "quantity": f"{total:f}"} for meter, (n, total) in sorted(self.sums.items())}


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows to ``path`` in their order; the file is there only when it is whole and on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    left = iter(rows)
    with pq.ParquetWriter(partial, SCHEMA, compression="zstd") as writer:
        while group := list(islice(left, GROUP)):
            columns = zip(*group, strict=True)
            arrays = [pa.array(column, type=kind.type) for column, kind in zip(columns, SCHEMA, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=SCHEMA), row_group_size=GROUP)
    _settle(partial)
    os.replace(partial, path)
    _settle(path.parent)


def read(path: Path, *, resource: str = "") -> Iterator[Row]:
    """Yield the rows in their order; of one resource only, when it is named, which reads few groups."""
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            if resource and not _may_hold(file.metadata.row_group(number), resource):
                continue
            for batch in file.iter_batches(batch_size=GROUP, row_groups=[number]):
                asked = batch.filter(pc.equal(batch.column("resource"), resource)) if resource else batch
                yield from map(Row._make, zip(*map(_plain, asked.columns), strict=True))


def count(path: Path) -> int:
    """Return how many rows the file says it has, without reading them."""
    with pq.ParquetFile(path) as file:
        return int(file.metadata.num_rows)


def moment(micro: int) -> datetime:
    """Return the moment of a row, exactly."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micro)


def _plain(column: Any) -> list[Any]:
    exact = column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
    values: list[Any] = exact.to_pylist()
    return values


def _may_hold(group: Any, resource: str) -> bool:
    """Whether a group's smallest and largest resource, by their bytes, let it hold ``resource``."""
    bounds = group.column(SCHEMA.get_field_index("resource")).statistics
    if bounds is None or not bounds.has_min_max:
        return True
    return bool(bounds.min.encode() <= resource.encode() <= bounds.max.encode())


def _settle(path: Path) -> None:
    """Wait until what was written to a file or a folder is on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
