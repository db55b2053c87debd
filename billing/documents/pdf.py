"""Print a document as PDF: A4, tagged, one embedded font, the same bytes for the same document.

WeasyPrint spends its time on text boxes and style sheets, so both are few: our own sheet, parsed once, replaces
the browser's defaults, and the garbage collector waits until a document is finished. It fetches nothing: every
address that a document could name is refused before it is looked at.
"""

import gc
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn

from django.conf import settings
from django.template.loader import render_to_string

from billing.documents.snapshot import Document
from core.errors import VaultError
from core.system_packages import FOR_DOCUMENTS

MEDIA_TYPE: Final = "application/pdf"
_ONE_AT_A_TIME = threading.Lock()  # Pango's font maps are not for threads


class CannotPrint(VaultError):
    """This machine lacks what printing needs."""

    code = "cannot_print"
    status = 503


def render(document: Document) -> bytes:
    """Return the PDF of ``document``; the same document gives the same bytes on the same installation."""
    html = render_to_string("documents/document.html", {"document": document})
    identifier = hashlib.sha256((html + _sheet_text()).encode()).hexdigest()[:32]
    printer = _printer()
    with _ONE_AT_A_TIME, _garbage_waits():
        content: bytes = printer.page(html).write_pdf(
            stylesheets=[printer.sheet],
            font_config=printer.fonts,
            pdf_identifier=identifier.encode(),
            pdf_variant="pdf/a-3a",
            presentational_hints=False,
        )
    return content


def missing() -> list[str]:
    """Return the Debian packages that printing needs and that are not here."""
    return [package for package, is_there in FOR_DOCUMENTS.items() if not is_there()]


class _Printer:
    """WeasyPrint with everything that is the same for every document, made once per process."""

    def __init__(self) -> None:
        if packages := missing():
            raise CannotPrint(f"Documents cannot be printed here: install {', '.join(packages)}.")
        import weasyprint  # a second and 60 MB, only where documents are printed
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import URLFetcher

        class Nothing(URLFetcher):  # type: ignore[misc]  # WeasyPrint ships no types
            """Fetches nothing, from anywhere, by whatever door."""

            def fetch(self, url: str, headers: Any = None) -> NoReturn:
                raise ValueError(f"documents fetch nothing, also not {url[:200]!r}")

            open = __call__ = fetch

        class Page(weasyprint.HTML):  # type: ignore[misc]  # as above
            """HTML without the browser's default style; our sheet says all there is to say."""

            def _ua_stylesheets(self, forms: bool = False) -> list[Any]:
                return []

        fetcher = Nothing()
        self.fonts = FontConfiguration()
        self.sheet = weasyprint.CSS(string=_sheet_text(), font_config=self.fonts, url_fetcher=fetcher)
        self.page = lambda html: Page(string=html, url_fetcher=fetcher)


@cache
def _printer() -> _Printer:
    return _Printer()


@cache
def _sheet_text() -> str:
    return (Path(settings.BASE_DIR) / "static" / "documents" / "print.css").read_text()


@contextmanager
def _garbage_waits() -> Iterator[None]:
    """Collect once after the document instead of hundreds of times during it.

    Nothing grows old while collection is off, so the youngest generation holds all that the document leaves behind.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
        gc.collect(0)
