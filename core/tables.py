"""Columns and the base of every list: amounts, quantities, months, moments and statuses look the same everywhere."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

import django_tables2 as tables
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_tables2.utils import Accessor

from core import formatting, money
from core.periods import Month
from core.templatetags.vault import words
from core.tones import tone_of

NUMERIC: Final = {"cell": {"class": "num"}}


class VaultTable(tables.Table):  # type: ignore[misc]  # django-tables2 ships no types
    """A list. ``noun`` and ``plural`` name its rows in the count, ``empty`` says what to do when there are none.

    ``wide`` lets it scroll sideways on a desk too, instead of keeping its head in sight.
    """

    noun = "row"
    plural = ""
    wide = False

    empty = "Nothing matches. Clear a filter to see more."

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"default": formatting.NOTHING, "empty_text": self.empty} | kwargs))

    @property
    def nouns(self) -> str:
        """What its rows are called when there are several."""
        return self.plural or f"{self.noun}s"


class ValueColumn(tables.Column):  # type: ignore[misc]  # as above
    """A column that renders one kind of value; ``value`` is what an export gets."""


class AmountColumn(ValueColumn):
    """Money; ``currency`` is an accessor on the row (``"currency"``, ``"account__currency"``)."""

    attrs: ClassVar[dict[str, Any]] = NUMERIC

    def __init__(self, *args: Any, currency: str = "currency", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = Accessor(currency)

    def render(self, value: Decimal, record: Any) -> SafeString:
        return amount_markup(value, self.currency.resolve(record))

    def value(self, value: Decimal) -> str:
        return money.plain(value)


class QuantityColumn(ValueColumn):
    """A count or a measure: ``1,234.5``."""

    attrs: ClassVar[dict[str, Any]] = NUMERIC

    def render(self, value: Decimal | int) -> str:
        return formatting.quantity(value)

    def value(self, value: Decimal | int) -> str:
        return money.plain(Decimal(value))


class MonthColumn(ValueColumn):
    """A month kept as its first day or as a Month: ``October 2026``."""

    attrs: ClassVar[dict[str, Any]] = {"cell": {"class": "nowrap"}}

    def render(self, value: Month | date) -> str:
        return formatting.month(value)

    def value(self, value: Month | date) -> str:
        return str(value if isinstance(value, Month) else Month.containing(value))


class DayColumn(ValueColumn):
    """A date: ``24 Nov 2026``."""

    attrs: ClassVar[dict[str, Any]] = {"cell": {"class": "nowrap"}}

    def render(self, value: date) -> SafeString:
        return format_html('<time datetime="{}">{}</time>', formatting.iso(value), formatting.day(value))

    def value(self, value: date) -> str:
        return formatting.iso(value)


class MomentColumn(ValueColumn):
    """A moment: ``24 Nov 2026 20:17 UTC``."""

    attrs: ClassVar[dict[str, Any]] = {"cell": {"class": "nowrap"}}

    def render(self, value: datetime) -> SafeString:
        return format_html('<time datetime="{}">{}</time>', formatting.iso(value), formatting.moment(value))

    def value(self, value: datetime) -> str:
        return formatting.iso(value)


class StatusColumn(ValueColumn):
    """A status word in its colour."""

    def render(self, value: object, bound_column: Any, record: Any) -> SafeString:
        raw = self.accessor.resolve(record) if self.accessor else value
        return badge(str(raw))

    def value(self, value: object) -> str:
        return str(value)


def amount_markup(value: Decimal | int | str, currency: str) -> SafeString:
    """Return an amount as HTML: the machine's number inside, the currency quieter than the digits."""
    return format_html(
        '<data class="amount{}" value="{}">{} <abbr>{}</abbr></data>',
        " negative" if formatting.exact(value) < 0 else "",
        money.plain(formatting.exact(value)),
        formatting.amount(value, currency),
        currency,
    )


def badge(status: str, label: str = "", tone: str = "") -> SafeString:
    """Return a status as HTML; the colour only repeats what the word says."""
    return format_html('<span class="badge {}">{}</span>', tone or tone_of(status), label or words(status))


def component(name: str, **values: Any) -> SafeString:
    """Render ``components/NAME.html`` for a cell that needs more than a value."""
    return SafeString(render_to_string(f"components/{name}.html", values))
