"""The pages of collections in a real browser, at a desk and on a phone: nothing complains, nothing scrolls sideways."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page

from collections_.models import Case, Payment
from tests.browser import SignIn, scrolls_sideways
from tests.collections_.conftest import person
from tests.collections_.factories import TODAY

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def walk(page: Page, case: Case) -> None:
    addresses = ["/collections/", "/collections/aging/", f"/collections/cases/{case.pk}/", "/payments/"]
    addresses += [f"/collections/cases/{case.pk}/hold/", "/payments/charges/", "/payments/record/acme/"]
    for address in addresses:
        page.goto(address)
        assert scrolls_sideways(page) == 0, address
        assert page.locator("h1").count() == 1, address


def test_every_page_fits_a_phone(phone: Page, sign_in: SignIn, case: Case) -> None:
    sign_in(phone, person("collections"))
    walk(phone, case)


def test_an_agent_works_a_case_to_its_end(desk: Page, sign_in: SignIn, case: Case) -> None:
    sign_in(desk, person("collections"))
    walk(desk, case)
    desk.goto("/collections/")
    desk.get_by_label("Search").fill("nobody of that name")
    desk.get_by_text("0 cases").wait_for()
    desk.get_by_label("Search").fill("acme")
    desk.get_by_role("link", name="Acme").click()
    desk.get_by_label("Note").fill("Will pay by transfer on Friday")
    desk.get_by_role("button", name="Add the note").click()
    desk.get_by_text("Will pay by transfer on Friday").wait_for()
    desk.get_by_role("link", name="Record a promise").click()
    desk.get_by_label("Amount promised").fill("75.85")
    desk.get_by_label("Promised for").fill((TODAY + timedelta(days=3)).isoformat())
    desk.get_by_role("button", name="Record the promise").click()
    desk.get_by_role("link", name="Record a payment").click()
    desk.get_by_label("Amount").fill("75.85")
    desk.get_by_label("Reference").fill("SEPA 77")
    desk.get_by_role("button", name="See what it settles").click()
    desk.get_by_role("button", name="Book the payment").click()
    desk.get_by_text("75.85 USD is booked").wait_for()
    assert Payment.objects.get().applied == Payment.objects.get().amount
    desk.goto(f"/collections/cases/{case.pk}/")
    desk.get_by_text("Nothing is past due any more").wait_for()
    desk.get_by_text("Promise of 75.85 USD kept").wait_for()
