"""A month on the desk and on the phone: opened, watched, held, approved, issued; a credit asked for and decided."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Account, User
from billing import crediting, drafting, issuing
from billing.models import Run
from tests.browser import SignIn, scrolls_sideways
from tests.factories import ADA, OCTOBER, account, build, close, ran, use

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SEPTEMBER = OCTOBER.previous


@pytest.fixture
def platform(people: dict[str, User]) -> None:
    for code, name in (
        ("acme", "Acme Robotics"),
        ("globex", "Prestige Worldwide " * 6),
        ("hooli", "東京データ株式会社"),
    ):
        account(code, name=name)
    account("kaiju", currency="JPY", name="Börse & Söhne <GmbH>")
    use(ran("a1", "standard-1x", SEPTEMBER.start, OCTOBER.end, "acme"))
    use(ran("g1", "performance-l", SEPTEMBER.start, SEPTEMBER.end, "globex"))
    use(ran("k1", "performance-m", OCTOBER.start, OCTOBER.end, "kaiju"))
    use(ran("h1", "quantum-1x", OCTOBER.start, OCTOBER.end, "hooli"))


def test_a_month_from_opening_to_issue(desk: Page, platform: None, people: dict[str, User], sign_in: SignIn) -> None:
    sign_in(desk, people["ada"])
    desk.goto("/runs/")
    desk.get_by_role("link", name="Open a run").first.click()
    desk.get_by_label("Month").fill("2026-09")
    expect(desk.get_by_role("button", name="Open the run of September 2026")).to_be_visible()
    desk.get_by_label("Month").fill("2026-10")
    desk.get_by_role("button", name="Open the run of October 2026").click()
    expect(desk.get_by_role("progressbar")).to_be_visible()
    drafting.draft_waiting()  # what a worker does; the page notices by itself
    expect(desk.get_by_text("4 = 2 drafted + 1 zero + 1 held + 0 failed")).to_be_visible()
    expect(desk.get_by_role("progressbar")).to_have_count(0)
    expect(desk.get_by_role("link", name="Approve")).to_have_count(0)
    desk.get_by_role("link", name="Drafted 2").click()
    desk.get_by_role("row").filter(has_text="Acme Robotics").get_by_role("link", name="Hold").click()
    desk.get_by_label("Reason").fill("Disputed")
    desk.get_by_role("button", name="Hold").click()
    expect(desk.locator("#messages")).to_contain_text("Acme Robotics is held")

    desk.context.clear_cookies()
    sign_in(desk, people["grace"])
    run = Run.objects.get()
    desk.goto(f"/runs/{run.pk}/")
    desk.get_by_role("link", name="Approve").click()
    expect(desk.locator(".confirm")).to_contain_text("exactly 1 draft, 37,500 JPY")
    desk.get_by_role("button", name="Approve").click()
    desk.get_by_role("link", name="Issue invoices").click()
    desk.get_by_role("button", name="Issue invoices").click()
    expect(desk.get_by_role("progressbar")).to_be_visible()
    issuing.issue_waiting()
    expect(desk.get_by_text("4 = 1 issued + 1 zero + 2 held + 0 failed")).to_be_visible()


def test_a_credit_is_asked_for_and_decided(
    desk: Page, platform: None, people: dict[str, User], sign_in: SignIn
) -> None:
    sign_in(desk, people["sam"])
    desk.goto("/credits/")
    desk.get_by_role("link", name="Give a credit").first.click()
    desk.get_by_label("Account", exact=True).fill("acme")
    desk.get_by_label("Amount").fill("250.00")
    desk.get_by_label("Reason").fill("Promised by sales")
    desk.get_by_role("button", name="Give credit").click()
    expect(desk.locator("#messages")).to_contain_text("waits until somebody of finance approves it")
    desk.context.clear_cookies()
    sign_in(desk, people["grace"])
    desk.goto("/credits/")
    desk.get_by_role("link", name="Approve").click()
    desk.get_by_role("button", name="Approve").click()
    expect(desk.locator("#messages")).to_contain_text("250.00 USD for Acme Robotics is active")
    desk.get_by_label("State").select_option("active")
    desk.wait_for_url("**state=active**")
    expect(desk.get_by_role("status").filter(has_text="credit")).to_contain_text("1 credit")
    assert "state=active" in (desk.get_by_role("link", name="Export CSV").get_attribute("href") or "")


def test_every_page_fits_both_widths(
    desk: Page, phone: Page, platform: None, people: dict[str, User], sign_in: SignIn
) -> None:
    done, run = close(SEPTEMBER), build()
    owner = Account.objects.get(code="globex")
    grant = crediting.request(owner.pk, Decimal(5000), reason="Settlement " * 20, actor=ADA, scope=["dyno", "data"])
    paths = ["/runs/", "/runs/open/?month=2026-11", "/credits/", "/credits/new/", f"/credits/{grant.pk}/"]
    paths += [f"/credits/{grant.pk}/{what}/" for what in ("approve", "refuse")]
    paths += [f"/runs/{done.pk}/", f"/runs/{run.pk}/"]
    paths += [f"/runs/{run.pk}/?outcome={part}" for part in ("movers", "drafted", "zero", "held", "failed", "history")]
    paths += [f"/runs/{run.pk}/{what}/" for what in ("approve", "issue", "retry", "cancel", "close")]
    paths += [f"/runs/{run.pk}/accounts/globex/{what}/" for what in ("hold", "release", "retry")]
    for page in (desk, phone):
        sign_in(page, people["grace"])
        for path in paths:
            page.goto(path)
            assert scrolls_sideways(page) == 0, path
            expect(page.locator("h1")).to_have_count(1)
    desk.set_viewport_size({"width": 1280, "height": 800})  # a laptop
    for path in paths:
        desk.goto(path)
        assert scrolls_sideways(desk) == 0, path
