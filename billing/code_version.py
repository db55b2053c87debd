"""Which code priced a run: a hash over the modules that decide amounts, so that two runs can be told apart by it."""

import hashlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent
DECIDING = ("rating", "allocation.py", "assembly.py", "draft.py", "late.py", "pricebook.py", "proration.py", "tax.py")


@cache
def code_version() -> str:
    """Return twelve hex digits that change exactly when a deciding module's text does."""
    digest = hashlib.sha256()
    for name in DECIDING:
        path = ROOT / name
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]
