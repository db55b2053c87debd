"""The Procfile's processes exist, so that a platform can start them as they are written."""

from pathlib import Path

from django.core.management import get_commands

from tests.world import ROOT

PROCESSES = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())


def test_it_names_what_a_platform_runs() -> None:
    assert set(PROCESSES) == {"release", "web", "worker", "clock"}


def test_its_commands_exist() -> None:
    ours = [line.split()[2] for line in PROCESSES.values() if line.startswith("python manage.py ")]
    assert set(ours) <= set(get_commands()) and len(ours) == 3


def test_its_web_process_reads_a_file_that_exists() -> None:
    assert PROCESSES["web"] == "gunicorn -c python:vault.web vault.wsgi"
    assert (Path(ROOT) / "vault" / "web.py").exists()
