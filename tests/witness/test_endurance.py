"""The script that watches an hour of intake, for half a minute: it runs, counts right and leaves nothing behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.world import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("embedded")]
RATE = 400


def test_half_a_minute_of_endurance(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["--minutes", "0.5", "--rate", str(RATE), "--batch", "100", "--every", "10", "--json", str(report)]
    done = subprocess.run(
        [sys.executable, "bench/endurance.py", *options],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12,000 events stored" in done.stdout
    said = json.loads(report.read_text())
    assert len(said["rows"]) == 3 and set(said["slope_per_hour"]) == set(said["rows"][0])
    for row in said["rows"]:
        assert row["events/s"] == pytest.approx(RATE, rel=0.2)
        assert 0 < row["p50 ms"] <= row["p99 ms"]
        assert row["web 1 MB"] > 10 and row["web 2 MB"] > 10
        assert row["waiting"] < 10 * RATE, "pairing keeps up"
    assert not list(tmp_path.glob("vault-endurance-*"))
