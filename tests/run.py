"""The Python part of bin/test: every check and every test, on a PostgreSQL of its own.

With arguments, only pytest with those. When a check fails the tests are not begun.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.embedded import server
from core.errors import VaultError

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(sys.executable).parent
MANAGE = (sys.executable, "manage.py")
CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("lint", (str(HERE / "ruff"), "check", ".")),
    ("format", (str(HERE / "ruff"), "format", "--check", ".")),
    ("import rules", (str(HERE / "lint-imports"), "--no-logo")),
    ("types", (str(HERE / "mypy"), "--no-incremental")),  # its cache remembers modules that were missing once
    ("migrations", (*MANAGE, "makemigrations", "--check", "--dry-run")),
    ("settings", (*MANAGE, "check", "--fail-level", "WARNING")),
)
PYTEST = (sys.executable, "-m", "pytest")
WHOLE_SUITE = ("-n", "2", "--dist", "loadgroup", "-q")
# What a developer's shell may say and a test must not hear.
DEAF_TO = ("USAGE_DATABASE_URL", "REDIS_URL", "EMAIL_URL", "VAULT_FAILPOINTS", "VAULT_HTTPS", "VAULT_DEBUG")


def main(arguments: list[str]) -> int:
    """Run the checks and the suite, or pytest with ``arguments``; return the exit status."""
    with _environment() as environment:
        if arguments:
            return _run((*PYTEST, *arguments), environment)
        good = [_check(name, command, environment) for name, command in CHECKS]
        return _run((*PYTEST, *WHOLE_SUITE), environment) if all(good) else 1


def _check(name: str, command: tuple[str, ...], environment: dict[str, str]) -> bool:
    """Run one check, saying what it found only when it found something; return whether it was content."""
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    content = done.returncode == 0
    print(f"{name:<14} {'ok' if content else 'FAILED':<6} {time.monotonic() - started:5.1f} s", flush=True)
    if not content:
        print(done.stdout + done.stderr, flush=True)
    return content


def _run(command: tuple[str, ...], environment: dict[str, str]) -> int:
    return subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False).returncode


@contextmanager
def _environment() -> Iterator[dict[str, str]]:
    """Give the tests a VAULT_HOME that is thrown away, and the embedded server unless DATABASE_URL is set."""
    environment = {name: value for name, value in os.environ.items() if name not in DEAF_TO}
    with tempfile.TemporaryDirectory(prefix="vault-test-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        home.chmod(0o711)  # so that the server's own user can reach its data in it
        (home / "static").mkdir()  # nothing is collected for tests, and the middleware warns of a missing folder
        environment["VAULT_HOME"] = folder
        if environment.get("DATABASE_URL"):
            yield environment
            return
        environment.pop("DATABASE_URL", None)
        with server.running(home, forgetful=True):
            yield environment
        server.remove(home)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except VaultError as error:
        print(f"vault: {error}", file=sys.stderr)
        sys.exit(1)
