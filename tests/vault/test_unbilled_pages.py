"""What cannot be billed, on its page: found, settled or accepted, never lost."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from billing import unbilled
from billing.models import UsageWaiver
from core import audit
from core.periods import Month
from tests import factories
from tests.factories import OCTOBER, account, ran, use
from tests.usage.factories import hour
from usage import ownerships
from usage.ownerships import Statement
from vault.month_state import waiting

pytestmark = pytest.mark.django_db
START, DAY = OCTOBER.start, timedelta(days=1)
PAGE = f"/usage/unbilled/?month={OCTOBER}&kind="


@pytest.fixture(autouse=True)
def unsettled(db: None) -> None:
    """A dyno that ran a day before acme owned it, an add-on without a price, and usage of a stranger."""
    factories.staff()
    account("acme")
    use([event | {"account": ""} for event in ran("web/1", "standard-2x", START, None, "acme")])
    ownerships.state(Statement("own", "acme", "web/1", "", hour(24), None), by="test")
    use(ran("gold-1", "gold", START, START + 5 * DAY, "acme") + ran("s", "eco", START, None, "stranger"))


def staff(name: str = "ada", role: str = "finance") -> Client:
    client, email = Client(), f"{name}@example.com"
    with audit.acting("system:test"):
        user = User.objects.filter(email=email).first() or User.objects.create_user(email, name=name, role=role)
    client.force_login(user)
    return client


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content[:500]
    return str(answer.content.decode())


def test_each_kind_says_whom_it_holds_why_and_where_it_is_settled() -> None:
    page = text(staff(), PAGE + "unowned")
    assert "web/1" in page and "1 d" in page and "/accounts/acme/" in page and "before acme owned it" in page
    page = text(staff(), PAGE + "unpriced")
    assert "gold" in page and "Nothing is sold as" in page and "/prices/new/?code=gold" in page and "5 d" in page
    assert "stranger" in text(staff(), PAGE + "strangers")
    assert "Nothing of this month was accepted" in text(staff(), PAGE + "accepted")
    assert "State its owner" not in page, "finance does not state owners"


def test_finance_accepts_with_a_reason_after_a_second_thought() -> None:
    client, asked = staff(), {"kind": "unpriced", "month": str(OCTOBER), "key": json.dumps(["acme", "gold"])}
    page = client.post("/usage/unbilled/accept/", asked).content.decode()
    assert "Bills nobody for 1 of what was used without a price" in page and not UsageWaiver.objects.exists()
    asked["key"] = json.dumps([["acme", "gold"]])
    assert "This field is required" in client.post("/usage/unbilled/accept/", asked | {"reason": ""}).content.decode()
    assert client.post("/usage/unbilled/accept/", asked | {"reason": "Ours"}, follow=True).status_code == 200
    assert "gold-1" not in text(client, PAGE + "unpriced") and "Ours" in text(client, PAGE + "accepted")
    waiver = UsageWaiver.objects.get()
    assert client.post(f"/usage/unbilled/waivers/{waiver.pk}/withdraw/", {"reason": "Not ours"}).status_code == 302
    assert "Nothing is sold as" in text(client, PAGE + "unpriced")


def test_what_is_ticked_wrongly_is_said() -> None:
    client, asked = staff(), {"kind": "unowned", "month": str(OCTOBER)}
    assert client.post("/usage/unbilled/accept/", asked).status_code == 302
    for odd in ("x", "[1]", "{}", '["a"]', "[]"):
        assert client.post("/usage/unbilled/accept/", asked | {"key": odd}).status_code in (302, 400), odd
    gone = asked | {"key": json.dumps([["no", "such"]]), "reason": "x"}
    assert "look at the list again" in client.post("/usage/unbilled/accept/", gone).content.decode()


def test_an_operator_states_the_owner() -> None:
    client = staff("olga", "operator")
    assert "State its owner" in text(client, PAGE + "unowned")
    page = text(client, f"/usage/unbilled/own/?resource=web/1&app=shop&month={OCTOBER}")
    assert "2026-10-01 00:00:00" in page
    given = {"resource": "web/1", "app": "shop", "account": "acme", "start": "2026-10-01 00:00", "end": ""}
    assert "is owned by acme" in client.post("/usage/unbilled/own/", given).content.decode()
    assert "nobody" in client.post("/usage/unbilled/own/", given | {"account": "nobody"}).content.decode()
    assert client.post("/usage/unbilled/own/", given | {"end": "2026-10-02 00:00"}).status_code == 302
    assert "Everything that was used in this month had an owner" in text(client, PAGE + "unowned")


def test_the_roster_and_the_home_lead_here() -> None:
    run = factories.build()
    page = text(staff(), f"/runs/{run.pk}/?outcome=held")
    assert f"/usage/unbilled/?kind=unowned&amp;month={OCTOBER}" in page
    unbilled.count()
    here = {item.href: item.count for item in waiting(run)}
    months = [str(month) for month in unbilled.months(OCTOBER.end + DAY)]
    assert here[f"/usage/unbilled/?month={months[0]}&kind=unowned"] == 1
    ready = text(staff(), f"/runs/open/?month={OCTOBER}")
    assert f"kind=unpriced&amp;month={OCTOBER}" in ready


def test_a_month_that_runs_cannot_be_accepted_yet() -> None:
    now = Month.containing(OCTOBER.end + DAY)
    use([event | {"account": ""} for event in ran("x", "eco", now.start, None, "acme")])
    page = text(staff(), f"/usage/unbilled/?month={now}&kind=unowned")
    assert "The month still runs" in page and "Look at it for those ticked" not in page


def test_the_status_says_what_waits() -> None:
    unbilled.count()
    month = unbilled.months(OCTOBER.end + DAY)[0]
    page = text(staff(), "/status/")
    assert f"/usage/unbilled/?month={month}&amp;kind=unowned" in page and "without an owner" in page
