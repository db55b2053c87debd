"""What every management command shares: a mistake ends in one sentence and a non-zero exit."""

import json
import os
import sys
from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError, OperationalError

from core.errors import VaultError
from core.periods import Month

NO_DATABASE = "PostgreSQL cannot be reached ({reason}). {remedy}"
START_IT = "Start Vault with bin/up, or set DATABASE_URL to a running server."
CHECK_IT = "Check that the server of DATABASE_URL is running and that this machine may connect to it."
EXPECTED = (VaultError, DatabaseError, InterfaceError, psycopg.Error, ImproperlyConfigured, OSError)


class VaultCommand(BaseCommand):
    """A command that prints for people, or with --json for programs, and raises VaultError for mistakes."""

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")

    def emit(self, result: dict[str, Any], text: str, options: dict[str, Any]) -> None:
        """Print ``result`` as JSON when asked for, else ``text``."""
        self.stdout.write(json.dumps(result, default=str) if options.get("json") else text)

    def progress(self, text: str) -> None:
        """Show how far long work is, on a terminal only."""
        if self.stderr.isatty():
            self.stderr.write(f"\r\033[K{text}", str, ending="")  # as it is: the style of errors is red


def month(text: str) -> Month:
    """Parse a command's YYYY-MM argument; a wrong one ends the command with a sentence that says what is right."""
    return Month.parse(text)


def run_from_command_line(argv: list[str]) -> int:
    """Run a command; return 0, or 1 with one sentence on stderr for an expected mistake.

    A wrong option never comes back here: argparse ends the process with status 2.
    """
    try:
        ManagementUtility(argv).execute()
    except BrokenPipeError:  # the reader of our output went away, which is its good right
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except EXPECTED as error:
        print(f"vault: {sentence(error)}", file=sys.stderr)
        return 1
    return 0


def sentence(error: Exception) -> str:
    """Say an expected error in words that tell what to do."""
    if isinstance(error, (OperationalError, InterfaceError, psycopg.OperationalError)):
        remedy = CHECK_IT if os.environ.get("DATABASE_URL") else START_IT
        return NO_DATABASE.format(reason=_first_line(error), remedy=remedy)
    if isinstance(error, (DatabaseError, psycopg.Error)):
        if "does not exist" in str(error):
            return f"The database is not set up ({_first_line(error)}). Run `manage.py migrate` first."
        return f"The database refused: {_first_line(error)}."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return str(error) if isinstance(error, VaultError) else f"{_first_line(error).rstrip('.')}."


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
