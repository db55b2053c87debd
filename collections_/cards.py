"""Card numbers must never enter: find one in whatever a person typed. Pure."""

import re
from typing import Final

from core.errors import Invalid

_DIGITS: Final = re.compile(r"(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)")


def refuse_card_number(text: str, field: str) -> str:
    """Return ``text`` without the space around it; raise Invalid when it holds what looks like a card number."""
    for found in _DIGITS.findall(text):
        if _passes_luhn(re.sub(r"\D", "", found)):
            raise Invalid("That looks like a card number, which must not be stored here; leave it out", field=field)
    return text.strip()


def _passes_luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
