"""The month from the command line: what it prints, what it refuses, and that it can be repeated."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command

from core.errors import Conflict, NotFound, VaultError
from core.periods import InvalidMonth
from tests import factories
from tests.factories import OCTOBER, account, ran, use

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def platform() -> None:
    factories.staff()
    account("acme", region="DC")
    account("tokyo", currency="JPY")
    account("idle")
    use(ran("w", "standard-2x", OCTOBER.start, OCTOBER.end, "acme"))
    use(ran("t", "basic", OCTOBER.start, OCTOBER.end, "tokyo"))


def said(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


class TestCloseMonth:
    def test_leaves_it_in_review_and_says_what_is_next(self) -> None:
        text = said("close_month", "2026-10")
        assert "3 accounts = 2 drafted + 1 zero" in text
        assert "close_month 2026-10 --approve-as EMAIL" in text

    def test_issues_when_somebody_approves_and_can_be_repeated(self) -> None:
        arguments = (
            "close_month",
            "2026-10",
            "--approve-as",
            "grace@example.com",
            "--issue-date",
            "2026-11-01",
            "--json",
        )
        first, second = json.loads(said(*arguments)), json.loads(said(*arguments))
        assert first == second
        assert (first["state"], first["roster"], sum(first["outcomes"].values())) == ("closed", 3, 3)
        assert first["totals"] == {"JPY": "1050", "USD": "53.00"}

    def test_a_member_of_support_approves_nothing(self) -> None:
        with pytest.raises(VaultError, match="may not do this"):
            said("close_month", "2026-10", "--approve-as", "sam@example.com")

    def test_a_stranger_is_named_before_anything_is_built(self) -> None:
        with pytest.raises(NotFound, match="no user"):
            said("close_month", "2026-10", "--approve-as", "nobody@example.com")

    def test_a_wrong_month_and_one_that_is_not_over(self) -> None:
        with pytest.raises(InvalidMonth):
            said("close_month", "2026-13")
        with pytest.raises(Conflict, match="is not over"):
            said("close_month", "2199-01")

    def test_a_shadow_says_that_it_is_one(self) -> None:
        assert "A shadow is never issued" in said(
            "close_month", "2026-10", "--shadow", "--approve-as", "grace@example.com"
        )

    def test_an_account_that_came_after_the_close_is_added(self) -> None:
        said("close_month", "2026-10", "--approve-as", "grace@example.com")
        account("late")
        use(ran("l", "basic", OCTOBER.start, OCTOBER.end, "late"))
        text = said("close_month", "2026-10", "--approve-as", "grace@example.com")
        assert "4 accounts = 3 issued + 1 zero" in text

    def test_who_waits_is_left_until_somebody_decides(self) -> None:
        use(ran("x", "no-such-plan", OCTOBER.start, OCTOBER.end, "idle"))
        text = said("close_month", "2026-10", "--approve-as", "grace@example.com")
        assert "issued, with accounts left over" in text
        assert "1 held" in text
        text = said("close_month", "2026-10", "--approve-as", "grace@example.com", "--accept-held")
        assert "is closed" in text


class TestInvoices:
    def test_one_row_each_with_exactly_these_columns(self) -> None:
        said("close_month", "2026-10", "--approve-as", "grace@example.com")
        said("close_month", "2026-10", "--shadow")
        rows = json.loads(said("invoices", "2026-10", "--format", "json"))
        assert rows == [
            {"account": "acme", "number": "VAULT-2026-000001", "period": "2026-10", "currency": "USD",
             "subtotal": "50.00", "credits": "0.00", "tax": "3.00", "total": "53.00", "status": "open"},
            {"account": "tokyo", "number": "VAULT-2026-000002", "period": "2026-10", "currency": "JPY",
             "subtotal": "1050", "credits": "0", "tax": "0", "total": "1050", "status": "open"},
        ]  # fmt: skip
        assert list(csv.DictReader(io.StringIO(said("invoices", "2026-10", "--format", "csv")))) == rows

    def test_a_draft_has_no_number(self) -> None:
        said("close_month", "2026-10")
        assert json.loads(said("invoices", "2026-10"))[0]["number"] is None

    def test_a_month_without_any_is_an_empty_list(self) -> None:
        assert json.loads(said("invoices", "2020-01")) == []


class TestRerate:
    def test_nothing_differs_from_what_was_just_billed(self) -> None:
        said("close_month", "2026-10")
        found = json.loads(said("rerate", "2026-10", "--diff", "--json"))
        assert (found["accounts"], found["different"], found["differences"]) == (2, 0, [])
        assert found["totals"]["USD"] == {"now": "50.00", "billed": "50.00"}

    def test_late_usage_is_a_difference_with_its_cause(self) -> None:
        said("close_month", "2026-10")
        use(ran("late", "standard-1x", OCTOBER.start, OCTOBER.start + timedelta(days=31) / 2, "acme"))
        found = json.loads(said("rerate", "2026-10", "--diff", "--json"))
        assert [(one["account"], one["product"], one["amount"], one["cause"]) for one in found["differences"]] == [
            ("acme", "standard-1x", "12.50", "usage")
        ]
        assert "acme  shop  Standard-1X" in said("rerate", "2026-10", "--diff")
