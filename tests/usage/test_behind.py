"""The pieces behind an amount: they add up to it, page by page, and each names the events that say so."""

import random
from collections import defaultdict
from decimal import Decimal

import pytest

from core.periods import Month, Span
from tests.usage.factories import amended, closed, gauge, hour, measured, opened, settled, source
from tests.usage.test_metering import ACCOUNTS, happenings
from usage import behind, cutoff, metering, ownerships
from usage.behind import Piece
from usage.models import Source
from usage.stretches import Kind

pytestmark = pytest.mark.django_db
OCTOBER = Month(2026, 10).span
DISK = Kind("shop", "storage", "storage", "")


@pytest.fixture
def dynos(db: None) -> Source:
    return source("dynos")


def of(account: str, kind: Kind, span: Span = OCTOBER) -> list[Piece]:
    return list(behind.every_piece(account, kind, span, cutoff=cutoff.freeze()))


class TestPieces:
    def test_of_a_switch_name_its_open_and_its_close(self, dynos: Source) -> None:
        settled(dynos, [opened(-2, account="acme", app="shop"), closed(3)])
        (piece,) = of("acme", Kind("shop", "standard-1x", "duration", ""))
        assert (piece.start, piece.until, piece.amount) == (hour(0), hour(3), 3 * 3600)
        assert piece.begins == ("dynos", "open-r1-standard-1x--2", hour(-2))
        assert piece.ends == ("dynos", "close-r1-standard-1x-3", hour(3))

    def test_of_a_gauge_name_each_level_and_what_changed_it(self, dynos: Source) -> None:
        settled(dynos, [gauge(0, "1.5", account="acme", app="shop"), gauge(2, "1.5"), gauge(4, 2)])
        first, second = of("acme", DISK, Span(hour(1), hour(6)))
        assert (first.level, first.amount, second.amount) == (Decimal("1.5"), 3 * 3600 * Decimal("1.5"), 2 * 7200)
        assert first.ends == second.begins == ("dynos", "gauge-r1-storage-4", hour(4))
        assert second.ends is None and second.until == hour(6)

    def test_of_what_was_measured_are_its_events(self, dynos: Source) -> None:
        settled(dynos, [measured(1, "0.5", account="acme", app="shop"), measured(2, 3)])
        found = of("acme", Kind("shop", "requests", "requests", ""))
        assert [(piece.begins.event_id, piece.amount) for piece in found] == [
            ("measured-r1-requests-1", Decimal("0.5")),
            ("measured-r1-requests-2", Decimal(3)),
        ], "the second names no app, and is of the owner's"

    def test_are_those_that_count(self, dynos: Source) -> None:
        settled(dynos, [opened(0, account="acme", app="shop"), closed(9)])
        before = cutoff.freeze()
        amended(dynos, 8, 10, [closed(8, id="mended")])
        kind = Kind("shop", "standard-1x", "duration", "")
        assert [piece.ends.event_id for piece in of("acme", kind) if piece.ends] == ["mended"]
        (old,) = behind.pieces("acme", kind, OCTOBER, cutoff=before)
        assert old.amount == 9 * 3600


@pytest.mark.parametrize("seed", range(8))
def test_add_up_to_what_is_metered_however_they_are_paged(dynos: Source, seed: int) -> None:
    chance = random.Random(seed)
    events, stated = happenings(chance)
    settled(dynos, events)
    for said in stated:
        ownerships.state(said, by="test")
    at, span = cutoff.freeze(), Span(hour(-1), hour(3))
    for account in ACCOUNTS:
        wanted = {
            Kind(row.app, row.product, row.meter, row.component): row.seconds_or_quantity
            for row in metering.account_usage([account], [span], cutoff=at)
        }
        found: dict[Kind, Decimal] = defaultdict(Decimal)
        for kind in wanted:
            after, most = behind.FIRST, chance.randint(1, 4)
            while page := behind.pieces(account, kind, span, cutoff=at, after=after, most=most):
                assert len(page) <= most and all(piece.place > after for piece in page)
                found[kind] += sum(piece.amount for piece in page)
                after = page[-1].place
        assert dict(found) == wanted
