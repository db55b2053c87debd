"""A PDF that finance can keep: complete, readable by machines, inert, and the same bytes each time."""

import io
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from threading import Thread

import pikepdf
import pytest

from billing.documents import pdf
from billing.documents.facts import InvoiceFacts
from billing.documents.presenting import present_credit_note, present_invoice
from tests.billing.documents.samples import CUSTOMER, credit_note, invoice, line, many_lines

NASTY = {
    "right to left": "שלום חברה بعم مرحبا",
    "combining": "Z̸̢̛a̴lgo naïve naïve",
    "zero width": "zero\u200bwidth‍joiner",
    "emoji": "rocket 🚀 family 👩‍👩‍👧",
    "markup": '<b onclick="x">bold</b> & <script>alert(1)</script>',
    "template": "{{ 7|add:7 }} {% now 'Y' %}",
    "entity": "&lt;already&gt; &#x41; &nbsp;",
    "long": "supercalifragilistic" * 15,
    "control": "bell\x07 tab\t form\x0c",
}


def printed(facts: InvoiceFacts) -> bytes:
    return pdf.render(present_invoice(facts))


def text_of(content: bytes, order: str = "-layout") -> str:
    done = subprocess.run(["pdftotext", order, "-", "-"], input=content, capture_output=True, check=True)
    return done.stdout.decode()


def opened(content: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(content))


class TestJune2020:
    def test_says_what_the_invoice_says(self) -> None:
        text = text_of(printed(invoice()))
        for expected in ("75.85 USD", "71.56", "4.29", "64.05", "0.0073211", "Jun 01 – Jul 01, 2020", "Page 1 of 1"):
            assert expected in text

    def test_is_the_same_each_time(self) -> None:
        assert printed(invoice()) == printed(invoice())

    def test_another_invoice_is_another_file(self) -> None:
        one, other = (opened(printed(invoice(number=number))) for number in ("A-1", "A-2"))
        assert one.trailer["/ID"][0] != other.trailer["/ID"][0]

    def test_is_an_archive_document_with_title_language_and_tags(self) -> None:
        document = opened(printed(invoice()))
        with document.open_metadata() as metadata:
            assert metadata["pdfaid:part"] == "3"
        assert document.docinfo["/Title"] == "Invoice VAULT-2020-000117"
        assert str(document.docinfo["/CreationDate"]).startswith("D:20200701")
        assert str(document.Root.Lang) == "en"
        assert bool(document.Root.MarkInfo.Marked)
        assert "/StructTreeRoot" in document.Root

    def test_embeds_its_only_font(self) -> None:
        content = printed(invoice())
        done = subprocess.run(["pdffonts", "-"], input=content, capture_output=True, text=False, check=True)
        rows = done.stdout.decode().splitlines()[2:]
        assert rows
        assert all("DejaVu" in row and " yes yes yes " in row for row in rows)


class TestLength:
    def test_no_lines_at_all(self) -> None:
        assert "no usage to charge for" in text_of(printed(invoice(())))

    def test_a_thousand_lines_are_a_summary_and_an_annex(self) -> None:
        text = text_of(printed(invoice(many_lines(1000))))
        assert "Summary by app" in text.split("\f")[0]
        assert "Annex: all lines by app" in text
        assert text.count("web · Standard-1X") == 250
        pages = len(text.split("\f")) - 1
        assert f"Page {pages} of {pages}" in text
        assert text.count("Quantity") == pages - text.split("Annex")[0].count("\f")

    def test_too_many_lines_for_paper_are_a_file(self) -> None:
        text = text_of(printed(invoice(many_lines(3001))))
        assert "The 3001 lines of this document are too many for paper" in text

    def test_a_credit_note(self) -> None:
        text = text_of(pdf.render(present_credit_note(credit_note())))
        assert "Credit note" in text
        assert "VAULT-2020-000117" in text
        assert "26.50 USD" in text


@pytest.mark.parametrize(("kind", "place"), list(product(NASTY, ["name", "app", "description"])))
def test_names_are_inert_text(kind: str, place: str) -> None:
    nasty = NASTY[kind]
    facts = invoice((line(nasty if place == "app" else "app", nasty if place == "description" else "web", "1", "7"),))
    if place == "name":
        facts = replace(facts, customer=replace(CUSTOMER, name=nasty))
    content = printed(facts)
    document = opened(content)
    assert not {"/JavaScript", "/Launch", "/EmbeddedFiles"} & set(
        document.Root.get("/Names", pikepdf.Dictionary()).keys()
    )
    assert all("/Annots" not in page for page in document.pages)
    if kind in {"markup", "template", "entity", "long"}:
        assert "".join(nasty.split()) in "".join(text_of(content, "-raw").split())


@pytest.fixture(autouse=True, scope="module")
def forget_the_fonts() -> Iterator[None]:
    """Leave no font configuration to the interpreter's end, which it does not survive."""
    yield
    pdf._printer.cache_clear()


@pytest.fixture
def canary() -> Iterator[tuple[int, list[bytes]]]:
    """A listening server that must never be visited."""
    visits: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    visitor, _ = server.accept()
                except OSError:
                    return
                visits.append(visitor.recv(1000))
                visitor.close()

        Thread(target=listen, daemon=True).start()
        yield server.getsockname()[1], visits


class TestFetching:
    """Even markup that got past escaping could fetch nothing."""

    @pytest.mark.parametrize(
        "scheme", ["http://127.0.0.1:{port}/x", "file:///etc/passwd", "data:text/plain,x", "ftp://127.0.0.1:{port}/x"]
    )
    @pytest.mark.parametrize(
        "markup",
        [
            '<img src="{url}" />',
            '<link rel="stylesheet" href="{url}" />',
            '<link rel="attachment" href="{url}" />',
            '<a rel="attachment" href="{url}">x</a>',
            '<object data="{url}"></object>',
            '<embed src="{url}" />',
            "<style>@import url({url}); @font-face {{ font-family: x; src: url({url}) }} p {{ font: 9pt x }}</style>",
            '<p style="background: url({url}); content: url({url}); list-style: url({url})">x</p>',
            '<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}"/><use href="{url}#x"/></svg>',
            '<base href="{url}" /><img src="y.png" />',
        ],
    )
    def test_reaches_nothing(
        self, scheme: str, markup: str, canary: tuple[int, list[bytes]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        port, visits = canary
        url = scheme.format(port=port)
        html = f"<html><head><title>x</title></head><body>{markup.format(url=url)}</body></html>"
        monkeypatch.setattr(pdf, "render_to_string", lambda *_: html)
        content = pdf.render(present_invoice(invoice()))
        assert visits == []
        assert b"root:" not in content
        assert "/EmbeddedFiles" not in opened(content).Root.get("/Names", pikepdf.Dictionary())

    def test_the_canary_would_sing(self, canary: tuple[int, list[bytes]]) -> None:
        weasyprint = pytest.importorskip("weasyprint")
        port, visits = canary
        weasyprint.HTML(string=f'<img src="http://127.0.0.1:{port}/x">').write_pdf()
        assert visits
