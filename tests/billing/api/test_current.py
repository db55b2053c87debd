"""The running month by API: one's own, line by line, as the invoice will say it."""

from datetime import timedelta
from decimal import Decimal

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


def test_by_day_by_app_and_by_resource_sum_to_the_total(key_of: KeyOf, acme: Account) -> None:
    before = month().previous
    for name, app in (("a1", "shop"), ("a2", "shop"), ("a3", "blog")):
        use(ran(name, "standard-1x", before.start, before.start + timedelta(days=9, hours=5), "acme", app=app))
    key = key_of(acme)
    for by, parts in (("day", "days"), ("app", "apps"), ("resource", "resources")):
        said = call("get", f"/usage/current?by={by}&month={before}", key).json()
        assert sum(Decimal(part["amount"]) for part in said[parts]) == Decimal(said["total"]) > 22
        assert (said["month"], said["invoice"], said["others"], "lines" in said) == (str(before), "", [], False)
    days = call("get", f"/usage/current?by=day&month={before}", key).json()["days"]
    assert [days[0]["date"], len(days)] == [f"{before}-01", before.seconds // 86_400]
    assert days[9]["usage"] == [
        {"product": "standard-1x", "meter": "duration", "used": "54000", "amount": days[9]["amount"]}
    ]


def test_resources_come_in_pages_as_they_were_known(key_of: KeyOf, acme: Account) -> None:
    before = month().previous
    for number in range(5):
        use(ran(f"a{number}", "standard-1x", before.start, before.start + timedelta(days=number + 1), "acme"))
    key, seen = key_of(acme), []
    address = f"/usage/current?by=resource&month={before}&page_size=2"
    while address:
        said = call("get", address, key).json()
        seen += [part["resource"] for part in said["resources"]]
        if len(seen) == 2:
            use(ran("more", "performance-l", before.start, None, "acme"))
        address = (said["next"] or "").partition("/api/v1")[2]
    assert seen == ["a4", "a3", "a2", "a1", "a0"], "largest first, and what came in between waits for another look"


def test_what_is_asked_wrongly_is_said(key_of: KeyOf, acme: Account) -> None:
    key = key_of(acme)
    for asked, field in (
        ("by=hour", "by"),
        ("month=2026-10", "month"),
        ("by=day&month=2026-13", "month"),
        ("by=resource&cursor=xyz", "cursor"),
        ("by=resource&cursor=MjAyNn4yfjM=", "cursor"),
        ("by=resource&page_size=0", "page_size"),
        ("by=resource&page_size=9999", "page_size"),
    ):
        answer = call("get", f"/usage/current?{asked}", key)
        assert (answer.status_code, answer.json()["field"]) == (400, field), asked
