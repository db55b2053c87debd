"""A gateway of our own for demos and tests: real enough to lose an answer, strict enough to prove that we do not.

It keeps its own books in an SQLite file, which stands for the other company's database: a capture is committed
there before the answer is given, so killing our process at any point leaves the truth in the file. What happens
to a charge depends only on its token (a suffix after ``/`` makes tokens of several customers different):

tok_ok                   captured
tok_insufficient_funds, tok_expired, tok_stolen, tok_generic_decline, tok_do_not_retry   declined with that code
tok_declines_once        the first key sent with this token is declined, later ones are captured
tok_timeout_before       the first call of a key is lost before it arrives, the next is captured
tok_timeout_after        captured, but the first answer is lost
tok_captures_half        half of what was asked is captured
tok_captures_twice       twice what was asked is captured
tok_unreachable          no call ever arrives

To ``find`` a charge whose id begins with ``ch_unreachable`` never gets an answer.
"""

import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from django.conf import settings

from collections_.gateways import journal, signing
from collections_.gateways.protocol import (
    Charged,
    Declined,
    Disputed,
    Event,
    GatewayRefused,
    NoAnswer,
    Refunded,
    Unseen,
)
from core import money

DECLINES: Final = {
    "tok_insufficient_funds": "insufficient_funds",
    "tok_expired": "expired_card",
    "tok_stolen": "stolen_card",
    "tok_generic_decline": "generic_decline",
    "tok_do_not_retry": "do_not_retry",
}
CAPTURES: Final = frozenset({"tok_ok", "tok_declines_once", "tok_timeout_before", "tok_timeout_after"})
CAPTURES_OTHER: Final = {"tok_captures_half": Decimal("0.5"), "tok_captures_twice": Decimal(2)}
UNREACHABLE: Final = "tok_unreachable"
UNREACHABLE_CHARGE: Final = "ch_unreachable"


@dataclass(frozen=True, slots=True)
class Capture:
    """One line of the journal: money the sandbox took."""

    key: str
    charge_id: str
    amount: Decimal
    currency: str


class SandboxGateway:
    """See the module's docstring. ``journal`` is the SQLite file; its folder must exist or be creatable."""

    name = "sandbox"
    remembers = timedelta(days=3650)

    def __init__(self, journal: Path) -> None:
        self.journal = journal

    def charge(self, *, key: str, amount: Decimal, currency: str, token: str, description: str) -> Charged | Declined:
        """Capture once per key; a key sent with another amount, currency or token raises GatewayRefused."""
        behaviour, asked = _behaviour(token), (money.plain(amount), currency, token)
        with self._books() as books:
            first = _note_call(books, key, token)
            arrived = behaviour != UNREACHABLE and not (first and behaviour == "tok_timeout_before")
            if arrived and _find(books, key) is None:
                _decide(books, key, *asked, description)
            row = _find(books, key)
        if not arrived or (first and behaviour == "tok_timeout_after"):
            raise NoAnswer("the sandbox gateway did not answer")
        if row is None or (row["amount"], row["currency"], row["token"]) != asked:
            raise GatewayRefused(f"key {key} was used for another charge")
        return _answer(row)

    def lookup(self, key: str) -> Charged | Declined | Unseen:
        """Return what became of ``key``."""
        with self._books() as books:
            row = _find(books, key)
            calls = books.execute("select token from call where key = ? limit 1", [key]).fetchone()
        if calls is not None and _behaviour(calls["token"]) == UNREACHABLE:
            raise NoAnswer("the sandbox gateway did not answer")
        return Unseen() if row is None else _answer(row)

    def find(self, charge_id: str) -> Charged | Unseen:
        """Return one charge by its id."""
        with self._books() as books:
            row = books.execute("select * from answer where charge_id = ?", [charge_id]).fetchone()
        if charge_id.startswith(UNREACHABLE_CHARGE):
            raise NoAnswer("the sandbox gateway did not answer")
        return Unseen() if row is None else _charged(row)

    def refund(self, *, key: str, charge_id: str, amount: Decimal, currency: str) -> Refunded | Declined:
        """Give back once per key, no more than was captured; of a ``tok_timeout_after`` the first answer is lost."""
        with self._books() as books:
            charge = books.execute("select * from answer where charge_id = ?", [charge_id]).fetchone()
            if charge is None or charge["currency"] != currency:
                raise GatewayRefused(f"there is no charge {charge_id} in {currency}")
            row = books.execute("select * from refund where key = ?", [key]).fetchone()
            if row is None:
                given = books.execute("select amount from refund where charge_id = ?", [charge_id]).fetchall()
                if sum((Decimal(one["amount"]) for one in given), amount) > _charged(charge).amount:
                    return Declined("charge_already_refunded")
                row = {"refund_id": f"re_{uuid.uuid4().hex}", "charge_id": charge_id, "amount": money.plain(amount)}
                books.execute("insert into refund values (?, ?, ?, ?, ?)", [key, *row.values(), currency])
                first = True
            else:
                first = False
        if (row["charge_id"], row["amount"]) != (charge_id, money.plain(amount)):
            raise GatewayRefused(f"key {key} was used for another refund")
        if first and _behaviour(charge["token"]) == "tok_timeout_after":
            raise NoAnswer("the sandbox gateway did not answer")
        return Refunded(row["refund_id"])

    def refunds(self) -> list[tuple[str, Decimal]]:
        """Return the journal of refunds in order, by key: what the ledger must agree with."""
        with self._books() as books:
            rows = books.execute("select key, amount from refund order by rowid").fetchall()
        return [(row["key"], Decimal(row["amount"])) for row in rows]

    def dispute(self, reference: str) -> Disputed | Unseen:
        """Return one dispute."""
        with self._books() as books:
            row = books.execute("select * from dispute where reference = ?", [reference]).fetchone()
        if row is None:
            return Unseen()
        return Disputed(row["charge_id"], Decimal(row["amount"]), row["currency"], row["reason"])

    def take_back(self, charge_id: str, amount: Decimal | None = None, *, reason: str = "fraudulent") -> str:
        """Play the payer's bank: take a charge, or part of it, back; return the dispute's name."""
        charge, reference = self.find(charge_id), f"dp_{uuid.uuid4().hex}"
        if isinstance(charge, Unseen):
            raise GatewayRefused(f"there is no charge {charge_id}")
        taken = charge.amount if amount is None else amount
        with self._books() as books:
            books.execute(
                "insert into dispute values (?, ?, ?, ?, ?)",
                [reference, charge_id, money.plain(taken), charge.currency, reason],
            )
        return reference

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Event:
        """Check the signature and return the event."""
        signing.check(body, headers.get(signing.HEADER, ""))
        return self.parse_event(body)

    def parse_event(self, body: bytes) -> Event:
        """Return the event that ``body`` is."""
        return signing.parse(body)

    def captures(self) -> list[Capture]:
        """Return the whole journal of captures in order: what the ledger must agree with."""
        with self._books() as books:
            rows = books.execute(
                "select key, charge_id, coalesce(captured, amount) as amount, currency from answer"
                " where charge_id is not null order by rowid"
            ).fetchall()
        return [Capture(row["key"], row["charge_id"], Decimal(row["amount"]), row["currency"]) for row in rows]

    @contextmanager
    def _books(self) -> Iterator[sqlite3.Connection]:
        """Open the journal in one write transaction that is on disk before anybody is answered."""
        try:
            books = journal.connection(self.journal)
            books.execute("begin immediate")
            try:
                yield books
            except BaseException:
                books.rollback()
                raise
            books.commit()
        except (sqlite3.Error, OSError) as error:
            raise NoAnswer(f"the sandbox gateway cannot write its journal {self.journal}: {error}") from error


