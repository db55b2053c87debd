"""What stands between usage and a bill: usage of nobody, usage of strangers, contradictions."""

from decimal import Decimal

import pytest
from django.db import DatabaseError

from accounts.models import Account
from core.audit import acting
from core.periods import Month, Span
from tests.usage.factories import closed, gauge, hour, measured, opened, settled, source
from usage import completeness, cutoff, ownerships, store
from usage.models import PastProblem, Source
from usage.ownerships import Statement

pytestmark = pytest.mark.django_db
OCTOBER = Month(2026, 10).span


@pytest.fixture
def dynos(db: None) -> Source:
    return source("dynos")


class TestUnowned:
    def test_is_what_no_owner_covers(self, dynos: Source) -> None:
        settled(dynos, [opened(0, "r1", app="shop"), closed(10, "r1"), opened(0, "r2", account="acme")])
        (found,) = completeness.unowned(OCTOBER, cutoff=cutoff.freeze())
        assert found == ("r1", "standard-1x", "shop", Decimal(36_000), Decimal(0), ())

    def test_is_a_gap_between_owners_and_names_them(self, dynos: Source) -> None:
        settled(dynos, [opened(0, "r1"), closed(10, "r1")])
        ownerships.state(Statement("a", "acme", "r1", "", hour(0), hour(2)), by="x")
        ownerships.state(Statement("b", "bob", "r1", "", hour(5), hour(9)), by="x")
        (found,) = completeness.unowned(OCTOBER, cutoff=cutoff.freeze())
        assert (found.seconds, found.accounts) == (Decimal(4 * 3600), ("acme", "bob"))

    def test_counts_measured_quantities(self, dynos: Source) -> None:
        settled(dynos, [measured(1, "0.5"), measured(2, "0.25")])
        (found,) = completeness.unowned(OCTOBER, cutoff=cutoff.freeze())
        assert (found.seconds, found.quantity) == (Decimal(0), Decimal("0.75"))

    def test_lies_in_the_span(self, dynos: Source) -> None:
        settled(dynos, [opened(-5, "r1"), closed(-1, "r1"), opened(5, "r2")])
        assert completeness.unowned(Span(hour(0), hour(5)), cutoff=cutoff.freeze()) == []


class TestContradictions:
    def test_name_the_accounts_they_touch(self, dynos: Source) -> None:
        settled(dynos, [opened(0, account="acme"), opened(5, product="large")])
        (found,) = completeness.problems(OCTOBER, cutoff=cutoff.freeze())
        assert (found.product, found.kind, found.accounts) == ("large", "overlap", ("acme",))

    def test_are_as_known_at_the_cut_off_whatever_explained_them_since(self, dynos: Source) -> None:
        before = cutoff.freeze()
        settled(dynos, [opened(0, account="acme"), opened(5, product="large")])
        between = cutoff.freeze()
        settled(dynos, [closed(5)])
        assert completeness.problems(OCTOBER, cutoff=cutoff.freeze()) == [], "the close came and explains it"
        assert [found.product for found in completeness.problems(OCTOBER, cutoff=between)] == ["large"]
        assert completeness.problems(OCTOBER, cutoff=before) == []

    def test_of_the_past_are_never_edited(self, dynos: Source) -> None:
        settled(dynos, [opened(0, account="acme"), opened(5, product="large")])
        settled(dynos, [closed(5)])
        kept = PastProblem.objects.get()
        assert (kept.kind, kept.product, kept.seen_at <= kept.gone_at) == ("overlap", "large", True)
        for change in ("delete from usage_pastproblem", "update usage_pastproblem set product = 'x'"):
            with pytest.raises(DatabaseError, match="keeps what was said"), store.writing() as cursor:
                cursor.execute(change.encode())

    def test_of_levels_count_in_the_span_they_lie_in(self, dynos: Source) -> None:
        settled(dynos, [gauge(0, 5, account="acme"), gauge(10, 7, product="other")])
        found = completeness.problems(Span(hour(10), hour(20)), cutoff=cutoff.freeze())
        assert [(one.product, one.kind, one.accounts) for one in found] == [("other", "overlap", ("acme",))]
        assert completeness.problems(Span(hour(0), hour(10)), cutoff=cutoff.freeze()) == []
        settled(dynos, [opened(30, product="storage", meter="storage")])
        (mixed,) = completeness.problems(Span(hour(25), hour(40)), cutoff=cutoff.freeze())
        assert (mixed.product, mixed.kind, mixed.at) == ("storage", "mixed", hour(30))

    def test_that_are_no_overlap_block_nothing(self, dynos: Source) -> None:
        settled(dynos, [closed(5), opened(7, "r2"), closed(7, "r2")])
        assert completeness.problems(OCTOBER, cutoff=cutoff.freeze()) == []


class TestOwners:
    def test_are_those_of_something_used(self, dynos: Source) -> None:
        settled(dynos, [opened(0, "r1", account="acme"), measured(1, 5, "r2", account="bob")])
        settled(dynos, [opened(-9, "r3", account="old"), closed(-1, "r3")])
        assert completeness.owners(OCTOBER, cutoff=cutoff.freeze()) == ["acme", "bob"]

    def test_that_are_no_account_are_strangers(self, dynos: Source) -> None:
        settled(dynos, [opened(0, "r1", account="acme"), opened(0, "r2", account="bob")])
        with acting("user:ada@example.com"):
            Account.objects.create(code="acme", name="Acme")
        assert completeness.strangers(OCTOBER, cutoff=cutoff.freeze()) == ["bob"]
