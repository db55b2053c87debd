"""Set-based SQL has an address: ``<app>/sql/<name>.sql``, with a header that states its contract."""

from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@cache
def load(app: str, name: str) -> str:
    """Return the text of ``<app>/sql/<name>.sql``; parameters are psycopg's ``%(name)s``."""
    return (ROOT / app / "sql" / f"{name}.sql").read_text()
