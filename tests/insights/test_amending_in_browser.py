"""Corrections in a real browser: the whole way of one, a remedy of many, and nothing cut off on a phone."""

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Role, User
from core.audit import acting
from tests import factories
from tests.browser import SignIn, scrolls_sideways
from tests.factories import OCTOBER, account, ran, use
from tests.usage.factories import closed, hour, opened, report, settled
from usage import amending, restating
from usage.models import Amendment, Source

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def olga(live_server: object) -> User:
    """Olga, an operator; acme, billed for October, whose worker was reported closed too late; and what is in doubt."""
    account("acme")
    use(ran("shop.web.1", "standard-1x", OCTOBER.start, OCTOBER.end, "acme", component="web"))
    use(ran("shop.worker.1", "standard-2x", OCTOBER.previous.previous.start, None, "acme", component="worker"))
    one = Source.objects.get()
    settled(one, [closed(5, "lost.1"), opened(0, "twice.1"), opened(2, "twice.1", id="again")])
    report(one, [{"id": f"bad-{n}", "type": "open", "time": "2026-10-01T00:00:00Z", "resource": "x"} for n in range(3)])
    factories.close(OCTOBER)
    told = restating.events("shop.web.1", [{"type": "close", "time": hour(700).isoformat(), "product": "standard-1x"}])
    amending.amend("shop.web.1", hour(700), hour(745), told, reason="Stopped on the 30th", actor="user:ola@example.com")
    with acting("system:test"):
        return User.objects.create_user("olga@example.com", None, role=Role.OPERATOR)


def test_a_correction_is_shown_with_its_money_and_recorded(desk: Page, olga: User, sign_in: SignIn) -> None:
    sign_in(desk, olga)
    desk.goto("/usage/resources/shop.worker.1/")
    desk.get_by_role("link", name="Correct its usage").click()
    desk.get_by_label("From").fill("2026-10-20 00:00")
    desk.get_by_label("Up to").fill("2026-10-21 00:00")
    desk.get_by_role("button", name="Show what was told").click()
    desk.get_by_label("Type of row 1").select_option("close")
    desk.get_by_label("Time of row 1").fill("2026-10-20 12:00")
    desk.get_by_label("Product of row 1").fill("standard-2x")
    desk.get_by_role("button", name="Show what it moves").click()
    expect(desk.get_by_role("region", name="Money that moves")).to_contain_text("October 2026")
    expect(desk.get_by_role("region", name="Money that moves")).to_contain_text("As an adjustment on the invoice")
    desk.get_by_label("Why").fill("Its close was lost")
    desk.get_by_role("button", name="Record").click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text("Amendment")
    assert Amendment.objects.filter(reason="Its close was lost").exists()
    desk.get_by_role("link", name="Take it back").click()
    desk.get_by_label("Why").fill("It was not")
    desk.get_by_role("button", name="Take back").click()
    expect(desk.get_by_text("Reverted", exact=True)).to_be_visible()
    assert scrolls_sideways(desk) == 0


def test_many_are_chosen_and_remedied(desk: Page, olga: User, sign_in: SignIn) -> None:
    sign_in(desk, olga)
    desk.goto("/usage/problems/?tab=pairing")
    desk.get_by_label("Choose all of this page").check()
    desk.get_by_label("What to do").select_option("drop")
    desk.get_by_role("button", name="Look at it for those ticked").click()
    expect(desk.get_by_role("region", name="What is remedied").get_by_role("row")).to_have_count(3)
    desk.get_by_label("Why").fill("Said twice")
    desk.get_by_role("button", name="Record").click()
    expect(desk.get_by_text("2 remedied by 2 amendments")).to_be_visible()
    desk.goto("/usage/problems/")
    desk.get_by_label("Set in each").select_option("product")
    desk.get_by_label("To", exact=False).last.fill("basic")
    desk.get_by_role("button", name="for all waiting ones").click()
    expect(desk.get_by_role("button", name="Send 3 in again")).to_be_visible()


def test_on_a_phone_nothing_is_cut_off(phone: Page, olga: User, sign_in: SignIn) -> None:
    sign_in(phone, olga)
    one = Amendment.objects.get()
    for address in (
        "/usage/resources/shop.web.1/", "/usage/amendments/", f"/usage/amendments/{one.pk}/",
        f"/usage/amendments/{one.pk}/revert/", "/usage/amendments/new/?resource=shop.web.1",
        "/usage/amendments/new/?resource=shop.web.1&start=2026-10-01&end=2026-10-02",
        "/usage/problems/", "/usage/problems/?tab=pairing", "/usage/problems/?tab=open",
    ):  # fmt: skip
        phone.goto(address)
        assert scrolls_sideways(phone) == 0, address
    phone.get_by_label("Choose all of this page").check()
    phone.get_by_role("button", name="Look at it for those ticked").click()
    expect(phone.get_by_role("heading", name="What it moves")).to_be_visible()
    assert scrolls_sideways(phone) == 0, "a remedy"
