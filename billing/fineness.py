"""How fine a price may be: no finer than a line keeps its unit amount and quantities, so that nothing is cut. Pure."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final

from core.errors import Invalid

DIGITS: Final = 12  # after the point, of the columns of a line


def refuse_finer(terms: object) -> None:
    """Raise Invalid that names the first number in ``terms`` with more digits after the point than a line keeps."""
    for path, number in _numbers(terms, ""):
        if -int(number.normalize().as_tuple().exponent) > DIGITS:
            raise Invalid(
                f"{number:f} has more than {DIGITS} digits after the point, which no invoice can show; price a larger"
                " unit (a package, or per thousand) instead.",
                field=path or "terms",
            )


def _numbers(value: object, path: str) -> Iterator[tuple[str, Decimal]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _numbers(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _numbers(inner, f"{path}[{place}]")
    elif isinstance(value, str | int) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation:
            return
        if number.is_finite():
            yield path, number
