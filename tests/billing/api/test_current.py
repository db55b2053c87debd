"""The running month by API: one's own, line by line, as the invoice will say it."""

from datetime import timedelta

import pytest

from accounts.models import Account
from core import clock
from core.periods import Month
from tests.billing.api.conftest import KeyOf, call
from tests.factories import account, ran, staff, use

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Account:
    staff()
    return account("acme")


def month() -> Month:
    return Month.containing(clock.now())


def test_an_account_sees_its_own_month(key_of: KeyOf, acme: Account) -> None:
    account("globex")
    use(ran("a1", "standard-1x", month().start - timedelta(days=40), None, "acme", component="web"))
    use(ran("g1", "performance-l", month().start - timedelta(days=40), None, "globex"))
    said = call("get", "/usage/current", key_of(acme)).json()
    (line,) = said["lines"]
    assert (said["account"], said["month"], said["currency"]) == ("acme", str(month()), "USD")
    assert line["description"] == "web · Standard-1X" and line["unit_amount"] == "25" and line["resources"] == 1
    assert said["total"] == line["amount"] and said["forecast"] == "25.00" and said["waiting"] == ""


def test_up_to_a_moment(key_of: KeyOf, acme: Account) -> None:
    use(ran("a1", "standard-1x", month().start, None, "acme"))
    half = month().previous.start + (month().start - month().previous.start) / 2
    key = key_of(acme)
    said = call("get", f"/usage/current?as_of={half:%Y-%m-%dT%H:%M:%SZ}", key).json()
    assert (said["month"], said["lines"], said["total"]) == (str(month().previous), [], "0.00")
    for wrong in ("tomorrow", "2199-01-01T00:00:00Z"):
        assert call("get", f"/usage/current?as_of={wrong}", key).json()["field"] == "as_of"


def test_staff_say_whose(key_of: KeyOf, acme: Account) -> None:
    key = key_of("sam")
    assert call("get", "/usage/current?account=acme", key).json()["account"] == "acme"
    assert call("get", "/usage/current", key).json()["field"] == "account"
    assert call("get", "/usage/current?account=nobody", key).status_code == 404


def test_nobody_elses(key_of: KeyOf, acme: Account) -> None:
    account("globex")
    assert call("get", "/usage/current?account=globex", key_of(acme)).status_code == 400
    assert call("get", "/usage/current", key_of(acme, ["invoices:read"])).status_code == 403
    assert call("get", "/usage/current", "").status_code == 401


def test_says_what_cannot_be_priced_yet(key_of: KeyOf, acme: Account) -> None:
    use(ran("a1", "quantum-1x", month().start, None, "acme"))
    assert "quantum-1x" in call("get", "/usage/current", key_of(acme)).json()["waiting"]
