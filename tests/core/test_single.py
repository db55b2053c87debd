"""One at a time, also after the holder was killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.embedded.places import UnusableHome
from core.single import AlreadyRunning, only_one
from tests.world import ROOT

HOLD = (
    "import sys, time; from pathlib import Path; from core.single import only_one\n"
    "with only_one(Path(sys.argv[1]), 'Vault'): print('held', flush=True); time.sleep(60)"
)


def test_the_second_is_refused_and_told_who_is_first(tmp_path: Path) -> None:
    lock = tmp_path / "home" / "up.lock"
    first = subprocess.Popen([sys.executable, "-c", HOLD, str(lock)], cwd=ROOT, stdout=subprocess.PIPE)
    assert first.stdout and first.stdout.readline() == b"held\n"
    with (
        pytest.raises(AlreadyRunning, match=rf"Vault is already running here \(process {first.pid}\)"),
        only_one(lock, "Vault"),
    ):
        pass
    first.kill()
    first.wait()
    with only_one(lock, "Vault"):
        pass


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "up.lock").mkdir()
    with pytest.raises(UnusableHome, match=r"Is a directory\. Set VAULT_HOME"), only_one(tmp_path / "up.lock", "Vault"):
        pass
