"""Credits on pages: asked for, decided by a second person, found again, and followed to the invoices."""

import csv
from datetime import date
from decimal import Decimal

import pytest

from accounts.models import Account, User
from billing import crediting
from billing.models import CreditGrant, CreditState
from core import clock
from core.periods import Month
from tests.billing.pages.conftest import As, text_of
from tests.factories import ADA, GRACE, OCTOBER, SAM, account, build, ran, use

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def acme(people: dict[str, User]) -> None:
    account("acme")
    account("kaiju", currency="JPY")


def give(
    code: str = "acme", amount: str = "50", *, actor: str = SAM, reason: str = "Outage", **terms: object
) -> CreditGrant:
    owner = Account.objects.get(code=code)
    return crediting.request(owner.pk, Decimal(amount), reason=reason, actor=actor, **terms)  # type: ignore[arg-type]


def asked(**given: str) -> dict[str, str]:
    return {"account": "acme", "amount": "50", "reason": "Outage of 12 October", "partners": "on"} | given


class TestList:
    def test_says_what_credits_are_for_before_there_is_one(self, as_: As) -> None:
        assert "for an outage, a promise, a correction" in text_of(as_("sam").get("/credits/"))
        assert "Give a credit" not in text_of(as_("iris").get("/credits/"))

    def test_puts_what_waits_first(self, as_: As) -> None:
        give(amount="900", reason="Promised by sales")
        give(amount="20", reason="Goodwill")
        page = text_of(as_("ada").get("/credits/"))
        assert page.index("Waiting for a decision") < page.index("Promised by sales") < page.index("2 credits")
        assert "/approve/" in page

    def test_offers_the_decision_to_a_second_person_of_finance_only(self, as_: As) -> None:
        give(amount="5000", actor=ADA)
        assert "/approve/" in text_of(as_("grace").get("/credits/"))
        for name in ("ada", "sam", "iris"):
            assert "/approve/" not in text_of(as_(name).get("/credits/")), name

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("state=requested", {"Promise"}),
            ("state=active", {"Goodwill", "Yen"}),
            ("state=spent", {"Taken"}),
            ("state=expired", {"Old"}),
            ("state=refused", {"No"}),
            ("q=kaiju", {"Yen"}),
            ("q=promi", {"Promise"}),
            ("scope=data", {"Promise", "Goodwill", "Yen", "Taken", "Old", "No"}),
            ("scope=dyno", {"Promise", "Yen", "Taken", "Old", "No"}),
            ("state=nonsense&page=99", {"Promise", "Goodwill", "Yen", "Taken", "Old", "No"}),
        ],
    )
    def test_finds(self, as_: As, query: str, found: set[str]) -> None:
        account("hooli")
        use(ran("h1", "performance-l", OCTOBER.start, OCTOBER.end, "hooli"))
        build()
        give(amount="900", reason="Promise")
        give(amount="30", reason="Goodwill", scope=["data"])
        give("kaiju", "100", reason="Yen")
        give("hooli", "80", reason="Taken")
        last_month = Month.containing(clock.today()).previous.first_day
        give(amount="10", reason="Old", expires_on=last_month)
        crediting.refuse(give(amount="800", reason="No").pk, actor=GRACE, reason="Too much")
        answer = as_("iris").get(f"/credits/export.csv?{query}")
        rows = list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines()))
        assert {row["reason"] for row in rows} == found
        page = text_of(as_("iris").get(f"/credits/?{query}"))
        assert f"{len(found)} credit" in page

    def test_the_export_runs_no_formulas_and_is_not_for_everybody(self, as_: As) -> None:
        give(reason="=cmd|' /C calc'!A0")
        answer = as_("iris").get("/credits/export.csv")
        assert "'=cmd" in b"".join(answer.streaming_content).decode()
        assert as_("sam").get("/credits/export.csv").status_code == 403


