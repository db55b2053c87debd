"""An account's contracts on its page: nothing yet, a look at the money, agreeing, and ending."""

import pytest
from django.test import Client

from accounts.models import Account
from billing.models import Contract
from core.periods import Month
from tests import factories
from tests.factories import OCTOBER, account, ran, use

pytestmark = pytest.mark.django_db
NEW = "/accounts/acme/contracts/new/"
EMPTY = {
    f"{rows}-{name}": value
    for rows, count in (("discounts", "2"), ("allowances", "2"), ("prices", "3"))
    for name, value in (("TOTAL_FORMS", count), ("INITIAL_FORMS", "0"))
} | {"allowances-0-per": "account", "allowances-1-per": "account"}
SAID = EMPTY | {
    "name": "Launch partner",
    "valid_from": "2027-01",
    "minimum_spend": "20",
    "reason": "Signed on paper.",
    "discounts-0-name": "Partner",
    "discounts-0-percent": "10",
    "allowances-0-name": "Included hours",
    "allowances-0-products": "standard-2x",
    "allowances-0-quantity": "372",
    "prices-0-product": "basic",
    "prices-0-unit_amount": "5",
}


@pytest.fixture
def acme() -> Account:
    made = account("acme")
    use(ran("w", "standard-2x", OCTOBER.start, OCTOBER.end, "acme", "shop"))
    use(ran("b", "basic", OCTOBER.start, OCTOBER.end, "acme", "blog"))
    return made


@pytest.fixture
def ada(client: Client) -> Client:
    client.force_login(factories.staff()["ada"])
    return client


def test_says_that_there_is_none(acme: Account, ada: Client) -> None:
    assert "pays the price list" in ada.get("/accounts/acme/contracts/").content.decode()


def test_shows_the_money_before_anything_is_agreed(acme: Account, ada: Client) -> None:
    page = ada.post(NEW, SAID | {"look": ""}).content.decode()
    assert "57.00 USD" in page, "50 and 7 by the list"
    assert "27.00 USD" in page, "half of 50, and 5, less 10 %"
    assert "Agree on this contract" in page
    assert not Contract.objects.exists()


def test_agrees_and_says_so_in_words(acme: Account, ada: Client) -> None:
    assert ada.post(NEW, SAID | {"agree": ""}).status_code == 302
    contract = Contract.objects.get()
    assert contract.terms == {
        "allowances": [{"name": "Included hours", "products": ["standard-2x"], "quantity": "372", "per": "account"}],
        "discounts": [{"name": "Partner", "rate": "0.1"}],
        "minimum_spend": "20",
    }
    assert (contract.prices.get().terms, contract.created_by) == (
        {"model": "prorated", "unit_amount": "5"},
        factories.ADA,
    )
    page = ada.get("/accounts/acme/contracts/").content.decode()
    for said in (
        "Basic for 5.00 USD a month",
        "Partner: 10 % off everything",
        "372 a month free for all apps together",
    ):
        assert said in page
    assert (
        ada.post(f"/accounts/acme/contracts/{contract.pk}/end/", {"valid_to": "2027-06", "reason": "Over."}).status_code
        == 302
    )
    contract.refresh_from_db()
    assert contract.valid_to == Month(2027, 6).first_day


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"valid_from": "soon"}, "Write a month as YYYY-MM"),
        ({"discounts-0-amount": "3"}, "either a percentage or an amount"),
        ({"allowances-0-quantity": ""}, "Say how much is free"),
        ({"overage_percent": "5"}, "Say the commitment"),
        ({"maximum_spend": "3"}, "must not be below"),
        ({"minimum_spend": "0.001"}, "whole number of coins"),
        ({"reason": ""}, "This field is required"),
    ],
)
def test_bad_input_is_marked_and_loses_nothing(acme: Account, ada: Client, more: dict[str, str], sentence: str) -> None:
    page = ada.post(NEW, SAID | more | {"agree": ""}).content.decode()
    assert sentence in page
    assert "Included hours" in page
    assert not Contract.objects.exists()


def test_another_accounts_contract_is_not_found(acme: Account, ada: Client) -> None:
    account("other")
    ada.post(NEW, SAID | {"agree": ""})
    wrong = f"/accounts/other/contracts/{Contract.objects.get().pk}/end/"
    assert ada.post(wrong, {"valid_to": "2027-06", "reason": "Over."}).status_code == 404
