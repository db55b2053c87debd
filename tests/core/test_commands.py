"""How commands end: mistakes in one sentence with status 1, wrong usage with status 2, never a traceback."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, OperationalError, ProgrammingError, connections

from core import commands
from core.errors import NotFound, Refused
from core.management.commands import prepare
from core.periods import InvalidMonth, Month
from tests.world import World


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NotFound("There is no run 7."), "There is no run 7."),
        (FileNotFoundError(2, "No such file or directory", "usage.csv"), "usage.csv: No such file or directory."),
        (OSError(28, "No space left on device"), "No space left on device."),
        (IntegrityError("duplicate key\nDETAIL: x"), "The database refused: duplicate key."),
        (
            ProgrammingError('relation "core_mail" does not exist\nLINE 1'),
            'The database is not set up (relation "core_mail" does not exist). Run `manage.py migrate` first.',
        ),
        (ImproperlyConfigured("DATABASE_URL is odd."), "DATABASE_URL is odd."),
    ],
)
def test_a_mistake_is_one_sentence(error: Exception, said: str) -> None:
    assert commands.sentence(error) == said


@pytest.mark.parametrize("error", [OperationalError("refused"), psycopg.OperationalError("refused")])
def test_a_database_that_is_down_is_said_with_its_remedy(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert commands.sentence(error).startswith("PostgreSQL cannot be reached (refused). Start Vault with bin/up")
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/vault")
    assert "Check that the server of DATABASE_URL is running" in commands.sentence(error)


def test_a_month_is_a_month() -> None:
    assert commands.month("2026-10") == Month(2026, 10)
    with pytest.raises(InvalidMonth, match="YYYY-MM"):
        commands.month("October")


class TestRealProcesses:
    def test_a_mistake(self, world: World, tmp_path: Path) -> None:
        nowhere = f"postgres://vault:vault@/vault?host={tmp_path}&port=5432"
        done = world.manage("clock", "--once", check=False, DATABASE_URL=nowhere)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert done.stderr.startswith("vault: PostgreSQL cannot be reached (")

    def test_a_database_without_tables(self, world: World) -> None:
        world.sql("drop table monitoring_ring")
        done = world.manage("clock", "--once", check=False)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "Run `manage.py migrate` first." in done.stderr

    @pytest.mark.parametrize("arguments", [("clock", "--every", "often"), ("cluster", "stone"), ("cluster",)])
    def test_wrong_usage(self, world: World, arguments: tuple[str, ...]) -> None:
        done = world.manage(*arguments, check=False)
        assert done.returncode == 2
        assert done.stderr.startswith("usage: manage.py") and "Traceback" not in done.stderr

    def test_a_wrong_setting(self, world: World) -> None:
        done = world.manage("clock", "--once", check=False, DATABASE_URL="nonsense")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert done.stderr.startswith("vault: DATABASE_URL")

    def test_a_reader_that_goes_away(self, world: World) -> None:
        listing = subprocess.Popen(
            [sys.executable, "manage.py", "help", "--commands"],
            env=world.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert listing.stdout and listing.stderr
        listing.stdout.close()
        assert b"Traceback" not in listing.stderr.read()
        listing.wait()

    def test_ctrl_c(self, world: World) -> None:
        clock = world.start("clock")
        world.wait_until(lambda: world.value("select count(*) from monitoring_ring"), what="the first ring")
        clock.send_signal(2)
        assert clock.wait(10) == 130
        assert "Traceback" not in world.log("clock")


@pytest.mark.django_db
def test_the_release_step_refuses_a_server_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections["default"], "pg_version", 140_011)
    with pytest.raises(Refused, match="Vault needs PostgreSQL 15 or newer; the server of the default database is 14"):
        prepare.check_version("default")


def test_the_release_step_is_repeatable(world: World) -> None:
    world.manage("prepare", "-v", "0")
    assert world.value("select count(*) from core_cache") == 0
