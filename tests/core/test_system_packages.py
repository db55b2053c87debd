"""Missing system packages are installed by root and named to everybody else."""

import subprocess
from collections.abc import Sequence

import pytest

from core import system_packages


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A machine without two of the packages; the list holds which."""
    packages = ["libpango-1.0-0", "fonts-dejavu-core"]
    there = {name: (lambda name=name: name not in packages) for name in system_packages.FOR_DOCUMENTS}
    monkeypatch.setattr(system_packages, "FOR_DOCUMENTS", there)
    return packages


def test_nothing_is_missing_here() -> None:
    assert system_packages.missing(for_tests=True) == []


def test_an_ordinary_user_is_told_exactly_what_to_install(
    lacking: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(system_packages.os, "geteuid", lambda: 1000)
    assert system_packages.main([]) == 1
    assert "sudo apt-get install libpango-1.0-0 fonts-dejavu-core\n" in capsys.readouterr().err


def test_root_gets_them_installed(
    lacking: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[Sequence[str]] = []

    def run(command: Sequence[str], **_: object) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        lacking.clear() if "install" in command else None
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(system_packages.os, "geteuid", lambda: 0)
    monkeypatch.setattr(system_packages.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(system_packages.subprocess, "run", run)
    assert system_packages.main([]) == 0
    assert [command[2] for command in ran] == ["update", "install"]
    assert list(ran[1][-2:]) == ["libpango-1.0-0", "fonts-dejavu-core"]


def test_an_installation_that_does_not_help_ends_in_a_sentence(
    lacking: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(system_packages.os, "geteuid", lambda: 0)
    monkeypatch.setattr(system_packages.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(system_packages, "_install", lambda packages: "E: no network")
    assert system_packages.main([]) == 1
    said = capsys.readouterr().err
    assert "E: no network" in said and "vault: These system packages are missing: libpango-1.0-0" in said
