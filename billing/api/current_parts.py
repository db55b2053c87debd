"""What a program gets of a month: its lines, or its parts by day, app and resource, as they are written in JSON."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from rest_framework import serializers
from rest_framework.utils.urls import replace_query_param

from billing.api.reading import PlainField
from billing.current import CurrentUsage
from billing.day_shares import Charge, Day, Part
from billing.month_use import MonthUse
from core.errors import Invalid
from core.fields import moment
from core.money import plain, round_to_minor_unit
from core.money import total as exact_total

PAGE_SIZE: Final = 100
LARGEST_PAGE: Final = 1000
USED: Final = "Running time in seconds (of a gauge: times its level), or the measured quantity."
COINS: Final = "With the currency's digits."


class CurrentLineOut(serializers.Serializer[Any]):
    """One line as an invoice would show it."""

    app = serializers.CharField()
    product = serializers.CharField()
    component = serializers.CharField()
    description = serializers.CharField()
    quantity = PlainField()
    unit = serializers.CharField()
    unit_amount = PlainField(allow_null=True)
    amount = serializers.CharField(help_text=COINS)
    usage = PlainField(allow_null=True, help_text="Seconds, or the measured quantity.")
    resources = serializers.IntegerField()


class DayUseOut(serializers.Serializer[Any]):
    """One product on one day, over all apps."""

    product = serializers.CharField()
    meter = serializers.CharField()
    used = serializers.CharField(help_text=USED)
    amount = serializers.CharField(help_text=COINS)


class DayOut(serializers.Serializer[Any]):
    """One UTC day: its share of every line, by what was used on it."""

    date = serializers.DateField()
    amount = serializers.CharField(help_text=COINS)
    usage = DayUseOut(many=True)


class AppOut(serializers.Serializer[Any]):
    """One app; empty for what belongs to none."""

    app = serializers.CharField()
    amount = serializers.CharField(help_text=COINS)


class ResourceOut(serializers.Serializer[Any]):
    """One resource's share of one line; without a resource, a line that no usage stands behind."""

    resource = serializers.CharField()
    app = serializers.CharField()
    product = serializers.CharField()
    meter = serializers.CharField()
    component = serializers.CharField()
    description = serializers.CharField()
    used = serializers.CharField(help_text=USED)
    amount = serializers.CharField(help_text=COINS)


class OtherOut(serializers.Serializer[Any]):
    """A line of the month's invoice that is about another month, or that a person added."""

    description = serializers.CharField()
    amount = serializers.CharField(help_text=COINS)


class CurrentOut(serializers.Serializer[Any]):
    """A month up to ``as_of``, before credits and tax; ``forecast`` goes on at the pace of the last day.

    Of ``lines``, ``days``, ``apps`` and ``resources`` there is the one that ``by`` asks for.
    """

    account = serializers.CharField()
    month = serializers.CharField(help_text="YYYY-MM")
    as_of = serializers.DateTimeField()
    currency = serializers.CharField()
    total = serializers.CharField(help_text=COINS)
    forecast = serializers.CharField(help_text=COINS)
    waiting = serializers.CharField(help_text="Why something cannot be priced yet; usually empty.")
    lines = CurrentLineOut(many=True, required=False)
    invoice = serializers.CharField(required=False, help_text="The number it was billed under; empty before.")
    days = DayOut(many=True, required=False)
    apps = AppOut(many=True, required=False)
    resources = ResourceOut(many=True, required=False)
    others = OtherOut(many=True, required=False, help_text="Lines of the invoice besides the month's own.")
    next = serializers.CharField(required=False, allow_null=True, help_text="The next page of resources.")


@dataclass(frozen=True, slots=True)
class Page:
    """The page that is asked for; a cursor keeps what it was cut from as it was known."""

    address: str
    as_of: datetime
    cutoff: datetime | None
    start: int
    size: int

    @classmethod
    def asked(cls, given: Mapping[str, str], address: str, as_of: datetime) -> "Page":
        """Read cursor and page_size; raises Invalid."""
        text = given.get("page_size", str(PAGE_SIZE))
        if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= LARGEST_PAGE):
            raise Invalid(f"page_size is a number from 1 to {LARGEST_PAGE}.", field="page_size")
        size = int(text)
        if not given.get("cursor"):
            return cls(address, as_of, None, 0, size)
        try:
            until, cutoff, start = urlsafe_b64decode(given["cursor"].encode()).decode().split("~")
            return cls(address, moment(until, "cursor"), moment(cutoff, "cursor"), max(int(start), 0), size)
        except (binascii.Error, ValueError, Invalid) as error:
            raise Invalid("That is no cursor of ours; begin again without one.", field="cursor") from error

    def next(self, found: MonthUse) -> str:
        """Return the address of the page after this one."""
        said = f"{found.as_of.isoformat()}~{found.cutoff.isoformat()}~{self.start + self.size}"
        address = replace_query_param(self.address, "month", str(found.month))
        return replace_query_param(address, "cursor", urlsafe_b64encode(said.encode()).decode())


def lines_of(account: str, current: CurrentUsage) -> dict[str, Any]:
    """Return the running month with its lines."""
    return _frame(account, current) | {"lines": current.lines}


def _days(found: MonthUse, page: Page) -> dict[str, Any]:
    days = [
        {"date": day.day, "amount": _coins(day.amount, found), "usage": list(_by_product(day, found))}
        for day in found.days()
    ]
    return _month(found) | {"days": days}


def _apps(found: MonthUse, page: Page) -> dict[str, Any]:
    return _month(found) | {"apps": [{"app": app, "amount": _coins(amount, found)} for app, amount in found.apps()]}


def _resources(found: MonthUse, page: Page) -> dict[str, Any]:
    parts = found.resources()
    shown = [
        {
            "resource": part.resource,
            "description": part.charge.description,
            "used": plain(part.used),
            "amount": _coins(part.amount, found),
        }
        | dict(zip(("app", "product", "meter", "component"), part.charge.kind, strict=True))
        for part in parts[page.start : page.start + page.size]
    ]
    more = page.next(found) if page.start + page.size < len(parts) else None
    return _month(found) | {"resources": shown, "next": more}


BREAKDOWNS: Final[Mapping[str, Callable[[MonthUse, Page], dict[str, Any]]]] = {
    "day": _days,
    "app": _apps,
    "resource": _resources,
}


def _month(found: MonthUse) -> dict[str, Any]:
    others = [{"description": other.description, "amount": _coins(other.amount, found)} for other in found.others]
    return _frame(found.account, found) | {"invoice": found.invoice, "others": others}


def _frame(account: str, found: CurrentUsage | MonthUse) -> dict[str, Any]:
    return {
        "account": account,
        "month": str(found.month),
        "as_of": found.as_of,
        "currency": found.currency,
        "total": _coins(found.total, found),
        "forecast": _coins(found.forecast, found),
        "waiting": found.waiting,
    }


def _by_product(day: Day, found: MonthUse) -> Iterable[dict[str, str]]:
    sums: dict[tuple[str, str], list[Part]] = {}
    for part in day.parts:
        sums.setdefault(_product(part.charge), []).append(part)
    for (product, meter), parts in sorted(sums.items()):
        used, amount = exact_total(part.used for part in parts), exact_total(part.amount for part in parts)
        yield {"product": product, "meter": meter, "used": plain(used), "amount": _coins(amount, found)}


def _product(charge: Charge) -> tuple[str, str]:
    return charge.kind[1], charge.kind[2]


def _coins(amount: Decimal, found: CurrentUsage | MonthUse) -> str:
    return f"{round_to_minor_unit(amount, found.currency):f}"
