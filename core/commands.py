"""What every management command shares: a mistake ends in one sentence and a non-zero exit."""

import json
import sys
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError, OperationalError

from core.errors import VaultError
from core.periods import InvalidMonth, Month

NO_DATABASE = (
    "PostgreSQL cannot be reached ({reason}). Start Vault with bin/up, or set DATABASE_URL to a running server."
)


class VaultCommand(BaseCommand):
    """A command that prints for people, or with --json for programs, and raises VaultError for mistakes."""

    requires_system_checks: list[str] = []  # type: ignore[assignment]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")

    def emit(self, result: dict[str, Any], text: str, options: dict[str, Any]) -> None:
        """Print ``result`` as JSON when asked for, else ``text``."""
        self.stdout.write(json.dumps(result, default=str) if options.get("json") else text)

    def progress(self, text: str) -> None:
        """Show how far long work is, on a terminal only."""
        if self.stderr.isatty():
            self.stderr.write(f"\r\033[K{text}", ending="")


def month(text: str) -> Month:
    """Parse a command's YYYY-MM argument; a wrong one is a usage error that says what is right."""
    try:
        return Month.parse(text)
    except InvalidMonth as error:
        raise CommandError(str(error)) from error


def run_from_command_line(argv: list[str]) -> int:
    """Run a command; return 0, or 1 with one sentence on stderr for an expected mistake."""
    try:
        ManagementUtility(argv).execute()
    except VaultError as error:
        return _say(str(error))
    except (OperationalError, InterfaceError) as error:
        return _say(NO_DATABASE.format(reason=_first_line(error)))
    except DatabaseError as error:
        if "does not exist" in str(error):
            return _say(f"The database is not set up ({_first_line(error)}). Run `manage.py migrate` first.")
        return _say(f"The database refused: {_first_line(error)}")
    except (ImproperlyConfigured, OSError) as error:
        return _say(f"{error}.".replace("..", "."))
    except BrokenPipeError:
        return 1
    return 0


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _say(sentence: str) -> int:
    print(f"vault: {sentence}", file=sys.stderr)
    return 1
