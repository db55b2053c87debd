"""A price is rehearsed on the last months: whose bill changes by how much, in chunks, and nothing else changes."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import Account
from billing import contracting, rehearsing
from billing.contracting import OwnPrice
from billing.models import Invoice, Price, Product, Rehearsal, RehearsedBill
from core.errors import Conflict, Invalid
from tests import factories
from tests.factories import ADA, OCTOBER, account, ran, use

pytestmark = pytest.mark.django_db
START, END = OCTOBER.start, OCTOBER.end
DEARER = {"model": "prorated", "unit_amount": "60"}


@pytest.fixture
def cast() -> list[Account]:
    """Two that run a 50-dollar dyno, all or half of October, one that does not, and one that pays in euros."""
    made = [account("whole"), account("half"), account("none"), account("euro", currency="EUR")]
    use(ran("w", "standard-2x", START, END, "whole"))
    use(ran("h", "standard-2x", START, START + (END - START) / 2, "half"))
    use(ran("b", "performance-l", START, END, "half"))
    use(ran("n", "basic", START, END, "none"))
    use(ran("e", "standard-2x", START, END, "euro"))
    return made


def rehearsed(months: int = 1) -> Rehearsal:
    work = rehearsing.begin(Product.objects.get(code="standard-2x"), "USD", DEARER, "month", months=months, actor=ADA)
    rehearsing.rehearse_waiting()
    work.refresh_from_db()
    return work


def bills(work: Rehearsal) -> list[tuple[str, Decimal, Decimal]]:
    return list(work.bills.order_by("account__code").values_list("account__code", "before", "after"))


def test_says_whose_bill_changes_by_how_much(cast: list[Account]) -> None:
    work = rehearsed()
    assert bills(work) == [("half", 525, 530), ("whole", 50, 60)]
    assert (work.state, work.done, work.accounts, work.unrated) == ("done", 3, 3, 0)
    found = rehearsing.summary(work)
    assert (found.bills, found.before, found.after, found.up, found.down, found.dearer) == (2, 575, 590, 2, 0, 1)
    assert dict(found.buckets)["20 % or more"] == 1
    assert dict(found.buckets)["0 to 20 %"] == 1


def test_writes_neither_price_nor_invoice(cast: list[Account]) -> None:
    prices = Price.objects.count()
    rehearsed()
    assert (Price.objects.count(), Invoice.objects.count()) == (prices, 0)


def test_goes_on_chunk_by_chunk_where_it_stopped(cast: list[Account], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = bills(rehearsed())
    RehearsedBill.objects.all().delete()
    monkeypatch.setattr(rehearsing, "CHUNK", 1)
    work = rehearsing.begin(Product.objects.get(code="standard-2x"), "USD", DEARER, "month", months=1, actor=ADA)
    gathered, asked = rehearsing.gathering.gather_for, []

    def dying(*args: object, **more: object) -> object:
        asked.append(args)
        if len(asked) == 2:
            raise SystemExit("killed")
        return gathered(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(rehearsing.gathering, "gather_for", dying)
    with pytest.raises(SystemExit):
        rehearsing.rehearse_waiting()
    work.refresh_from_db()
    assert (work.state, work.done) == ("leased", 1)
    Rehearsal.objects.filter(pk=work.pk).update(lease_until=work.created_at - timedelta(seconds=1))
    rehearsing.rehearse_waiting()
    work.refresh_from_db()
    assert (work.state, work.done, bills(work)) == ("done", 3, expected)


def test_an_account_with_a_price_of_its_own_keeps_it(cast: list[Account]) -> None:
    own = [OwnPrice("standard-2x", {"model": "prorated", "unit_amount": "40"}, "month")]
    contracting.agree(
        cast[0].pk, name="Own", valid_from=OCTOBER, valid_to=None, terms={}, prices=own, reason="r", actor=ADA
    )
    assert bills(rehearsed())[1] == ("whole", 40, 40)


def test_months_that_cannot_be_rated_are_counted(cast: list[Account]) -> None:
    use(ran("x", "no-such-plan", START, END, "whole"))
    work = rehearsed()
    assert (work.unrated, bills(work)) == (1, [("half", 525, 530)])


def test_refuses_what_cannot_be(cast: list[Account]) -> None:
    product = Product.objects.get(code="standard-2x")
    with pytest.raises(Invalid):
        rehearsing.begin(product, "USD", {"model": "magic"}, "month", actor=ADA)
    with pytest.raises(Invalid):
        rehearsing.begin(product, "USD", DEARER, "month", months=13, actor=ADA)
    with pytest.raises(Conflict):
        rehearsing.begin(product, "CHF", DEARER, "month", actor=ADA)


class TestPages:
    def test_from_the_form_to_the_accounts_and_their_csv(self, cast: list[Account], client: Client) -> None:
        client.force_login(factories.staff()["ada"])
        assert "No price was rehearsed yet" in client.get("/rehearsals/").content.decode()
        said = {"product": "standard-2x", "currency": "USD", "model": "prorated", "unit_amount": "60", "unit": "month"}
        answer = client.post("/rehearsals/new/", said | {"months": "2"})
        assert answer.status_code == 302, answer.content.decode()
        page = client.get(answer.url).content.decode()  # type: ignore[attr-defined]
        assert "Accounts rated" in page
        rehearsing.rehearse_waiting()
        page = client.get(answer.url).content.decode()  # type: ignore[attr-defined]
        assert "Accounts rated" not in page
        for text in ("575.00 USD", "590.00 USD", "15.00 USD", "Whole", "2 months: September 2026 to October 2026"):
            assert text in page
        csv = b"".join(client.get(f"{answer.url}export.csv").streaming_content).decode()  # type: ignore[attr-defined]
        assert csv.splitlines()[1:] == ["half,USD,525.00,530.00,5.00", "whole,USD,50.00,60.00,10.00"]

    def test_bad_terms_are_marked(self, cast: list[Account], client: Client) -> None:
        client.force_login(factories.staff()["ada"])
        said = {"product": "standard-2x", "currency": "USD", "model": "graduated", "unit": "month", "months": "3"}
        page = client.post("/rehearsals/new/", said).content.decode()
        assert "Nothing was saved" in page
        assert not Rehearsal.objects.exists()
