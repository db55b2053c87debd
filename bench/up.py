"""How long a first ``bin/up`` takes from a fresh clone to its summary, without downloads; and a second start.

    .venv/bin/python bench/up.py [--port 8099]

Clones this repository's HEAD into a temporary folder, runs ``bin/setup`` there untimed, then times
``bin/up --no-serve`` twice with the embedded database.
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = ("DATABASE_URL", "USAGE_DATABASE_URL", "REDIS_URL", "VAULT_HOME")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="8099")
    options = parser.parse_args()
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    with tempfile.TemporaryDirectory(prefix="vault-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)  # so that the database's own user can reach its data below
        clone = Path(folder) / "vault"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        subprocess.run(["bin/setup"], cwd=clone, env=environment, check=True)
        for what in ("first", "second"):
            started = time.monotonic()
            up = ["bin/up", "--no-serve", "--port", options.port]
            done = subprocess.run(up, cwd=clone, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            print(f"{what} bin/up --no-serve: {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
