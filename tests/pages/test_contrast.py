"""The colours of both themes meet WCAG 2.2 AA: 4.5 for text, 3 for what only needs to be seen."""

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).resolve().parents[2] / "static" / "css" / "tokens.css"
TEXT = [
    *((word, ground) for word in ("text", "muted", "accent") for ground in ("page", "sunken", "raised", "hover")),
    *((tone, f"{tone}-soft") for tone in ("good", "bad", "warn")),
    *((tone, ground) for tone in ("good", "bad", "warn") for ground in ("page", "raised")),
    ("muted", "quiet-soft"),
    ("accent-strong", "accent-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
]
MARKS = [
    *(("control", ground) for ground in ("page", "raised", "sunken")),
    *((f"series-{number}", "raised") for number in range(4)),
    ("accent", "quiet-soft"),
]


def theme(name: str) -> dict[str, str]:
    light, dark = TOKENS.read_text().split("prefers-color-scheme: dark", 1)
    colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", light))
    return colours if name == "light" else colours | dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", dark))


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_is_21() -> None:
    assert round(contrast("#000000", "#ffffff"), 6) == 21


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(TEXT, 4.5), (MARKS, 3.0)], ids=["text", "marks"])
def test_can_be_read(name: str, pairs: list[tuple[str, str]], least: float) -> None:
    colours = theme(name)
    weak = {f"{a} on {b}": round(contrast(colours[a], colours[b]), 2) for a, b in pairs}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < least} == {}
