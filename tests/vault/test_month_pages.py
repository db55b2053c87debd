"""A month by day, app and resource, as the customer and the staff see it."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import Account, Membership, User
from core import audit, clock
from core.periods import Month
from tests import factories
from tests.factories import account, ran, use

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def acme() -> Account:
    factories.staff()
    made = account("acme")
    before = Month.containing(clock.now()).previous
    use(ran("w1", "standard-2x", before.start - 40 * DAY, None, "acme", component="web"))
    use(ran("w2", "standard-1x", before.start, before.start + 3 * DAY, "acme", app="blog"))
    use(ran("theirs", "performance-l", before.start, None, "globex"))
    return made


def customer(of: Account) -> Client:
    with audit.acting("system:test"):
        user = User.objects.create_user("cleo@example.com", name="Cleo")
        Membership.objects.create(account=of, user=user, role="viewer")
    client = Client()
    client.force_login(user)
    return client


def staff(name: str = "ada") -> Client:
    client = Client()
    client.force_login(User.objects.get(email=f"{name}@example.com"))
    return client


def text(client: Client, address: str, **more: str) -> str:
    answer = client.get(address, headers=more)
    assert answer.status_code == 200, answer.content[:500]
    return str(answer.content.decode())


def test_the_customer_sees_days_apps_and_resources_of_their_own(acme: Account) -> None:
    client, before = customer(acme), Month.containing(clock.now()).previous
    page = text(client, "/portal/usage/")
    assert "At this pace, the whole month" in page and "as of" in page and 'hx-trigger="every 60s"' in page
    page = text(client, f"/portal/usage/?month={before}&by=app")
    assert "blog" in page and "Standard-1X" in page and "Not billed yet" in page and "every 60s" not in page
    page = text(client, f"/portal/usage/?month={before}&by=resource")
    assert "w1" in page and "w2" in page and "theirs" not in page and "/usage/resources/" not in page
    page = text(client, f"/portal/usage/?month={before}&day={before}-02")
    assert "All days" in page and "web · Standard-2X" in page


def test_a_day_sums_and_the_export_has_every_line(acme: Account) -> None:
    before = Month.containing(clock.now()).previous
    for client, address in (
        (customer(acme), "/portal/usage/export.csv"),
        (staff(), "/accounts/acme/current/export.csv"),
    ):
        answer = client.get(f"{address}?month={before}")
        rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
        of_days = before.seconds // 86_400
        assert len(rows) == of_days + 3
        assert sum(Decimal(row["amount"]) for row in rows) == 50 + round(Decimal(75) / of_days, 2)
        assert {(row["unit"], row["currency"]) for row in rows} == {("seconds", "USD")}


def test_staff_go_on_to_the_resource(acme: Account) -> None:
    client, before = staff(), Month.containing(clock.now()).previous
    page = text(client, f"/accounts/acme/current/?month={before}&by=app")
    assert "product=standard-2x" in page and "component=web" in page
    address = f"/accounts/acme/current/?month={before}&by=resource&app=shop&product=standard-2x&meter=duration"
    page = text(client, f"{address}&component=web")
    assert "/usage/resources/w1/" in page and "w2" not in page
    assert "No resource is like that" in text(client, f"{address}&component=web&q=nothing")


def test_the_card_is_for_the_overview(acme: Account) -> None:
    card = text(customer(acme), "/portal/usage/", **{"HX-Request": "true", "HX-Target": "current"})
    assert "<html" not in card and 'id="current"' in card and "So far" in card
    card = text(staff(), "/accounts/acme/current/", **{"HX-Request": "true", "HX-Target": "current"})
    assert "<html" not in card and "By day, app and resource" in card


def test_a_month_that_has_not_begun_is_said(acme: Account) -> None:
    after = Month.containing(clock.now()).next
    for month in (str(after), "2026-13", "soon"):
        assert staff().get(f"/accounts/acme/current/?month={month}").status_code == 400


def test_a_billed_month_names_its_invoice(acme: Account) -> None:
    before = Month.containing(clock.now()).previous
    run = factories.build(before)
    factories.issue(run, before.end.date() + DAY)
    page = text(customer(acme), f"/portal/usage/?month={before}")
    assert f"As billed on invoice {factories.invoice(acme, before).number}" in page


def test_nothing_used_says_so() -> None:
    assert "Nothing was used in this month yet" in text(customer(account("new")), "/portal/usage/")
