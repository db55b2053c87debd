"""Who owns what: statements, whole apps, and hand-overs that never touch usage."""

from collections.abc import Callable
from itertools import permutations

import pytest

from core.errors import Invalid, NotFound
from tests.usage.factories import hour, measured, opened, settled, source
from usage import ownerships
from usage.models import Interval, Ownership, Source
from usage.ownership_rules import Claim, Mention, derived, gaps
from usage.ownerships import AlreadyOwned, ReferenceUsed, Statement


def claim(reference: str, start: float, end: float | None = None, account: str = "acme", app: str = "") -> Claim:
    return Claim(reference, account, app, hour(start), None if end is None else hour(end))


def mention(at: float, account: str = "", app: str = "") -> Mention:
    return Mention(hour(at), account, app)


class TestDerived:
    def test_the_earliest_mention_owns_from_then_on(self) -> None:
        found = derived("r", [], [], [mention(5, "bob"), mention(2, "acme")])
        assert found == [claim("open:r", 2)]

    def test_a_statement_wins_and_ends_what_was_only_mentioned(self) -> None:
        found = derived("r", [claim("x", 4, 6, "eve")], [], [mention(2, "acme")])
        assert found == [claim("open:r", 2, 4)]

    def test_after_a_statement_only_a_new_mention_owns(self) -> None:
        found = derived("r", [claim("x", 4, 6, "eve")], [], [mention(2, "acme"), mention(8, "bob")])
        assert found == [claim("open:r", 2, 4), claim("open:r#2", 8, account="bob")]

    def test_the_owner_of_an_app_owns_from_its_first_event_in_it(self) -> None:
        rules = [
            claim("a", 0, 5, "acme", "shop"),
            claim("b", 5, None, "bob", "shop"),
            claim("c", 0, None, "eve", "blog"),
        ]
        found = derived("r", [], rules, [mention(2, "zoe", "shop")])
        assert found == [claim("app:a", 2, 5, "acme", "shop"), claim("app:b", 5, None, "bob", "shop")]

    def test_a_statement_about_the_resource_interrupts_its_app_s(self) -> None:
        found = derived("r", [claim("x", 4, 6, "eve")], [claim("a", 0, None, "acme", "shop")], [mention(2, "", "shop")])
        assert found == [claim("app:a", 2, 4, "acme", "shop"), claim("app:a#2", 6, None, "acme", "shop")]

    def test_gaps_and_claims_make_up_all_time(self) -> None:
        spans = list(gaps([claim("x", 4, 6), claim("y", 6, 9)]))
        assert [span[0] == hour(9) or span[1] == hour(4) for span in spans] == [True, True]
        assert list(gaps([claim("x", 4)]))[-1][1] == hour(4)


def owned(**about: str) -> list[tuple[object, ...]]:
    rows = Ownership.objects.filter(superseded_at=None, **about).exclude(resource="")
    return list(rows.order_by("resource", "start").values_list("resource", "account", "start", "end"))


@pytest.fixture
def dynos(db: None) -> Source:
    return source("dynos")


@pytest.mark.django_db
class TestStatements:
    def test_are_recorded_once(self) -> None:
        said = Statement("own-1", "acme", "r1", "shop", hour(0))
        assert ownerships.state(said, by="source:dynos") is True
        assert ownerships.state(said, by="source:dynos") is False
        assert owned() == [("r1", "acme", hour(0), None)]

    def test_an_id_says_one_thing_for_ever(self) -> None:
        ownerships.state(Statement("own-1", "acme", "r1", "", hour(0)), by="x")
        with pytest.raises(ReferenceUsed, match="own-1"):
            ownerships.state(Statement("own-1", "bob", "r1", "", hour(0)), by="x")
        ownerships.transfer(resource="r1", giver="acme", taker="bob", at=hour(5), by="x")
        assert ownerships.state(Statement("own-1", "acme", "r1", "", hour(0)), by="x") is False

    def test_that_overlap_say_who_owns_it(self) -> None:
        ownerships.state(Statement("own-1", "acme", "r1", "", hour(0), hour(24)), by="x")
        with pytest.raises(AlreadyOwned, match="owned by acme from 1 Oct 2026 00:00 UTC until 2 Oct 2026 00:00 UTC"):
            ownerships.state(Statement("own-2", "bob", "r1", "", hour(23)), by="x")
        assert ownerships.state(Statement("own-3", "bob", "r1", "", hour(24)), by="x")

    def test_replace_what_an_open_mentioned(self, dynos: Source) -> None:
        settled(dynos, [opened(0, account="acme", app="shop")])
        ownerships.state(Statement("own-1", "bob", "r1", "", hour(5), hour(9)), by="x")
        assert owned() == [("r1", "acme", hour(0), hour(5)), ("r1", "bob", hour(5), hour(9))]

    @pytest.mark.parametrize("order", list(permutations(range(3))))
    def test_and_what_was_measured_own_the_same_in_any_order(self, dynos: Source, order: tuple[int, ...]) -> None:
        said = Statement("own-1", "eve", "r1", "", hour(2), hour(5))
        steps: list[Callable[[], object]] = [
            lambda: settled(dynos, [measured(3, 1, account="acme")]),
            lambda: settled(dynos, [measured(8, 1, account="acme"), measured(9, 1, account="bob")]),
            lambda: ownerships.state(said, by="x"),
        ]
        for step in order:
            steps[step]()
        assert owned() == [("r1", "eve", hour(2), hour(5)), ("r1", "acme", hour(8), None)]

    @pytest.mark.parametrize(
        ("said", "field"),
        [
            (Statement("", "a", "r", "", hour(0)), "id"),
            (Statement("open:r", "a", "r", "", hour(0)), "id"),
            (Statement("x" * 201, "a", "r", "", hour(0)), "id"),
            (Statement("x", "", "r", "", hour(0)), "account"),
            (Statement("x", "a", "", "", hour(0)), "resource"),
            (Statement("x", "a", "r", "", hour(0), hour(0)), "end"),
        ],
    )
    def test_that_make_no_sense_name_the_field(self, said: Statement, field: str) -> None:
        with pytest.raises(Invalid) as refused:
            ownerships.state(said, by="x")
        assert refused.value.field == field


