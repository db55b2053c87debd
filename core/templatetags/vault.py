"""The filters of every page: money, quantities, months and moments, each in its one form (core.formatting)."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.core.paginator import Page
from django.middleware.csrf import get_token
from django.template.context import RequestContext
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import clock, formatting, money
from core.formatting import NOTHING
from core.periods import Month
from core.tones import tone_of

register = template.Library()
Number = Decimal | int | str


def _missing(value: object) -> bool:
    return value is None or value == ""


@register.filter(name="money")
def money_filter(value: Number | None, currency: str) -> str:
    """``1,234.50 USD``."""
    return NOTHING if value is None or value == "" else formatting.amount_with_currency(value, currency)


@register.filter
def amount(value: Number | None, currency: str) -> str:
    """``1,234.50``, for where the currency stands beside it."""
    return NOTHING if value is None or value == "" else formatting.amount(value, currency)


@register.filter
def price(value: Number | None, currency: str) -> str:
    """``0.0000125 USD``: every digit."""
    return NOTHING if value is None or value == "" else formatting.price(value, currency)


@register.filter
def quantity(value: Number | None) -> str:
    """``1,234.5``."""
    return NOTHING if value is None or value == "" else formatting.quantity(value)


@register.filter
def plain_decimal(value: Number | None) -> str:
    """``1234.5``, for programs: attributes, exports, form values."""
    return "" if value is None or value == "" else money.plain(formatting.exact(value))


@register.filter
def percent(value: Number | None, places: int = 1) -> str:
    """``97.3 %`` of a ratio 0.973."""
    return NOTHING if value is None or value == "" else formatting.percent(value, places)


@register.filter
def duration(value: Decimal | int | timedelta | None) -> str:
    """``12 h 5 min`` of a number of seconds."""
    return NOTHING if value is None else formatting.duration(value)


@register.filter
def month(value: Month | date | str | None) -> str:
    """``October 2026``."""
    return NOTHING if value is None or value == "" else formatting.month(value)


@register.filter
def day(value: date | None) -> str:
    """``24 Nov 2026`` in a time element."""
    return NOTHING if _missing(value) or value is None else _time(value, formatting.day(value))


@register.filter
def moment(value: datetime | None) -> str:
    """``24 Nov 2026 20:17 UTC`` in a time element."""
    return NOTHING if _missing(value) or value is None else _time(value, formatting.moment(value))


@register.filter
def ago(value: datetime | None) -> str:
    """``3 minutes ago`` in a time element whose tooltip is the moment."""
    if value is None:
        return NOTHING
    words = formatting.ago(value, clock.now())
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', formatting.iso(value), formatting.moment(value), words
    )


def _time(value: date, words: str) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', formatting.iso(value), words)


@register.filter
def tone(status: object) -> str:
    """The colour that a status word wears: good, bad, warn, info or quiet."""
    return tone_of(str(status))


@register.filter
def words(status: object) -> str:
    """``past_due`` as a person reads it: ``Past due``."""
    return str(status).replace("_", " ").replace("-", " ").capitalize()


@register.filter
def ratio(done: Number, total: Number) -> str:
    """Which share of ``total`` is ``done``, 0 to 100, as SVG and ARIA want it."""
    whole = formatting.exact(total)
    share = formatting.exact(done) / whole * 100 if whole else Decimal(100)
    return f"{min(max(share, Decimal(0)), Decimal(100)):.1f}"


@register.filter
def shown(page: Page[Any]) -> str:
    """``1–50 of 3,204``; a paginator that does not count says ``1–50``."""
    try:
        total = page.paginator.count
    except NotImplementedError:
        first = (page.number - 1) * page.paginator.per_page
        return f"{first + 1:,}–{first + len(page.object_list):,}"
    if total <= page.paginator.per_page:
        return f"{total:,}"
    return f"{page.start_index():,}–{page.end_index():,} of {total:,}"


@register.filter
def counted(table: Any) -> str:
    """``1–50 of 3,204 invoices``: how much of a table is on this page."""
    numbers = shown(table.page)
    noun = getattr(table, "noun", "row") if numbers == "1" else getattr(table, "nouns", "rows")
    return f"{numbers} {noun}"


@register.simple_tag(takes_context=True)
def csrf_field(context: RequestContext) -> SafeString:
    """The hidden CSRF field; unlike ``csrf_token`` it also works inside an ``include … only``."""
    if context.request is None:
        return SafeString("")
    return format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', get_token(context.request))
