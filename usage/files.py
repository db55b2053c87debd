"""Files of usage: plain or gzip, CSV with a heading or one JSON event a line."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from core.errors import Invalid, NotFound
from usage.careful_reading import OPTIONAL, REQUIRED

GZIP: Final = b"\x1f\x8b"


class Record(NamedTuple):
    """One event of a file: where it stands, and its JSON."""

    line: int
    text: str


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """Open a text file, plain or gzip; a damaged one raises Invalid, a missing one NotFound."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}; give the path of the file to import.")
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == GZIP
            raw.seek(0)
            with gzip.open(raw) if zipped else raw as plain:
                yield io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")
    except (gzip.BadGzipFile, zlib.error, EOFError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} is damaged or not a text file ({error}).") from error


def records(lines: Iterable[str]) -> Iterator[Record]:
    """Yield the events of a file: JSON lines when the first begins with a brace, else CSV with a heading.

    Raises Invalid when the heading lacks a required column or has one that no event has, or when the file cannot
    be told apart into rows. What is wrong with one event is left for the intake to say.
    """
    iterator = enumerate(lines, start=1)
    start, first = next(((number, line) for number, line in iterator if line.strip()), (1, ""))
    whole = chain([first], (line for _, line in iterator))
    if first.lstrip().startswith("["):
        raise Invalid("The file is one JSON array; write one event a line (NDJSON), as `jq -c '.[]'` does.")
    yield from _json(whole, start) if first.lstrip().startswith("{") else _csv(whole, start)


def _json(lines: Iterable[str], start: int) -> Iterator[Record]:
    for number, line in enumerate(lines, start):
        if line.strip():
            yield Record(number, line.strip())


def _csv(lines: Iterable[str], start: int) -> Iterator[Record]:
    reader = csv.DictReader(lines, restkey="surplus")
    heading = [name.strip() for name in reader.fieldnames or ()]
    for name in REQUIRED:
        if name not in heading:
            raise Invalid(f"The heading lacks the column {name}; it needs {', '.join(REQUIRED)}.", field=name)
    for name in heading:
        if name not in REQUIRED and name not in OPTIONAL:
            raise Invalid(f"The column {name!r:.60} is not a field of an event; leave it out.", field=name)
    reader.fieldnames = heading
    try:
        for row in reader:
            yield Record(start - 1 + reader.line_num, json.dumps({name: value for name, value in row.items() if value}))
    except csv.Error as error:
        raise Invalid(f"Line {start - 1 + reader.line_num} is not CSV ({error}).") from error
