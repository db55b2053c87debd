"""The pages in a real browser, at a desk and on a phone: they work, fit, and nothing complains."""

from typing import Any

import pytest
from playwright.sync_api import Page

from core.audit import acting
from tests.browser import SignIn, scrolls_sideways
from tests.vault.conftest import PASSWORD, Customer, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.slow]
Pair = tuple[Customer, Customer]
STAFF_PAGES = (
    "/",
    "/accounts/",
    "/accounts/acme/",
    "/accounts/acme/usage/",
    "/accounts/acme/invoices/",
    "/accounts/acme/payments/",
    "/accounts/acme/credits/",
    "/accounts/acme/cases/",
    "/accounts/acme/members/",
    "/accounts/acme/keys/",
    "/accounts/acme/history/",
    "/accounts/acme/edit/",
    "/accounts/new/",
    "/audit/",
    "/password/",
)
PORTAL_PAGES = (
    "/portal/",
    "/portal/usage/",
    "/portal/invoices/",
    "/portal/statement/",
    "/portal/members/",
    "/portal/keys/",
)


def visit(page: Page, addresses: tuple[str, ...]) -> None:
    for address in addresses:
        answer = page.goto(address)
        page.wait_for_load_state("networkidle")
        assert answer is not None and answer.ok, address
        assert scrolls_sideways(page) == 0, address


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_staff_pages_fit_and_nothing_complains(
    customers: Pair, sign_in: SignIn, request: pytest.FixtureRequest, width: str
) -> None:
    page: Page = request.getfixturevalue(width)
    sign_in(page, person("fay@platform.example", "finance"))
    visit(page, STAFF_PAGES)


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_portal_pages_fit_and_nothing_complains(
    customers: Pair, sign_in: SignIn, request: pytest.FixtureRequest, width: str
) -> None:
    page: Page = request.getfixturevalue(width)
    mine = customers[0]
    sign_in(page, mine.owner)
    visit(page, (*PORTAL_PAGES, f"/portal/invoices/{mine.invoice.number}/"))


def test_a_day_at_the_desk(customers: Pair, desk: Page) -> None:
    """Sign in, find the account by its search, see its month, give a credit, look at the trail, sign out."""
    person("fay@platform.example", "finance")
    desk.goto("/accounts/acme/")
    desk.get_by_label("E-mail").fill("fay@platform.example")
    desk.get_by_label("Password").fill(PASSWORD)
    desk.get_by_role("button", name="Sign in").click()
    desk.wait_for_url("**/accounts/acme/")
    desk.keyboard.press("Control+k")
    desk.keyboard.type("globex")
    desk.keyboard.press("Enter")
    desk.get_by_role("link", name="Name-canaryglobex").click()
    desk.get_by_text("At this pace, the whole month").wait_for()  # fetched beside the page
    desk.get_by_role("link", name="Credits", exact=True).last.click()
    desk.get_by_label("Amount in USD").fill("12.50")
    desk.get_by_label("Reason").fill("the incident of Monday")
    desk.get_by_role("button", name="Give credit").click()
    desk.get_by_text("12.50 USD are credited").wait_for()
    desk.get_by_role("link", name="History").click()
    desk.get_by_text("the incident of Monday").first.wait_for()
    desk.get_by_role("button", name="Sign out").click()
    desk.wait_for_url("**/sign-in/")


def test_a_customer_makes_a_key_that_is_shown_once(customers: Pair, phone: Page, sign_in: SignIn) -> None:
    sign_in(phone, customers[0].owner)
    phone.goto("/portal/keys/")
    phone.get_by_label("Name").fill("ERP")
    phone.get_by_role("button", name="Make key").click()
    assert phone.locator("code.secret").inner_text().startswith("vk_")
    phone.goto("/portal/keys/")
    assert phone.locator("code.secret").count() == 0
    phone.get_by_role("button", name="Revoke").click()
    phone.get_by_text("is revoked: whatever uses it").wait_for()


def test_reference_data_keeps_the_content_security_policy(customers: Pair, desk: Page, sign_in: Any) -> None:
    root = person("root@platform.example", "operator")
    with acting("system:test"):
        root.is_staff = root.is_superuser = True
        root.save(update_fields=["is_staff", "is_superuser"])
    sign_in(desk, root)
    for address in ("/admin/", "/admin/billing/product/", "/admin/billing/taxrate/add/", "/admin/accounts/user/"):
        answer = desk.goto(address)
        assert answer is not None and answer.ok, address
