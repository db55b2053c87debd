"""Customers see their own account in full, and of any other not a word."""

import csv
import io
from decimal import Decimal

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver

from accounts import minting
from accounts.models import ApiKey, Membership, User
from billing.models import Invoice
from core.audit import acting
from tests import factories
from tests.vault.conftest import ACTOR, Customer, browser

pytestmark = pytest.mark.django_db
Pair = tuple[Customer, Customer]


def routes() -> dict[str, URLPattern]:
    """Every route of the portal by its name, so that a new one cannot be forgotten here."""
    portal = next(r for r in get_resolver().url_patterns if isinstance(r, URLResolver) and str(r.pattern) == "portal/")
    return {str(route.name): route for route in portal.url_patterns}


def addresses(customer: Customer) -> dict[str, tuple[str, str]]:
    """Every route of the portal as (method, address) with this customer's own things in it."""
    number, member = customer.invoice.number, Membership.objects.get(user=customer.viewer).pk
    key = ApiKey.objects.filter(account=customer.account).first()
    prefix = key.prefix if key else "nokeyatall"
    return {
        "portal": ("get", "/portal/"),
        "portal_account": ("post", "/portal/account/"),
        "portal_usage": ("get", "/portal/usage/"),
        "portal_usage_export": ("get", "/portal/usage/export.csv"),
        "portal_invoices": ("get", "/portal/invoices/"),
        "portal_invoice": ("get", f"/portal/invoices/{number}/"),
        "portal_invoice_pdf": ("get", f"/portal/invoices/{number}/pdf/"),
        "portal_invoice_lines": ("get", f"/portal/invoices/{number}/lines.csv"),
        "portal_invoice_pay": ("post", f"/portal/invoices/{number}/pay/"),
        "portal_statement": ("get", "/portal/statement/"),
        "portal_statement_export": ("get", "/portal/statement.csv"),
        "portal_members": ("get", "/portal/members/"),
        "portal_invite": ("post", "/portal/members/invite/"),
        "portal_member_role": ("post", f"/portal/members/{member}/role/"),
        "portal_member_remove": ("post", f"/portal/members/{member}/remove/"),
        "portal_keys": ("get", "/portal/keys/"),
        "portal_key_create": ("post", "/portal/keys/create/"),
        "portal_key_revoke": ("post", f"/portal/keys/{prefix}/revoke/"),
    }


NAMES_THINGS = {
    "portal_invoice",
    "portal_invoice_pdf",
    "portal_invoice_lines",
    "portal_invoice_pay",
    "portal_member_role",
    "portal_member_remove",
    "portal_key_revoke",
}
FOR_OWNERS = {name for name in NAMES_THINGS if "member" in name or "key" in name} | {
    "portal_invoice_pay",
    "portal_invite",
    "portal_key_create",
}


def body(response: object) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
    return content.decode(errors="replace") + str(response.headers)  # type: ignore[attr-defined]


@pytest.fixture
def both(customers: Pair) -> Pair:
    """Both customers, each with a key."""
    for one in customers:
        minting.for_account(one.account, ["invoices:read"], actor=ACTOR, name=f"key-{one.secret}")
    return customers


def test_no_route_is_forgotten_here(both: Pair) -> None:
    assert routes().keys() == addresses(both[0]).keys()


def test_a_stranger_is_sent_to_sign_in(both: Pair) -> None:
    client = browser(None)
    for name, (method, address) in addresses(both[0]).items():
        answer = getattr(client, method)(address)
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/sign-in/"), name


def test_everybody_sees_their_own(both: Pair) -> None:
    for mine in both:
        client = browser(mine.viewer)
        for name, (method, address) in addresses(mine).items():
            if method == "get":
                answer = client.get(address)
                assert answer.status_code == 200, name
        assert mine.secret in body(client.get("/portal/")) and mine.secret in body(client.get("/portal/usage/"))


def test_nobody_sees_a_word_of_the_other(both: Pair) -> None:
    for mine, other in (both, both[::-1]):
        client = browser(mine.owner)
        for name, (method, address) in addresses(other).items():
            with transaction.atomic():
                answer = getattr(client, method)(address, {"account": other.account.code, "role": "owner"})
                said = body(answer)
                assert other.secret not in said and str(other.invoice.number) not in said.replace(address, ""), name
                if name in NAMES_THINGS:
                    assert answer.status_code in (302, 404), name
                    assert answer.status_code == 404 or "/portal/" not in answer.headers.get("Location", ""), name
                transaction.set_rollback(True)


