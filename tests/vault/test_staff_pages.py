"""What staff see of one account and of all, and the one next step that each role is offered."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts import minting
from accounts.models import Account, User
from billing import crediting
from billing.models import CreditGrant, CreditState, Price, Run, RunState, TaxRate
from collections_.models import CollectionsDay
from core.audit import acting
from core.models import WorkState
from tests.vault.conftest import ACTOR, Customer, browser, person
from vault import month_state
from vault.standing import standing

pytestmark = pytest.mark.django_db
Pair = tuple[Customer, Customer]


def signed(role: str) -> Client:
    return browser(person(f"{role}@platform.example", role))


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return str(answer.content.decode())


@pytest.mark.parametrize(
    "path", ["/audit/", "/usage/events/", "/usage/amendments/", "/usage/reconciliation/?day=2026-11-01&"]
)
@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_a_mistyped_year_is_said_at_its_field(db: None, path: str, day: str) -> None:
    page = signed("auditor")
    assert "years 2000 to 2189" in text(page, f"{path}{'' if '?' in path else '?'}until={day}")


class TestAccountList:
    @pytest.mark.parametrize(
        ("query", "codes"),
        [
            ("", ["acme", "globex"]),
            ("?q=canaryacme", ["acme"]),
            ("?q=CANARYGLOBEX@globex", ["globex"]),
            ("?status=past_due", ["acme", "globex"]),
            ("?status=closed", []),
            ("?currency=eur", []),
            ("?kind=nonsense&page=999&sort=-bogus", ["acme", "globex"]),
            ("?sort=-name", ["globex", "acme"]),
        ],
    )
    def test_finds(self, customers: Pair, query: str, codes: list[str]) -> None:
        found = signed("support").get(f"/accounts/{query}").context["table"]
        assert [row.record.code for row in found.page.object_list] == codes

    def test_shows_what_each_owes_and_exports_the_same(self, customers: Pair) -> None:
        mine = customers[0].account
        with acting(ACTOR):
            Account.objects.filter(pk=mine.pk).update(name="=HYPERLINK(1)", email="")
        assert "25.00" in text(signed("finance"), "/accounts/?q=acme")
        answer = signed("finance").get("/accounts/export.csv?q=acme")
        header, row = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode()))
        assert dict(zip(header, row, strict=True)) | {"since": ""} == {
            "code": "acme",
            "name": "'=HYPERLINK(1)",
            "email": "",
            "kind": "team",
            "currency": "USD",
            "status": "past_due",
            "outstanding": "25.00",
            "past_due": "25.00",
            "since": "",
        }


class TestAccount:
    def test_tells_the_whole_story(self, customers: Pair) -> None:
        mine, client = customers[0], signed("support")
        page = text(client, "/accounts/acme/")
        assert str(mine.invoice.number) in page and "25.00 USD" in page and "visa ···· 4242" in page
        assert f"app-{mine.secret}" in text(client, "/accounts/acme/usage/")
        assert "31 d" in text(client, "/accounts/acme/usage/?month=2026-10")
        assert str(mine.invoice.number) in text(client, "/accounts/acme/invoices/")
        assert "Payment method" in text(client, "/accounts/acme/history/")
        assert f"app-{mine.secret}" in text(client, "/accounts/acme/current/")

    def test_says_nothing_of_another_account(self, customers: Pair) -> None:
        client = signed("support")
        for part in ("", "usage/", "invoices/", "payments/", "credits/", "cases/", "history/", "members/", "keys/"):
            assert customers[1].secret not in text(client, f"/accounts/acme/{part}"), part

    @pytest.mark.parametrize("path", ["/accounts/nobody/", "/accounts/acme/bogus/", "/accounts/nobody/history/"])
    def test_what_is_not_there_is_not_found(self, customers: Pair, path: str) -> None:
        assert signed("support").get(path).status_code == 404

    def test_a_wrong_month_is_said(self, customers: Pair) -> None:
        answer = signed("support").get("/accounts/acme/usage/?month=2026-13")
        assert answer.status_code == 400 and "is not a month" in answer.content.decode()

    def test_the_history_is_paged_by_cursor(self, customers: Pair) -> None:
        for number in range(60):
            with acting(ACTOR):
                Account.objects.filter(code="acme").update(name=f"Name {number}")
        client, seen, query = signed("support"), [], ""
        while query is not None:
            page = client.get(f"/accounts/acme/history/{query}").context
            seen += [happening.id for happening in page["happenings"]]
            query = f"?before={page['next']}" if page["next"] else None
        assert len(seen) > 60 and seen == sorted(set(seen), reverse=True)


class TestCredits:
    def give(self, role: str, amount: str) -> str:
        given = {"amount": amount, "reason": "the incident of Monday", "scope": ["dyno"], "expires_on": ""}
        return str(signed(role).post("/accounts/acme/credits/give/", given, follow=True).content.decode())

    def test_within_the_limit_it_is_given_at_once(self, customers: Pair) -> None:
        assert "are credited" in self.give("support", "25")
        assert CreditGrant.objects.get().state == CreditState.ACTIVE

    def test_above_it_waits_for_finance(self, customers: Pair) -> None:
        assert "must approve" in self.give("support", "100.01")
        assert CreditGrant.objects.get().state == CreditState.REQUESTED
        assert "Credits to approve" in text(signed("finance"), "/")

    @pytest.mark.parametrize("amount", ["0", "-5", "1e30", "NaN", "x", "", "1.001"])
    def test_an_impossible_amount_is_said_on_the_form(self, customers: Pair, amount: str) -> None:
        given = {"amount": amount, "reason": "x"}
        answer = signed("support").post("/accounts/acme/credits/give/", given)
        assert answer.status_code == 200 and answer.context["form"].errors["amount"]
        assert not CreditGrant.objects.exists()

    def test_an_auditor_gives_nothing(self, customers: Pair) -> None:
        assert signed("auditor").post("/accounts/acme/credits/give/", {"amount": "1"}).status_code == 403


class TestHome:
    def test_says_what_was_billed_and_what_waits(self, customers: Pair) -> None:
        page = signed("finance").get("/")
        money = page.context["money"]
        assert [(row.currency, row.billed, row.outstanding) for row in money] == [
            ("USD", Decimal(50), Decimal(50)),
        ]
        assert page.context["charts"][0]["billed"] == [("2026-10", Decimal(50), "/invoices/?month=2026-10")]

    def test_is_useful_before_anything_happened(self, db: None) -> None:
        page = text(signed("finance"), "/")
        assert "Open its run" in page and "No source reports usage yet" in page

    def test_every_role_has_a_home(self, customers: Pair) -> None:
        for role in ("finance", "support", "collections", "operator", "auditor"):
            assert signed(role).get("/").status_code == 200

    @pytest.mark.parametrize(
        ("state", "role", "button"),
        [
            ("none", "finance", "Open its run"),
            ("none", "support", ""),
            ("drafting", "finance", "Watch"),
            ("review", "finance", "Review and approve"),
            ("review", "operator", ""),
            ("approved", "finance", "Issue"),
            ("approved", "auditor", ""),
            ("closed", "finance", ""),
        ],
    )
    def test_offers_one_next_step_by_role(self, db: None, state: str, role: str, button: str) -> None:
        run = None if state == "none" else Run(pk=1, state=RunState(state), month=date(2026, 10, 1), opened_by="user:x")
        step = month_state.next_step(run, person(f"{role}@p.example", role), as_of=date(2026, 11, 24))
        assert step.button == button and step.text

    def test_the_opener_is_told_to_find_somebody_else(self, db: None) -> None:
        fay = person("fay@p.example", "finance")
        run = Run(pk=1, state=RunState.REVIEW, month=date(2026, 10, 1), opened_by=fay.actor)
        step = month_state.next_step(run, fay, as_of=date(2026, 11, 24))
        assert "somebody else" in step.text and step.button == "Review"

    def test_so_is_who_opened_it_by_a_key(self, db: None) -> None:
        fay = person("fay@p.example", "finance")
        key = minting.for_staff(fay, ["runs:write"], actor=fay.actor)
        run = Run(pk=1, state=RunState.REVIEW, month=date(2026, 10, 1), opened_by=f"key:{key.prefix}")
        assert "somebody else" in month_state.next_step(run, fay, as_of=date(2026, 11, 24)).text

    def test_counts_every_kind_of_work_that_gave_up(self, db: None) -> None:
        CollectionsDay.objects.create(as_of=date(2026, 11, 24), state=WorkState.DEAD)
        assert [(item.count, item.href) for item in month_state.waiting(None)] == [(1, "/status/")]


class TestStanding:
    @pytest.mark.parametrize(("ends", "left"), [(date(2026, 10, 1), 0), (date(2026, 11, 15), 5), (None, 5)])
    def test_counts_the_credits_that_the_next_invoice_may_take(self, customers: Pair, ends: date, left: int) -> None:
        """A credit that ended in mid-November still pays for November, which began before."""
        acme, fay = customers[0].account, person("fay@p.example", "finance")
        crediting.request(acme.pk, Decimal(5), reason="sorry", expires_on=ends, actor=fay.actor)
        assert standing(acme, as_of=date(2026, 11, 24)).credits == left


class TestAudit:
    def test_finds_by_table_actor_account_and_day(self, customers: Pair) -> None:
        with acting("user:eve@example.com", "because"):
            Account.objects.filter(code="acme").update(name="Eve was here")
        client, today = signed("auditor"), now().date()
        for query in (
            "?actor=eve@example.com",
            f"?table=accounts_account&account=acme&since={today}&until={today}",
        ):
            page = text(client, f"/audit/{query}")
            assert "Eve was here" in page and "because" in page
        for query in ("?actor=nobody", "?account=nobody", "?until=2020-01-01", "?table=billing_run&account=acme"):
            assert "Nothing was changed" in text(client, f"/audit/{query}")

    @pytest.mark.parametrize("query", ["?before=x", "?before=-1", "?since=never", "?table=drop", "?before=" + "9" * 40])
    def test_nonsense_changes_nothing(self, customers: Pair, query: str) -> None:
        assert signed("auditor").get(f"/audit/{query}").status_code == 200

    def test_is_not_for_support(self, customers: Pair) -> None:
        assert signed("support").get("/audit/").status_code == 403


class TestAdmin:
    def superuser(self) -> User:
        user = person("root@platform.example", "operator")
        with acting(ACTOR):
            User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
        return user

    def test_shows_reference_data_and_edits_no_price(self, customers: Pair) -> None:
        client = browser(self.superuser())
        assert client.get("/admin/").status_code == 200
        price = Price.objects.first()
        assert price is not None
        assert client.post(f"/admin/billing/price/{price.pk}/change/", {}).status_code == 403
        assert client.post(f"/admin/billing/price/{price.pk}/delete/", {"post": "yes"}).status_code == 403
        rate = {"name": "VAT", "country": "XX", "region": "", "rate": "0.1", "valid_from": "2026-01-01", "valid_to": ""}
        assert client.post("/admin/billing/taxrate/add/", rate).status_code == 302
        assert TaxRate.objects.filter(country="XX").exists()
        assert "reference data" in text(signed("auditor"), "/audit/?table=billing_taxrate")

    def test_holds_no_queue_no_invoice_and_no_session(self, customers: Pair) -> None:
        client = browser(self.superuser())
        for path in ("django_q/schedule/", "billing/invoice/", "sessions/session/", "auth/group/", "axes/"):
            assert client.get(f"/admin/{path}").status_code == 404, path

    def test_a_role_alone_does_not_open_it(self, customers: Pair) -> None:
        for role in ("finance", "operator"):
            assert signed(role).get("/admin/", follow=True).status_code == 403
        assert browser(None).get("/admin/", follow=True).request["PATH_INFO"] == "/sign-in/"


class TestMistakes:
    def test_a_verbs_sentence_comes_back_on_the_page_it_was_sent_from(self, customers: Pair) -> None:
        client = signed("support")
        page = "http://testserver/accounts/acme/edit/"
        answer = client.post("/accounts/acme/close/", {"reason": ""}, headers={"Referer": page})
        assert (answer.status_code, answer["Location"]) == (302, page)
        assert "Say why" in client.get("/accounts/acme/edit/").content.decode()

    @pytest.mark.parametrize("referrer", ["", "https://evil.example/", "http://testserver/accounts/acme/close/"])
    def test_or_on_a_page_of_its_own(self, customers: Pair, referrer: str) -> None:
        answer = signed("support").post("/accounts/acme/close/", {"reason": ""}, headers={"Referer": referrer})
        assert answer.status_code == 400 and "Say why the account is closed" in answer.content.decode()

    def test_a_page_that_is_not_there_says_where_to_go(self, customers: Pair) -> None:
        answer = signed("support").get("/no/such/page/")
        assert answer.status_code == 404 and "nothing at this address" in answer.content.decode()


class TestErrors:
    def test_a_program_is_told_of_a_missing_address_as_a_problem(self, db: None) -> None:
        answer = browser(None).get("/api/v1/no/such/thing")
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
        assert answer.json()["code"] == "not_found"

    def test_what_breaks_becomes_a_page_for_people_and_a_problem_for_programs(
        self, customers: Pair, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def breaks(*args: object, **kwargs: object) -> None:
            raise RuntimeError("a fault of ours")

        monkeypatch.setattr("vault.views.account.standing", breaks)
        monkeypatch.setattr("accounts.api.accounts.principal", breaks)
        client = signed("support")
        client.raise_request_exception = False
        page = client.get("/accounts/acme/")
        assert page.status_code == 500 and "broke on our side" in page.content.decode()
        key = minting.for_staff(person("support@platform.example"), ["accounts:read"], actor=ACTOR).text
        program = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {key}"})
        answer = program.get("/api/v1/accounts/acme")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        assert answer.json()["request_id"] == answer["X-Request-Id"]

    def test_a_request_for_another_host_is_not_understood(self, db: None) -> None:
        answer = browser(None).get("/sign-in/", headers={"Host": "evil.example"})
        assert answer.status_code == 400 and "could not be understood" in answer.content.decode()
