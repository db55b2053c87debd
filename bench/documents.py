"""PDFs per minute: ours beside WeasyPrint as anybody would call it, with the same visible fields and the same variant.

    .venv/bin/python bench/documents.py [--lines 40] [--rounds 9] [--seconds 10] [--processes 2]

Both print the same invoice in turn, round by round in one process, so that noise falls on them alike; then ours
alone prints for some seconds in one process and in several. Needs no database. Fails only on the ratio.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vault.settings")

import django  # noqa: E402

django.setup()

from django.template.loader import render_to_string  # noqa: E402

from billing.documents import pdf  # noqa: E402
from billing.documents.presenting import present_invoice  # noqa: E402
from billing.documents.snapshot import Document  # noqa: E402
from tests.billing.documents import samples  # noqa: E402

AT_LEAST = 1.5  # times faster than naive; tags for screen readers, which both have, are a sixth of ours


def document(lines: int) -> Document:
    """An invoice with so many lines."""
    return present_invoice(samples.invoice(samples.many_lines(lines)))


# A sheet as one writes it first: flex for columns, tables that measure their cells, rules by position.
NAIVE = """
@page { size: A4; margin: 17mm 17mm 20mm; @bottom-center { content: "Page " counter(page) " of " counter(pages) } }
body { font: 8.5pt/1.45 "DejaVu Sans", sans-serif; color: #191d26 }
header, .columns { display: flex; justify-content: space-between; gap: 6mm; margin-bottom: 7mm }
header { border-bottom: 1.5pt solid #343f9f } h1, h2 { color: #343f9f } h2 { font-size: 8pt } p { margin: 0 }
.amounts { background: #f3f4fb; padding: 5mm } .total { font-size: 17pt; font-weight: bold }
table { width: 100%; border-collapse: collapse } .lines { font-size: 7.5pt }
th, td { padding: 1mm 2mm; border-bottom: .2mm solid #ccc; text-align: left }
td:nth-child(n+2), th:nth-child(n+2) { text-align: right } .block th, .block td { font-weight: bold }
#foot { display: none }
"""


def naive(shown: Document) -> bytes:
    """The same fields with the style in the document, and everything else as WeasyPrint has it."""
    import weasyprint

    html = render_to_string("documents/document.html", {"document": shown})
    html = html.replace("</head>", f"<style>{NAIVE}</style></head>")
    content: bytes = weasyprint.HTML(string=html).write_pdf(pdf_variant="pdf/a-3a")
    return content


def milliseconds(work: Callable[[], object]) -> float:
    """Return the processor time of one call."""
    begin = time.process_time()
    work()
    return (time.process_time() - begin) * 1000


def compare(lines: int, rounds: int) -> float:
    """Print both sides with their range; return how many times faster ours is."""
    shown = document(lines)
    pdf.render(shown), naive(shown)
    pairs = [(milliseconds(lambda: pdf.render(shown)), milliseconds(lambda: naive(shown))) for _ in range(rounds)]
    for name, side in (("ours", 0), ("naive", 1)):
        times = sorted(pair[side] for pair in pairs)
        print(f"{name:>6}: {statistics.median(times):7.1f} ms  ({times[0]:.1f} to {times[-1]:.1f}, {rounds} rounds)")
    ratio = statistics.median(pair[1] / pair[0] for pair in pairs)
    print(f"  naive/ours: {ratio:.2f} (at least {AT_LEAST})")
    return ratio


def print_for(arguments: tuple[int, float]) -> tuple[int, float, int]:
    """Print for some seconds; return how many, in how long, and the memory at its highest in MB."""
    lines, seconds = arguments
    shown = document(lines)
    pdf.render(shown)
    begin, printed = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        pdf.render(shown)
        printed += 1
    elapsed = time.monotonic() - begin
    return printed, elapsed, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def throughput(lines: int, seconds: float, processes: int) -> None:
    """Print the rate of so many processes at once."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        results = pool.map(print_for, [(lines, seconds)] * processes)
    rate = sum(printed / elapsed for printed, elapsed, _ in results) * 60
    memory = max(result[2] for result in results)
    print(f"{processes} process{'es' if processes > 1 else ''}: {rate:6.0f} PDFs/minute, {memory} MB at most")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    ratio = compare(options.lines, options.rounds)
    for count in sorted({1, options.processes}):
        throughput(options.lines, options.seconds, count)
    return 0 if ratio >= AT_LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
