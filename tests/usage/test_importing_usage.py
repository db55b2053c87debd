"""Importing files: CSV and NDJSON, with a dry run that tells the truth."""

import gzip
import json
from pathlib import Path

import pytest

from core.errors import Invalid
from tests.usage.factories import closed, measured, opened, source
from usage import importing_usage
from usage.models import Event, Interval, QuarantinedEvent, Source

pytestmark = pytest.mark.django_db
CSV = """id,type,time,resource,product,account,quantity,meter
1,open,2020-06-01T00:00:00Z,r1,hobby,acme,,
2,close,2020-07-01T00:00:00Z,r1,hobby,,,
3,measured,2020-06-05T00:00:00Z,r1,requests,,1.5,requests
4,start,2020-06-05T00:00:00Z,r1,hobby,,,
2,close,2020-07-02T00:00:00Z,r1,hobby,,,
7,gauge,2020-06-05T00:00:00Z,r1,disk,,1.5,storage
8,gauge,2020-06-05T00:00:00Z,r1,disk,,,storage
"""


@pytest.fixture
def dynos(db: None) -> Source:
    return source("dynos", past_days=35)


def test_a_dry_run_says_what_would_happen_and_stores_nothing(dynos: Source, tmp_path: Path) -> None:
    file = tmp_path / "usage.csv"
    file.write_text(CSV)
    would = importing_usage.import_usage(file, dynos, dry_run=True)
    assert not Event.objects.exists() and not QuarantinedEvent.objects.exists()
    done = importing_usage.import_usage(file, dynos)
    assert would == done
    assert (done.accepted, done.duplicate, done.conflict, done.rejected) == (4, 0, 1, 2)
    assert [(r["line"], r["code"]) for r in done.refusals] == [
        (5, "unknown_type"), (6, "conflict"), (8, "missing_field")
    ]  # fmt: skip
    assert importing_usage.import_usage(file, dynos, dry_run=True).duplicate == 4


def test_lines_of_json_may_be_zipped_and_have_blanks_between(dynos: Source, tmp_path: Path) -> None:
    file = tmp_path / "usage.ndjson.gz"
    lines = [json.dumps(opened(0)), "", json.dumps(closed(5)), "{broken", json.dumps(measured(1, 2))]
    file.write_bytes(gzip.compress("\n".join(lines).encode()))
    done = importing_usage.import_usage(file, dynos)
    assert (done.accepted, done.rejected) == (3, 1)
    assert [(r["line"], r["code"]) for r in done.refusals] == [(4, "invalid_json")]
    assert Interval.objects.get().closed is not None


def test_a_large_file_goes_in_batches(dynos: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing_usage, "BATCH", 7)
    file = tmp_path / "usage.ndjson"
    file.write_text("\n".join(json.dumps(opened(n, f"r{n}")) for n in range(20)) + "\n{}")
    heard: list[int] = []
    done = importing_usage.import_usage(file, dynos, progress=heard.append)
    assert (done.accepted, heard) == (20, [7, 14, 21])
    assert done.refusals[0]["line"] == 21


@pytest.mark.parametrize("head", ["id,type,time,resource,product\n", ""])
def test_every_refusal_is_counted_and_named_by_its_line(dynos: Source, tmp_path: Path, head: str) -> None:
    """Blank lines above and rows over several lines count as lines, too."""
    file = tmp_path / "usage"
    row = 'x{},nope,2020-06-05T00:00:00Z,"r\n1",hobby\n' if head else '{{"id": "x{}", "type": "nope"}}\n\n'
    file.write_text("\n\n" + head + "".join(row.format(number) for number in range(1200)))
    done = importing_usage.import_usage(file, dynos)
    assert (done.rejected, len(done.refusals)) == (1200, 1000)
    assert sum(done.reasons.values()) == QuarantinedEvent.objects.count() == 1200
    lines = [refusal["line"] for refusal in done.refusals]
    assert lines[:3] == ([5, 7, 9] if head else [3, 5, 7]) and lines[-1] == lines[0] + 2 * 999


def test_what_came_before_the_damage_is_told(dynos: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing_usage, "BATCH", 7)
    file = tmp_path / "usage.ndjson.gz"
    whole = gzip.compress("\n".join(json.dumps(opened(n, f"r{n}")) for n in range(20)).encode(), mtime=0)
    file.write_bytes(whole[:-4])
    with pytest.raises(Invalid, match=r"damaged.*The 14 events before it went in.*again"):
        importing_usage.import_usage(file, dynos)
    assert Interval.objects.count() == 14
    with pytest.raises(Invalid, match="damaged"):
        importing_usage.import_usage(file, dynos, dry_run=True)
    file.write_bytes(whole)
    done = importing_usage.import_usage(file, dynos)
    assert (done.accepted, done.duplicate) == (6, 14)


@pytest.mark.parametrize(
    ("text", "match"),
    [("id,type\n1,open", "lacks the column time"), ('\n[{"id": "1"}]', "one event a line"),
     (CSV.replace("account", "acount"), "'acount' is not a field"),
     ("", "lacks the column id"), (CSV + '"' + "x" * 200_000, "not CSV")],
)  # fmt: skip
def test_a_file_that_is_something_else_is_refused(dynos: Source, tmp_path: Path, text: str, match: str) -> None:
    file = tmp_path / "usage.csv"
    file.write_text(text)
    with pytest.raises(Invalid, match=match):
        importing_usage.import_usage(file, dynos)
