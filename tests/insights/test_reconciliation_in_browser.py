"""Reconciliation at a desk and on a phone: from the list of sources to the hour from which an event was lost."""

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Role, User
from core.audit import acting
from tests import factories
from tests.browser import SignIn, scrolls_sideways
from tests.usage.factories import measured, opened, settled, source
from tests.usage.test_manifests import manifest
from usage import manifests
from usage.agreement import read

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def olga(live_server: object) -> User:
    factories.account("acme")
    one = source("dynos")
    settled(one, [opened(0.5, id="o", account="acme"), measured(1.5, "2.50", "r2", id="m", account="acme")])
    manifests.state(one, read(manifest(["o"], {"duration": {"opens": 1}}, 0)))
    manifests.state(one, read(manifest([], {}, 1)))
    manifests.state(one, read(manifest(["m", "x"], {"requests": {"measured": 2, "quantity": "4"}}, 1)))
    with acting("system:test"):
        return User.objects.create_user("olga@example.com", None, role=Role.OPERATOR)


def test_an_operator_finds_the_lost_event(desk: Page, olga: User, sign_in: SignIn) -> None:
    sign_in(desk, olga)
    desk.goto("/sources/")
    expect(desk.get_by_role("row").filter(has_text="dynos")).to_contain_text("1 Oct 2026 01:00 UTC")
    desk.get_by_role("link", name="dynos").click()
    expect(desk.get_by_role("region", name="Manifests").get_by_role("row")).to_have_count(4)
    desk.get_by_role("link", name="Compare them").click()
    expect(desk.get_by_text("Nothing was stated or received")).to_be_visible()
    desk.get_by_label("Day").fill("2026-10-01")
    expect(desk.get_by_role("row").filter(has_text="1 stated but never received.")).to_be_visible()
    expect(desk.locator(".stats")).to_contain_text(re.compile(r"Manifest\s*3\s*events"))
    desk.get_by_label("Hours", exact=True).select_option("waits")
    expect(desk.get_by_text("1 stated but never received.")).to_have_count(0)
    assert scrolls_sideways(desk) == 0


def test_on_a_phone_nothing_is_cut_off(phone: Page, olga: User, sign_in: SignIn) -> None:
    sign_in(phone, olga)
    for address in ("/usage/reconciliation/?day=2026-10-01", "/sources/", "/sources/dynos/"):
        phone.goto(address)
        assert scrolls_sideways(phone) == 0, address
