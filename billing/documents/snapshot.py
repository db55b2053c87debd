"""A document as it will be read: every figure already text, so that paper and screen cannot differ."""

from dataclasses import dataclass
from datetime import date
from typing import Final

ANNEX_FROM: Final = 120  # lines; from here on the first pages sum up and an annex lists
MOST_LINES: Final = 3_000  # lines on paper; beyond, the document points to the file of all lines
MOST_BLOCKS: Final = 400  # rows of the summary by app


@dataclass(frozen=True, slots=True)
class Party:
    """Seller or customer as at issue. ``details`` are pairs of label (may be empty) and text."""

    name: str
    address: tuple[str, ...] = ()
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One amount. ``note`` says what the description cannot: a part of the month, or why it is adjusted."""

    description: str
    quantity: str
    price: str
    amount: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that people think of together: one app, or the adjustments of one earlier invoice."""

    title: str
    lines: tuple[Line, ...]
    subtotal: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the summary; ``emphasis`` is "" for a part, "sum" for what parts add up to."""

    label: str
    amount: str
    emphasis: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice or a credit note, complete. ``facts`` are the pairs printed beside the parties."""

    title: str  # "Invoice", "Credit note"
    number: str  # empty while a draft
    seller: Party
    customer: Party
    facts: tuple[tuple[str, str], ...]
    currency: str
    summary: tuple[Figure, ...]
    total_label: str
    total: str
    total_note: str  # when it is due, or what it refers to
    blocks: tuple[Block, ...]
    dated: date | None
    notes: tuple[str, ...] = ()
    instructions: tuple[str, ...] = ()
    draft: bool = False

    @property
    def line_count(self) -> int:
        """How many lines all blocks have together."""
        return sum(len(block.lines) for block in self.blocks)

    @property
    def has_annex(self) -> bool:
        """Whether there are so many lines that a summary by app must come before them."""
        return self.line_count >= ANNEX_FROM

    @property
    def counts(self) -> bool:
        """Whether any line is a quantity at a price; a credit note has amounts only."""
        return any(line.quantity for block in self.blocks for line in block.lines)

    @property
    def lists_lines(self) -> bool:
        """Whether all lines fit on paper; otherwise they are a file beside it."""
        return self.line_count <= MOST_LINES

    @property
    def lists_blocks(self) -> bool:
        """Whether a summary by app still sums up."""
        return len(self.blocks) <= MOST_BLOCKS
