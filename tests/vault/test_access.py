"""Every address against everybody who may knock at it, as the reviewed table of ``tests.vault.access`` says."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from tests.vault import addresses, platform
from tests.vault.access import ACCESS
from tests.vault.conftest import Customer
from tests.vault.platform import Platform

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
Cell = tuple[str, str, str, str]  # name, method, address, who

CHANGING = ("POST", "PUT", "PATCH", "DELETE")
READERS = "Fovab"  # who shall show that reading writes nothing
UNCOUNTED = {"accounts_apikey", "usage_sourcecredential"}  # when a key was last used


@pytest.fixture
def built(customers: tuple[Customer, Customer]) -> Platform:
    return platform.build(customers)


def let_in(answer: Any, address: str) -> bool:
    """Whether the door opened; what happened behind it (a form's mistake, a conflict) is another matter."""
    if answer.status_code == 302:
        return not answer["Location"].startswith("/sign-in/?next=")
    if answer.status_code == 403 and address.startswith("/api/"):
        return answer.headers["Content-Type"] == "application/problem+json" and answer.json()["code"] == "refused"
    return answer.status_code not in (401, 403, 405)


def known_routes() -> list[tuple[str, str]]:
    """Those that the table names; the first test says which it does not."""
    return [(name, template) for name, template in addresses.routes().items() if name in ACCESS]


def declared(built: Platform) -> Iterator[Cell]:
    for name, template in known_routes():
        address = addresses.filled(template, built.names)
        for method in ACCESS[name]:
            # A key opens no page and a session nothing of the API: one of each kind shows it.
            for who in "SFCOAoabsr-" if template.startswith("api/") else "SFCOAovxa-":
                yield name, method, address, who


def undeclared(built: Platform) -> Iterator[Cell]:
    """Methods that no line names, tried by whoever may do most there; HEAD and OPTIONS by a stranger."""
    for name, template in known_routes():
        address = addresses.filled(template, built.names)
        for method in CHANGING:
            if method not in ACCESS[name]:
                yield from ((name, method, address, who) for who in ("Fs" if "usage" in template else "Fo"))
        if "-" not in ACCESS[name].get("GET", ""):
            yield from ((name, method, address, "-") for method in ("HEAD", "OPTIONS"))


def test_every_address_has_its_line_and_every_line_its_address() -> None:
    assert addresses.routes().keys() == ACCESS.keys()


def test_each_door_opens_for_whom_the_table_says(built: Platform) -> None:
    wrong, broken, tried = [], [], 0
    for name, method, address, who in declared(built):
        with transaction.atomic():
            answer = built.knock(who, method, address)
            transaction.set_rollback(True)
        tried += 1
        if let_in(answer, address) != (who in ACCESS[name][method]):
            wrong.append(f"{name} {method} {who}: {answer.status_code}")
        if answer.status_code >= 500:
            broken.append(f"{name} {method} {who}: {answer.status_code}")
    assert (wrong, broken) == ([], []) and tried > 1500


def test_no_other_method_opens_a_door(built: Platform) -> None:
    opened = []
    for name, method, address, who in undeclared(built):
        with transaction.atomic():
            answer = built.knock(who, method, address)
            transaction.set_rollback(True)
        if let_in(answer, address):
            opened.append(f"{name} {method} {who}: {answer.status_code}")
    assert opened == []


def test_nobody_reads_a_word_of_another_account(built: Platform) -> None:
    """Everything in an address is the first customer's; the other one, and every key of theirs, finds nothing."""
    told = []
    for name, template in known_routes():
        address = addresses.filled(template, built.names)
        for method in ACCESS[name]:
            for who in set("xb") & set(ACCESS[name][method]):
                with transaction.atomic():
                    answer = built.knock(who, method, address)
                    transaction.set_rollback(True)
                content = b"".join(answer.streaming_content) if answer.streaming else answer.content
                if built.mine.secret.encode() in content or b"canary-of-acme" in content:
                    told.append(f"{name} {method} {who}")
    assert told == []


def test_reading_writes_nothing(built: Platform) -> None:
    wrote = []
    for name, template in known_routes():
        address = addresses.filled(template, built.names)
        for who in set(READERS) & set(ACCESS[name].get("GET", "")):
            before = written()
            answer = built.knock(who, "GET", address)
            b"".join(answer.streaming_content) if answer.streaming else answer.content
            if after := written() - before:
                wrote.append(f"{name} {who}: {after}")
    assert wrote == []


def written() -> frozenset[tuple[str, int]]:
    """How many rows of each table this transaction has written so far."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select relname, n_tup_ins + n_tup_upd + n_tup_del from pg_stat_xact_user_tables"
            " where n_tup_ins + n_tup_upd + n_tup_del > 0 and not relname = any (%s)",
            [list(UNCOUNTED)],
        )
        return frozenset(cursor.fetchall())
