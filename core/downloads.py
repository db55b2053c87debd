"""Exports that a spreadsheet may open: streamed, exact, and without cells that would run as formulas."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from django.http import StreamingHttpResponse

from core import formatting, money

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_FORMULA: Final = frozenset("=+-@\t\r\n＝＋－＠")  # also the full-width forms that spreadsheets read as the others
Cell = str | int | Decimal | date | bool | None


def cell(value: Cell) -> str:
    """Write one value for a CSV; text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return money.plain(value)
    if isinstance(value, date):
        return formatting.iso(value)
    text = str(value)
    return f"'{text}" if text[:1] in _FORMULA and text and not _NUMBER.fullmatch(text) else text


def amount(value: Decimal, currency: str) -> str:
    """Write money for a cell, with the digits of its currency: ``25.00``, in JPY ``25``."""
    return f"{money.round_to_minor_unit(value, currency):f}"


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Yield the lines of a CSV, RFC 4180."""
    writer = csv.writer(_Echo())
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def csv_download(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> StreamingHttpResponse:
    """Answer with ``name``.csv, streamed row by row in UTF-8."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name)
    headers = {"Content-Disposition": f'attachment; filename="{safe}.csv"'}
    return StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8", headers=headers)


class _Echo:
    """A file that hands each written row straight back."""

    def write(self, text: str) -> str:
        return text
