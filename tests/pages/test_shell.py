"""The shell in a real browser: no complaint under the strict policy, both widths, keyboard, and htmx as an extra."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client, RequestFactory
from django.views.defaults import page_not_found, permission_denied, server_error
from playwright.sync_api import Page, expect

from accounts.models import User
from core.audit import acting
from tests.browser import SignIn, scrolls_sideways

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.urls("tests.pages.gallery.urls")]
PAGES = ("/gallery/", "/gallery/detail/", "/portal/", "/gallery/template/registration/sign_in.html")


@pytest.fixture
def ada(live_server: Any) -> User:
    with acting("system:test"):
        return User.objects.create_user("ada@example.com", "a long password", name="Ada Lovelace", role="finance")


def test_every_component_keeps_the_policy_and_the_width(desk: Page, phone: Page, ada: User, sign_in: SignIn) -> None:
    for page in (desk, phone):
        sign_in(page, ada)
        for path in PAGES:
            page.goto(path)
            assert scrolls_sideways(page) == 0, path
            assert page.title().endswith(" · Vault")
            expect(page.locator("h1")).to_have_count(1)


def test_a_keyboard_reaches_the_content_first_and_the_search_by_shortcut(desk: Page) -> None:
    desk.goto("/gallery/")
    desk.keyboard.press("Tab")
    expect(desk.locator(":focus")).to_have_text("Skip to the content")
    desk.keyboard.press("Enter")
    expect(desk.locator("main")).to_be_focused()
    desk.keyboard.press("Control+k")
    expect(desk.get_by_label("Find an account", exact=True).locator("visible=true").last).to_be_focused()


def test_filters_refresh_the_results_in_place_and_the_export_follows(desk: Page) -> None:
    desk.goto("/gallery/?sort=-number")
    desk.evaluate("document.body.dataset.same = 'yes'")
    desk.get_by_label("Status").select_option("paid")
    expect(desk.get_by_role("status").filter(has_text="invoices")).to_contain_text("of 35 invoices")
    assert "status=paid" in desk.url and "sort=-number" in desk.url and desk.url.count("status=") == 1
    assert desk.evaluate("document.body.dataset.same") == "yes"
    assert "status=paid" in (desk.get_by_role("link", name="Export CSV").get_attribute("href") or "")
    desk.get_by_role("link", name="Next").click()
    expect(desk.get_by_role("status").filter(has_text="invoices")).to_contain_text("26–35 of 35 invoices")
    assert "status=paid" in desk.url
    desk.get_by_role("link", name="Total").click()
    expect(desk.locator("th[aria-sort=ascending]")).to_have_text("Total")
    assert desk.evaluate("document.body.dataset.same") == "yes"
    desk.go_back()
    desk.wait_for_load_state()
    expect(desk.get_by_role("status").filter(has_text="invoices")).to_contain_text("26–35 of 35 invoices")


def test_a_row_leads_to_a_page_of_its_own(desk: Page) -> None:
    desk.goto("/gallery/")
    desk.get_by_role("link", name="VLT-2026-000001").click()
    desk.wait_for_url("**/gallery/detail/*")
    expect(desk.locator("h1")).to_contain_text("VLT-2026-000001")


def test_an_answer_from_elsewhere_is_shown_whole(desk: Page) -> None:
    desk.goto("/gallery/moved/")
    desk.get_by_label("Status").select_option("paid")
    desk.wait_for_url("**/gallery/detail/**")


def test_a_broken_answer_is_told_and_loses_nothing(desk: Page) -> None:
    desk.watcher.excused += ["500", "Response Status Error Code"]  # type: ignore[attr-defined]
    desk.goto("/gallery/broken/")
    desk.get_by_label("Status").select_option("paid")
    expect(desk.locator("#messages")).to_contain_text("The server answered 500")
    expect(desk.get_by_role("link", name="VLT-2026-000001")).to_be_visible()


def test_the_navigation_of_a_phone_opens_and_closes(phone: Page, ada: User, sign_in: SignIn) -> None:
    sign_in(phone, ada)
    phone.goto("/invoices/")
    expect(phone.get_by_role("link", name="Collections")).to_be_hidden()
    phone.get_by_role("button", name="Navigation").click()
    expect(phone.get_by_role("link", name="Collections")).to_be_visible()
    expect(phone.locator("[aria-current=page]").first).to_have_text("Invoices")
    phone.keyboard.press("Escape")
    expect(phone.get_by_role("link", name="Collections")).to_be_hidden()


def test_a_form_marked_once_is_sent_once(desk: Page, ada: User, sign_in: SignIn) -> None:
    sign_in(desk, ada)
    desk.goto("/gallery/detail/")
    desk.get_by_label("Type the month to go on").fill("2026-10")
    sent: list[str] = []
    desk.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    desk.evaluate("const f = document.querySelector('[data-once]'); f.requestSubmit(); f.requestSubmit();")
    desk.wait_for_load_state("networkidle")
    assert len(sent) == 1


def test_everything_works_without_scripts(live_server: Any, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=live_server.url)
    page = context.new_page()
    page.goto("/gallery/?sort=-number")
    page.get_by_label("Status").select_option("paid")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("status").filter(has_text="invoices")).to_contain_text("of 35 invoices")
    assert "sort=-number" in page.url
    context.close()


@pytest.mark.parametrize(
    ("name", "words"), [("400", "understood"), ("403", "may not"), ("404", "address"), ("500", "broke")]
)
def test_an_error_page_says_what_to_do(name: str, words: str, client: Client, db: None) -> None:
    answer = client.get(f"/gallery/template/{name}.html")
    assert words in answer.content.decode() and "Go to the start" in answer.content.decode()


def test_a_refusal_says_why(rf: RequestFactory) -> None:
    request = rf.get("/")
    assert "Only an owner may." in permission_denied(request, PermissionDenied("Only an owner may.")).content.decode()
    assert "Ask somebody whose role" in permission_denied(request, PermissionDenied()).content.decode()


def test_what_was_not_found_is_named_when_somebody_wrote_it_for_people(rf: RequestFactory) -> None:
    request = rf.get("/")
    assert "No run of that month." in page_not_found(request, Http404("No run of that month.")).content.decode()
    assert "given query" not in page_not_found(request, Http404("No Run matches the given query.")).content.decode()


def test_the_page_of_an_error_needs_neither_person_nor_database(rf: RequestFactory) -> None:
    answer = server_error(rf.get("/"))
    assert answer.status_code == 500 and "broke on our side" in answer.content.decode()