def test_nothing_of_the_other_was_changed(both: Pair) -> None:
    mine, other = both
    client = browser(mine.owner)
    for _, (method, address) in addresses(other).items():
        if method == "post":
            client.post(address, {"account": other.account.code, "role": "owner"})
    other.invoice.refresh_from_db()
    assert (other.invoice.status, Membership.objects.get(user=other.viewer).role) == ("open", "viewer")
    assert ApiKey.objects.get(account=other.account).revoked_at is None
    assert client.session.get("portal_account") is None


def test_a_viewer_changes_nothing(both: Pair) -> None:
    mine = both[0]
    client = browser(mine.viewer)
    for name in FOR_OWNERS:
        assert client.post(addresses(mine)[name][1]).status_code == 403, name
    for name in ("portal", "portal_members", "portal_keys", "portal_invoice"):
        page = body(client.get(addresses(mine)[name][1]))
        assert page.count('method="post"') == 1 and 'action="/sign-out/"' in page, name


def test_staff_who_are_no_members_stay_outside(both: Pair) -> None:
    answer = browser(User.objects.get(email="ada@example.com")).get("/portal/")
    assert answer.status_code == 403


def test_drafts_and_shadows_are_not_shown(customers: Pair) -> None:
    factories.build(factories.OCTOBER, shadow=True)
    mine = customers[0]
    shadow = Invoice.objects.get(account=mine.account, shadow=True)
    client = browser(mine.owner)
    assert client.get(f"/portal/invoices/{shadow.pk}/").status_code == 404
    assert client.get("/portal/invoices/None/").status_code == 404
    assert "1 invoice" in body(client.get("/portal/invoices/"))


class TestSwitch:
    def test_a_member_of_two_looks_at_one_at_a_time(self, both: Pair) -> None:
        mine, other = both
        with acting(ACTOR):
            Membership.objects.create(account=other.account, user=mine.owner, role="viewer")
        client = browser(mine.owner)
        assert str(other.invoice.number) not in body(client.get("/portal/invoices/"))
        client.post("/portal/account/", {"account": other.account.code})
        page = body(client.get("/portal/"))
        assert str(other.invoice.number) in page and str(mine.invoice.number) not in page
        assert client.post(addresses(other)["portal_key_create"][1]).status_code == 403  # only a viewer there

    def test_whoever_is_no_longer_a_member_is_out_at_once(self, both: Pair) -> None:
        mine, other = both
        with acting(ACTOR):
            added = Membership.objects.create(account=other.account, user=mine.owner, role="viewer")
        client = browser(mine.owner)
        client.post("/portal/account/", {"account": other.account.code})
        with acting(ACTOR):
            added.delete()
        assert other.secret not in body(client.get("/portal/"))


class TestStatement:
    def test_adds_up_and_says_the_same_as_csv(self, both: Pair) -> None:
        mine = both[0]
        client = browser(mine.viewer)
        page = client.get("/portal/statement/?since=2026-11-01&until=2026-11-30")
        found = page.context["statement"]
        assert (found.opening, found.closing) == (Decimal(0), mine.invoice.total) == (0, Decimal("25.00"))
        text = body(client.get("/portal/statement.csv?since=2026-11-01&until=2026-11-30"))
        rows = list(csv.reader(io.StringIO(text)))
        assert [rows[1][1], Decimal(rows[1][4])] == ["Opening balance", 0]
        assert Decimal(rows[2][3]) == Decimal(rows[2][4]) == Decimal(rows[3][4]) == Decimal("25.00")

    def test_begins_with_what_came_before(self, both: Pair) -> None:
        found = browser(both[0].viewer).get("/portal/statement/?since=2026-12-01&until=2026-12-31").context["statement"]
        assert (found.opening, found.entries, found.closing) == (Decimal("25.00"), (), Decimal("25.00"))

    @pytest.mark.parametrize(
        "query", ["since=2026-12-01&until=2026-01-01", "since=x&until=y", "since=1800-01-01&until=1801-01-01", "since="]
    )
    def test_impossible_days_are_said_on_the_form(self, both: Pair, query: str) -> None:
        client = browser(both[0].viewer)
        page = client.get(f"/portal/statement/?{query}")
        assert page.status_code == 200 and page.context["form"].errors
        assert client.get(f"/portal/statement.csv?{query}").status_code == 400
