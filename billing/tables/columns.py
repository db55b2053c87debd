"""Columns and words that several lists of the books share."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import formatting


def who(actor: str) -> str:
    """Return an actor as people read it: the address of a person, everything else by its full name."""
    return actor.removeprefix("user:")


def account_address(code: str) -> str:
    """Return an account's page."""
    return f"/accounts/{quote(code, safe='')}/"


def signed(at: datetime | None, actor: str) -> SafeString | str:
    """Return when something was done, with who did it below."""
    if at is None:
        return "—"
    return format_html(
        '<time class="nowrap" datetime="{}">{}</time><br><span class="muted small">{}</span>',
        formatting.iso(at),
        formatting.moment(at),
        who(actor),
    )


class AccountColumn(tables.Column):  # type: ignore[misc]  # django-tables2 ships no types
    """An account: its name as the way to its page, and its code below."""

    def render(self, value: Any) -> SafeString:
        name, code = str(value), value.code
        second = format_html(' <span class="muted small mono nowrap">{}</span>', code) if name != code else ""
        return format_html('<a href="{}">{}</a>{}', account_address(code), name, second)

    def value(self, value: Any) -> str:
        return str(value.code)
