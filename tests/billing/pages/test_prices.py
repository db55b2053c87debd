"""Prices on pages: found, read as history, scheduled as versions, and never rewritten."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from billing.models import Price, Product
from core import audit, clock
from tests.billing.pages.conftest import As, text_of
from tests.browser import SignIn, scrolls_sideways

AHEAD = clock.today() + timedelta(days=40)


def form(**given: str) -> dict[str, str]:
    chosen = {
        "currency": "USD",
        "model": "prorated",
        "unit_amount": "30.00",
        "unit": "month",
        "valid_from": AHEAD.isoformat(),
        "reason": "Costs went up",
    }
    return chosen | given


class TestProducts:
    def test_lists_what_is_sold_with_todays_price(self, as_: As) -> None:
        page = text_of(as_("ada").get("/prices/"))
        assert "Standard-1X" in page and "25.00 USD / month" in page and "3,750 JPY / month" in page

    def test_finds_by_code_or_name(self, as_: As) -> None:
        page = text_of(as_("ada").get("/prices/", {"q": "PERFORMANCE-l"}))
        assert "Performance-L" in page and "Standard-1X" not in page

    def test_names_a_product_without_a_price(self, as_: As) -> None:
        with audit.acting("system:test"):
            Product.objects.create(code="new/thing", name="New thing")
        client = as_("ada")
        assert "no price" in text_of(client.get("/prices/", {"q": "new/thing"}))
        assert client.get("/prices/new%2Fthing/").status_code == 200

    @pytest.mark.parametrize("query", ["page=99", "page=x", "sort=-name", "sort=nonsense"])
    def test_survives_any_address(self, as_: As, query: str) -> None:
        assert as_("ada").get(f"/prices/?{query}").status_code == 200

    def test_a_product_that_is_not_sold_is_a_sentence(self, as_: As) -> None:
        answer = as_("ada").get("/prices/nothing-like-it/")
        assert answer.status_code == 404 and "Nothing is sold as" in text_of(answer)


class TestSchedule:
    def test_ends_the_version_before_at_the_same_moment(self, as_: As) -> None:
        answer = as_("ada").post("/prices/standard-1x/", form(), follow=True)
        assert "Standard-1X costs 30.00 USD / month from" in text_of(answer)
        before, after = Price.objects.filter(product__code="standard-1x", currency="USD").order_by("valid_from")
        assert before.valid_to == after.valid_from == datetime(AHEAD.year, AHEAD.month, AHEAD.day, tzinfo=UTC)
        assert after.terms == {"model": "prorated", "unit_amount": "30"} and after.valid_to is None
        page = text_of(answer)
        assert "Scheduled" in page and "Amount by version" in page

    def test_refuses_the_past_where_a_price_was_in_force(self, as_: As) -> None:
        answer = as_("ada").post("/prices/standard-1x/", form(valid_from="2026-01-01"))
        assert answer.status_code == 200 and "time that was priced keeps it" in text_of(answer)
        assert Price.objects.filter(product__code="standard-1x", currency="USD").count() == 1

    def test_allows_the_past_where_nothing_was_in_force(self, as_: As) -> None:
        as_("ada").post("/prices/standard-1x/", form(currency="GBP", valid_from="2026-01-01"))
        assert Price.objects.get(product__code="standard-1x", currency="GBP").valid_from.year == 2026

    def test_refuses_a_start_before_a_version_that_is_scheduled(self, as_: As) -> None:
        client = as_("ada")
        client.post("/prices/standard-1x/", form())
        earlier = (AHEAD - timedelta(days=3)).isoformat()
        assert "begin on that day or later" in text_of(client.post("/prices/standard-1x/", form(valid_from=earlier)))
        assert "already scheduled from" in text_of(client.post("/prices/standard-1x/", form()))

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            ({"unit_amount": ""}, "Say the amount."),
            ({"currency": "usd"}, "three capital letters"),
            ({"currency": "XXX"}, "is not a currency"),
            ({"unit_amount": "-1"}, "greater than or equal to 0"),
            ({"model": "graduated", "unit_amount": ""}, "tiers is missing"),
            ({"model": "graduated", "unit_amount": "", "terms": '{"tiers": []}'}, "tiers"),
            ({"terms": "[1]"}, "The terms are a JSON object"),
            ({"terms": "{"}, "valid JSON"),
            ({"terms": '{"surprise": 1}'}, "surprise is not a field"),
            ({"reason": ""}, "required"),
            ({"valid_from": "yesterday"}, "valid date"),
        ],
    )
    def test_says_what_is_wrong(self, as_: As, given: dict[str, str], sentence: str) -> None:
        answer = as_("ada").post("/prices/standard-1x/", form(**given))
        assert answer.status_code == 200 and sentence in text_of(answer)
        assert Price.objects.filter(product__code="standard-1x", currency="USD").count() == 1

    def test_takes_tiers(self, as_: As) -> None:
        tiers = '{"tiers": [{"up_to": "10", "unit_amount": "1"}, {"up_to": null, "unit_amount": "0.5"}]}'
        answer = as_("ada").post(
            "/prices/router-requests/",
            form(model="graduated", unit_amount="", terms=tiers, unit="request"),
            follow=True,
        )
        assert "graduated USD / request" in text_of(answer)

    @pytest.mark.parametrize("name", ["sam", "omar", "iris"])
    def test_only_finance_schedules(self, as_: As, name: str) -> None:
        client = as_(name)
        assert "Schedule a new version" not in text_of(client.get("/prices/standard-1x/"))
        client.post("/prices/standard-1x/", form())
        assert Price.objects.filter(product__code="standard-1x", currency="USD").count() == 1
        assert client.get("/prices/new/").status_code == 403


class TestAddProduct:
    GIVEN = {"code": "quantum-1x", "name": "Quantum-1X", "group": "dyno", "reason": "Launched"}

    def test_leads_to_its_first_price(self, as_: As) -> None:
        client = as_("ada")
        assert 'value="quantum-1x"' in text_of(client.get("/prices/new/", {"code": "quantum-1x"}))
        answer = client.post("/prices/new/", self.GIVEN, follow=True)
        assert "Schedule what it costs" in text_of(answer) and "No price yet" in text_of(answer)
        client.post("/prices/quantum-1x/", form(valid_from="2026-10-01"))
        assert Price.objects.get(product__code="quantum-1x").valid_from.month == 10

    def test_refuses_a_code_that_is_taken(self, as_: As) -> None:
        answer = as_("ada").post("/prices/new/", self.GIVEN | {"code": "eco"})
        assert "There is a product eco already" in text_of(answer)


@pytest.mark.browser
@pytest.mark.slow
def test_pages_fit_and_keep_the_policy(desk: Page, phone: Page, people: dict[str, User], sign_in: SignIn) -> None:
    for page in (desk, phone):
        sign_in(page, people["ada"])
        for path in ("/prices/", "/prices/standard-1x/", "/prices/new/"):
            page.goto(path)
            assert scrolls_sideways(page) == 0, path
    desk.goto("/prices/")
    desk.get_by_role("link", name="Standard-1X").click()
    expect(desk.locator("h1")).to_contain_text("Standard-1X")
