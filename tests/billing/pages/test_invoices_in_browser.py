"""Invoices in a browser: found, filtered in place, opened to the last step, and taken back; on desk and phone."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from billing.models import CreditNote, Invoice
from tests import factories
from tests.browser import SignIn, scrolls_sideways

pytestmark = [pytest.mark.browser, pytest.mark.slow]
BEGIN = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def issued(people: dict[str, User]) -> Invoice:
    """October of two accounts, one with long names; returns the first one's invoice."""
    factories.account("acme", name="Acme Robotics", region="DC")
    factories.account("long", name="Prestige Worldwide " * 9)
    factories.use(
        [
            *factories.ran("a1", "standard-2x", BEGIN, None, "acme", component="web"),
            *factories.ran("l1", "standard-1x", BEGIN, None, "long", app="x" * 150),
        ]
    )
    factories.issue(factories.build())
    return Invoice.objects.get(account__code="acme")


def test_from_the_list_to_the_last_step(desk: Page, issued: Invoice, people: dict[str, User], sign_in: SignIn) -> None:
    sign_in(desk, people["ada"])
    desk.goto("/invoices/")
    desk.get_by_label("Account or number").fill("acme")
    expect(desk.get_by_role("link", name="Acme Robotics")).to_be_visible()
    expect(desk.get_by_text("Prestige")).to_have_count(0)
    expect(desk.locator(".stats")).to_contain_text("53.00 USD")
    assert "q=acme" in desk.url
    desk.get_by_role("link", name=str(issued.number)).click()
    desk.locator("summary", has_text="web · Standard-2X").click()
    expect(desk.locator(".explanation")).to_contain_text("2678400 of 2678400 seconds of 2026-10")
    expect(desk.locator(".explanation")).to_contain_text("50.00 USD is 50 rounded once, half up.")


def test_takes_back_and_shows_the_credit_note(
    desk: Page, issued: Invoice, people: dict[str, User], sign_in: SignIn
) -> None:
    sign_in(desk, people["ada"])
    desk.goto(f"/invoices/{issued.number}/take-back/")
    desk.get_by_label("shop · web · Standard-2X").fill("60")
    desk.get_by_label("Reason").fill("Outage on 3 October")
    desk.get_by_role("button", name="Take back").click()
    expect(desk.get_by_role("alert")).to_contain_text("Nothing was taken back")
    desk.get_by_label("shop · web · Standard-2X").fill("10")
    desk.get_by_role("button", name="Take back").click()
    expect(desk.locator("#messages")).to_contain_text("over 10.60 USD was issued")
    assert CreditNote.objects.count() == 1


@pytest.mark.parametrize("path", ["/invoices/", "/invoices/{number}/", "/invoices/{number}/take-back/", "/mail/"])
def test_fits_on_a_phone(phone: Page, issued: Invoice, people: dict[str, User], sign_in: SignIn, path: str) -> None:
    sign_in(phone, people["ada"])
    for invoice in Invoice.objects.all():
        phone.goto(path.format(number=invoice.number))
        assert scrolls_sideways(phone) == 0


def test_the_preview_is_paper_on_a_screen(
    desk: Page, phone: Page, issued: Invoice, people: dict[str, User], sign_in: SignIn
) -> None:
    for page in (desk, phone):
        sign_in(page, people["ada"])
        page.goto(f"/invoices/{issued.number}/preview/")
        expect(page.get_by_role("heading", name="Invoice", exact=True)).to_be_visible()
        assert scrolls_sideways(page) == 0