def from_settings() -> SandboxGateway:
    """Return the sandbox whose journal the settings name."""
    return SandboxGateway(Path(settings.SANDBOX_JOURNAL))


def _behaviour(token: str) -> str:
    return token.partition("/")[0]


def _note_call(books: sqlite3.Connection, key: str, token: str) -> bool:
    """Remember the call, whatever becomes of it; return whether it is the first of its key."""
    first = books.execute("select 1 from call where key = ? limit 1", [key]).fetchone() is None
    books.execute("insert into call (key, token) values (?, ?)", [key, token])
    return first


def _find(books: sqlite3.Connection, key: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = books.execute("select * from answer where key = ?", [key]).fetchone()
    return row


def _decide(books: sqlite3.Connection, key: str, amount: str, currency: str, token: str, description: str) -> None:
    behaviour = _behaviour(token)
    code = DECLINES.get(behaviour)
    if code is None and behaviour not in CAPTURES and behaviour not in CAPTURES_OTHER:
        code = "unknown_token"
    if behaviour == "tok_declines_once":
        seen = books.execute("select 1 from answer where token = ? limit 1", [token]).fetchone()
        code = None if seen else "insufficient_funds"
    books.execute(
        "insert into answer (key, token, amount, currency, description, charge_id, decline_code, captured)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        [key, token, amount, currency, description, None if code else f"ch_{uuid.uuid4().hex}", code,
         _other_amount(behaviour, amount, currency)],
    )  # fmt: skip


def _other_amount(behaviour: str, amount: str, currency: str) -> str | None:
    """Return what is captured when that is not what was asked for."""
    factor = CAPTURES_OTHER.get(behaviour)
    return money.plain(money.round_to_minor_unit(Decimal(amount) * factor, currency)) if factor else None


def _answer(row: sqlite3.Row) -> Charged | Declined:
    if row["decline_code"]:
        return Declined(row["decline_code"])
    return _charged(row)


def _charged(row: sqlite3.Row) -> Charged:
    return Charged(row["charge_id"], Decimal(row["captured"] or row["amount"]), row["currency"])
