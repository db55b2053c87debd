"""The system's own packages that Vault needs: seen by what they provide, installed when we may, else named.

Run by bin/setup as ``python -m core.system_packages [--for-tests]``.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

DEJAVU: Final = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")


def _library(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _program(*names: str) -> bool:
    return any(shutil.which(name) for name in names)


# Debian's name of each package, and how to see that what it provides is there.
FOR_DOCUMENTS: Final[Mapping[str, Callable[[], bool]]] = {
    "libpango-1.0-0": lambda: _library("libpango-1.0.so.0"),
    "libpangoft2-1.0-0": lambda: _library("libpangoft2-1.0.so.0"),
    "libharfbuzz-subset0": lambda: _library("libharfbuzz-subset.so.0"),
    "fonts-dejavu-core": DEJAVU.exists,
}
FOR_TESTS: Final[Mapping[str, Callable[[], bool]]] = {
    "chromium": lambda: _program("chromium", "chromium-browser", "google-chrome"),
    "redis-server": lambda: _program("redis-server"),
    "poppler-utils": lambda: _program("pdftotext"),
}


def missing(*, for_tests: bool) -> list[str]:
    """Return the Debian packages that are not there."""
    wanted = dict(FOR_DOCUMENTS) | (dict(FOR_TESTS) if for_tests else {})
    return [package for package, is_there in wanted.items() if not is_there()]


def main(arguments: list[str]) -> int:
    """Install what is missing as root on Debian; otherwise say exactly what to install and return 1."""
    for_tests = "--for-tests" in arguments
    packages = missing(for_tests=for_tests)
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing the system packages {' '.join(packages)}.", flush=True)
        said = _install(packages)
        packages = missing(for_tests=for_tests)
        if packages:
            print(said[-2000:], file=sys.stderr)
    if packages:
        print(
            f"vault: These system packages are missing: {' '.join(packages)}."
            f" Install them and start again: sudo apt-get install {' '.join(packages)}",
            file=sys.stderr,
        )
    return 1 if packages else 0


def _install(packages: list[str]) -> str:
    """Run apt-get; return what it said. Whether it helped is seen by what is missing afterwards."""
    said = ""
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "-q", *command],  # noqa: S607 - root's own PATH
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        said += done.stdout + done.stderr
    return said


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