@pytest.mark.django_db
class TestWholeApps:
    def test_are_owned_with_what_is_there_and_what_comes(self, dynos: Source) -> None:
        settled(dynos, [opened(0, "r1", app="shop")])
        ownerships.state(Statement("shop", "acme", "", "shop", hour(-5)), by="x")
        settled(dynos, [opened(3, "r2", app="shop"), opened(4, "r3", app="blog")])
        assert owned() == [("r1", "acme", hour(0), None), ("r2", "acme", hour(3), None)]

    def test_are_handed_over_with_what_comes(self, dynos: Source) -> None:
        settled(dynos, [opened(0, "r1", app="shop")])
        ownerships.state(Statement("shop", "acme", "", "shop", hour(-5)), by="x")
        ownerships.transfer(app="shop", giver="acme", taker="bob", at=hour(10), by="x")
        settled(dynos, [opened(8, "r2", app="shop"), opened(12, "r3", app="shop")])
        assert owned() == [
            ("r1", "acme", hour(0), hour(10)), ("r1", "bob", hour(10), None),
            ("r2", "acme", hour(8), hour(10)), ("r2", "bob", hour(10), None), ("r3", "bob", hour(12), None),
        ]  # fmt: skip


@pytest.mark.django_db
class TestTransfers:
    def test_move_an_app_and_never_touch_usage(self, dynos: Source) -> None:
        settled(dynos, [opened(0, "r1", account="acme", app="shop"), opened(0, "r2", account="acme", app="shop")])
        before = list(Interval.objects.order_by("id").values())
        reference, moved = ownerships.transfer(app="shop", giver="acme", taker="bob", at=hour(5), by="x")
        assert moved == 2
        assert owned() == [
            ("r1", "acme", hour(0), hour(5)), ("r1", "bob", hour(5), None),
            ("r2", "acme", hour(0), hour(5)), ("r2", "bob", hour(5), None),
        ]  # fmt: skip
        assert list(Interval.objects.order_by("id").values()) == before
        assert ownerships.transfer(app="shop", giver="acme", taker="bob", at=hour(5), by="x") == (reference, 2)
        assert len(owned()) == 4

    def test_leave_what_somebody_else_owns(self, dynos: Source) -> None:
        settled(dynos, [opened(0, "r1", account="acme", app="shop"), opened(0, "r2", account="eve", app="shop")])
        ownerships.transfer(app="shop", giver="acme", taker="bob", at=hour(5), by="x")
        assert owned(resource="r2") == [("r2", "eve", hour(0), None)]

    def test_there_and_back_again(self, dynos: Source) -> None:
        settled(dynos, [opened(0, account="acme", app="shop")])
        ownerships.transfer(app="shop", giver="acme", taker="bob", at=hour(5), by="x")
        ownerships.transfer(app="shop", giver="bob", taker="acme", at=hour(7), by="x")
        assert [row[1:] for row in owned()] == [
            ("acme", hour(0), hour(5)), ("bob", hour(5), hour(7)), ("acme", hour(7), None),
        ]  # fmt: skip

    def test_of_nothing_are_refused(self, dynos: Source) -> None:
        settled(dynos, [opened(0, account="acme", app="shop")])
        with pytest.raises(NotFound, match="eve owns nothing of shop"):
            ownerships.transfer(app="shop", giver="eve", taker="bob", at=hour(5), by="x")

    @pytest.mark.parametrize(
        ("app", "resource", "taker"), [("", "", "bob"), ("shop", "r1", "bob"), ("shop", "", "acme")]
    )
    def test_name_one_thing_and_two_accounts(self, app: str, resource: str, taker: str) -> None:
        with pytest.raises(Invalid):
            ownerships.transfer(app=app, resource=resource, giver="acme", taker=taker, at=hour(5), by="x")

    def test_as_known_before_stays_readable(self, dynos: Source) -> None:
        settled(dynos, [opened(0, account="acme", app="shop")])
        ownerships.transfer(app="shop", giver="acme", taker="bob", at=hour(5), by="source:dynos")
        first = Ownership.objects.order_by("id")[0]
        assert first.superseded_at is not None
        assert Ownership.objects.get(account="bob").recorded_by == "source:dynos"


@pytest.mark.django_db
@pytest.mark.parametrize("stated_first", [True, False])
def test_the_owner_of_an_app_owns_what_is_only_measured_of_it(stated_first: bool) -> None:
    """Routers count the requests of an app and know no account."""
    routers = source("routers")
    events = [measured(at, 1, f"router-{number}", app="shop") for number in (1, 2) for at in (2, 5)]
    said = Statement("x", "acme", "", "shop", hour(4))
    if stated_first:
        ownerships.state(said, by="test")
        settled(routers, events[:2])
    settled(routers, [*events, measured(3, 1, "router-3", app="blog")])
    if not stated_first:
        ownerships.state(said, by="test")
    believed = Ownership.objects.filter(superseded_at=None).exclude(resource="")
    assert list(believed.order_by("resource").values_list("resource", "account", "start", "end")) == [
        ("router-1", "acme", hour(4), None),
        ("router-2", "acme", hour(4), None),
    ]
