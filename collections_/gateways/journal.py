"""The books of the sandbox gateway: one SQLite file, brought up to date when it is opened."""

import os
import sqlite3
import threading
from pathlib import Path
from typing import Final

_FIRST: Final = """
create table if not exists call (key text not null, token text not null);
create index if not exists call_by_key on call (key);
create table if not exists answer (
    key text primary key, token text not null, amount text not null, currency text not null,
    description text not null, charge_id text unique, decline_code text,
    check ((charge_id is null) <> (decline_code is null))
);
create index if not exists answer_by_token on answer (token)
"""
_THIRD: Final = """
create table dispute (
    reference text primary key, charge_id text not null, amount text not null, currency text not null,
    reason text not null
)
"""
_FOURTH: Final = """
create table refund (
    key text primary key, refund_id text not null unique, charge_id text not null, amount text not null,
    currency text not null
)
"""
# Each brings a journal of the version before up to date; a new one is added at the end.
_VERSIONS: Final = (_FIRST, "alter table answer add column captured text", _THIRD, _FOURTH)

_opened = threading.local()


def connection(journal: Path) -> sqlite3.Connection:
    """Return this thread's connection to the journal; a new one after a fork, or when the file was replaced."""
    identity = (os.getpid(), journal, journal.stat().st_ino if journal.exists() else None)
    if getattr(_opened, "identity", None) == identity:
        kept: sqlite3.Connection = _opened.books
        return kept
    journal.parent.mkdir(parents=True, exist_ok=True)
    books = sqlite3.connect(journal, timeout=15, isolation_level=None)
    books.row_factory = sqlite3.Row
    books.execute("pragma synchronous = full")
    if _version(books) < len(_VERSIONS):
        _bring_up_to_date(books)
    _opened.books, _opened.identity = books, (os.getpid(), journal, journal.stat().st_ino)
    return books


def _bring_up_to_date(books: sqlite3.Connection) -> None:
    books.execute("pragma journal_mode = wal")
    books.execute("begin immediate")  # another process may be doing the same
    for script in _VERSIONS[_version(books) :]:
        for statement in script.split(";"):
            books.execute(statement)
    books.execute(f"pragma user_version = {len(_VERSIONS)}")
    books.execute("commit")


def _version(books: sqlite3.Connection) -> int:
    version: int = books.execute("pragma user_version").fetchone()[0]
    return version
