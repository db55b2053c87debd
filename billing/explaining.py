"""How an amount came about: from the seconds that were counted to the coins that are charged, step by step."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from billing.models import InvoiceLine, LineKind, Price
from billing.rating import parse_price
from billing.rating.lines import is_by_time
from core import formatting
from core.money import minor_unit
from core.periods import Month
from usage import amended, archives


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the calculation, as texts."""

    label: str
    quantity: str
    unit_amount: str
    amount: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything behind one line; ``facts`` are pairs for people, ``steps`` add up to ``unrounded``."""

    line: InvoiceLine
    currency: str
    sentence: str
    steps: tuple[Step, ...]
    facts: tuple[tuple[str, str], ...]
    usage_href: str
    amendments: tuple[int, ...] = ()  # the corrections of usage that an adjustment comes from


def explain(line: InvoiceLine) -> Explanation:
    """Explain a line whose invoice (with account) and price (with product) are loaded."""
    currency = line.invoice.currency
    return Explanation(
        line=line,
        currency=currency,
        sentence=_sentence(line, currency),
        steps=tuple(_step(step, currency) for step in line.steps),
        facts=tuple((label, text) for label, text in _facts(line, currency) if text),
        usage_href=_usage(line),
        amendments=tuple(amended.named(line.reason)) if line.kind == LineKind.ADJUSTMENT else (),
    )


def as_json(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation for programs; decimals are plain strings, as they are stored."""
    line = explanation.line
    price = line.price
    return {
        "position": line.position,
        "description": line.description,
        "amount": formatting.amount(line.amount, explanation.currency).replace(",", ""),
        "rated": None if line.rated is None else formatting.amount(line.rated, explanation.currency).replace(",", ""),
        "unrounded": _plain(line.unrounded),
        "rounding": f"once, half up to {minor_unit(explanation.currency)}",
        "usage": None if line.usage is None else _plain(line.usage),
        "usage_unit": _usage_unit(line),
        "resources": line.resources,
        "period_start": formatting.iso(line.period_start),
        "period_end": formatting.iso(line.period_end),
        "steps": line.steps,
        "price": price
        and {
            "id": price.pk,
            "product": price.product.code,
            "currency": price.currency,
            "terms": price.terms,
            "valid_from": formatting.iso(price.valid_from),
            "valid_to": formatting.iso(price.valid_to) if price.valid_to else None,
        },
        "inputs_hash": line.inputs_hash,
        "events_archived": [str(month) for month in _archived(line)],
        "adjusts": line.adjusts.number if line.adjusts else None,
        "reason": line.reason,
    }


def _sentence(line: InvoiceLine, currency: str) -> str:
    charged = formatting.amount_with_currency(line.amount, currency)
    if line.kind == LineKind.MANUAL:
        return f"{charged} was added by a person while the invoice was a draft."
    if line.kind == LineKind.CONTRACT:
        return f"{charged} is what the account's contract makes of the month's usage, step by step below."
    rounded = f"{formatting.quantity(line.unrounded)} rounded once, half up"
    if line.rated is not None and line.rated != line.amount:
        rated = formatting.amount_with_currency(line.rated, currency)
        return f"Rating says {rated} ({rounded}); a person charged {charged} instead."
    if line.kind == LineKind.ADJUSTMENT:
        return f"{charged} is what the month costs as known now, less what was billed for it before."
    return f"{charged} is {rounded}."


def _step(step: dict[str, str], currency: str) -> Step:
    return Step(
        label=step.get("label", ""),
        quantity=formatting.quantity(step.get("quantity", "0")),
        unit_amount=formatting.price(step.get("unit_amount", "0"), currency),
        amount=formatting.price(step.get("amount", "0"), currency),
    )


def _facts(line: InvoiceLine, currency: str) -> list[tuple[str, str]]:
    start, end = formatting.moment(line.period_start), formatting.moment(line.period_end)
    return [
        ("Priced time", f"{start} up to {end}"),
        ("Measured", _measured(line)),
        ("Resources", formatting.quantity(line.resources) if line.resources else ""),
        ("Price version", _version(line.price) if line.price else ""),
        ("Unrounded", f"{formatting.quantity(line.unrounded)} {currency}"),
        ("Adjusts", line.adjusts.number or "" if line.adjusts else ""),
        ("Reason", line.reason),
        ("By", line.author.removeprefix("user:")),
        ("Hash of the inputs", line.inputs_hash),
        ("Events", _where(line)),
    ]


def _archived(line: InvoiceLine) -> list[Month]:
    """Return the months of a line's usage whose events are in the archive."""
    return [] if line.usage is None else archives.within(line.period_start, line.period_end)


def _where(line: InvoiceLine) -> str:
    return ", ".join(f"archived: manage.py read_archive {month}" for month in _archived(line))


def _measured(line: InvoiceLine) -> str:
    """Say how much was used: running time, a gauge's level times time, or a counted quantity."""
    if line.usage is None:
        return ""
    if not line.meter:
        return f"{formatting.quantity(line.usage)} s ({formatting.duration(line.usage)})"
    return f"{formatting.quantity(line.usage)} {_usage_unit(line)}"


def _usage_unit(line: InvoiceLine) -> str:
    """What the usage is counted in: seconds, ``GB-seconds`` of a gauge that is priced by the GB-hour, or the unit."""
    if not line.meter:
        return "seconds"
    if line.price is None or not is_by_time(parse_price(line.price.terms)):
        return line.unit
    of = line.unit.removesuffix("-hour").removesuffix("-month")
    return f"{line.meter if of == line.unit else of}-seconds"


def _version(price: Price) -> str:
    until = f" until {formatting.day(price.valid_to)}" if price.valid_to else ""
    return f"#{price.pk} {price.get_model_display()}, from {formatting.day(price.valid_from)}{until}"


def _usage(line: InvoiceLine) -> str:
    """The page of the usage behind a line: the account's intervals of that month."""
    if line.usage is None:
        return ""
    month = Month.containing(line.period_start)
    return f"/accounts/{quote(line.invoice.account.code, safe='')}/usage/?month={month}"


def _plain(value: Decimal) -> str:
    return formatting.quantity(value).replace(",", "")
