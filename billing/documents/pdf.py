"""Print a document as PDF: A4, tagged, one embedded font, the same bytes for the same document.

WeasyPrint spends its time on boxes and style sheets, so both are few: our own sheet, parsed once, replaces the
browser's defaults; the template is well-formed, so the fast parser reads it; the garbage collector waits until a
document is finished. It fetches nothing: every address a document could name is refused before it is looked at.
"""

import gc
import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn
from xml.etree import ElementTree

from django.conf import settings
from django.template.loader import render_to_string

from billing.documents.snapshot import Document
from core.errors import VaultError
from core.system_packages import FOR_DOCUMENTS

MEDIA_TYPE: Final = "application/pdf"
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BETWEEN_TAGS: Final = re.compile(r">\s+<")
_ONE_AT_A_TIME = threading.Lock()  # Pango's font maps are not for threads


class CannotPrint(VaultError):
    """This machine lacks what printing needs."""

    code = "cannot_print"
    status = 503


def render(document: Document) -> bytes:
    """Return the PDF of ``document``; the same document gives the same bytes on the same installation."""
    html = _well_formed(render_to_string("documents/document.html", {"document": document}))
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


def _well_formed(html: str) -> str:
    """Return ``html`` without the characters that XML knows no way to write, and without space between tags."""
    return _BETWEEN_TAGS.sub("><", _NOT_XML.sub(" ", html)).strip()


class _Printer:
    """WeasyPrint with everything that is the same for every document, made once per process."""

    def __init__(self) -> None:
        if packages := missing():
            raise CannotPrint(f"Documents cannot be printed here: install {', '.join(packages)}.")
        import cssselect2  # type: ignore[import-untyped]
        import weasyprint  # a second and 60 MB, only where documents are printed
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import URLFetcher

        class Nothing(URLFetcher):  # type: ignore[misc]  # WeasyPrint ships no types
            """Fetches nothing, from anywhere, by whatever door."""

            def fetch(self, url: str, headers: Any = None) -> NoReturn:
                raise ValueError(f"documents fetch nothing, also not {url[:200]!r}")

            open = __call__ = fetch

        class Page(weasyprint.HTML):  # type: ignore[misc]  # as above
            """Well-formed HTML without the browser's default style; our sheet says all there is to say."""

            def __init__(self, html: str) -> None:
                self.base_url, self.media_type, self.url_fetcher = None, "print", fetcher
                root = ElementTree.fromstring(html)  # noqa: S314 - our own template, every value in it escaped
                self.wrapper_element = cssselect2.ElementWrapper.from_html_root(root, content_language=None)
                self.etree_element = self.wrapper_element.etree_element

            def _ua_stylesheets(self, forms: bool = False) -> list[Any]:
                return []

        fetcher = Nothing()
        self.fonts = FontConfiguration()
        self.sheet = weasyprint.CSS(string=_sheet_text(), font_config=self.fonts, url_fetcher=fetcher)
        self.page = Page


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