class TestAsk:
    def test_shows_ones_own_limit(self, as_: As) -> None:
        assert "Up to 100 to one account in a month" in text_of(as_("sam").get("/credits/new/"))
        page = text_of(as_("ada").get("/credits/new/?account=acme"))
        assert "Up to 1,000 to one account in a month" in page and 'value="acme"' in page

    def test_gives_within_it(self, as_: As) -> None:
        answer = as_("sam").post("/credits/new/", asked(amount="100", expires_on="2027-03-01"), follow=True)
        grant = CreditGrant.objects.get()
        assert grant.state == CreditState.ACTIVE and grant.expires_on == date(2027, 3, 1) and grant.partners
        assert answer.redirect_chain == [(f"/credits/{grant.pk}/", 302)]
        assert "100.00 USD is given to Acme" in text_of(answer)

    def test_asks_above_it(self, as_: As) -> None:
        answer = as_("sam").post("/credits/new/", asked(amount="100.01", scope="dyno"), follow=True)
        grant = CreditGrant.objects.get()
        assert (grant.state, grant.scope) == (CreditState.REQUESTED, ["dyno"])
        assert "waits until somebody of finance approves it" in text_of(answer)

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            ({"account": "nobody"}, "There is no account"),
            ({"account": ""}, "required"),
            ({"amount": "-1"}, "it must be above zero"),
            ({"amount": "0"}, "it must be above zero"),
            ({"amount": "1.005"}, "digits after the point"),
            ({"amount": "ten"}, "Enter a number"),
            ({"account": "kaiju", "amount": "0.5"}, "digits after the point"),
            ({"reason": " "}, "required"),
            ({"scope": "everything"}, "not one of the available choices"),
            ({"cap_per_month": "0"}, "it must be above zero"),
        ],
    )
    def test_says_what_is_wrong(self, as_: As, given: dict[str, str], sentence: str) -> None:
        answer = as_("sam").post("/credits/new/", asked(**given))
        assert answer.status_code == 200 and sentence in text_of(answer) and not CreditGrant.objects.exists()

    @pytest.mark.parametrize("name", ["omar", "iris"])
    def test_is_not_for_everybody(self, as_: As, name: str) -> None:
        assert as_(name).post("/credits/new/", asked()).status_code == 403


class TestDecide:
    def test_says_what_approving_does_and_does_it(self, as_: As) -> None:
        grant, client = give(amount="900"), as_("grace")
        assert "Gives Acme (acme) 900.00 USD." in text_of(client.get(f"/credits/{grant.pk}/approve/"))
        assert "is active" in text_of(client.post(f"/credits/{grant.pk}/approve/", follow=True))
        grant.refresh_from_db()
        assert (grant.state, grant.decided_by) == (CreditState.ACTIVE, GRACE)
        page = text_of(client.get(f"/credits/{grant.pk}/"))
        assert "Requested → active" in page and "grace@example.com" in page

    def test_refuses_with_a_reason(self, as_: As) -> None:
        grant, client = give(amount="900"), as_("grace")
        assert "required" in text_of(client.post(f"/credits/{grant.pk}/refuse/"))
        client.post(f"/credits/{grant.pk}/refuse/", {"reason": "Nobody promised that"})
        grant.refresh_from_db()
        assert grant.state == CreditState.REFUSED
        assert "Nobody promised that" in text_of(client.get(f"/credits/{grant.pk}/"))

    @pytest.mark.parametrize("what", ["approve", "refuse"])
    def test_not_ones_own_not_twice_and_not_everybody(self, as_: As, what: str) -> None:
        own, other = give(amount="5000", actor=ADA), give(amount="900")
        page = text_of(as_("ada").get(f"/credits/{own.pk}/{what}/"))
        assert "somebody else of finance must decide" in page
        answer = as_("ada").post(f"/credits/{own.pk}/{what}/", {"reason": "x"})
        assert answer.status_code == 200 and "You asked for this credit" in text_of(answer)
        own.refresh_from_db()
        assert own.state == CreditState.REQUESTED
        as_("grace").post(f"/credits/{other.pk}/{what}/", {"reason": "x"})
        assert "already" in text_of(as_("ada").get(f"/credits/{other.pk}/{what}/"))
        assert as_("sam").post(f"/credits/{own.pk}/{what}/", {"reason": "x"}).status_code == 403

    def test_a_credit_that_does_not_exist_is_a_sentence(self, as_: As) -> None:
        answer = as_("ada").get("/credits/4711/")
        assert answer.status_code == 404 and "There is no credit 4711" in text_of(answer)


def test_a_credit_leads_to_the_invoices_that_took_of_it(as_: As) -> None:
    use(ran("web.1", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
    grant = give(amount="40")
    build()
    page = text_of(as_("ada").get(f"/credits/{grant.pk}/"))
    assert "October 2026" in page and "25.00 <abbr>USD</abbr>" in page and "15.00 USD" in page and "/invoices/" in page
    assert "Within the asker's limit" in page or "Within the asker&#x27;s limit" in page
