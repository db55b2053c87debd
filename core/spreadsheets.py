"""Exports as a workbook: numbers stay numbers, days stay days, and no text becomes a formula."""

import re
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.http import FileResponse
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from core import formatting
from core.downloads import Cell
from core.errors import Conflict

MOST_ROWS: Final = 50_000
MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def xlsx_download(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> FileResponse:
    """Answer with ``name``.xlsx; raise Conflict when there are more rows than MOST_ROWS."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(name[:31])
    sheet.freeze_panes = "A2"
    sheet.append([_cell(sheet, title, bold=True) for title in header])
    for number, row in enumerate(rows, start=1):
        if number > MOST_ROWS:
            raise Conflict(f"There are more than {MOST_ROWS:,} rows; narrow the list, or export it as CSV.")
        sheet.append([_cell(sheet, value) for value in row])
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it when it has been sent
    book.save(file)
    file.seek(0)
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name)
    return FileResponse(file, as_attachment=True, filename=f"{safe}.xlsx", content_type=MEDIA_TYPE)


def _cell(sheet: Any, value: Cell, *, bold: bool = False) -> Any:
    if isinstance(value, datetime):
        value = formatting.iso(value)
    if isinstance(value, str):
        cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub(" ", value)[:32_767])
        cell.data_type = "s"  # whatever it begins with
    else:
        cell = WriteOnlyCell(sheet, value)
    if isinstance(value, Decimal):
        cell.number_format = "#,##0.00##"
    elif isinstance(value, date):
        cell.number_format = "yyyy-mm-dd"
    if bold:
        cell.font = Font(bold=True)
    return cell
