"""Charts as inline SVG: no script, no inline style, themed by classes, the same in a page and in a PDF.

Each tag takes plain values and draws ``components/charts/*.html``; every chart carries a title, a description
and its numbers as a table for whoever does not look at pictures.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import template

from core import plotting
from core.formatting import amount_with_currency, exact, percent, quantity

register = template.Library()
Value = Decimal | int | str
Point = tuple[str, Value] | tuple[str, Value, str]


@register.inclusion_tag("components/charts/bar_chart.html")
def bar_chart(title: str, points: Sequence[Point], unit: str = "") -> dict[str, Any]:
    """Draw one bar per point, a (label, value) or (label, value, href); ``unit`` is a currency or a word."""
    values = [exact(point[1]) for point in points]
    axis = plotting.scale(values)
    rows = zip(
        plotting.slots([str(point[0]) for point in points]),
        plotting.bars(values, axis),
        (written(value, unit) for value in values),
        (point[2] if len(point) == 3 else "" for point in points),
        strict=True,
    )
    return {
        "title": title,
        "unit": unit,
        "linked": any(len(point) == 3 for point in points),
        "ticks": plotting.ticks(axis),
        "rows": [{"slot": slot, "bar": bar, "value": value, "href": href} for slot, bar, value, href in rows],
        "description": _extremes([str(point[0]) for point in points], values, unit),
    }


@register.inclusion_tag("components/charts/line_chart.html")
def line_chart(
    title: str, series: Sequence[tuple[str, Sequence[Value]]], labels: Sequence[str], unit: str = ""
) -> dict[str, Any]:
    """Draw up to four series of (name, values), each as long as ``labels``."""
    numbers = [[exact(value) for value in values] for _, values in series]
    names = [str(name) for name, _ in series]
    axis = plotting.scale([value for values in numbers for value in values])
    columns = list(zip(*numbers, strict=True)) if numbers else []
    rows = zip(plotting.slots([str(label) for label in labels]), columns, strict=True)
    return {
        "title": title,
        "unit": unit,
        "ticks": plotting.ticks(axis),
        "names": names,
        "lines": [
            {"name": name, "line": plotting.line(values, axis), "number": number}
            for number, (name, values) in enumerate(zip(names, numbers, strict=True))
        ],
        "rows": [
            {"slot": slot, "cells": [(name, written(value, unit)) for name, value in zip(names, column, strict=True)]}
            for slot, column in rows
        ],
        "description": " ".join(
            f"{name}: {_extremes([str(label) for label in labels], values, unit)}"
            for name, values in zip(names, numbers, strict=True)
        ),
    }


@register.inclusion_tag("components/charts/aging_bar.html")
def aging_bar(title: str, buckets: Sequence[Point], currency: str) -> dict[str, Any]:
    """Draw what is owed by age, youngest first: (label, amount) or (label, amount, href)."""
    values = [exact(bucket[1]) for bucket in buckets]
    return {
        "title": title,
        "total": written(sum(values, Decimal(0)), currency),
        "rows": [
            {
                "label": bucket[0],
                "amount": written(value, currency),
                "part": part,
                "share": percent(part.share, 0),
                "href": bucket[2] if len(bucket) == 3 else "",
                "tone": min(index, 4),
            }
            for index, (bucket, value, part) in enumerate(zip(buckets, values, plotting.parts(values), strict=True))
        ],
    }


@register.inclusion_tag("components/charts/sparkline.html")
def sparkline(title: str, values: Sequence[Value]) -> dict[str, Any]:
    """Draw a trend the size of a word; ``title`` must say it in words, for example "Falling for 3 months"."""
    numbers = [exact(value) for value in values]
    return {"title": title, "area": plotting.line(numbers, plotting.scale(numbers)).area, "height": plotting.HEIGHT}


@register.inclusion_tag("components/charts/time_line.html")
def time_line(title: str, picture: Any) -> dict[str, Any]:
    """Draw tracks of spans and moments on one scale: what ``usage.timeline.picture`` returns."""
    return {"title": title, "picture": picture}


def written(value: Decimal, unit: str) -> str:
    """Write ``value`` in ``unit``: three capitals are a currency, anything else a word after the number."""
    if len(unit) == 3 and unit.isascii() and unit.isupper():
        return amount_with_currency(value, unit)
    return f"{quantity(value)} {unit}".strip()


def _extremes(labels: Sequence[str], values: Sequence[Decimal], unit: str) -> str:
    """Say in a sentence what a glance would show."""
    if not values:
        return "No data."
    highest = max(range(len(values)), key=lambda index: values[index])
    return (
        f"{len(values)} values from {labels[0]} to {labels[-1]}; the highest is {written(values[highest], unit)}"
        f" ({labels[highest]}), the last {written(values[-1], unit)}."
    )
